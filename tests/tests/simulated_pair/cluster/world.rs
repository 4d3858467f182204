//! Clients, two relays, three servers with two streams, and the connections between them, on one virtual clock.

use super::{
    super::schedules::network::Network,
    conditions::Conditions,
    events::{Attempt, Event, Origin, Queue},
    model::{CHANNELS, Model},
    relay::{Relay, STREAMS},
    replica::Message,
    stream::{Servers, Stream},
    wires::{SERVERS, Wire},
};
use crate::clients::Seeded;
use sealwire_client::{Client, Config, ConnectionId, Instant, State};
use sealwire_protocol::UnixMillis;
use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
    time::{Duration, Instant as StdInstant},
};

pub(super) const UNIX_START: u64 = 1_800_000_000_000;
/// The number of steps that no schedule reaches unless it loops without progress.
const MAX_STEPS: usize = 400_000;
pub(super) const CLIENTS: usize = 3;
pub(super) const RELAYS: usize = 2;
pub(super) const TICK_MS: u64 = 100;
const TEND_MS: u64 = 500;

pub(super) struct World {
    start: StdInstant,
    pub(super) now_ms: u64,
    pub(super) random: Seeded,
    pub(super) conditions: Conditions,
    pub(super) queue: Queue,
    pub(super) servers: Servers,
    pub(super) streams: Vec<Stream>,
    /// The committed publications of each stream, with their sequences.
    pub(super) stored: Vec<Vec<(u64, Rc<Message>)>>,
    /// The time of the newest republication of each stream at each server.
    pub(super) republished: Vec<[u64; SERVERS]>,
    /// The publications that a leader acknowledges when they are committed, by stream, term and sequence.
    pub(super) replies: BTreeMap<(usize, u64, u64), (Origin, Attempt)>,
    /// The connections of each relay to each server.
    pub(super) wires: Vec<Vec<Wire>>,
    pub(super) relays: Vec<Relay>,
    pub(super) clients: Vec<SimulatedClient>,
    pub(super) network: Network,
    /// The relay of each connection of a client.
    pub(super) relay_of: Vec<usize>,
    pub(super) model: Model,
    /// The last number that was published.
    pub(super) numbers: u64,
    steps: usize,
    pub(super) verbose: bool,
    pub(super) violation: Option<String>,
}

pub(super) struct SimulatedClient {
    pub(super) core: Client,
    pub(super) connection: Option<ConnectionId>,
    pub(super) connects: usize,
    /// The time until which it has no network.
    pub(super) offline_until: u64,
}

impl World {
    pub(super) fn new(conditions: Conditions, mut random: Seeded) -> Self {
        let start = StdInstant::now();
        let now = sealwire_relay::Now { monotonic: start, wall: UnixMillis(UNIX_START) };
        let clients = (0..CLIENTS).map(|_| SimulatedClient {
            core: Client::new(Config::default(), Box::new(Seeded(random.next()))),
            connection: None,
            connects: 0,
            offline_until: 0,
        });
        let clients = clients.collect();
        let mut world = Self {
            start,
            now_ms: 0,
            queue: Queue::default(),
            servers: Servers::new(),
            streams: (0..STREAMS).map(|_| Stream::new()).collect(),
            stored: vec![Vec::new(); STREAMS],
            republished: vec![[0; SERVERS]; STREAMS],
            replies: BTreeMap::new(),
            wires: (0..RELAYS).map(|_| (0..SERVERS).map(|_| Wire::new(STREAMS)).collect()).collect(),
            relays: (0..RELAYS).map(|_| Relay::new(0, &conditions, &mut random, now)).collect(),
            clients,
            network: Network::default(),
            relay_of: Vec::new(),
            model: Model::new(conditions.is_roomy),
            numbers: 0,
            steps: 0,
            verbose: false,
            violation: None,
            conditions,
            random,
        };
        (0..STREAMS).for_each(|stream| world.depose(stream));
        for relay in 0..RELAYS {
            world.wires[relay].iter_mut().for_each(|wire| wire.open(0));
            world.start_relay(relay);
        }
        world
    }

    /// Starts the tasks of a relay.
    pub(super) fn start_relay(&mut self, relay: usize) {
        let run = (relay, self.relays[relay].life);
        self.queue.at(self.now_ms + TICK_MS, Event::Tick(run));
        self.queue.at(self.now_ms + TEND_MS, Event::Tend(run));
        (0..STREAMS).for_each(|stream| self.queue.at(self.now_ms, Event::Link { run, stream, link: 0 }));
    }

    #[allow(clippy::print_stdout, reason = "the replay of a schedule prints its events")]
    pub(super) fn trace(&self, event: impl FnOnce() -> String) {
        if self.verbose {
            println!("{:>7} {}", self.now_ms, event());
        }
    }

    pub(super) fn client_now(&self) -> sealwire_client::Now {
        sealwire_client::Now { instant: Instant(self.now_ms), unix: UnixMillis(UNIX_START + self.now_ms) }
    }

    pub(super) fn relay_now(&self, relay: usize) -> sealwire_relay::Now {
        let wall = (UNIX_START + self.now_ms).saturating_add_signed(self.conditions.relay_clock_ms[relay]);
        sealwire_relay::Now {
            monotonic: self.start + Duration::from_millis(self.now_ms),
            wall: UnixMillis(wall),
        }
    }

