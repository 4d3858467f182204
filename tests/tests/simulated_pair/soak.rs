//! Random weather: whatever happens to the network, a subscription gets every message once and in order, or is told of a
//! gap where messages are missing.

use sealwire_client::GapReason;

use crate::{
    clients::{Seeded, Told},
    world::World,
};

const SUBSCRIBERS: usize = 3;
const PUBLISHER: usize = SUBSCRIBERS;

/// One life of a few minutes. Returns how many messages were delivered and how many gaps were told.
fn live(seed: u64) -> (usize, usize) {
    let mut weather = Seeded(seed);
    let mut world = World::new(SUBSCRIBERS + 1, seed);
    let subscriptions: Vec<_> =
        (0..SUBSCRIBERS).map(|client| world.subscribe(client, "absences", None)).collect();
    world.run(2_000);
    let mut number = 0;
    for moment in 0..400 {
        world.run(weather.below(1_500));
        match weather.below(100) {
            0..60 => {
                world.publish(PUBLISHER, "absences", &number.to_string());
                number += 1;
            }
            60..70 => {
                let notices = weather.below(2) == 0;
                world.cut(usize::try_from(weather.below(4)).unwrap(), notices);
            }
            70..90 => world.mend(usize::try_from(weather.below(4)).unwrap()),
            90..97 => world.latency_ms = 1 + weather.below(400),
            97 if moment % 3 == 0 => world.restart_relay(100 + moment),
            98 => world.keys.insert(0, u8::try_from(2 + world.keys.len()).unwrap()),
            _ => {}
        }
    }
    (0..=SUBSCRIBERS).for_each(|client| world.mend(client));
    world.latency_ms = 20;
    world.run(90_000);
    world.publish(PUBLISHER, "absences", &number.to_string());
    world.run(30_000);

    let (mut delivered, mut gaps) = (0, 0);
    for (client, subscription) in subscriptions.into_iter().enumerate() {
        let told = &world.clients[client].told[&subscription];
        assert_eq!(told[0], Told::Confirmed, "seed {seed}");
        let mut next = None;
        let mut gap = false;
        for told in &told[1..] {
            match told {
                Told::Gap(reason) => {
                    if *reason == GapReason::Epoch {
                        // A relay that restarted does not recognise what a publisher repeats.
                        next = None;
                    }
                    gap = true;
                    gaps += 1;
                }
                Told::Payload(payload) => {
                    let payload: u64 = payload.parse().unwrap();
                    let expected = next.unwrap_or(payload);
                    assert!(payload >= expected, "seed {seed}: {payload} came again or out of order");
                    let unpublished = |number: &u64| !published(&world, *number);
                    let explained = gap || (expected..payload).all(|number| unpublished(&number));
                    assert!(explained, "seed {seed}: {expected}..{payload} went missing without a word");
                    (next, gap) = (Some(payload + 1), false);
                    delivered += 1;
                }
                other => panic!("seed {seed}: {other:?}"),
            }
        }
        assert_eq!(next, Some(number + 1), "seed {seed}: the last message arrives when all is well again");
    }
    assert_eq!(world.relay.subscriptions(), SUBSCRIBERS, "seed {seed}");
    (delivered, gaps)
}

/// Whether any subscriber got it: a publish may fail in bad weather.
fn published(world: &World, number: u64) -> bool {
    let payload = Told::Payload(number.to_string());
    world.clients.iter().any(|client| client.told.values().any(|told| told.contains(&payload)))
}

#[test]
fn in_any_weather_messages_come_once_in_order_or_a_gap_is_told() {
    let (mut delivered, mut gaps) = (0, 0);
    for seed in 0..60 {
        let (more, more_gaps) = live(seed);
        delivered += more;
        gaps += more_gaps;
    }
    assert!(delivered > 10_000 && gaps > 100, "the weather was too good: {delivered} delivered, {gaps} gaps");
}
