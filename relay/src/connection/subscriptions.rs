//! A session's subscriptions at the broker and in the fan-out table. Dropping them unsubscribes from all channels.

use super::SessionSink;
use crate::{
    broker::{Broker, BrokerFuture, traced},
    fanout::Fanout,
    hub::Replay,
    session::EventFilter,
    session_id::SessionId,
    telemetry::Telemetry,
    tenant::Tenant,
};
use sealwire_protocol::{ChannelId, wire::Since};
use std::sync::Arc;

/// The subscribed channels of one session.
pub(super) struct ChannelSubscriptions {
    session: SessionId,
    sink: SessionSink,
    fanout: Arc<Fanout<SessionSink>>,
    broker: Arc<dyn Broker>,
    /// The subscribed channels, sorted; nearly all sessions have one or a few.
    channels: Vec<ChannelId>,
    /// The channel of the subscribe request that waits for the broker.
    pending: Option<ChannelId>,
}

impl ChannelSubscriptions {
    pub(super) fn new(
        session: SessionId,
        sink: SessionSink,
        fanout: Arc<Fanout<SessionSink>>,
        broker: Arc<dyn Broker>,
    ) -> Self {
        Self { session, sink, fanout, broker, channels: Vec::new(), pending: None }
    }

    pub(super) fn session(&self) -> SessionId {
        self.session
    }

    /// Subscribes to a channel. The caller then calls [`Self::confirm`] or [`Self::abort`].
    pub(super) fn subscribe(
        &mut self,
        telemetry: &Telemetry,
        tenant: Tenant,
        channel: ChannelId,
        since: Option<Since>,
        events: EventFilter,
    ) -> BrokerFuture<Replay> {
        // The fan-out table comes first, so that no publication after the replay is missed.
        self.fanout.subscribe(channel, self.session, self.sink.clone(), events);
        self.pending = Some(channel);
        traced::subscribe(telemetry, &*self.broker, tenant, channel, since)
    }

    /// Records that the broker added the subscription.
    pub(super) fn confirm(&mut self, channel: ChannelId) {
        self.pending = None;
        match self.channels.binary_search(&channel) {
            // The session was subscribed already, so the broker now counts the subscription twice.
            Ok(_) => self.broker.unsubscribe(channel),
            Err(index) => {
                if self.channels.is_empty() {
                    self.channels.reserve_exact(1);
                }
                self.channels.insert(index, channel);
            }
        }
    }

    /// Queues the replay. Everything that precedes it must be queued already. Returns true instead if the broker lost track
    /// of the channel meanwhile.
    pub(super) fn catch_up(&self, channel: ChannelId, replay: &Replay) -> bool {
        self.fanout.catch_up(channel, self.session, replay)
    }

    /// Returns whether the broker lost track of a subscribed channel.
    pub(super) fn is_lost(&self, channel: ChannelId) -> bool {
        self.fanout.is_lost(channel, self.session)
    }

    /// Undoes a subscribe request that the broker failed.
    pub(super) fn abort(&mut self, channel: ChannelId) {
        self.pending = None;
        self.unsubscribe(channel);
    }

    /// Unsubscribes from a channel.
    pub(super) fn unsubscribe(&mut self, channel: ChannelId) {
        self.fanout.unsubscribe(channel, self.session);
        if let Ok(index) = self.channels.binary_search(&channel) {
            self.channels.remove(index);
            self.broker.unsubscribe(channel);
        }
    }
}

impl Drop for ChannelSubscriptions {
    fn drop(&mut self) {
        for channel in std::mem::take(&mut self.channels) {
            self.fanout.unsubscribe(channel, self.session);
            self.broker.unsubscribe(channel);
        }
        if let Some(channel) = self.pending {
            self.fanout.unsubscribe(channel, self.session);
        }
    }
}