    /// Lets time pass, until a guarantee is broken.
    pub(super) fn run(&mut self, ms: u64) {
        let end = self.now_ms + ms;
        while self.violation.is_none()
            && let Some(at) = self.next_moment().filter(|at| *at <= end)
        {
            self.now_ms = self.now_ms.max(at);
            self.step();
        }
        self.now_ms = end;
    }

    fn next_moment(&self) -> Option<u64> {
        let clients = self.clients.iter().filter_map(|client| Some(client.core.poll_timeout()?.0)).min();
        let sessions = self.relays.iter().flat_map(|relay| relay.sessions.values());
        let sessions = sessions.filter_map(|session| session.rules.poll_timeout()).min().map(|at| {
            let since = at.saturating_duration_since(self.start);
            u64::try_from(since.as_micros().div_ceil(1000)).unwrap_or(u64::MAX)
        });
        [clients, sessions, self.network.next(), self.queue.next()].into_iter().flatten().min()
    }

    fn step(&mut self) {
        self.steps += 1;
        if self.steps > MAX_STEPS {
            self.violation = Some("the schedule loops without progress".into());
        }
        while let Some(event) = self.queue.take_due(self.now_ms) {
            self.handle(event);
        }
        while let Some((_, arrival)) = self.network.take_due(self.now_ms) {
            self.trace(|| format!("{arrival:?}"));
            self.arrive(arrival);
            self.drain();
        }
        (0..RELAYS).for_each(|relay| self.time_out_sessions(relay));
        let now = self.client_now();
        for client in &mut self.clients {
            if client.core.poll_timeout().is_some_and(|at| at <= now.instant) {
                client.core.handle_timeout(now);
            }
        }
        self.drain();
    }

    /// Returns whether a run of a relay is the present one.
    fn is_running(&self, (relay, life): (usize, u64)) -> bool {
        self.relays[relay].is_up && self.relays[relay].life == life
    }

    pub(super) fn handle(&mut self, event: Event) {
        match event {
            Event::Lost { relay, server, generation } => self.lose_wire(relay, server, generation),
            Event::Open { relay, server } => {
                if self.servers.up[server] && !self.wires[relay][server].is_open {
                    let now = self.now_ms;
                    self.wires[relay][server].open(now);
                }
            }
            Event::StartRelay(relay) => {
                self.relays[relay].is_up = true;
                self.start_relay(relay);
            }
            Event::Ask(origin, call) => self.asked(origin, call),
            Event::Watch(origin, channel) => self.watch(origin, channel),
            event @ Event::Propose { .. } => self.propose(event),
            Event::Compare { origin, attempt, sequence } => self.compare(origin, attempt, sequence),
            event => match super::faults::run_of(&event) {
                Some(run) if self.is_running(run) => self.handle_at_relay(run, event),
                Some(_) => {}
                None => self.handle_server(event),
            },
        }
    }

    fn handle_at_relay(&mut self, run: (usize, u64), event: Event) {
        let relay = run.0;
        match event {
            Event::Told(origin, told) => self.told(origin, told),
            Event::Live { origin, live } => self.live(origin, live),
            Event::Tick(_) => {
                self.tick(relay);
                self.queue.at(self.now_ms + TICK_MS, Event::Tick(run));
            }
            Event::Tend(_) => {
                self.tend(relay);
                self.queue.at(self.now_ms + TEND_MS, Event::Tend(run));
            }
            Event::Link { stream, link, .. } if self.relays[relay].streams[stream].link_number == link => {
                self.start_link(relay, stream);
            }
            Event::Answered { connection, ticket, replay, .. } => {
                self.answered(relay, connection, ticket, *replay)
            }
            Event::JoinTimeout { connection, ticket, .. } => self.join_times_out(relay, connection, ticket),
            Event::Ended { connection, .. } => self.end_lost(relay, connection),
            Event::FanOut(_) => self.fan_out(relay),
            Event::Acknowledge { attempt, answer, .. } => self.acknowledged(relay, attempt, answer),
            Event::Retry { attempt, .. } => self.retry(relay, attempt),
            Event::PublishTimeout { task, .. } => {
                self.finish(relay, task, Err(sealwire_relay::BrokerError::Unavailable));
            }
            _ => {}
        }
    }

    /// Returns whether every client with a subscription is connected, and the relays have exactly the wanted subscriptions.
    pub(super) fn is_settled(&self) -> bool {
        let live = self.model.subscriptions.iter().filter(|(_, subscription)| !subscription.is_over);
        let wanted: BTreeSet<_> = live.map(|((client, _), one)| (*client, one.channel)).collect();
        let is_pending =
            self.model.subscriptions.values().any(|one| !one.is_over && one.confirmed_at.is_none());
        let subscriptions: usize = self.relays.iter().map(Relay::subscriptions).sum();
        let is_following = self.relays.iter().enumerate().all(|(index, relay)| {
            let now = self.relay_now(index).monotonic;
            relay.streams.iter().all(|stream| stream.follower.is_following(now))
        });
        !is_pending
            && is_following
            && subscriptions == wanted.len()
            && wanted.iter().all(|(client, _)| self.clients[*client].core.state() == State::Connected)
    }

    pub(super) fn channel(&mut self) -> usize {
        self.random.below(CHANNELS as u64) as usize
    }
}
