//! Unit tests of the hub in virtual time.

mod random_schedule;
mod repeats;
mod tenants;

use super::*;
use bytes::Bytes;

const WINDOW: Duration = Duration::from_secs(120);

struct Fixture {
    hub: Hub,
    now: Now,
    ids: u128,
    /// The tenant of the next publications and subscriptions.
    tenant: Tenant,
}

fn tenant(app: u64, installation: u64) -> Tenant {
    Tenant { app, installation: app << 32 | installation }
}

impl Fixture {
    fn new(replay_bytes: usize) -> Self {
        let now = Now { monotonic: Instant::now(), wall: UnixMillis(1_800_000_000_000) };
        let hub = Hub::new(7, HubLimits { replay_window: WINDOW, replay_bytes }, now);
        Self { hub, now, ids: 0, tenant: tenant(1, 0) }
    }

    fn pass(&mut self, span: Duration) {
        self.now.monotonic += span;
        self.now.wall.0 += u64::try_from(span.as_millis()).unwrap();
    }

    fn publish(&mut self, channel: u8) -> u64 {
        self.publish_sized(channel, 100)
    }

    fn publish_sized(&mut self, channel: u8, len: usize) -> u64 {
        self.ids += 1;
        let draft = self.draft(channel, len, self.ids);
        let outcome = self.hub.publish(draft, self.now).unwrap();
        assert!(outcome.publication.is_some());
        outcome.receipt.position.offset
    }

    fn draft(&self, channel: u8, len: usize, id: u128) -> Draft {
        Draft {
            channel: ChannelId([channel; 16]),
            tenant: self.tenant,
            event: String::new(),
            sealed: Bytes::from(vec![0; len]),
            id: id.to_be_bytes(),
            content: None,
            trace: None,
        }
    }

    fn subscribe(&mut self, channel: u8, since: Option<Since>) -> Replay {
        self.hub.subscribe(self.tenant, ChannelId([channel; 16]), since, self.now)
    }

    fn unsubscribe(&mut self, channel: u8) {
        self.hub.unsubscribe(ChannelId([channel; 16]), self.now);
    }

    fn after(offset: u64) -> Option<Since> {
        Some(Since::Position(Position { epoch: 7, offset, time_ms: 0 }))
    }
}

fn offsets(replay: &Replay) -> Vec<u64> {
    replay.publications.iter().map(|publication| publication.offset()).collect()
}

fn previous(publication: &Publication) -> u64 {
    use sealwire_protocol::wire::ToClient;
    match ToClient::from_bytes(publication.message()).unwrap() {
        ToClient::Publication(publication) => publication.previous_offset,
        other => panic!("{other:?}"),
    }
}

#[test]
fn offsets_increase_over_all_channels_and_each_names_the_previous_one_of_its_channel() {
    let mut fixture = Fixture::new(1 << 20);
    let start = fixture.subscribe(1, None);
    let expected = Position { epoch: 7, offset: 0, time_ms: 1_800_000_000_000 };
    assert_eq!((start.position, start.recovered), (expected, false));
    assert_eq!([1, 2, 1, 2, 1].map(|channel| fixture.publish(channel)), [1, 2, 3, 4, 5]);
    let replay = fixture.subscribe(1, Fixture::after(0));
    assert!(replay.recovered);
    assert_eq!(offsets(&replay), [1, 3, 5]);
    assert_eq!(replay.publications.iter().map(|p| previous(p)).collect::<Vec<_>>(), [0, 1, 3]);
    // A new channel starts at the hub's counter.
    assert_eq!(fixture.subscribe(3, None).position.offset, 5);
}

#[test]
fn a_subscription_resumes_exactly_after_its_position() {
    let mut fixture = Fixture::new(1 << 20);
    fixture.subscribe(1, None);
    for channel in [1, 2, 1, 1] {
        fixture.publish(channel);
    }
    for (position, start, expected) in
        [(0, 0, vec![1, 3, 4]), (1, 1, vec![3, 4]), (2, 1, vec![3, 4]), (3, 3, vec![4]), (4, 4, vec![])]
    {
        let replay = fixture.subscribe(1, Fixture::after(position));
        assert!(replay.recovered, "{position}");
        assert_eq!((replay.position.offset, offsets(&replay)), (start, expected));
    }
}

