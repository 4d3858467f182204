//! A relay, its clients and the network between them, on one virtual clock. Messages on a connection stay in order and
//! take the current latency; a cut drops the messages in flight.

use crate::{
    clients::{Seeded, SimulatedClient, grant, spec},
    relay::{Outgoing, Relay},
};
use bytes::Bytes;
use sealwire_client::{
    ClientError, ConnectionId, Draft, Event, FetchId, Instant, SessionReason, SubscriptionId, Transmit,
};
use sealwire_protocol::{Code, UnixMillis};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant as StdInstant},
};

const UNIX_START: u64 = 1_800_000_000_000;
const REPLAY_BYTES: usize = 1024 * 1024;
/// The relay's id of a connection is the client's number plus a multiple of this.
const CLIENTS: u64 = 1000;

enum Arrival {
    AtRelay(Bytes),
    AtClient(Bytes),
    Connect,
    Opened,
    /// The relay closed the connection.
    ClosedAtClient(Option<u16>),
    /// The client closed the connection.
    ClosedAtRelay,
    Session(FetchId),
}

pub(crate) struct World {
    start: StdInstant,
    pub(crate) now_ms: u64,
    pub(crate) relay: Relay,
    pub(crate) clients: Vec<SimulatedClient>,
    pub(crate) latency_ms: u64,
    pub(crate) session_seconds: u64,
    /// The numbers of the installation's keys, newest first.
    pub(crate) keys: Vec<u8>,
    /// True if the app's session refreshes fail.
    pub(crate) fails_refreshes: bool,
    /// For each client, whether it has no network.
    cut: Vec<bool>,
    /// The connections that were cut. Nothing passes on them, even after the network is back.
    dead_connections: BTreeSet<u64>,
    in_flight: BTreeMap<(u64, u64), (usize, Option<ConnectionId>, Arrival)>,
    sent: u64,
    /// For each client and direction, the arrival of the newest message, so that no message overtakes another.
    last_arrival: BTreeMap<(usize, bool), u64>,
}

impl World {
    pub(crate) fn new(clients: usize, seed: u64) -> Self {
        let start = StdInstant::now();
        let now = sealwire_relay::Now { monotonic: start, wall: UnixMillis(UNIX_START) };
        let mut random = Seeded(seed);
        Self {
            start,
            now_ms: 0,
            relay: Relay::new(1, REPLAY_BYTES, now),
            clients: (0..clients).map(|_| SimulatedClient::new(random.next())).collect(),
            latency_ms: 40,
            session_seconds: 900,
            keys: vec![1],
            fails_refreshes: false,
            cut: vec![false; clients],
            dead_connections: BTreeSet::new(),
            in_flight: BTreeMap::new(),
            sent: 0,
            last_arrival: BTreeMap::new(),
        }
    }

    fn wall(&self) -> UnixMillis {
        UnixMillis(UNIX_START + self.now_ms)
    }

    fn client_now(&self) -> sealwire_client::Now {
        sealwire_client::Now { instant: Instant(self.now_ms), unix: self.wall() }
    }

    fn relay_now(&self) -> sealwire_relay::Now {
        let monotonic = self.start + Duration::from_millis(self.now_ms);
        sealwire_relay::Now { monotonic, wall: self.wall() }
    }

    pub(crate) fn subscribe(&mut self, client: usize, name: &str, replay: Option<u32>) -> SubscriptionId {
        let now = self.client_now();
        let subscription = self.clients[client].core.subscribe(now, spec(name), replay);
        self.drain();
        subscription
    }

    pub(crate) fn unsubscribe(&mut self, client: usize, subscription: SubscriptionId) {
        let now = self.client_now();
        self.clients[client].core.unsubscribe(now, subscription);
        self.drain();
    }

    pub(crate) fn publish(&mut self, client: usize, name: &str, payload: &str) {
        self.publish_within(client, name, payload, None);
    }

    pub(crate) fn publish_within(
        &mut self,
        client: usize,
        name: &str,
        payload: &str,
        timeout_ms: Option<u64>,
    ) {
        let now = self.client_now();
        let (event, payload) = (String::new(), payload.into());
        let draft = Draft { spec: spec(name), event, payload, id: None, timeout_ms, signed: false };
        self.clients[client].core.publish_draft(now, draft);
        self.drain();
    }

    /// Cuts a client's network. With `notices`, the client's system reports the cut at once.
    pub(crate) fn cut(&mut self, client: usize, notices: bool) {
        self.cut[client] = true;
        self.drop_in_flight(client);
        if let Some(connection) = self.clients[client].connection {
            self.dead_connections.insert(relay_id(client, connection));
        }
        if notices {
            self.close_client(client, None);
            self.drain();
        }
    }

    pub(crate) fn reconnect(&mut self, client: usize) {
        self.cut[client] = false;
    }

    /// Replaces the relay by an empty one with a new epoch.
    pub(crate) fn restart_relay(&mut self, epoch: u64) {
        self.relay = Relay::new(epoch, REPLAY_BYTES, self.relay_now());
        for client in 0..self.clients.len() {
            self.drop_in_flight(client);
            self.close_client(client, Some(1006));
        }
        self.drain();
    }

    fn drop_in_flight(&mut self, client: usize) {
        self.in_flight.retain(|_, (owner, connection, _)| *owner != client || connection.is_none());
    }

