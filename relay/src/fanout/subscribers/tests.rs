use super::*;
use crate::{hub::Draft, tenant::Tenant};
use bytes::Bytes;
use sealwire_protocol::{UnixMillis, wire::Position};

const CHANNEL: ChannelId = ChannelId([1; 16]);

fn publication(offset: u64, event: &str) -> Arc<Publication> {
    let (tenant, event) = (Tenant::default(), event.to_owned());
    let draft = Draft {
        channel: CHANNEL,
        tenant,
        event,
        sealed: Bytes::new(),
        id: [0; 16],
        content: None,
        trace: None,
    };
    Arc::new(Publication::new(draft, offset, offset - 1, UnixMillis(0)))
}

fn replay(offset: u64, publications: &[u64]) -> Replay {
    Replay {
        position: Position { epoch: 1, offset, time_ms: 0 },
        recovered: true,
        publications: publications.iter().map(|offset| publication(*offset, "")).collect(),
    }
}

/// Delivers a publication, and returns the sinks that received it.
fn deliver(subscribers: &mut Subscribers<&'static str>, offset: u64, event: &str) -> Vec<&'static str> {
    let mut received = Vec::new();
    subscribers.deliver(&publication(offset, event), |sink, _| received.push(*sink));
    received
}

fn catch_up(subscribers: &mut Subscribers<&'static str>, session: u64, replay: &Replay) -> Vec<u64> {
    let mut received = Vec::new();
    subscribers.catch_up(CHANNEL, SessionId(session), replay, |_, catch_up| {
        received.extend(catch_up.publications().map(|publication| publication.offset()));
    });
    received
}

#[test]
fn publications_during_the_replay_follow_it_once_and_in_order() {
    let mut subscribers = Subscribers::default();
    subscribers.subscribe(CHANNEL, SessionId(1), "a", EventFilter::default());
    // The replay contains 3 and 4, but not 5.
    for offset in [3, 4, 5] {
        assert!(deliver(&mut subscribers, offset, "").is_empty());
    }
    assert_eq!(catch_up(&mut subscribers, 1, &replay(1, &[2, 3, 4])), [2, 3, 4, 5]);
    assert_eq!(deliver(&mut subscribers, 6, ""), ["a"]);
}

#[test]
fn a_replayed_publication_is_not_delivered_again() {
    let mut subscribers = Subscribers::default();
    subscribers.subscribe(CHANNEL, SessionId(1), "a", EventFilter::default());
    assert_eq!(catch_up(&mut subscribers, 1, &replay(0, &[1, 2])), [1, 2]);
    assert!(deliver(&mut subscribers, 2, "").is_empty());
    // A new subscription does not receive publications from before its start either.
    subscribers.subscribe(CHANNEL, SessionId(2), "b", EventFilter::default());
    catch_up(&mut subscribers, 2, &replay(3, &[]));
    assert_eq!(deliver(&mut subscribers, 3, ""), ["a"]);
    assert_eq!(deliver(&mut subscribers, 4, ""), ["a", "b"]);
}

#[test]
fn the_event_filter_applies_to_live_and_replayed_publications() {
    let mut subscribers = Subscribers::default();
    subscribers.subscribe(CHANNEL, SessionId(1), "a", EventFilter::new(&["x".into()]));
    let publications = [publication(1, "x"), publication(2, "y")].into_iter().collect();
    assert_eq!(catch_up(&mut subscribers, 1, &Replay { publications, ..replay(0, &[]) }), [1]);
    assert!(deliver(&mut subscribers, 3, "y").is_empty());
    assert_eq!(deliver(&mut subscribers, 4, "x"), ["a"]);
}

#[test]
fn a_removed_subscriber_receives_nothing_and_leaves_nothing_behind() {
    let mut subscribers = Subscribers::default();
    for (session, sink) in [(2, "b"), (1, "a"), (3, "c")] {
        subscribers.subscribe(CHANNEL, SessionId(session), sink, EventFilter::default());
        catch_up(&mut subscribers, session, &replay(0, &[]));
    }
    subscribers.unsubscribe(CHANNEL, SessionId(2));
    subscribers.unsubscribe(CHANNEL, SessionId(9));
    assert_eq!(deliver(&mut subscribers, 1, ""), ["a", "c"]);
    subscribers.unsubscribe(CHANNEL, SessionId(1));
    subscribers.unsubscribe(CHANNEL, SessionId(3));
    assert!(deliver(&mut subscribers, 2, "").is_empty());
    assert!(subscribers.channels.is_empty());
}

#[test]
fn a_subscriber_that_was_lost_gets_nothing_more_also_if_its_replay_was_under_way() {
    let mut subscribers = Subscribers::<u32>::default();
    let (one, two) = (SessionId(1), SessionId(2));
    subscribers.subscribe(CHANNEL, one, 1, EventFilter::default());
    let replay = replay(0, &[]);
    assert!(!subscribers.catch_up(CHANNEL, one, &replay, |_, _| {}));
    subscribers.subscribe(CHANNEL, two, 2, EventFilter::default());
    let mut lost = Vec::new();
    subscribers.lose(CHANNEL, |sink| lost.push(*sink));
    assert_eq!(lost, [1, 2]);
    assert!(subscribers.catch_up(CHANNEL, two, &replay, |_, _| panic!("a lost subscriber has no replay")));
    assert!(subscribers.is_lost(CHANNEL, one) && subscribers.is_lost(CHANNEL, two));
    subscribers.deliver(&publication(1, ""), |_, _| panic!("a lost subscriber gets nothing"));
    // A new subscription of the same session is not lost.
    subscribers.subscribe(CHANNEL, one, 1, EventFilter::default());
    assert!(!subscribers.is_lost(CHANNEL, one));
}
