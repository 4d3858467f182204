//! The channels that a session has joined. Dropping it leaves them all: the one place that unregisters.

use super::SessionSink;
use crate::{
    broker::{Broker, BrokerFuture},
    fanout::Fanout,
    hub::Replay,
    session::EventFilter,
    session_id::SessionId,
    tenant::Tenant,
};
use sealwire_protocol::{ChannelId, wire::Since};
use std::sync::Arc;

pub(super) struct Subscriptions {
    connection: SessionId,
    sink: SessionSink,
    fanout: Arc<Fanout<SessionSink>>,
    broker: Arc<dyn Broker>,
    /// Sorted; one or a few for nearly everybody.
    joined: Vec<ChannelId>,
    joining: Option<ChannelId>,
}

impl Subscriptions {
    pub(super) fn new(
        connection: SessionId,
        sink: SessionSink,
        fanout: Arc<Fanout<SessionSink>>,
        broker: Arc<dyn Broker>,
    ) -> Self {
        Self { connection, sink, fanout, broker, joined: Vec::new(), joining: None }
    }

    /// Joins a channel; [`Self::joined`] or [`Self::not_joined`] follows.
    pub(super) fn join(
        &mut self,
        tenant: Tenant,
        channel: ChannelId,
        since: Option<Since>,
        events: EventFilter,
    ) -> BrokerFuture<Replay> {
        // First, so that nothing is missed between the replay and what is published after it.
        self.fanout.join(channel, self.connection, self.sink.clone(), events);
        self.joining = Some(channel);
        self.broker.subscribe(tenant, channel, since)
    }

    /// The broker answered.
    pub(super) fn joined(&mut self, channel: ChannelId) {
        self.joining = None;
        match self.joined.binary_search(&channel) {
            // Joined anew: the broker counted it twice.
            Ok(_) => self.broker.unsubscribe(channel),
            Err(place) => {
                if self.joined.is_empty() {
                    self.joined.reserve_exact(1);
                }
                self.joined.insert(place, channel);
            }
        }
    }

    /// Everything before the replay is queued.
    pub(super) fn open(&self, channel: ChannelId, replay: &Replay) {
        self.fanout.open(channel, self.connection, replay);
    }

    /// The broker could not.
    pub(super) fn not_joined(&mut self, channel: ChannelId) {
        self.joining = None;
        self.leave(channel);
    }

    pub(super) fn leave(&mut self, channel: ChannelId) {
        self.fanout.leave(channel, self.connection);
        if let Ok(place) = self.joined.binary_search(&channel) {
            self.joined.remove(place);
            self.broker.unsubscribe(channel);
        }
    }
}

impl Drop for Subscriptions {
    fn drop(&mut self) {
        for channel in std::mem::take(&mut self.joined) {
            self.fanout.leave(channel, self.connection);
            self.broker.unsubscribe(channel);
        }
        if let Some(channel) = self.joining {
            self.fanout.leave(channel, self.connection);
        }
    }
}