#[test]
fn a_position_has_the_time_of_its_publication_or_else_of_the_newest_one() {
    let mut fixture = Fixture::new(1 << 20);
    let start = fixture.now.wall.0;
    for channel in [1, 2, 1] {
        fixture.pass(Duration::from_millis(10));
        fixture.publish(channel);
    }
    fixture.pass(Duration::from_millis(10));
    let times = [None, Fixture::after(3), Fixture::after(1), Fixture::after(0)].map(|since| {
        let position = fixture.subscribe(1, since).position;
        (position.offset, position.time_ms - start)
    });
    assert_eq!(times, [(3, 30), (3, 30), (1, 10), (0, 30)]);
    // A publication and its receipt have the same time.
    let draft = fixture.draft(1, 100, 99);
    let Outcome { receipt, publication } = fixture.hub.publish(draft, fixture.now).unwrap();
    assert_eq!((receipt.position.time_ms, receipt.time.0 - start), (start + 40, 40));
    assert_eq!(publication.unwrap().time(), receipt.time);
}

#[test]
fn a_mark_behind_which_only_other_channels_were_published_is_recovered() {
    let mut fixture = Fixture::new(1 << 20);
    for channel in [1, 2, 2] {
        fixture.publish(channel);
    }
    for (offset, recovered) in [(2, true), (3, true), (4, false)] {
        let replay = fixture.subscribe(1, Fixture::after(offset));
        assert_eq!(replay.recovered, recovered, "{offset}");
    }
    assert_eq!(fixture.hub.newest().offset, 3);
    fixture.publish(1);
    let replay = fixture.subscribe(1, Fixture::after(3));
    assert_eq!((replay.recovered, offsets(&replay)), (true, vec![4]));
}

#[test]
fn an_unknown_position_replays_everything_cached_without_claiming_recovery() {
    let mut fixture = Fixture::new(1 << 20);
    fixture.publish(1);
    fixture.publish(1);
    let other_epoch = Some(Since::Position(Position { epoch: 8, offset: 2, time_ms: 0 }));
    for since in [other_epoch, Fixture::after(3), Fixture::after(u64::MAX)] {
        let replay = fixture.subscribe(1, since);
        assert!(!replay.recovered);
        assert_eq!((replay.position.offset, offsets(&replay)), (0, vec![1, 2]));
    }
}

#[test]
fn expired_publications_are_a_gap_only_for_positions_before_them() {
    let mut fixture = Fixture::new(1 << 20);
    fixture.publish(1);
    fixture.pass(Duration::from_secs(60));
    fixture.publish(1);
    fixture.pass(Duration::from_secs(60));
    assert_eq!(offsets(&fixture.subscribe(1, Fixture::after(0))), [1, 2]);
    fixture.pass(Duration::from_millis(1));
    let replay = fixture.subscribe(1, Fixture::after(0));
    assert!(!replay.recovered);
    assert_eq!((replay.position.offset, offsets(&replay)), (1, vec![2]));
    let replay = fixture.subscribe(1, Fixture::after(1));
    assert!(replay.recovered);
    assert_eq!(offsets(&replay), [2]);
}

#[test]
fn a_replay_of_seconds_is_recovered_unless_some_of_them_are_evicted_or_precede_the_relay() {
    let mut fixture = Fixture::new(3000);
    let seconds = |seconds| Some(Since::ReplaySeconds(seconds));
    // The relay is younger than the requested span.
    assert!(!fixture.subscribe(1, seconds(10)).recovered);
    assert!(fixture.subscribe(1, seconds(0)).recovered);
    fixture.pass(Duration::from_secs(10));
    assert!(fixture.subscribe(1, seconds(10)).recovered);
    assert!(!fixture.subscribe(1, seconds(11)).recovered);

    fixture.publish_sized(1, 1000);
    fixture.pass(Duration::from_secs(5));
    fixture.publish_sized(1, 1000);
    assert_eq!(offsets(&fixture.subscribe(1, seconds(4))), [2]);
    let replay = fixture.subscribe(1, seconds(5));
    assert!(replay.recovered);
    assert_eq!(offsets(&replay), [1, 2]);
    // A publication on another channel evicts the oldest one, to stay within the limit.
    fixture.publish_sized(2, 1000);
    let replay = fixture.subscribe(1, seconds(5));
    assert!(!replay.recovered);
    assert_eq!((replay.position.offset, offsets(&replay)), (1, vec![2]));
    fixture.pass(Duration::from_millis(1));
    let replay = fixture.subscribe(1, seconds(5));
    assert!(replay.recovered);
    assert_eq!(offsets(&replay), [2]);
}

