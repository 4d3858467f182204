use super::*;
use crate::{hub::Draft, tenant::Tenant};
use bytes::Bytes;
use sealwire_protocol::{UnixMillis, wire::Position};

const CHANNEL: ChannelId = ChannelId([1; 16]);

fn publication(offset: u64, event: &str) -> Arc<Publication> {
    let (tenant, event) = (Tenant::default(), event.to_owned());
    let draft = Draft { channel: CHANNEL, tenant, event, sealed: Bytes::new(), id: [0; 16] };
    Arc::new(Publication::new(draft, offset, offset - 1, UnixMillis(0)))
}

fn replay(offset: u64, publications: &[u64]) -> Replay {
    Replay {
        position: Position { epoch: 1, offset },
        recovered: true,
        publications: publications.iter().map(|offset| publication(*offset, "")).collect(),
    }
}

/// What every sink got, as (sink, offset).
fn deliver(subscribers: &mut Subscribers<&'static str>, offset: u64, event: &str) -> Vec<&'static str> {
    let mut got = Vec::new();
    subscribers.deliver(&publication(offset, event), |sink, _| got.push(*sink));
    got
}

fn open(subscribers: &mut Subscribers<&'static str>, connection: u64, replay: &Replay) -> Vec<u64> {
    let mut got = Vec::new();
    subscribers.open(CHANNEL, SessionId(connection), replay, |_, opening| {
        got.extend(opening.publications().map(|publication| publication.offset()));
    });
    got
}

#[test]
fn what_is_published_while_the_replay_is_fetched_follows_it_once_and_in_order() {
    let mut subscribers = Subscribers::default();
    subscribers.join(CHANNEL, SessionId(1), "a", EventFilter::default());
    // 3 and 4 are in the replay as well, 5 is not.
    for offset in [3, 4, 5] {
        assert!(deliver(&mut subscribers, offset, "").is_empty());
    }
    assert_eq!(open(&mut subscribers, 1, &replay(1, &[2, 3, 4])), [2, 3, 4, 5]);
    assert_eq!(deliver(&mut subscribers, 6, ""), ["a"]);
}

#[test]
fn a_publication_that_was_replayed_already_is_not_delivered_again() {
    let mut subscribers = Subscribers::default();
    subscribers.join(CHANNEL, SessionId(1), "a", EventFilter::default());
    assert_eq!(open(&mut subscribers, 1, &replay(0, &[1, 2])), [1, 2]);
    assert!(deliver(&mut subscribers, 2, "").is_empty());
    // Nor one from before a subscription that starts now.
    subscribers.join(CHANNEL, SessionId(2), "b", EventFilter::default());
    open(&mut subscribers, 2, &replay(3, &[]));
    assert_eq!(deliver(&mut subscribers, 3, ""), ["a"]);
    assert_eq!(deliver(&mut subscribers, 4, ""), ["a", "b"]);
}

#[test]
fn only_wanted_events_are_handed_out_also_from_the_replay() {
    let mut subscribers = Subscribers::default();
    subscribers.join(CHANNEL, SessionId(1), "a", EventFilter::new(&["x".into()]));
    let publications = [publication(1, "x"), publication(2, "y")].into_iter().collect();
    assert_eq!(open(&mut subscribers, 1, &Replay { publications, ..replay(0, &[]) }), [1]);
    assert!(deliver(&mut subscribers, 3, "y").is_empty());
    assert_eq!(deliver(&mut subscribers, 4, "x"), ["a"]);
}

#[test]
fn who_left_gets_nothing_and_nothing_is_kept_for_them() {
    let mut subscribers = Subscribers::default();
    for (connection, sink) in [(2, "b"), (1, "a"), (3, "c")] {
        subscribers.join(CHANNEL, SessionId(connection), sink, EventFilter::default());
        open(&mut subscribers, connection, &replay(0, &[]));
    }
    subscribers.leave(CHANNEL, SessionId(2));
    subscribers.leave(CHANNEL, SessionId(9));
    assert_eq!(deliver(&mut subscribers, 1, ""), ["a", "c"]);
    subscribers.leave(CHANNEL, SessionId(1));
    subscribers.leave(CHANNEL, SessionId(3));
    assert!(deliver(&mut subscribers, 2, "").is_empty());
    assert!(subscribers.channels.is_empty());
}
