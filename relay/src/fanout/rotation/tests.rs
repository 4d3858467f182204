use super::*;
use crate::{
    fanout::{Subscribers, backlog::BacklogPermit},
    hub::{Draft, History, Publication, Replay},
    session::EventFilter,
    tenant::Tenant,
};
use proptest::prelude::*;
use sealwire_protocol::{UnixMillis, wire::Position};
use std::{collections::BTreeMap, sync::Arc};

fn channel(number: u8) -> ChannelId {
    ChannelId([number; 16])
}

fn delivery(of: u64, on: u8, offset: u64) -> Delivery {
    let (channel, tenant) = (channel(on), Tenant { app: of, installation: of });
    let draft = Draft { channel, tenant, event: String::new(), sealed: vec![].into(), id: [0; 16] };
    let publication = Arc::new(Publication::new(draft, offset, offset - 1, UnixMillis(0)));
    Delivery::of(publication, BacklogPermit::of(tenant))
}

/// The channels of the next turns, each of which is done with one.
fn turns(rotation: &mut Rotation, most: usize) -> Vec<u8> {
    let mut turns = Vec::new();
    while turns.len() < most
        && rotation.turn(
            |turn| {
                turns.push(turn.channel.0[0]);
                None
            },
            |_| {},
        )
    {}
    turns
}

#[test]
fn tenants_take_turns_and_so_do_the_channels_of_each() {
    let mut rotation = Rotation::default();
    // One tenant is busy on a hundred channels, the other on one.
    for on in 0..100 {
        rotation.add(delivery(1, on, 1));
    }
    for offset in 1..=BATCH as u64 + 1 {
        rotation.add(delivery(2, 200, offset));
    }
    assert_eq!(turns(&mut rotation, 6), [0, 200, 1, 200, 2, 3]);
    assert_eq!(turns(&mut rotation, 1000).len(), 96);
    assert!(rotation.is_empty() && rotation.channels.is_empty() && rotation.waiting.is_empty());
}

#[test]
fn a_channel_with_very_many_subscribers_lets_others_by_between_its_turns() {
    let mut rotation = Rotation::default();
    rotation.add(delivery(1, 1, 1));
    rotation.add(delivery(1, 2, 1));
    let (mut order, mut over) = (Vec::new(), Vec::new());
    let mut left = 3;
    for _ in 0..4 {
        rotation.turn(
            |turn| {
                order.push((turn.channel.0[0], turn.after(), turn.batch().len()));
                left -= usize::from(turn.channel == channel(1));
                (turn.channel == channel(1) && left > 0).then_some(SessionId(10 - left as u64))
            },
            |delivery| over.push(delivery.publication().channel().0[0]),
        );
        // A publication that comes meanwhile waits until the pass is over.
        if left == 2 {
            rotation.add(delivery(1, 1, 2));
        }
    }
    let after = |connection| Some(SessionId(connection));
    assert_eq!(order[..3], [(1, None, 1), (2, None, 1), (1, after(8), 1)]);
    assert_eq!((order[3], over), ((1, after(9), 1), vec![2, 1]));
    let mut batches = Vec::new();
    while rotation.turn(
        |turn| {
            batches.push((turn.after(), turn.batch().len()));
            None
        },
        |_| {},
    ) {}
    assert_eq!(batches.iter().map(|(after, _)| *after).collect::<Vec<_>>(), vec![None; batches.len()]);
}

/// Something that happens to a shard.
#[derive(Clone, Debug)]
enum Step {
    /// The hub takes a publication and hands it to fan-out.
    Publish {
        on: u8,
    },
    /// A channel's turn.
    Turn {
        most: usize,
    },
    /// A subscription with a replay from the beginning, or from now on.
    Join {
        connection: u64,
        on: u8,
        replays: bool,
    },
    Leave {
        connection: u64,
        on: u8,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let (on, connection) = (0..3_u8, 0..40_u64);
    prop_oneof![
        3 => on.clone().prop_map(|on| Step::Publish { on }),
        6 => (1..8_usize).prop_map(|most| Step::Turn { most }),
        3 => (connection.clone(), on.clone(), any::<bool>())
            .prop_map(|(connection, on, replays)| Step::Join { connection, on, replays }),
        2 => (connection, on).prop_map(|(connection, on)| Step::Leave { connection, on }),
    ]
}

/// The offset at which an sink joined, and the offsets that it got since.
type Got = BTreeMap<(u64, u8), (u64, Vec<u64>)>;

proptest! {
    /// Subscribers come and go between the turns of a pass. Those that stay get everything after their start once and in
    /// order.
    #[test]
    fn everything_is_delivered_once_and_in_order_whoever_comes_and_goes_between_turns(
        steps in prop::collection::vec(step(), 1..300),
    ) {
        let (mut rotation, mut subscribers) = (Rotation::default(), Subscribers::<(u64, u8)>::default());
        let (mut taken, mut got) = (BTreeMap::<u8, Vec<u64>>::new(), Got::new());
        let mut next = 0;
        let turn = |rotation: &mut Rotation, subscribers: &mut Subscribers<_>, got: &mut Got, most| {
            rotation.turn(
                |turn| {
                    let publications = turn.batch().map(Delivery::publication);
                    let mut push = |sink: &(u64, u8), publication: &Publication| {
                        if let Some((_, got)) = got.get_mut(sink) {
                            got.push(publication.offset());
                        }
                    };
                    subscribers.deliver_to_some(turn.channel, publications, turn.after(), most, &mut push).last
                },
                |_| {},
            )
        };
        for step in steps {
            match step {
                Step::Publish { on } => {
                    next += 1;
                    taken.entry(on).or_default().push(next);
                    rotation.add(delivery(u64::from(on % 2), on, next));
                }
                Step::Turn { most } => drop(turn(&mut rotation, &mut subscribers, &mut got, most)),
                Step::Join { connection, on, replays } => {
                    let (id, key) = (SessionId(connection), (connection, on));
                    subscribers.join(channel(on), id, key, EventFilter::default());
                    let all = taken.get(&on).cloned().unwrap_or_default();
                    let start = if replays { 0 } else { all.last().copied().unwrap_or(0) };
                    let of = |offset| delivery(0, on, offset).publication().clone();
                    let publications: History = all.iter().filter(|offset| **offset > start).map(|at| of(*at)).collect();
                    let replay =
                        Replay { position: Position { epoch: 1, offset: start }, recovered: true, publications };
                    let mut opened = Vec::new();
                    subscribers.open(channel(on), id, &replay, |_, opening| {
                        opened.extend(opening.publications().map(|publication| publication.offset()));
                    });
                    got.insert(key, (start, opened));
                }
                Step::Leave { connection, on } => {
                    subscribers.leave(channel(on), SessionId(connection));
                    got.remove(&(connection, on));
                }
            }
        }
        while turn(&mut rotation, &mut subscribers, &mut got, 3) {}
        prop_assert!(rotation.is_empty() && rotation.waiting.is_empty() && rotation.channels.is_empty());
        for ((_, on), (start, got)) in got {
            let expected: Vec<u64> =
                taken.get(&on).into_iter().flatten().copied().filter(|offset| *offset > start).collect();
            prop_assert_eq!(got, expected);
        }
    }
}
