//! Random network faults: a subscription gets every message once and in order, or reports a gap where messages are
//! missing.

use sealwire_client::GapReason;

use crate::{
    clients::{Received, Seeded},
    world::World,
};

const SUBSCRIBERS: usize = 3;
const PUBLISHER: usize = SUBSCRIBERS;

/// Runs a few minutes of random faults. Returns the number of delivered messages and of gaps.
fn run(seed: u64) -> (usize, usize) {
    let mut random = Seeded(seed);
    let mut world = World::new(SUBSCRIBERS + 1, seed);
    let subscriptions: Vec<_> =
        (0..SUBSCRIBERS).map(|client| world.subscribe(client, "absences", None)).collect();
    world.run(2_000);
    let mut number = 0;
    for moment in 0..400 {
        world.run(random.below(1_500));
        match random.below(100) {
            0..60 => {
                world.publish(PUBLISHER, "absences", &number.to_string());
                number += 1;
            }
            60..70 => {
                let notices = random.below(2) == 0;
                world.cut(usize::try_from(random.below(4)).unwrap(), notices);
            }
            70..90 => world.reconnect(usize::try_from(random.below(4)).unwrap()),
            90..97 => world.latency_ms = 1 + random.below(400),
            97 if moment % 3 == 0 => world.restart_relay(100 + moment),
            98 => world.keys.insert(0, u8::try_from(2 + world.keys.len()).unwrap()),
            _ => {}
        }
    }
    (0..=SUBSCRIBERS).for_each(|client| world.reconnect(client));
    world.latency_ms = 20;
    world.run(90_000);
    world.publish(PUBLISHER, "absences", &number.to_string());
    world.run(30_000);

    let (mut delivered, mut gaps) = (0, 0);
    for (client, subscription) in subscriptions.into_iter().enumerate() {
        let received = &world.clients[client].received[&subscription];
        assert_eq!(received[0], Received::Confirmed, "seed {seed}");
        let (more, more_gaps) = check(&world, &received[1..], number, seed);
        delivered += more;
        gaps += more_gaps;
    }
    assert_eq!(world.relay.subscriptions(), SUBSCRIBERS, "seed {seed}");
    (delivered, gaps)
}

/// Checks the events of one subscription, of which the message `last` must be the last. Returns the number of delivered
/// messages and of gaps.
fn check(world: &World, events: &[Received], last: u64, seed: u64) -> (usize, usize) {
    let (mut delivered, mut gaps) = (0, 0);
    let mut next = None;
    let mut gap = false;
    for event in events {
        match event {
            Received::Gap(reason) => {
                if *reason == GapReason::Epoch {
                    // A relay that restarted does not recognise a repeated publish.
                    next = None;
                }
                gap = true;
                gaps += 1;
            }
            Received::Payload(payload) => {
                let payload: u64 = payload.parse().unwrap();
                let expected = next.unwrap_or(payload);
                assert!(payload >= expected, "seed {seed}: {payload} arrived twice or out of order");
                let unpublished = |number: &u64| !is_published(world, *number);
                let explained = gap || (expected..payload).all(|number| unpublished(&number));
                assert!(explained, "seed {seed}: {expected}..{payload} are missing without a gap");
                (next, gap) = (Some(payload + 1), false);
                delivered += 1;
            }
            other => panic!("seed {seed}: {other:?}"),
        }
    }
    assert_eq!(next, Some(last + 1), "seed {seed}: the message published after recovery did not arrive");
    (delivered, gaps)
}

/// Returns whether any subscriber received the message: a publish may fail during faults.
fn is_published(world: &World, number: u64) -> bool {
    let payload = Received::Payload(number.to_string());
    world.clients.iter().any(|client| client.received.values().any(|received| received.contains(&payload)))
}

#[test]
fn under_random_network_faults_messages_arrive_once_and_in_order_or_a_gap_is_reported() {
    let (mut delivered, mut gaps) = (0, 0);
    for seed in 0..60 {
        let (more, more_gaps) = run(seed);
        delivered += more;
        gaps += more_gaps;
    }
    assert!(delivered > 10_000 && gaps > 100, "too few faults: {delivered} delivered, {gaps} gaps");
}