#[test]
fn the_cache_stays_within_its_limit_and_evicts_the_oldest_first() {
    let mut fixture = Fixture::new(10_000);
    for _ in 0..100 {
        fixture.publish_sized(1, 1000);
        assert!(fixture.hub.cached_bytes() <= 10_000);
    }
    let replay = fixture.subscribe(1, Fixture::after(0));
    assert!(!replay.recovered);
    assert_eq!(offsets(&replay), (93..=100).collect::<Vec<_>>());
    assert_eq!(replay.position.offset, 92);
    // A publication larger than the cache is delivered and not cached.
    assert_eq!(fixture.publish_sized(1, 20_000), 101);
    assert_eq!(fixture.hub.cached_bytes(), 0);
    let replay = fixture.subscribe(1, Fixture::after(100));
    assert!(!replay.recovered);
    assert_eq!((replay.position.offset, offsets(&replay)), (101, vec![]));
}

#[test]
fn unused_channels_are_removed_after_the_window() {
    let mut fixture = Fixture::new(1 << 20);
    for channel in 0..100 {
        fixture.publish(channel);
        fixture.subscribe(100 + channel, None);
    }
    assert_eq!(fixture.hub.channels(), 200);
    for channel in 0..100 {
        fixture.unsubscribe(100 + channel);
    }
    fixture.pass(WINDOW + Duration::from_millis(1));
    fixture.hub.expire(fixture.now.monotonic);
    // The publications are gone. The idle channels stay for another window, so that gaps are recognised.
    assert_eq!((fixture.hub.cached_bytes(), fixture.hub.channels()), (0, 100));
    fixture.pass(WINDOW + Duration::from_millis(1));
    fixture.hub.expire(fixture.now.monotonic);
    assert_eq!(fixture.hub.channels(), 0);
    assert!(fixture.hub.idle.len() == 0 && fixture.hub.cached.len() == 0);
}

#[test]
fn a_channel_keeps_its_position_while_it_has_subscribers() {
    let mut fixture = Fixture::new(1 << 20);
    fixture.subscribe(1, None);
    let offset = fixture.publish(1);
    fixture.pass(WINDOW * 10);
    fixture.publish(2);
    let replay = fixture.subscribe(1, Fixture::after(offset));
    assert!(replay.recovered, "nothing was published after its position");
    fixture.unsubscribe(1);
    fixture.unsubscribe(1);
    fixture.pass(WINDOW + Duration::from_millis(1));
    fixture.hub.expire(fixture.now.monotonic);
    let replay = fixture.subscribe(1, Fixture::after(offset));
    assert!(!replay.recovered);
}

#[test]
fn channels_that_are_dropped_early_claim_no_recovery() {
    let mut fixture = Fixture::new(0);
    fixture.pass(Duration::from_secs(60));
    let offset = fixture.publish(1);
    // Nothing is cached, but the hub knows that a message was published: a replay of this second would lack it.
    assert!(!fixture.subscribe(1, Some(Since::ReplaySeconds(1))).recovered);
    fixture.unsubscribe(1);
    for channel in 2..200 {
        fixture.subscribe(channel, None);
        fixture.unsubscribe(channel);
    }
    assert!(fixture.hub.channels() <= Hub::MIN_IDLE && fixture.hub.idle.len() <= Hub::MIN_IDLE);
    // After its early removal, the channel still claims no recovery.
    assert!(!fixture.subscribe(1, Some(Since::ReplaySeconds(1))).recovered);
    assert!(fixture.subscribe(1, Fixture::after(offset)).recovered);
    fixture.publish(1);
    assert!(!fixture.subscribe(1, Fixture::after(offset)).recovered);
    fixture.pass(Duration::from_secs(2));
    assert!(fixture.subscribe(1, Some(Since::ReplaySeconds(1))).recovered);
}
