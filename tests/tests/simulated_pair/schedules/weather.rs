//! One schedule: a few dozen random events out of one seed, then calm, in which everything has to come right.

use super::{
    channels::CHANNELS,
    model::Stage,
    network::Arrival,
    side::{Conditions, Side},
    world::{Wait, World},
};
use crate::{clients::Seeded, relay::RelaySettings};
use sealwire_client::{Pause, SubscriptionId};
use sealwire_relay::{EndReason, HubLimits, Settings};
use std::time::Duration;

const CLIENTS: usize = 3;
/// How long it may take, once all is well, until everybody is connected and up to date.
const RECOVERY_MS: u64 = 150_000;

/// The time within which a client replaces a dead connection and publishes again over the next one.
const DEAD_MS: u64 = 20_000;

/// More than the shortest sessions and tokens live.
const CALM_MS: u64 = 30_000;

/// What a schedule came to.
#[derive(Default)]
pub(super) struct Tally {
    pub(super) delivered: usize,
    pub(super) gaps: usize,
    pub(super) connects: usize,
}

/// Runs the schedule of a seed.
pub(super) fn live(seed: u64, story: bool) -> Result<Tally, String> {
    let mut random = Seeded(seed ^ 0x5ea1_317e);
    let conditions = conditions(&mut random);
    // Each schedule has some kinds of events only: many of few kinds find more than a few of all.
    let kinds = random.next() | random.next();
    let events = 15 + random.below(35);
    let mut world = World::new(CLIENTS, conditions, random);
    world.story = story;
    for client in 0..CLIENTS {
        let channel = world.random.below(CHANNELS as u64) as usize;
        world.subscribe(client, channel, None);
    }
    for _ in 0..events {
        let pause = pause(&mut world.random);
        world.run(pause);
        if world.broken.is_some() {
            break;
        }
        happen(&mut world, kinds);
    }
    if world.broken.is_none() {
        calm(&mut world)?;
    }
    match world.broken {
        Some(reason) => Err(reason),
        None => Ok(Tally {
            delivered: world.model.delivered,
            gaps: world.model.gaps,
            connects: world.sides.iter().map(|side| side.connects).sum(),
        }),
    }
}

fn conditions(random: &mut Seeded) -> Conditions {
    let mut one_of = |choices: &[u64]| choices[random.below(choices.len() as u64) as usize];
    let limits = HubLimits {
        replay_window: Duration::from_secs(one_of(&[15, 30, 120])),
        replay_bytes: one_of(&[4_096, 16_384, 1 << 20]) as usize,
    };
    Conditions {
        settings: RelaySettings { limits, heartbeat: Duration::from_secs(one_of(&[2, 10, 25])) },
        delay_ms: one_of(&[20, 200, 2_000]),
        session_seconds: one_of(&[20, 60, 900]),
        token_seconds: one_of(&[20, 60, 900]),
        keys: vec![(1, 0)],
        rates: None,
        failures: 0,
        answer_ms: 50,
        relay_wall_ms: 0,
    }
}

fn pause(random: &mut Seeded) -> u64 {
    match random.below(16) {
        0..9 => random.below(150),
        9..14 => random.below(2_500),
        14 => random.below(12_000),
        _ => random.below(45_000),
    }
}

