//! The faults of a schedule: of the servers, of the relays, and of the connections to either.

use super::{
    super::schedules::network::Arrival,
    events::{Event, Run},
    relay::{Relay, STREAMS},
    wires::SERVERS,
    world::{CLIENTS, RELAYS, World},
};
use sealwire_relay::EndReason;

/// The number of kinds of events.
pub(super) const KINDS: u64 = 40;
/// The time after which a relay notices that a server does not answer.
const SILENCE_MS: u64 = 3_000;

/// Lets an event of this kind happen. The kinds below 14 are calls of the app.
pub(super) fn happen(world: &mut World, kinds: u64, kind: u64) {
    let client = world.random.below(CLIENTS as u64) as usize;
    if kind < 14 {
        return call(world, client, kind);
    }
    if kinds >> kind & 1 == 0 {
        return;
    }
    world.trace(|| format!("event {kind}"));
    let server = world.random.below(SERVERS as u64) as usize;
    let relay = world.random.below(RELAYS as u64) as usize;
    let stream = world.random.below(STREAMS as u64) as usize;
    match kind {
        14..17 => cut_client(world, client),
        17 => end_sessions(world, relay),
        18 => restart_relay(world, relay),
        19 | 20 => {
            let delay = world.random.below(200);
            world.cut_wire(relay, server, delay);
        }
        21 | 22 => stall(world, relay, server),
        23..26 => {
            if let Some(leader) = world.streams[stream].leader {
                world.depose_kindly(stream, leader);
            }
        }
        26..29 => kill(world, server),
        29 | 30 => {
            if let Some(leader) = world.streams[stream].leader {
                world.isolate(leader);
            }
        }
        31 => world.isolate(server),
        32 => {
            // All servers restart: the contents are gone.
            let down = world.random.below(2_000);
            (0..SERVERS).for_each(|server| stop_for(world, server, down));
        }
        33 => lose_quorum(world, stream),
        34 => world.conditions.wire_ms = [2, 10, 60, 700][world.random.below(4) as usize],
        35 => world.conditions.commit_ms = [2, 10, 200, 900][world.random.below(4) as usize],
        36 => world.conditions.lag_ms[server] = [1, 20, 900, 4_000][world.random.below(4) as usize],
        37 => world.conditions.fan_out_ms = [1, 20, 300][world.random.below(3) as usize],
        38 => world.conditions.delay_ms = [20, 200, 1_000][world.random.below(3) as usize],
        _ => {}
    }
}

fn call(world: &mut World, client: usize, kind: u64) {
    match kind {
        0..11 => {
            let channel = world.channel();
            (0..=world.random.below(4)).for_each(|_| world.publish(client, channel));
        }
        11 | 12 => {
            let channel = world.channel();
            world.subscribe(client, channel);
        }
        _ => {
            let mine =
                world.model.subscriptions.iter().filter(|((owner, _), one)| *owner == client && !one.is_over);
            let mine: Vec<_> = mine.map(|((_, id), _)| *id).collect();
            if mine.len() > 1 {
                let id = mine[world.random.below(mine.len() as u64) as usize];
                world.unsubscribe(client, id);
            }
        }
    }
}

fn cut_client(world: &mut World, client: usize) {
    let seconds = [0, 0, 2, 10, 30][world.random.below(5) as usize];
    world.clients[client].offline_until = world.now_ms + seconds * 1000;
    for link in world.network.connected() {
        if world.network.links[link as usize].client == client {
            cut(world, link);
        }
    }
}

/// Cuts a connection of a client at a random byte of each direction. Each end may notice at once, late, or by silence.
fn cut(world: &mut World, link: u64) {
    let random = &mut world.random;
    let [at_relay, at_client] = world.network.cut(link, |bytes| random.below(bytes as u64) as usize);
    if world.random.below(4) > 0 {
        world.network.at(at_client.max(world.now_ms), Arrival::ClosedAtClient(link, Some(1006)));
    }
    if world.random.below(2) == 0 {
        let at = at_relay.max(world.now_ms) + world.random.below(5_000);
        world.network.at(at, Arrival::ClosedAtRelay(link));
    }
}

fn end_sessions(world: &mut World, relay: usize) {
    let reason = if world.random.below(2) == 0 { EndReason::ShuttingDown } else { EndReason::SlowConsumer };
    let connections: Vec<u64> = world.relays[relay].sessions.keys().copied().collect();
    for connection in connections {
        world.end_session(relay, connection, reason);
    }
    world.drain();
    if reason == EndReason::ShuttingDown {
        restart_relay(world, relay);
    }
}

