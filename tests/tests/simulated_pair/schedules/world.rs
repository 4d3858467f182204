//! Machines with clients, a relay, the network and the app, on one virtual clock.

use super::{
    conditions::Conditions,
    history::History,
    lies::Lies,
    machine::Machine,
    model::{Model, Stage, Subscription},
    network::{Arrival, Direction, Network},
};
use crate::{
    clients::Seeded,
    relay::{Outgoing, Relay},
};
use bytes::Bytes;
use sealwire_client::{Author, Client, Config, Instant, State, SubscriptionId};
use sealwire_protocol::UnixMillis;
use sealwire_relay::Settings;
use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant as StdInstant},
};

pub(super) const UNIX_START: u64 = 1_800_000_000_000;
/// The number of steps that no schedule reaches unless it loops without progress.
const MAX_STEPS: usize = 200_000;
/// A size of sealed messages between that of a payload without padding and one with it.
const LARGE_FROM: usize = 256;

/// The number of clients in a schedule.
pub(super) const CLIENTS: usize = 3;

pub(super) struct World {
    start: StdInstant,
    pub(super) now_ms: u64,
    pub(super) random: Seeded,
    pub(super) conditions: Conditions,
    pub(super) relay: Relay,
    pub(super) machines: Vec<Machine>,
    pub(super) network: Network,
    pub(super) model: Model,
    /// The lying relay, which `model` then does not judge.
    pub(super) lies: Option<Lies>,
    /// The last number that was published.
    pub(super) numbers: u64,
    /// The authors of the numbers that functions and pages published with a signature.
    pub(super) authors: BTreeMap<u64, Author>,
    /// The deliveries of such a message without its author to a machine that verifies: the time, the client and the
    /// subscription.
    pub(super) unproved: Vec<(u64, usize, SubscriptionId)>,
    /// The arrival of the app's last answer among all requests so far.
    pub(super) last_answer_at: u64,
    steps: usize,
    /// Prints every event.
    pub(super) verbose: bool,
    /// The first guarantee that was broken.
    pub(super) violation: Option<String>,
}

impl World {
    pub(super) fn new(clients: usize, conditions: Conditions, mut random: Seeded) -> Self {
        let start = StdInstant::now();
        let epoch = random.next();
        let now = sealwire_relay::Now { monotonic: start, wall: UnixMillis(UNIX_START) };
        let machine = |entropy: u64| Machine {
            core: Client::new(config(entropy), Box::new(Seeded(entropy))),
            verifies: config(entropy).verifies_signatures,
            signs: entropy & 4 == 0,
            connection: None,
            connects: 0,
            offline: None,
            paused: false,
            asleep_until: 0,
            asleep_since: 0,
            timer_lag_ms: 0,
            timers_stopped: false,
            clock_offset_ms: 0,
        };
        Self {
            start,
            now_ms: 0,
            relay: Relay::with(epoch, conditions.settings, now),
            model: Model::new(History::new(conditions.settings.limits, epoch)),
            machines: (0..clients).map(|_| machine(random.next())).collect(),
            network: Network::default(),
            conditions,
            random,
            lies: None,
            numbers: 0,
            authors: BTreeMap::new(),
            unproved: Vec::new(),
            last_answer_at: 0,
            steps: 0,
            verbose: false,
            violation: None,
        }
    }

    /// Prints an event with the virtual time, if the schedule is verbose.
    #[allow(clippy::print_stdout, reason = "the replay of a schedule prints its events")]
    pub(super) fn trace(&self, event: impl FnOnce() -> String) {
        if self.verbose {
            println!("{:>7} {}", self.now_ms, event());
        }
    }

    pub(super) fn client_now(&self, client: usize) -> sealwire_client::Now {
        let machine = &self.machines[client];
        let unix = UnixMillis((UNIX_START + self.now_ms).saturating_add_signed(machine.clock_offset_ms));
        sealwire_client::Now { instant: Instant(self.now_ms - machine.timer_lag_ms(self.now_ms)), unix }
    }

    pub(super) fn relay_now(&self) -> sealwire_relay::Now {
        let wall = (UNIX_START + self.now_ms).saturating_add_signed(self.conditions.relay_clock_offset_ms);
        let monotonic = self.start + Duration::from_millis(self.now_ms);
        sealwire_relay::Now { monotonic, wall: UnixMillis(wall) }
    }

    pub(super) fn is_awake(&self, client: usize) -> bool {
        self.machines[client].asleep_until <= self.now_ms
    }

    /// Lets the connection of a client die without notifying either end. Returns false if the client has none.
    pub(super) fn silence(&mut self, client: usize) -> bool {
        let machine = &self.machines[client];
        let connection = machine.connection.filter(|_| machine.core.state() == State::Connected);
        let link = connection.and_then(|connection| self.network.link(client, connection));
        let Some(link) = link.filter(|link| self.network.connected().contains(link)) else { return false };
        self.network.cut(link, |_| 0);
        true
    }

