mod tenants;

use super::*;
use bytes::Bytes;
use proptest::prelude::*;

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
        outcome.accepted.position.offset
    }

    fn draft(&self, channel: u8, len: usize, id: u128) -> Draft {
        Draft {
            channel: ChannelId([channel; 16]),
            tenant: self.tenant,
            event: String::new(),
            sealed: Bytes::from(vec![0; len]),
            id: id.to_be_bytes(),
        }
    }

    fn join(&mut self, channel: u8, since: Option<Since>) -> Replay {
        self.hub.join(self.tenant, ChannelId([channel; 16]), since, self.now)
    }

    fn leave(&mut self, channel: u8) {
        self.hub.leave(ChannelId([channel; 16]), self.now);
    }

    fn after(offset: u64) -> Option<Since> {
        Some(Since::Position(Position { epoch: 7, offset }))
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
fn offsets_grow_over_all_channels_and_each_names_the_one_before_it_on_its_own() {
    let mut fixture = Fixture::new(1 << 20);
    let start = fixture.join(1, None);
    assert_eq!((start.position, start.recovered), (Position { epoch: 7, offset: 0 }, false));
    assert_eq!([1, 2, 1, 2, 1].map(|channel| fixture.publish(channel)), [1, 2, 3, 4, 5]);
    let replay = fixture.join(1, Fixture::after(0));
    assert!(replay.recovered);
    assert_eq!(offsets(&replay), [1, 3, 5]);
    assert_eq!(replay.publications.iter().map(|p| previous(p)).collect::<Vec<_>>(), [0, 1, 3]);
    // A channel that came to be later starts at the counter.
    assert_eq!(fixture.join(3, None).position.offset, 5);
}

#[test]
fn a_position_is_resumed_exactly() {
    let mut fixture = Fixture::new(1 << 20);
    fixture.join(1, None);
    for channel in [1, 2, 1, 1] {
        fixture.publish(channel);
    }
    for (position, start, expected) in
        [(0, 0, vec![1, 3, 4]), (1, 1, vec![3, 4]), (2, 1, vec![3, 4]), (3, 3, vec![4]), (4, 4, vec![])]
    {
        let replay = fixture.join(1, Fixture::after(position));
        assert!(replay.recovered, "{position}");
        assert_eq!((replay.position.offset, offsets(&replay)), (start, expected));
    }
}

#[test]
fn a_position_of_another_run_or_from_the_future_gets_all_there_is_and_no_promise() {
    let mut fixture = Fixture::new(1 << 20);
    fixture.publish(1);
    fixture.publish(1);
    let other_epoch = Some(Since::Position(Position { epoch: 8, offset: 2 }));
    for since in [other_epoch, Fixture::after(3), Fixture::after(u64::MAX)] {
        let replay = fixture.join(1, since);
        assert!(!replay.recovered);
        assert_eq!((replay.position.offset, offsets(&replay)), (0, vec![1, 2]));
    }
}

#[test]
fn what_expired_is_a_gap_for_those_before_it_and_for_nobody_after_it() {
    let mut fixture = Fixture::new(1 << 20);
    fixture.publish(1);
    fixture.pass(Duration::from_secs(60));
    fixture.publish(1);
    fixture.pass(Duration::from_secs(60));
    assert_eq!(offsets(&fixture.join(1, Fixture::after(0))), [1, 2]);
    fixture.pass(Duration::from_millis(1));
    let replay = fixture.join(1, Fixture::after(0));
    assert!(!replay.recovered);
    assert_eq!((replay.position.offset, offsets(&replay)), (1, vec![2]));
    let replay = fixture.join(1, Fixture::after(1));
    assert!(replay.recovered);
    assert_eq!(offsets(&replay), [2]);
}

#[test]
fn the_last_seconds_are_recovered_unless_some_of_them_are_gone_or_before_the_relay() {
    let mut fixture = Fixture::new(3000);
    let seconds = |seconds| Some(Since::ReplaySeconds(seconds));
    // The relay is younger than what is asked for.
    assert!(!fixture.join(1, seconds(10)).recovered);
    assert!(fixture.join(1, seconds(0)).recovered);
    fixture.pass(Duration::from_secs(10));
    assert!(fixture.join(1, seconds(10)).recovered);
    assert!(!fixture.join(1, seconds(11)).recovered);

    fixture.publish_sized(1, 1000);
    fixture.pass(Duration::from_secs(5));
    fixture.publish_sized(1, 1000);
    assert_eq!(offsets(&fixture.join(1, seconds(4))), [2]);
    let replay = fixture.join(1, seconds(5));
    assert!(replay.recovered);
    assert_eq!(offsets(&replay), [1, 2]);
    // Evicted by another channel, to stay within the bytes allowed.
    fixture.publish_sized(2, 1000);
    let replay = fixture.join(1, seconds(5));
    assert!(!replay.recovered);
    assert_eq!((replay.position.offset, offsets(&replay)), (1, vec![2]));
    fixture.pass(Duration::from_millis(1));
    let replay = fixture.join(1, seconds(5));
    assert!(replay.recovered);
    assert_eq!(offsets(&replay), [2]);
}

#[test]
fn the_cache_stays_within_its_bytes_and_the_oldest_goes_first() {
    let mut fixture = Fixture::new(10_000);
    for _ in 0..100 {
        fixture.publish_sized(1, 1000);
        assert!(fixture.hub.cached_bytes() <= 10_000);
    }
    let replay = fixture.join(1, Fixture::after(0));
    assert!(!replay.recovered);
    assert_eq!(offsets(&replay), (93..=100).collect::<Vec<_>>());
    assert_eq!(replay.position.offset, 92);
    // Larger than everything that may be kept: delivered, and gone.
    assert_eq!(fixture.publish_sized(1, 20_000), 101);
    assert_eq!(fixture.hub.cached_bytes(), 0);
    let replay = fixture.join(1, Fixture::after(100));
    assert!(!replay.recovered);
    assert_eq!((replay.position.offset, offsets(&replay)), (101, vec![]));
}

#[test]
fn nothing_is_left_of_channels_that_nobody_uses() {
    let mut fixture = Fixture::new(1 << 20);
    for channel in 0..100 {
        fixture.publish(channel);
        fixture.join(100 + channel, None);
    }
    assert_eq!(fixture.hub.channels(), 200);
    for channel in 0..100 {
        fixture.leave(100 + channel);
    }
    fixture.pass(WINDOW + Duration::from_millis(1));
    fixture.hub.expire(fixture.now.monotonic);
    // The publications are gone; that they were there is remembered for as long again.
    assert_eq!((fixture.hub.cached_bytes(), fixture.hub.channels()), (0, 100));
    fixture.pass(WINDOW + Duration::from_millis(1));
    fixture.hub.expire(fixture.now.monotonic);
    assert_eq!(fixture.hub.channels(), 0);
    assert!(fixture.hub.idle.len() == 0 && fixture.hub.cached.len() == 0);
}

#[test]
fn a_channel_keeps_its_place_while_it_has_subscribers() {
    let mut fixture = Fixture::new(1 << 20);
    fixture.join(1, None);
    let offset = fixture.publish(1);
    fixture.pass(WINDOW * 10);
    fixture.publish(2);
    let replay = fixture.join(1, Fixture::after(offset));
    assert!(replay.recovered, "the subscriber saw the newest there is");
    fixture.leave(1);
    fixture.leave(1);
    fixture.pass(WINDOW + Duration::from_millis(1));
    fixture.hub.expire(fixture.now.monotonic);
    let replay = fixture.join(1, Fixture::after(offset));
    assert!(!replay.recovered);
}

#[test]
fn a_repeated_message_is_answered_as_the_first_time_until_the_window_is_over() {
    let mut fixture = Fixture::new(1 << 20);
    let first = fixture.hub.publish(fixture.draft(1, 10, 5), fixture.now).unwrap();
    fixture.pass(WINDOW);
    let again = fixture.hub.publish(fixture.draft(1, 10, 5), fixture.now).unwrap();
    assert_eq!(again.accepted, first.accepted);
    assert!(again.publication.is_none());
    // On another channel the id is another one.
    assert!(fixture.hub.publish(fixture.draft(2, 10, 5), fixture.now).unwrap().publication.is_some());
    fixture.pass(Duration::from_millis(1));
    assert!(fixture.hub.publish(fixture.draft(1, 10, 5), fixture.now).unwrap().publication.is_some());
}

#[test]
fn an_id_that_was_used_for_another_message_is_refused_and_nothing_else_changes() {
    let mut fixture = Fixture::new(1 << 20);
    let first = fixture.hub.publish(fixture.draft(1, 1000, 5), fixture.now).unwrap();
    let draft = fixture.draft(1, 1000, 5);
    let mut changed = vec![0; 1000];
    changed[500] = 1;
    for other in [
        Draft { event: "added".into(), ..draft.clone() },
        Draft { sealed: changed.into(), ..draft.clone() },
        Draft { sealed: Bytes::from(vec![0; 999]), ..draft.clone() },
        // Not the same text at another seam.
        Draft { event: "\0".into(), sealed: Bytes::from(vec![0; 999]), ..draft.clone() },
    ] {
        assert_eq!(fixture.hub.publish(other, fixture.now).unwrap_err(), IdReused);
    }
    assert_eq!(fixture.hub.publish(draft, fixture.now).unwrap().accepted, first.accepted);
    let counts = fixture.hub.counts();
    assert_eq!((counts.publications, counts.repeats), (1, 1));
    // Also where the message itself is no longer kept.
    let mut fixture = Fixture::new(20_000);
    let first = fixture.draft(1, 1000, 5);
    fixture.hub.publish(first.clone(), fixture.now).unwrap();
    for _ in 0..20 {
        fixture.publish_sized(2, 1000);
    }
    let other = Draft { event: "added".into(), ..first.clone() };
    assert_eq!(fixture.hub.publish(other, fixture.now).unwrap_err(), IdReused);
    assert!(fixture.hub.publish(first, fixture.now).unwrap().publication.is_none());
}

#[test]
fn a_wall_clock_that_is_set_back_does_not_turn_the_times_of_messages_back() {
    let mut fixture = Fixture::new(1 << 20);
    let first = fixture.hub.publish(fixture.draft(1, 10, 1), fixture.now).unwrap().accepted.time;
    fixture.now.wall.0 -= 10_000;
    let second = fixture.hub.publish(fixture.draft(1, 10, 2), fixture.now).unwrap().accepted.time;
    assert!(second >= first);
}

#[test]
fn times_follow_a_wall_clock_that_was_ahead_within_ten_seconds() {
    let mut fixture = Fixture::new(1 << 20);
    let time = |fixture: &mut Fixture| {
        fixture.ids += 1;
        fixture.hub.publish(fixture.draft(1, 10, fixture.ids), fixture.now).unwrap().accepted.time
    };
    let true_time = fixture.now.wall;
    // An hour ahead, and right again.
    fixture.now.wall.0 += 3_600_000;
    assert_eq!(time(&mut fixture), fixture.now.wall);
    fixture.now.wall = true_time;
    assert_eq!(time(&mut fixture), true_time);
    // A little ahead: the time stands until the clock has caught up, and goes on with it.
    fixture.now.wall.0 += 10_000;
    let ahead = time(&mut fixture);
    fixture.now.wall.0 -= 10_000;
    for _ in 0..10 {
        assert_eq!(time(&mut fixture), ahead);
        fixture.pass(Duration::from_secs(1));
    }
    assert_eq!(time(&mut fixture), ahead);
    fixture.pass(Duration::from_millis(1));
    assert_eq!(time(&mut fixture), fixture.now.wall);
}

/// Something that happens to a hub.
#[derive(Clone, Debug)]
enum Step {
    Publish {
        channel: u8,
        len: usize,
    },
    Pass {
        millis: u64,
    },
    Join {
        channel: u8,
    },
    Leave {
        channel: u8,
    },
    /// A client that knows everything up to here, or a bit less, comes back.
    Resume {
        channel: u8,
        behind: usize,
    },
    Replay {
        channel: u8,
        seconds: u32,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let channel = 0..3_u8;
    prop_oneof![
        4 => (channel.clone(), 0..2000_usize).prop_map(|(channel, len)| Step::Publish { channel, len }),
        2 => (0..60_000_u64).prop_map(|millis| Step::Pass { millis }),
        1 => channel.clone().prop_map(|channel| Step::Join { channel }),
        1 => channel.clone().prop_map(|channel| Step::Leave { channel }),
        3 => (channel.clone(), 0..6_usize).prop_map(|(channel, behind)| Step::Resume { channel, behind }),
        2 => (channel, 0..=120_u32).prop_map(|(channel, seconds)| Step::Replay { channel, seconds }),
    ]
}

proptest! {
    /// The worst that a relay can do is to lose something and say that nothing is lost.
    #[test]
    fn a_hub_never_claims_to_have_recovered_what_it_has_not(steps in prop::collection::vec(step(), 1..200)) {
        let mut fixture = Fixture::new(8000);
        let start = fixture.now.monotonic;
        let mut history: [Vec<(u64, Instant)>; 3] = Default::default();
        let mut joined = [0_usize; 3];
        for step in steps {
            match step {
                Step::Publish { channel, len } => {
                    let offset = fixture.publish_sized(channel, len);
                    history[usize::from(channel)].push((offset, fixture.now.monotonic));
                }
                Step::Pass { millis } => fixture.pass(Duration::from_millis(millis)),
                Step::Join { channel } => {
                    fixture.join(channel, None);
                    joined[usize::from(channel)] += 1;
                }
                Step::Leave { channel } if joined[usize::from(channel)] > 0 => {
                    fixture.leave(channel);
                    joined[usize::from(channel)] -= 1;
                }
                Step::Leave { .. } => {}
                Step::Resume { channel, behind } => {
                    let known = &history[usize::from(channel)];
                    let seen = known.len().saturating_sub(behind);
                    let position = seen.checked_sub(1).map_or(0, |index| known[index].0);
                    let missed: Vec<u64> = known[seen..].iter().map(|(offset, _)| *offset).collect();
                    let replay = fixture.join(channel, Fixture::after(position));
                    fixture.leave(channel);
                    check(&replay, &missed)?;
                }
                Step::Replay { channel, seconds } => {
                    let span = Duration::from_secs(seconds.into());
                    let since = fixture.now.monotonic.checked_sub(span).unwrap();
                    let asked: Vec<u64> = history[usize::from(channel)]
                        .iter()
                        .filter(|(_, at)| *at >= since)
                        .map(|(offset, _)| *offset)
                        .collect();
                    let replay = fixture.join(channel, Some(Since::ReplaySeconds(seconds)));
                    fixture.leave(channel);
                    check(&replay, &asked)?;
                    prop_assert!(!replay.recovered || since >= start);
                }
            }
            prop_assert!(fixture.hub.cached_bytes() <= 8000);
        }
    }
}

/// Whether a replay holds what its promise says, and hangs together.
fn check(replay: &Replay, asked: &[u64]) -> Result<(), TestCaseError> {
    let replayed = offsets(replay);
    if replay.recovered {
        prop_assert_eq!(&replayed[..], asked);
    } else {
        prop_assert!(asked.ends_with(&replayed) || replayed.ends_with(asked));
    }
    let mut position = replay.position.offset;
    for publication in replay.publications.iter() {
        prop_assert_eq!(previous(publication), position);
        position = publication.offset();
    }
    Ok(())
}

#[test]
fn channels_that_are_made_and_left_in_masses_are_forgotten_early_and_honestly() {
    let mut fixture = Fixture::new(0);
    fixture.pass(Duration::from_secs(60));
    let offset = fixture.publish(1);
    // Nothing is cached here, yet the channel is remembered: a replay of this moment would lack a message.
    assert!(!fixture.join(1, Some(Since::ReplaySeconds(1))).recovered);
    fixture.leave(1);
    for channel in 2..200 {
        fixture.join(channel, None);
        fixture.leave(channel);
    }
    assert!(fixture.hub.channels() <= Hub::MIN_IDLE && fixture.hub.idle.len() <= Hub::MIN_IDLE);
    // Forgotten before its time, it still promises nothing.
    assert!(!fixture.join(1, Some(Since::ReplaySeconds(1))).recovered);
    assert!(fixture.join(1, Fixture::after(offset)).recovered);
    fixture.publish(1);
    assert!(!fixture.join(1, Fixture::after(offset)).recovered);
    fixture.pass(Duration::from_secs(2));
    assert!(fixture.join(1, Some(Since::ReplaySeconds(1))).recovered);
}
