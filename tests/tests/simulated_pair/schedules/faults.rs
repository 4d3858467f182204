//! Fault injection: random faults of the network, the relay, the machines and the app.
//!
//! A kind is a number: those below 21 are calls of the app (see `app_calls`), the others are the arms below.

use super::{
    app_calls,
    channels::CHANNELS,
    machine::Offline,
    network::Arrival,
    world::{CLIENTS, World},
};
use crate::clients::Seeded;
use sealwire_client::Pause;
use sealwire_relay::{EndReason, Settings};

/// The number of kinds of events.
pub(super) const KINDS: u64 = 44;
/// The kind that sets the relay's clock.
pub(super) const RELAY_CLOCK: u64 = 33;
/// The kind that sets the clock of a machine.
pub(super) const MACHINE_CLOCK: u64 = 32;

/// Injects a fault of this kind.
pub(super) fn inject(world: &mut World, client: usize, kind: u64) {
    match kind {
        21..=28 | 37 => inject_into_network(world, client, kind),
        29 | 30 | 33 | 40 | 41 => inject_into_relay(world, kind),
        31 | 32 | 38 | 39 => inject_into_machine(world, client, kind),
        _ => inject_into_app(world, client, kind),
    }
}

fn inject_into_network(world: &mut World, client: usize, kind: u64) {
    match kind {
        21..25 => cut_any(world),
        25 | 26 => {
            let gets_no_answer = world.random.below(2) == 0;
            world.machines[client].offline =
                Some(if gets_no_answer { Offline::GetsNoAnswer } else { Offline::Fails });
            for link in world.network.connected() {
                if world.network.links[link as usize].client == client {
                    cut(world, link);
                }
            }
        }
        27 | 28 => (0..CLIENTS).for_each(|client| world.machines[client].offline = None),
        37 => world.conditions.delay_ms = [20, 200, 3_000][world.random.below(3) as usize],
        _ => {}
    }
}

fn inject_into_relay(world: &mut World, kind: u64) {
    match kind {
        29 => restart(world),
        30 => end_sessions(world),
        RELAY_CLOCK => {
            world.conditions.relay_clock_offset_ms = jump(&mut world.random);
            world.model.may_end = true;
            world.model.relay_clock_jumped = true;
        }
        40 | 41 => {
            let rates = rates(&mut world.random);
            world.limit(rates);
        }
        _ => {}
    }
}

fn inject_into_machine(world: &mut World, client: usize, kind: u64) {
    match kind {
        31 => {
            let (ms, timers_stopped) = (1_000 + world.random.below(90_000), world.random.below(2) == 0);
            if world.is_awake(client) {
                world.sleep(client, ms, timers_stopped);
            }
        }
        MACHINE_CLOCK => world.machines[client].clock_offset_ms = jump(&mut world.random),
        38 | 39 if world.is_awake(client) => {
            let now = world.client_now(client);
            let pause = match world.random.below(5) {
                0 => Some(Pause::Offline),
                1 => Some(Pause::Hidden),
                2 => Some(Pause::Frozen),
                _ => None,
            };
            let machine = &mut world.machines[client];
            machine.paused = pause.is_some();
            match pause {
                Some(pause) => machine.core.handle_pause(now, pause),
                None => machine.core.handle_wake(now),
            }
            world.drain();
        }
        _ => {}
    }
}

fn inject_into_app(world: &mut World, client: usize, kind: u64) {
    match kind {
        34 => world.conditions.failure_percent = [0, 50, 100][world.random.below(3) as usize],
        35 => world.conditions.max_answer_ms = [50, 4_000, 40_000][world.random.below(3) as usize],
        36 if world.conditions.keys.len() < 4 => {
            world.conditions.rotate(world.now_ms);
            let channel = world.random.below(CHANNELS as u64) as usize;
            world.publish_as_app(channel);
        }
        42 => {
            let channel = world.random.below(CHANNELS as u64) as usize;
            world.publish_as_app(channel);
        }
        43 => (0..10).for_each(|_| app_calls::publish(world, client)),
        _ => {}
    }
}

/// Returns rates of the relay for publishes and replays, or none for the default rates.
fn rates(random: &mut Seeded) -> Option<Settings> {
    let (publishes, replays) = (1 + random.below(20), 1_000 + random.below(10_000));
    match random.below(3) {
        0 => None,
        _ => Some(Settings {
            publish_rate: publishes,
            publish_burst: 1 + random.below(publishes),
            publish_byte_rate: Some(1 << 20),
            publish_byte_burst: Some(1 << 20),
            replay_rate_per_session: replays,
            replay_burst_per_session: replays,
            ..Settings::default()
        }),
    }
}

/// Shuts the relay down and restarts it, or ends about a third of the sessions as slow consumers.
fn end_sessions(world: &mut World) {
    let reason = if world.random.below(2) == 0 { EndReason::ShuttingDown } else { EndReason::SlowConsumer };
    let now = world.relay_now();
    for connection in world.relay.connections() {
        if reason == EndReason::ShuttingDown || world.random.below(3) == 0 {
            world.relay.end_session(connection, reason, now);
        }
    }
    world.drain();
    if reason == EndReason::ShuttingDown {
        world.restart_relay();
    }
}

fn cut_any(world: &mut World) {
    let connected = world.network.connected();
    if !connected.is_empty() {
        let index = world.random.below(connected.len() as u64) as usize;
        cut(world, connected[index]);
    }
}

/// Cuts a link at a random byte of each direction. Each end may notice at once, late, or only by the silence.
fn cut(world: &mut World, link: u64) {
    let random = &mut world.random;
    let [at_relay, at_client] = world.network.cut(link, |bytes| random.below(bytes as u64) as usize);
    if world.random.below(2) == 0 {
        let at = at_client.max(world.now_ms);
        world.network.at(at, Arrival::ClosedAtClient(link, Some(1006)));
    }
    if world.random.below(2) == 0 {
        let at = at_relay.max(world.now_ms) + world.random.below(5_000);
        world.network.at(at, Arrival::ClosedAtRelay(link));
    }
}

/// Kills the relay and starts an empty one.
fn restart(world: &mut World) {
    for link in world.network.connected() {
        cut(world, link);
    }
    world.restart_relay();
}

/// Returns an offset of a clock of up to an hour in either direction.
fn jump(random: &mut Seeded) -> i64 {
    let ms = random.below(7_200_000) as i64;
    ms - 3_600_000
}