/// One event: something that the app does, or else one of the kinds that this schedule has.
fn happen(world: &mut World, kinds: u64) {
    let client = world.random.below(CLIENTS as u64) as usize;
    let kind = world.random.below(44);
    match kind {
        0..14 => return publish(world, client),
        14..18 if world.is_awake(client) => {
            let channel = world.random.below(CHANNELS as u64) as usize;
            let window = world.conditions.settings.limits.replay_window.as_secs();
            let replay = (world.random.below(2) == 0).then(|| 1 + world.random.below(window) as u32);
            let limit_ms = (world.random.below(3) == 0).then(|| world.random.below(20_000));
            world.subscribe_within(client, channel, replay, limit_ms);
            return;
        }
        18..21 if world.is_awake(client) => return unsubscribe(world, client),
        _ => {}
    }
    if kinds >> kind & 1 == 0 {
        return;
    }
    world.say(|| format!("event {kind} at client {client}"));
    match kind {
        21..25 => cut_any(world),
        25 | 26 => {
            world.sides[client].offline = Some(world.random.below(2) == 0);
            for link in world.network.working() {
                if world.network.links[link as usize].client == client {
                    cut(world, link);
                }
            }
        }
        27 | 28 => (0..CLIENTS).for_each(|client| world.sides[client].offline = None),
        29 => restart(world),
        30 => {
            let fault =
                if world.random.below(2) == 0 { EndReason::ShuttingDown } else { EndReason::SlowConsumer };
            let now = world.relay_now();
            for connection in world.relay.connections() {
                if fault == EndReason::ShuttingDown || world.random.below(3) == 0 {
                    world.relay.fault(connection, fault, now);
                }
            }
            world.drain();
            if fault == EndReason::ShuttingDown {
                world.restart_relay();
            }
        }
        31 => {
            let (ms, stands) = (1_000 + world.random.below(90_000), world.random.below(2) == 0);
            if world.is_awake(client) {
                world.sleep(client, ms, stands);
            }
        }
        32 => world.sides[client].wall_ms = jump(&mut world.random),
        33 => {
            world.conditions.relay_wall_ms = jump(&mut world.random);
            world.model.may_end = true;
            world.model.relay_clock_jumped = true;
        }
        34 => world.conditions.failures = [0, 50, 100][world.random.below(3) as usize],
        35 => world.conditions.answer_ms = [50, 4_000, 40_000][world.random.below(3) as usize],
        36 if world.conditions.keys.len() < 4 => {
            world.conditions.rotate(world.now_ms);
            let channel = world.random.below(CHANNELS as u64) as usize;
            world.publish_as_app(channel);
        }
        37 => world.conditions.delay_ms = [20, 200, 3_000][world.random.below(3) as usize],
        38 | 39 if world.is_awake(client) => {
            let now = world.client_now(client);
            let pause = match world.random.below(5) {
                0 => Some(Pause::Offline),
                1 => Some(Pause::Hidden),
                2 => Some(Pause::Frozen),
                _ => None,
            };
            let side = &mut world.sides[client];
            side.paused = pause.is_some();
            match pause {
                Some(pause) => side.core.handle_pause(now, pause),
                None => side.core.handle_wake(now),
            }
            world.drain();
        }
        40 | 41 => {
            let rates = rates(&mut world.random);
            world.limit(rates);
        }
        42 => {
            let channel = world.random.below(CHANNELS as u64) as usize;
            world.publish_as_app(channel);
        }
        43 => (0..10).for_each(|_| publish(world, client)),
        _ => {}
    }
}

/// What a relay admits of publications and of replays.
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

fn publish(world: &mut World, client: usize) {
    if world.is_awake(client) {
        let (channel, padding) = (world.random.below(CHANNELS as u64), 700 * (world.random.below(4) / 3));
        for _ in 0..=world.random.below(4) {
            let limit_ms = (world.random.below(4) == 0).then(|| world.random.below(30_000));
            // An id stands for the same message under one encryption key.
            let has_id = world.random.below(4) == 0 && world.conditions.keys.len() == 1;
            let wait = Wait { limit_ms, has_id, repeats: None };
            world.publish_within(client, channel as usize, padding as usize, wait);
        }
        match world.random.below(8) {
            0 => publish_again(world, client),
            1 => withdraw(world, client),
            _ => {}
        }
    }
}

/// The app repeats a message under the id that it gave it.
fn publish_again(world: &mut World, client: usize) {
    let Some(published) = world.model.with_id(client) else { return };
    let (channel, number, padding) = (published.channel, published.number, published.padding);
    if world.conditions.keys.len() == 1 {
        let wait = Wait { limit_ms: None, has_id: true, repeats: Some(number) };
        world.publish_within(client, channel, padding, wait);
    }
}

fn withdraw(world: &mut World, client: usize) {
    let waiting = world.model.waiting(client);
    if !waiting.is_empty() {
        let id = waiting[world.random.below(waiting.len() as u64) as usize];
        world.withdraw(client, id);
    }
}

fn unsubscribe(world: &mut World, client: usize) {
    let mine: Vec<SubscriptionId> = world
        .model
        .tracks
        .iter()
        .filter(|((owner, _), track)| *owner == client && matches!(track.stage, Stage::Waiting | Stage::Live))
        .map(|((_, id), _)| *id)
        .collect();
    if !mine.is_empty() {
        let id = mine[world.random.below(mine.len() as u64) as usize];
        world.unsubscribe(client, id);
    }
}

fn cut_any(world: &mut World) {
    let working = world.network.working();
    if !working.is_empty() {
        let index = world.random.below(working.len() as u64) as usize;
        cut(world, working[index]);
    }
}

/// Cuts a link at some byte of each direction. Either end notices, at once or late or never.
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

/// The relay is gone and comes back with nothing of what it had.
fn restart(world: &mut World) {
    for link in world.network.working() {
        cut(world, link);
    }
    world.restart_relay();
}

fn jump(random: &mut Seeded) -> i64 {
    let ms = random.below(7_200_000) as i64;
    ms - 3_600_000
}

