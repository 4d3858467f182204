//! Carries the messages about presence between relays, as plain messages of NATS on `<prefix>.presence.<relay>`. No stream
//! stores them.

use super::links::Links;
use crate::{
    auth::signing_keys::SigningKeys,
    broker::Broker,
    clock::Now,
    cluster::relay_ids::RelayIds,
    nats::NatsConnection,
    presence::{Presences, shared::LocalPresences},
};
use async_nats::{Message, Subscriber};
use futures_util::{StreamExt as _, stream::SelectAll};
use std::{sync::Arc, time::Duration};
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_util::sync::CancellationToken;

/// The interval in which changes are collected for other relays.
const FLUSH_INTERVAL: Duration = Duration::from_millis(50);
/// The maximum time that a message waits for a connection. A lost one is noticed by the receiver.
const SEND_TIMEOUT: Duration = Duration::from_millis(250);

/// A relay's part in the presences that it shares with others.
pub(crate) struct PresenceTask {
    pub(crate) prefix: String,
    pub(crate) connections: Vec<NatsConnection>,
    pub(crate) relays: Arc<RelayIds>,
    pub(crate) keys: Arc<SigningKeys>,
    pub(crate) presences: Arc<Presences>,
    pub(crate) broker: Arc<dyn Broker>,
    pub(crate) ended: CancellationToken,
}

impl PresenceTask {
    /// Sends and receives messages until the relay has ended.
    pub(crate) async fn run(self) {
        let own = self.relays.own;
        let mut links =
            Links::new(own, self.keys.clone(), self.presences.memory.clone(), Now::read().monotonic);
        let mut heard = self.subscribe(own).await;
        let mut ticks = interval(FLUSH_INTERVAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // Messages to other relays keep their order as long as they take the same connection.
        let mut connection = 0;
        loop {
            tokio::select! {
                () = self.ended.cancelled() => return,
                Some(message) = heard.next() => self.receive(&mut links, message),
                _ = ticks.tick() => self.tick(&mut links, &mut connection).await,
            }
            self.presences.set_link_counts(links.counts);
        }
    }

    /// Listens at all servers, so that a server that hangs loses nothing. What arrives twice has the same sequence.
    async fn subscribe(&self, own: u64) -> SelectAll<Subscriber> {
        let mut all = SelectAll::new();
        for connection in &self.connections {
            // The client subscribes again after each reconnect. It fails only for an invalid subject or after its end.
            match connection.client().subscribe(self.subject(own)).await {
                Ok(subscriber) => all.push(subscriber),
                Err(error) => {
                    tracing::error!(server = %connection.server(), %error, "cannot hear of presence at other relays");
                }
            }
        }
        all
    }

    fn receive(&self, links: &mut Links, message: Message) {
        let mut local = LocalPresences::new(&self.presences);
        links.handle_message(message.payload, &mut local, Now::read());
    }

    async fn tick(&self, links: &mut Links, connection: &mut usize) {
        let connected =
            |index: &usize| self.connections.get(*index).is_some_and(NatsConnection::is_connected);
        if !connected(connection) {
            *connection = (0..self.connections.len()).find(connected).unwrap_or(*connection);
        }
        let is_reachable = connected(connection) && self.broker.is_ready();
        let others = self.relays.others.load();
        let messages = {
            let mut local = LocalPresences::new(&self.presences);
            links.handle_tick(&others, is_reachable, &mut local, Now::read())
        };
        self.presences.set_reachable(messages.is_some());
        for (relay, message) in messages.unwrap_or_default() {
            let Some(connection) = self.connections.get(*connection) else { return };
            let sent = connection.client().publish(self.subject(relay), message.into());
            if !matches!(timeout(SEND_TIMEOUT, sent).await, Ok(Ok(()))) {
                tracing::debug!(server = %connection.server(), "a message about presence was dropped");
            }
        }
    }

    fn subject(&self, relay: u64) -> String {
        format!("{}.presence.{relay:016x}", self.prefix)
    }
}
