//! The clients of a cluster: what arrives at them, what they send, and the calls of their apps.

use super::{
    super::schedules::{
        channels,
        network::{Answer, Arrival, Direction},
    },
    world::{RELAYS, SimulatedClient, UNIX_START, World},
};
use crate::clients::grant;
use sealwire_client::{ConnectionId, Draft, Event, SubscriptionId, Transmit};

const SESSION_SECONDS: u64 = 900;

impl World {
    pub(super) fn arrive(&mut self, arrival: Arrival) {
        let now = self.client_now();
        match arrival {
            Arrival::Connect(link) => {
                let (client, relay) =
                    (self.network.links[link as usize].client, self.relay_of[link as usize]);
                if self.clients[client].offline_until > self.now_ms || !self.relays[relay].is_up {
                    let closed = Arrival::ClosedAtClient(link, Some(1006));
                    return self.network.send(self.now_ms, link, Direction::ToClient, closed);
                }
                self.accept(relay, link);
                self.network.send(self.now_ms, link, Direction::ToClient, Arrival::Opened(link));
            }
            Arrival::AtRelay(link, message) => self.receive(self.relay_of[link as usize], link, message),
            Arrival::ClosedAtRelay(link) => self.remove(self.relay_of[link as usize], link),
            Arrival::Opened(link) => {
                let (client, connection) = self.owner(link);
                client.core.handle_opened(now, connection);
            }
            Arrival::AtClient(link, message) => {
                let (client, connection) = self.owner(link);
                client.core.handle_frame(now, connection, Some(message));
            }
            Arrival::ClosedAtClient(link, code) => {
                let (client, connection) = self.owner(link);
                client.connection.take_if(|current| *current == connection);
                client.core.handle_closed(now, connection, code);
            }
            Arrival::Session(client, fetch, ..) => {
                let grant = grant(&[1], UNIX_START + self.now_ms, SESSION_SECONDS);
                self.clients[client].core.handle_session(now, fetch, grant);
            }
            Arrival::Token(..)
            | Arrival::Opening(..)
            | Arrival::Verified(..)
            | Arrival::Signed(..)
            | Arrival::Awake => {}
        }
    }

    fn owner(&mut self, link: u64) -> (&mut SimulatedClient, ConnectionId) {
        let link = &self.network.links[link as usize];
        (&mut self.clients[link.client], link.connection)
    }

    pub(super) fn drain(&mut self) {
        for client in 0..self.clients.len() {
            while let Some(transmit) = self.clients[client].core.poll_transmit() {
                self.trace(|| format!("client {client}: {transmit:?}"));
                self.transmit(client, transmit);
            }
            while let Some(event) = self.clients[client].core.poll_event() {
                self.trace(|| format!("client {client}: {event:?}"));
                if let Err(reason) = self.handle_client_event(client, event) {
                    self.violation.get_or_insert(format!("at {} ms, client {client}: {reason}", self.now_ms));
                }
            }
        }
        for relay in 0..RELAYS {
            for (link, message) in self.relays[relay].outbox.take() {
                let arrival = match message {
                    Ok(message) => Arrival::AtClient(link, message),
                    Err(code) => Arrival::ClosedAtClient(link, Some(code)),
                };
                self.network.send(self.now_ms, link, Direction::ToClient, arrival);
            }
        }
    }

    fn transmit(&mut self, client: usize, transmit: Transmit) {
        let (link, arrival) = match transmit {
            Transmit::Connect { connection, .. } => {
                self.clients[client].connection = Some(connection);
                self.clients[client].connects += 1;
                let delay = 1 + self.random.below(self.conditions.delay_ms);
                let link = self.network.open(client, connection, delay);
                let relay = self.random.below(RELAYS as u64) as usize;
                self.relay_of.push(relay);
                (link, Arrival::Connect(link))
            }
            Transmit::Send { connection, bytes } => {
                let Some(link) = self.network.link(client, connection) else { return };
                (link, Arrival::AtRelay(link, bytes.into()))
            }
            Transmit::Disconnect { connection, .. } => {
                self.clients[client].connection.take_if(|current| *current == connection);
                let Some(link) = self.network.link(client, connection) else { return };
                (link, Arrival::ClosedAtRelay(link))
            }
        };
        self.network.send(self.now_ms, link, Direction::ToRelay, arrival);
    }

    fn handle_client_event(&mut self, client: usize, event: Event) -> Result<(), String> {
        let now = self.now_ms;
        match event {
            Event::SubscribeDone { subscription, result } => {
                self.model.confirmed(client, subscription, result.is_ok(), now)
            }
            Event::PublishDone { publish, result } => {
                self.model.published(client, publish, result.ok().map(|receipt| receipt.position))
            }
            Event::Message { subscriptions, message } => {
                let number = message.payload.parse().map_err(|_| "a payload was altered".to_owned())?;
                subscriptions
                    .iter()
                    .try_for_each(|id| self.model.message(client, *id, message.position, number, now))
            }
            Event::Notice { subscriptions, notice } => {
                subscriptions.iter().try_for_each(|id| self.model.notice(client, *id, &notice, now))
            }
            Event::SessionRequested { fetch, .. } => {
                let answer = Answer { signed_at: now, keys_read_at: now };
                self.network.at(now + 20, Arrival::Session(client, fetch, false, Some(answer)));
                Ok(())
            }
            _ => Ok(()),
        }
    }

    pub(super) fn subscribe(&mut self, client: usize, channel: usize) -> SubscriptionId {
        let now = self.client_now();
        let spec = channels::spec(channel, &[1], UNIX_START + self.now_ms, SESSION_SECONDS);
        let id = self.clients[client].core.subscribe(now, spec, None);
        self.model.add_subscription(client, id, channel);
        self.drain();
        id
    }

    pub(super) fn unsubscribe(&mut self, client: usize, id: SubscriptionId) {
        if let Some(subscription) = self.model.subscriptions.get_mut(&(client, id)) {
            subscription.is_over = true;
        }
        let now = self.client_now();
        self.clients[client].core.unsubscribe(now, id);
        self.drain();
    }

    pub(super) fn publish(&mut self, client: usize, channel: usize) {
        self.numbers += 1;
        let (now, payload) = (self.client_now(), self.numbers.to_string());
        let spec = channels::spec(channel, &[1], UNIX_START + self.now_ms, SESSION_SECONDS);
        let draft = Draft { spec, event: String::new(), payload, id: None, timeout_ms: None, signed: false };
        let id = self.clients[client].core.publish_draft(now, draft);
        self.model.add_publish(client, id, channel, self.numbers, self.now_ms);
        self.drain();
    }
}