    /// Sets the relay's rates.
    pub(super) fn limit(&mut self, rates: Option<Settings>) {
        self.relay.apply_settings(rates.clone().unwrap_or_default());
        self.conditions.rates = rates;
    }

    pub(super) fn sleep(&mut self, client: usize, ms: u64, timers_stopped: bool) {
        let machine = &mut self.machines[client];
        machine.timer_lag_ms = machine.timer_lag_ms(self.now_ms);
        (machine.asleep_since, machine.asleep_until) = (self.now_ms, self.now_ms + ms);
        machine.timers_stopped = timers_stopped;
        self.model.stopped_ms += if timers_stopped { ms } else { 0 };
        self.network.at(self.now_ms + ms, Arrival::Awake);
    }

    pub(super) fn restart_relay(&mut self) {
        let epoch = self.random.next();
        self.relay = Relay::with(epoch, self.conditions.settings, self.relay_now());
        self.relay.apply_settings(self.conditions.rates.clone().unwrap_or_default());
        self.model.history.start_epoch(epoch);
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
        let awake = self.machines.iter().filter(|machine| machine.asleep_until <= self.now_ms);
        let clients = awake
            .filter_map(|machine| Some(machine.core.poll_timeout()?.0 + machine.timer_lag_ms(self.now_ms)))
            .min();
        [self.relay.timeout_ms(self.start), clients, self.network.next()].into_iter().flatten().min()
    }

    fn step(&mut self) {
        self.steps += 1;
        if self.steps > MAX_STEPS {
            self.violation = Some("the schedule loops without progress".into());
        }
        while let Some((number, arrival)) = self.network.take_due(self.now_ms) {
            let until = arrival.client(&self.network).map_or(0, |client| self.machines[client].asleep_until);
            if until > self.now_ms {
                self.network.postpone(number, until, arrival);
                continue;
            }
            self.trace(|| format!("{arrival:?}"));
            self.arrive(arrival);
            self.drain();
        }
        self.relay.handle_timeout(self.relay_now());
        for client in 0..self.machines.len() {
            let now = self.client_now(client);
            let due = self.machines[client].core.poll_timeout().is_some_and(|at| at <= now.instant);
            if due && self.is_awake(client) {
                self.machines[client].core.handle_timeout(now);
            }
        }
        self.drain();
    }

    pub(super) fn drain(&mut self) {
        for client in 0..self.machines.len() {
            while let Some(transmit) = self.machines[client].core.poll_transmit() {
                self.transmit(client, transmit);
            }
            while let Some(event) = self.machines[client].core.poll_event() {
                self.trace(|| format!("client {client}: {event:?}"));
                if let Err(reason) = self.handle_event(client, event) {
                    self.violation.get_or_insert(reason);
                }
            }
        }
        for event in std::mem::take(&mut self.relay.hub_events) {
            if let Err(reason) = self.model.history.record(self.now_ms, event) {
                self.violation.get_or_insert(reason);
            }
        }
        for outgoing in self.relay.take_outgoing() {
            match outgoing {
                Outgoing::Message(link, message) => self.send_to_client(link, message),
                Outgoing::Close(link, code) => {
                    let arrival = Arrival::ClosedAtClient(link, Some(code));
                    self.network.send(self.now_ms, link, Direction::ToClient, arrival);
                }
            }
        }
    }

    /// Sends a message of the relay, or what a lying relay sends in its place.
    fn send_to_client(&mut self, link: u64, message: Bytes) {
        let client = self.network.links[link as usize].client;
        let messages = match &mut self.lies {
            Some(lies) => lies.liar.pass(client, link, message),
            None => vec![message],
        };
        for message in messages {
            self.network.send(self.now_ms, link, Direction::ToClient, Arrival::AtClient(link, message));
        }
    }

    /// Returns whether every client with a subscription is connected, and the relay has exactly the wanted subscriptions.
    pub(super) fn is_settled(&self) -> bool {
        let wanted: BTreeSet<_> = self
            .model
            .subscriptions
            .iter()
            .filter(|(_, subscription)| subscription.stage == Stage::Live)
            .map(|((client, _), subscription)| (*client, subscription.channel))
            .collect();
        let pending =
            |subscription: &Subscription| matches!(subscription.stage, Stage::Pending | Stage::Unsubscribing);
        !self.model.subscriptions.values().any(pending)
            && self.relay.subscriptions() == wanted.len()
            && wanted.iter().all(|(client, _)| self.machines[*client].core.state() == State::Connected)
    }
}

/// Returns the true time, by which the app signs, in Unix milliseconds.
pub(super) fn unix_ms(now_ms: u64) -> u64 {
    UNIX_START + now_ms
}

/// Returns the settings of a client. Half of the clients let their platform decrypt larger messages, and half of them let it
/// verify signatures.
fn config(entropy: u64) -> Config {
    let host_decrypt_threshold = entropy.is_multiple_of(2).then_some(LARGE_FROM);
    Config { host_decrypt_threshold, verifies_signatures: entropy & 2 == 0, ..Config::default() }
}
