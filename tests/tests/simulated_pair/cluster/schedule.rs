//! One schedule of a cluster: a few dozen random events, then a recovery without faults in which every guarantee must hold.

use super::{
    super::schedules::schedule::Tally,
    conditions::Conditions,
    faults,
    model::CHANNELS,
    wires::SERVERS,
    world::{CLIENTS, World},
};
use crate::clients::Seeded;

/// The longest time without faults until everything is connected and followed again.
const MAX_RECOVERY_MS: u64 = 120_000;

/// Runs the schedule of a seed. Returns an explanation if a guarantee was broken.
pub(crate) fn run(seed: u64, verbose: bool) -> Result<Tally, String> {
    let mut random = Seeded(seed ^ 0xc105_7e12);
    let conditions = Conditions::random(&mut random);
    let kinds = random.next() & (random.next() | random.next());
    let events = 15 + random.below(35);
    let mut world = World::new(conditions, random);
    world.verbose = verbose;
    world.run(3_000);
    for client in 0..CLIENTS {
        let channel = world.channel();
        world.subscribe(client, channel);
    }
    for _ in 0..events {
        let pause = pause(&mut world.random);
        world.run(pause);
        if world.violation.is_some() {
            break;
        }
        let kind = world.random.below(faults::KINDS);
        faults::happen(&mut world, kinds, kind);
    }
    if world.violation.is_none() {
        recover(&mut world)?;
    }
    match world.violation {
        Some(reason) => Err(reason),
        None => Ok(Tally {
            delivered: world.model.delivered,
            gaps: world.model.gaps,
            connects: world.clients.iter().map(|client| client.connects).sum(),
            ..Tally::default()
        }),
    }
}

/// Returns the pause before the next event in milliseconds.
fn pause(random: &mut Seeded) -> u64 {
    match random.below(16) {
        0..9 => random.below(150),
        9..14 => random.below(2_500),
        14 => random.below(8_000),
        _ => random.below(20_000),
    }
}

/// Ends all faults. Returns an explanation if something does not recover, or if a message is missing.
fn recover(world: &mut World) -> Result<(), String> {
    let conditions = &mut world.conditions;
    (conditions.wire_ms, conditions.commit_ms, conditions.delay_ms) = (5, 5, 50);
    (conditions.lag_ms, conditions.route_loss, conditions.fan_out_ms) = ([1; SERVERS], 0, 1);
    world.heal();
    world.clients.iter_mut().for_each(|client| client.offline_until = 0);
    (0..SERVERS).for_each(|server| world.start_server(server));
    let end = world.now_ms + MAX_RECOVERY_MS;
    world.run(10_000);
    while world.violation.is_none() && !world.is_settled() {
        if world.now_ms >= end {
            return Err("a client, a relay or a stream did not recover".into());
        }
        world.run(2_000);
    }
    // A client on a dead connection has to detect the silence first, and may then learn of a loss before the recovery.
    let detection_ms = 2 * world.conditions.heartbeat.as_millis() as u64 + 15_000;
    world.run(detection_ms);
    let gaps = world.model.gaps;
    for _ in 0..2 {
        for channel in 0..CHANNELS {
            let client = world.random.below(CLIENTS as u64) as usize;
            world.publish(client, channel);
        }
        world.run(detection_ms);
    }
    if world.violation.is_some() {
        return Ok(());
    }
    if world.model.gaps > gaps && world.conditions.is_roomy {
        return Err("a gap was reported without a fault".into());
    }
    world.model.check_end()
}
