//! The end of a schedule: without faults, every client must recover, receive everything, and stay connected.

use super::{
    channels::CHANNELS,
    machine::Machine,
    world::{CLIENTS, World},
};
use std::time::Duration;

/// The longest time without faults until every client is connected and up to date.
const MAX_RECOVERY_MS: u64 = 150_000;
/// The time within which a client replaces a dead connection and publishes on the next one.
const MAX_DEAD_CONNECTION_MS: u64 = 20_000;
/// The duration of the final observation, which is longer than the shortest lifetime of sessions and tokens.
const OBSERVATION_MS: u64 = 30_000;

/// Ends all faults. Returns an explanation if a client does not recover, or misses a message.
pub(super) fn run(world: &mut World) -> Result<(), String> {
    end_all_faults(world);
    let end = world.now_ms + MAX_RECOVERY_MS;
    world.run(12_000);
    while !world.is_settled() {
        if world.violation.is_some() {
            return Ok(());
        }
        if world.now_ms >= end {
            return Err("a client is still not connected, or a subscription is missing at the relay".into());
        }
        world.run(3_000);
    }
    replace_a_dead_connection(world)?;
    publish_everywhere(world);
    // A client on a dead connection has to detect the silence first.
    world.run(2 * world.conditions.settings.heartbeat.as_millis() as u64 + 45_000);
    if world.violation.is_some() {
        return Ok(());
    }
    world.model.check_end()?;
    stay_connected(world)
}

fn end_all_faults(world: &mut World) {
    let conditions = &mut world.conditions;
    (conditions.failure_percent, conditions.max_answer_ms, conditions.delay_ms) = (0, 50, 50);
    conditions.relay_clock_offset_ms = 0;
    world.limit(None);
    world.model.may_end = true;
    let awake = world.machines.iter().map(|machine| machine.asleep_until).max().unwrap_or(0);
    world.run(awake.saturating_sub(world.now_ms));
    for client in 0..CLIENTS {
        world.machines[client].offline = None;
        world.machines[client].clock_offset_ms = 0;
        // A client that is not paused has to detect by itself that its connection was lost.
        if std::mem::take(&mut world.machines[client].paused) {
            let now = world.client_now(client);
            world.machines[client].core.handle_wake(now);
        }
    }
    world.drain();
}

/// Lets a connection die in silence while new ones succeed: a publish on it must still arrive soon.
fn replace_a_dead_connection(world: &mut World) -> Result<(), String> {
    // A session that the app was asked for during the faults may still arrive, and the next request waits for it.
    world.run(world.last_answer_at.saturating_sub(world.now_ms));
    let client = world.random.below(CLIENTS as u64) as usize;
    // A client whose clock was changed may have to fetch several sessions before the relay accepts one.
    let clocks_unreliable = are_clocks_unreliable(world);
    // A short heartbeat detects the loss first, and the retries then still have the backoff of the faults.
    let short_heartbeat = world.conditions.settings.heartbeat < Duration::from_secs(10);
    if !world.silence(client) || clocks_unreliable || short_heartbeat {
        return Ok(());
    }
    let channel = world.random.below(CHANNELS as u64) as usize;
    let id = world.publish(client, channel, 0);
    world.run(MAX_DEAD_CONNECTION_MS);
    let acknowledged = world.model.publish_call(client, id).is_some_and(|publish| publish.acknowledged);
    if acknowledged || world.violation.is_some() {
        Ok(())
    } else {
        Err("a publish on a dead connection was not acknowledged on the next one".into())
    }
}

/// Observes the clients for a while: no connection is lost, no subscription ends, and no message is missing.
fn stay_connected(world: &mut World) -> Result<(), String> {
    let subscribed: Vec<usize> = (0..CLIENTS).filter(|client| world.model.is_subscribed(*client)).collect();
    let connects =
        |world: &World| subscribed.iter().map(|client| world.machines[*client].connects).sum::<usize>();
    let (connected, gaps) = (connects(world), world.model.gaps);
    // A client cannot know the end of its session if the relay's clock jumped after `Welcome`, or if the client's
    // timers stood still while the machine slept.
    let clocks_unreliable = are_clocks_unreliable(world);
    world.model.must_publish = !clocks_unreliable;
    world.model.may_be_unreadable = false;
    publish_everywhere(world);
    // A rotation must reach every client, also on channels with claims.
    world.conditions.rotate(world.now_ms);
    (0..CHANNELS).for_each(|channel| world.publish_as_app(channel));
    world.run(OBSERVATION_MS);
    publish_everywhere(world);
    world.run(15_000);
    if world.violation.is_some() {
        return Ok(());
    }
    if world.model.gaps > gaps {
        return Err("a gap was reported without a fault".into());
    }
    world.model.check_end()?;
    // Clients renew at 85 % of a lifetime, which may be too late if the network takes seconds.
    let conditions = &world.conditions;
    let slack_ms = conditions.session_seconds.min(conditions.token_seconds) * 1000 * 15 / 100;
    if slack_ms < 4 * world.network.max_delay_ms() || clocks_unreliable {
        return Ok(());
    }
    if connects(world) > connected {
        return Err("a connection was lost without a fault".into());
    }
    if !world.is_settled() {
        return Err("a client lost its connection or a subscription without a fault".into());
    }
    Ok(())
}

fn are_clocks_unreliable(world: &World) -> bool {
    world.model.relay_clock_jumped || world.machines.iter().any(Machine::timers_ever_stopped)
}

fn publish_everywhere(world: &mut World) {
    for channel in 0..CHANNELS {
        let client = world.random.below(CLIENTS as u64) as usize;
        world.publish(client, channel, 0);
    }
}