    fn close_client(&mut self, client: usize, code: Option<u16>) {
        if let Some(connection) = self.clients[client].connection.take() {
            let (now, relay_now) = (self.client_now(), self.relay_now());
            self.relay.remove(relay_id(client, connection), relay_now);
            self.clients[client].core.handle_closed(now, connection, code);
        }
    }

    /// Lets time pass.
    pub(crate) fn run(&mut self, ms: u64) {
        let end = self.now_ms + ms;
        while let Some(at) = self.next_moment().filter(|at| *at <= end) {
            self.now_ms = self.now_ms.max(at);
            self.step();
        }
        self.now_ms = end;
    }

    fn next_moment(&self) -> Option<u64> {
        let clients =
            self.clients.iter().filter_map(|client| client.core.poll_timeout()).map(|at| at.0).min();
        let arrival = self.in_flight.keys().next().map(|(at, _)| *at);
        [self.relay.timeout_ms(self.start), clients, arrival].into_iter().flatten().min()
    }

    fn step(&mut self) {
        let now = self.client_now();
        while let Some(entry) = self.in_flight.first_entry().filter(|entry| entry.key().0 <= self.now_ms) {
            let (client, connection, arrival) = entry.remove();
            self.arrive(client, connection, arrival);
            self.drain();
        }
        self.relay.handle_timeout(self.relay_now());
        for client in &mut self.clients {
            if client.core.poll_timeout().is_some_and(|at| at <= now.instant) {
                client.core.handle_timeout(now);
            }
        }
        self.drain();
    }

    fn arrive(&mut self, client: usize, connection: Option<ConnectionId>, arrival: Arrival) {
        let (now, relay_now) = (self.client_now(), self.relay_now());
        let side = &mut self.clients[client];
        if let Arrival::Session(fetch) = arrival {
            let grant = grant(&self.keys, UNIX_START + self.now_ms, self.session_seconds);
            return side.core.handle_session(now, fetch, grant);
        }
        let Some(connection) = connection else { return };
        let at_relay = relay_id(client, connection);
        if self.dead_connections.contains(&at_relay) {
            return;
        }
        match arrival {
            Arrival::AtRelay(message) => self.relay.receive(at_relay, message, relay_now),
            Arrival::AtClient(message) => side.core.handle_frame(now, connection, Some(message)),
            Arrival::Connect if self.cut[client] => {
                side.connection.take_if(|current| *current == connection);
                side.core.handle_closed(now, connection, Some(1006));
            }
            Arrival::Connect => {
                self.relay.accept(at_relay, relay_now);
                self.send(client, Some(connection), false, Arrival::Opened);
            }
            Arrival::Opened => side.core.handle_opened(now, connection),
            Arrival::ClosedAtClient(code) => {
                side.connection.take_if(|current| *current == connection);
                side.core.handle_closed(now, connection, code);
            }
            Arrival::ClosedAtRelay => self.relay.remove(at_relay, relay_now),
            Arrival::Session(_) => {}
        }
    }

    fn send(&mut self, client: usize, connection: Option<ConnectionId>, to_relay: bool, arrival: Arrival) {
        let dead = connection
            .is_some_and(|connection| self.dead_connections.contains(&relay_id(client, connection)));
        if dead {
            return;
        }
        let last = self.last_arrival.entry((client, to_relay)).or_default();
        *last = (*last).max(self.now_ms + self.latency_ms);
        self.sent += 1;
        self.in_flight.insert((*last, self.sent), (client, connection, arrival));
    }

    fn drain(&mut self) {
        for client in 0..self.clients.len() {
            while let Some(transmit) = self.clients[client].core.poll_transmit() {
                let side = &mut self.clients[client];
                match transmit {
                    Transmit::Connect { connection, .. } => {
                        side.connection = Some(connection);
                        side.connects += 1;
                        self.send(client, Some(connection), true, Arrival::Connect);
                    }
                    Transmit::Send { connection, bytes } => {
                        self.send(client, Some(connection), true, Arrival::AtRelay(bytes.into()));
                    }
                    Transmit::Disconnect { connection, .. } => {
                        side.connection = None;
                        self.send(client, Some(connection), true, Arrival::ClosedAtRelay);
                    }
                }
            }
            while let Some(event) = self.clients[client].core.poll_event() {
                let Event::SessionRequested { fetch, reason, .. } = event else {
                    self.clients[client].record(event);
                    continue;
                };
                self.clients[client].fetches += 1;
                if reason == SessionReason::Refresh && self.fails_refreshes {
                    let (now, error) =
                        (self.client_now(), ClientError::new(Code::SessionUnavailable, "offline"));
                    self.clients[client].core.handle_session_failed(now, fetch, error);
                } else {
                    self.send(client, None, true, Arrival::Session(fetch));
                }
            }
        }
        for outgoing in self.relay.take_outgoing() {
            let (name, arrival) = match outgoing {
                Outgoing::Message(name, message) => (name, Arrival::AtClient(message)),
                Outgoing::Close(name, code) => (name, Arrival::ClosedAtClient(Some(code))),
            };
            let client = usize::try_from(name % CLIENTS).expect("few clients");
            let connection = ConnectionId(u32::try_from(name / CLIENTS).expect("few connections"));
            self.send(client, Some(connection), false, arrival);
        }
    }
}

fn relay_id(client: usize, connection: ConnectionId) -> u64 {
    u64::from(connection.0) * CLIENTS + client as u64
}