/// Kills a relay, which starts again after a while.
fn restart_relay(world: &mut World, relay: usize) {
    if !world.relays[relay].is_up {
        return;
    }
    for link in world.network.connected() {
        if world.relay_of[link as usize] == relay {
            cut(world, link);
        }
    }
    world.model.end_run((relay, world.relays[relay].life), world.now_ms);
    let (life, now) = (world.relays[relay].life + 1, world.relay_now(relay));
    world.relays[relay] = Relay::new(life, &world.conditions, &mut world.random, now);
    world.relays[relay].is_up = false;
    let now = world.now_ms;
    for (server, wire) in world.wires[relay].iter_mut().enumerate() {
        wire.lose();
        if world.servers.up[server] {
            wire.open(now);
        }
    }
    let down = world.random.below(3_000);
    world.queue.at(world.now_ms + down, Event::StartRelay(relay));
}

/// Holds back everything between a relay and a server for a while. If it takes too long, the relay counts it as a loss.
fn stall(world: &mut World, relay: usize, server: usize) {
    let ms = world.random.below(2 * SILENCE_MS);
    let wire = &mut world.wires[relay][server];
    if !wire.is_open || wire.is_dead {
        return;
    }
    if ms < SILENCE_MS {
        wire.stalled_until = world.now_ms + ms;
    } else {
        world.cut_wire(relay, server, SILENCE_MS);
    }
}

/// Kills a server, which starts again after a while, unless the others lack its contents.
fn kill(world: &mut World, server: usize) {
    let down = 100 + world.random.below(15_000);
    let others_are_complete = (0..SERVERS).filter(|other| *other != server).all(|other| {
        world.servers.up[other] && (0..STREAMS).all(|stream| world.streams[stream].votes[other])
    });
    if others_are_complete {
        stop_for(world, server, down);
    }
}

fn stop_for(world: &mut World, server: usize, ms: u64) {
    if world.servers.up[server] {
        world.stop_server(server);
        world.queue.at(world.now_ms + ms, Event::Start(server));
    }
}

/// Restarts the leader of a stream and the follower with the most messages, so that the one that lags behind decides.
fn lose_quorum(world: &mut World, stream: usize) {
    let Some(leader) = world.streams[stream].leader else { return };
    let last = |server: &usize| world.streams[stream].replicas[*server].last();
    let others = (0..SERVERS).filter(|server| *server != leader);
    let Some(second) = others.max_by_key(last) else { return };
    let down = world.random.below(1_500);
    [leader, second].into_iter().for_each(|server| stop_for(world, server, down));
}

impl World {
    /// Lets a leader hand over its office.
    fn depose_kindly(&mut self, stream: usize, leader: usize) {
        self.trace(|| format!("stream {stream}: server {leader} steps down"));
        self.depose(stream);
    }

    /// Cuts the connection of a relay to a server. The relay notices it after a while.
    pub(super) fn cut_wire(&mut self, relay: usize, server: usize, notice_ms: u64) {
        let wire = &mut self.wires[relay][server];
        if wire.is_open && !wire.is_dead {
            wire.is_dead = true;
            let generation = wire.generation;
            self.queue.at(self.now_ms + notice_ms, Event::Lost { relay, server, generation });
        }
    }

    /// Handles that a relay notices the loss of a connection.
    pub(super) fn lose_wire(&mut self, relay: usize, server: usize, generation: u64) {
        let wire = &mut self.wires[relay][server];
        if wire.generation != generation || !wire.is_open {
            return;
        }
        wire.lose();
        let at = self.now_ms + 50 + self.random.below(900);
        self.queue.at(at, Event::Open { relay, server });
        for stream in 0..STREAMS {
            let link = self.relays[relay].streams[stream].link.as_ref();
            if link.is_some_and(|link| link.server == server && link.generation == generation) {
                self.end_link(relay, stream, 0);
            }
        }
    }
}

/// Returns the run of a relay for which an event is, if it is for one.
pub(super) fn run_of(event: &Event) -> Option<Run> {
    match event {
        Event::Told(origin, _) | Event::Live { origin, .. } => Some(origin.run),
        Event::Tick(run) | Event::Tend(run) | Event::FanOut(run) => Some(*run),
        Event::Link { run, .. }
        | Event::Answered { run, .. }
        | Event::JoinTimeout { run, .. }
        | Event::Ended { run, .. }
        | Event::Acknowledge { run, .. }
        | Event::Retry { run, .. }
        | Event::PublishTimeout { run, .. } => Some(*run),
        _ => None,
    }
}
