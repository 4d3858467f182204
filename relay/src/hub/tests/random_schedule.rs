//! Random schedules: a replay that claims recovery is complete.

use super::*;
use proptest::prelude::*;

/// One step of a random schedule.
#[derive(Clone, Debug)]
enum Step {
    Publish {
        channel: u8,
        len: usize,
    },
    Pass {
        millis: u64,
    },
    Subscribe {
        channel: u8,
    },
    Unsubscribe {
        channel: u8,
    },
    /// A client that missed the last `behind` publications resumes.
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
        1 => channel.clone().prop_map(|channel| Step::Subscribe { channel }),
        1 => channel.clone().prop_map(|channel| Step::Unsubscribe { channel }),
        3 => (channel.clone(), 0..6_usize).prop_map(|(channel, behind)| Step::Resume { channel, behind }),
        2 => (channel, 0..=120_u32).prop_map(|(channel, seconds)| Step::Replay { channel, seconds }),
    ]
}

proptest! {
    /// The worst fault of a relay is to lose a publication and claim recovery.
    #[test]
    fn a_hub_never_claims_recovery_of_lost_publications(steps in prop::collection::vec(step(), 1..200)) {
        let mut fixture = Fixture::new(8000);
        let start = fixture.now.monotonic;
        let mut history: [Vec<(u64, Instant)>; 3] = Default::default();
        let mut subscribed = [0_usize; 3];
        for step in steps {
            match step {
                Step::Publish { channel, len } => {
                    let offset = fixture.publish_sized(channel, len);
                    history[usize::from(channel)].push((offset, fixture.now.monotonic));
                }
                Step::Pass { millis } => fixture.pass(Duration::from_millis(millis)),
                Step::Subscribe { channel } => {
                    fixture.subscribe(channel, None);
                    subscribed[usize::from(channel)] += 1;
                }
                Step::Unsubscribe { channel } if subscribed[usize::from(channel)] > 0 => {
                    fixture.unsubscribe(channel);
                    subscribed[usize::from(channel)] -= 1;
                }
                Step::Unsubscribe { .. } => {}
                Step::Resume { channel, behind } => {
                    let known = &history[usize::from(channel)];
                    let seen = known.len().saturating_sub(behind);
                    let position = seen.checked_sub(1).map_or(0, |index| known[index].0);
                    let missed: Vec<u64> = known[seen..].iter().map(|(offset, _)| *offset).collect();
                    let replay = fixture.subscribe(channel, Fixture::after(position));
                    fixture.unsubscribe(channel);
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
                    let replay = fixture.subscribe(channel, Some(Since::ReplaySeconds(seconds)));
                    fixture.unsubscribe(channel);
                    check(&replay, &asked)?;
                    prop_assert!(!replay.recovered || since >= start);
                }
            }
            prop_assert!(fixture.hub.cached_bytes() <= 8000);
        }
    }
}

/// Checks that a recovered replay is complete, and that each publication names the previous one.
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
