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
    let draft = Draft {
        channel,
        tenant,
        event: String::new(),
        sealed: vec![].into(),
        id: [0; 16],
        content: None,
        trace: None,
    };
    let publication = Arc::new(Publication::new(draft, offset, offset - 1, UnixMillis(0)));
    Delivery::of(publication, BacklogPermit::of(tenant))
}

/// Runs up to `max` turns, each of which ends its pass, and returns their channels.
fn turns(rotation: &mut Rotation, max: usize) -> Vec<u8> {
    let mut turns = Vec::new();
    while turns.len() < max
        && rotation.take_turn(
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
    // One tenant has publications on a hundred channels, the other on one.
    for on in 0..100 {
        rotation.add(delivery(1, on, 1));
    }
    for offset in 1..=MAX_BATCH as u64 + 1 {
        rotation.add(delivery(2, 200, offset));
    }
    assert_eq!(turns(&mut rotation, 6), [0, 200, 1, 200, 2, 3]);
    assert_eq!(turns(&mut rotation, 1000).len(), 96);
    assert!(rotation.is_empty() && rotation.channels.is_empty() && rotation.waiting.is_empty());
}

#[test]
fn other_channels_take_turns_within_the_pass_of_a_large_channel() {
    let mut rotation = Rotation::default();
    rotation.add(delivery(1, 1, 1));
    rotation.add(delivery(1, 2, 1));
    let (mut order, mut over) = (Vec::new(), Vec::new());
    let mut left = 3;
    for _ in 0..4 {
        rotation.take_turn(
            |turn| {
                order.push((turn.channel.0[0], turn.after(), turn.batch().len()));
                left -= usize::from(turn.channel == channel(1));
                (turn.channel == channel(1) && left > 0).then_some(SessionId(10 - left as u64))
            },
            |delivery| over.push(delivery.publication().channel().0[0]),
        );
        // A publication that arrives during the pass waits for its end.
        if left == 2 {
            rotation.add(delivery(1, 1, 2));
        }
    }
    let after = |session| Some(SessionId(session));
    assert_eq!(order[..3], [(1, None, 1), (2, None, 1), (1, after(8), 1)]);
    assert_eq!((order[3], over), ((1, after(9), 1), vec![2, 1]));
    let mut batches = Vec::new();
    while rotation.take_turn(
        |turn| {
            batches.push((turn.after(), turn.batch().len()));
            None
        },
        |_| {},
    ) {}
    assert_eq!(batches.iter().map(|(after, _)| *after).collect::<Vec<_>>(), vec![None; batches.len()]);
}

/// One step of a random schedule.
#[derive(Clone, Debug)]
enum Step {
    /// The hub accepts a publication and hands it to fan-out.
    Publish {
        on: u8,
    },
    /// A channel's turn.
    Turn {
        max: usize,
    },
    /// A subscriber joins, with a replay of everything or of nothing.
    Subscribe {
        session: u64,
        on: u8,
        replays: bool,
    },
    Unsubscribe {
        session: u64,
        on: u8,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let (on, session) = (0..3_u8, 0..40_u64);
    prop_oneof![
        3 => on.clone().prop_map(|on| Step::Publish { on }),
        6 => (1..8_usize).prop_map(|max| Step::Turn { max }),
        3 => (session.clone(), on.clone(), any::<bool>())
            .prop_map(|(session, on, replays)| Step::Subscribe { session, on, replays }),
        2 => (session, on).prop_map(|(session, on)| Step::Unsubscribe { session, on }),
    ]
}

/// For each sink, the offset at which it subscribed and the offsets that it received since.
type Received = BTreeMap<(u64, u8), (u64, Vec<u64>)>;

proptest! {
    /// Subscribers are added and removed between the turns of a pass. Each one that stays receives every publication
    /// after its start once and in order.
    #[test]
    fn every_subscriber_receives_each_publication_once_and_in_order(
        steps in prop::collection::vec(step(), 1..300),
    ) {
        let (mut rotation, mut subscribers) = (Rotation::default(), Subscribers::<(u64, u8)>::default());
        let (mut accepted, mut received) = (BTreeMap::<u8, Vec<u64>>::new(), Received::new());
        let mut next = 0;
        let turn = |rotation: &mut Rotation, subscribers: &mut Subscribers<_>, received: &mut Received, max| {
            rotation.take_turn(
                |turn| {
                    let publications = turn.batch().map(Delivery::publication);
                    let mut push = |sink: &(u64, u8), publication: &Publication| {
                        if let Some((_, received)) = received.get_mut(sink) {
                            received.push(publication.offset());
                        }
                    };
                    subscribers.deliver_to_some(turn.channel, publications, turn.after(), max, &mut push).last
                },
                |_| {},
            )
        };
        for step in steps {
            match step {
                Step::Publish { on } => {
                    next += 1;
                    accepted.entry(on).or_default().push(next);
                    rotation.add(delivery(u64::from(on % 2), on, next));
                }
                Step::Turn { max } => drop(turn(&mut rotation, &mut subscribers, &mut received, max)),
                Step::Subscribe { session, on, replays } => {
                    let (id, key) = (SessionId(session), (session, on));
                    subscribers.subscribe(channel(on), id, key, EventFilter::default());
                    let all = accepted.get(&on).cloned().unwrap_or_default();
                    let start = if replays { 0 } else { all.last().copied().unwrap_or(0) };
                    let of = |offset| delivery(0, on, offset).publication().clone();
                    let publications: History = all.iter().filter(|offset| **offset > start).map(|at| of(*at)).collect();
                    let position = Position { epoch: 1, offset: start, time_ms: 0 };
                    let replay = Replay { position, recovered: true, publications };
                    let mut opened = Vec::new();
                    subscribers.catch_up(channel(on), id, &replay, |_, catch_up| {
                        opened.extend(catch_up.publications().map(|publication| publication.offset()));
                    });
                    received.insert(key, (start, opened));
                }
                Step::Unsubscribe { session, on } => {
                    subscribers.unsubscribe(channel(on), SessionId(session));
                    received.remove(&(session, on));
                }
            }
        }
        while turn(&mut rotation, &mut subscribers, &mut received, 3) {}
        prop_assert!(rotation.is_empty() && rotation.waiting.is_empty() && rotation.channels.is_empty());
        for ((_, on), (start, received)) in received {
            let expected: Vec<u64> =
                accepted.get(&on).into_iter().flatten().copied().filter(|offset| *offset > start).collect();
            prop_assert_eq!(received, expected);
        }
    }
}