/// All is well again: everybody has to be connected and up to date before long, and to stay so.
fn calm(world: &mut World) -> Result<(), String> {
    let conditions = &mut world.conditions;
    (conditions.failures, conditions.answer_ms, conditions.delay_ms) = (0, 50, 50);
    conditions.relay_wall_ms = 0;
    world.limit(None);
    world.model.may_end = true;
    let awake = world.sides.iter().map(|side| side.asleep_until).max().unwrap_or(0);
    world.run(awake.saturating_sub(world.now_ms));
    for client in 0..CLIENTS {
        world.sides[client].offline = None;
        world.sides[client].wall_ms = 0;
        // Who is not paused has to find out by itself what happened to its connection.
        if std::mem::take(&mut world.sides[client].paused) {
            let now = world.client_now(client);
            world.sides[client].core.handle_wake(now);
        }
    }
    world.drain();
    let end = world.now_ms + RECOVERY_MS;
    world.run(12_000);
    while !world.is_settled() {
        if world.broken.is_some() {
            return Ok(());
        }
        if world.now_ms >= end {
            return Err("somebody is still not connected, or not with what it wants".into());
        }
        world.run(3_000);
    }
    outlive_a_dead_connection(world)?;
    publish_everywhere(world);
    // Who sits on a dead connection finds out by the silence.
    world.run(2 * world.conditions.settings.heartbeat.as_millis() as u64 + 45_000);
    if world.broken.is_some() {
        return Ok(());
    }
    world.model.check_end()?;
    stay(world)
}

/// A connection dies in silence while others can be made: what is published on it arrives all the same, and soon.
fn outlive_a_dead_connection(world: &mut World) -> Result<(), String> {
    // A session that the app was asked for in the weather may still be on its way, and the next one waits for it.
    world.run(world.last_answer_at.saturating_sub(world.now_ms));
    let client = world.random.below(CLIENTS as u64) as usize;
    // A client whose clocks were set may have to fetch sessions again and again before the relay takes one.
    let clocks_part = world.model.relay_clock_jumped || world.sides.iter().any(Side::lost_time);
    // Short heartbeats find out first, and then the waits are those of the weather before.
    let short_heartbeat = world.conditions.settings.heartbeat < Duration::from_secs(10);
    if !world.silence(client) || clocks_part || short_heartbeat {
        return Ok(());
    }
    let channel = world.random.below(CHANNELS as u64) as usize;
    let id = world.publish(client, channel, 0);
    world.run(DEAD_MS);
    let acknowledged = world.model.published(client, id).is_some_and(|published| published.acknowledged);
    if acknowledged || world.broken.is_some() {
        Ok(())
    } else {
        Err("a publish on a dead connection was not acknowledged on the next one".into())
    }
}

/// From here on no connection is lost, no subscription ends, and nothing is missed.
fn stay(world: &mut World) -> Result<(), String> {
    let subscribed: Vec<usize> = (0..CLIENTS).filter(|client| world.model.is_subscribed(*client)).collect();
    let connects =
        |world: &World| subscribed.iter().map(|client| world.sides[*client].connects).sum::<usize>();
    let (connected, gaps) = (connects(world), world.model.gaps);
    // Nor can a client know when its session ends where the relay's clock jumped since it told the time, or its own
    // stood still while the machine slept.
    let clocks_part = world.model.relay_clock_jumped || world.sides.iter().any(Side::lost_time);
    world.model.must_publish = !clocks_part;
    world.model.may_be_unreadable = false;
    publish_everywhere(world);
    // A rotation reaches everybody, on channels with claims as well.
    world.conditions.rotate(world.now_ms);
    (0..CHANNELS).for_each(|channel| world.publish_as_app(channel));
    world.run(CALM_MS);
    publish_everywhere(world);
    world.run(15_000);
    if world.broken.is_some() {
        return Ok(());
    }
    if world.model.gaps > gaps {
        return Err("a gap was told in calm weather".into());
    }
    world.model.check_end()?;
    // What is renewed at 85 % of its life, and two seconds away, may come too late.
    let conditions = &world.conditions;
    let slack_ms = conditions.session_seconds.min(conditions.token_seconds) * 1000 * 15 / 100;
    if slack_ms < 4 * world.network.slowest_ms() || clocks_part {
        return Ok(());
    }
    if connects(world) > connected {
        return Err("a connection was lost in calm weather".into());
    }
    if !world.is_settled() {
        return Err("somebody lost what it had in calm weather".into());
    }
    Ok(())
}

fn publish_everywhere(world: &mut World) {
    for channel in 0..CHANNELS {
        let client = world.random.below(CLIENTS as u64) as usize;
        world.publish(client, channel, 0);
    }
}
