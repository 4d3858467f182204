//! A session's subscriptions at the broker and in the fan-out table. Dropping them unsubscribes from all channels.

use super::{ConnectionContext, SessionSink, presences::SessionPresences, queue::SessionNumber};
use crate::{
    broker::{BrokerFuture, traced},
    hub::Replay,
    session::EventFilter,
    session_id::SessionId,
    tenant::Tenant,
};
use sealwire_protocol::{ChannelId, wire::Since};
use smallvec::SmallVec;
use std::sync::Arc;

/// The subscribed channels of one session.
pub(super) struct ChannelSubscriptions {
    session: SessionId,
    sink: SessionSink,
    context: Arc<ConnectionContext>,
    /// The subscribed channels, sorted.
    channels: SmallVec<[ChannelId; 1]>,
    /// The channel of the subscribe request that waits for the broker. Boxed, because an idle session has none.
    pending: Option<Box<ChannelId>>,
}

impl ChannelSubscriptions {
    pub(super) fn new(session: SessionId, sink: SessionSink, context: Arc<ConnectionContext>) -> Self {
        Self { session, sink, context, channels: SmallVec::new(), pending: None }
    }

    pub(super) fn session(&self) -> SessionId {
        self.session
    }

    /// Returns the number of the session on its connection.
    pub(super) fn number(&self) -> SessionNumber {
        self.sink.session
    }

    /// Returns the presences of the session, of which it has no part yet.
    pub(super) fn presences(&self) -> SessionPresences {
        SessionPresences::new(self.session, self.sink.clone(), self.context.presences.clone())
    }

    /// Subscribes to a channel. The caller then calls [`Self::confirm`] or [`Self::abort`].
    pub(super) fn subscribe(
        &mut self,
        tenant: Tenant,
        channel: ChannelId,
        since: Option<Since>,
        events: EventFilter,
    ) -> BrokerFuture<Replay> {
        // The fan-out table comes first, so that no publication after the replay is missed.
        self.context.fanout.subscribe(channel, self.session, self.sink.clone(), events);
        self.pending = Some(Box::new(channel));
        traced::subscribe(&self.context.telemetry, &*self.context.broker, tenant, channel, since)
    }

    /// Records that the broker added the subscription.
    pub(super) fn confirm(&mut self, channel: ChannelId) {
        self.pending = None;
        match self.channels.binary_search(&channel) {
            // The session was subscribed already, so the broker now counts the subscription twice.
            Ok(_) => self.context.broker.unsubscribe(channel),
            Err(index) => self.channels.insert(index, channel),
        }
    }

    /// Queues the replay. Everything that precedes it must be queued already. Returns true instead if the broker lost track
    /// of the channel meanwhile.
    pub(super) fn catch_up(&self, channel: ChannelId, replay: &Replay) -> bool {
        self.context.fanout.catch_up(channel, self.session, replay)
    }

    /// Returns whether the broker lost track of a subscribed channel.
    pub(super) fn is_lost(&self, channel: ChannelId) -> bool {
        self.context.fanout.is_lost(channel, self.session)
    }

    /// Undoes a subscribe request that the broker failed.
    pub(super) fn abort(&mut self, channel: ChannelId) {
        self.pending = None;
        self.unsubscribe(channel);
    }

    /// Unsubscribes from a channel.
    pub(super) fn unsubscribe(&mut self, channel: ChannelId) {
        self.context.fanout.unsubscribe(channel, self.session);
        if let Ok(index) = self.channels.binary_search(&channel) {
            self.channels.remove(index);
            self.context.broker.unsubscribe(channel);
        }
    }
}

impl Drop for ChannelSubscriptions {
    fn drop(&mut self) {
        for channel in std::mem::take(&mut self.channels) {
            self.context.fanout.unsubscribe(channel, self.session);
            self.context.broker.unsubscribe(channel);
        }
        if let Some(channel) = self.pending.take() {
            self.context.fanout.unsubscribe(*channel, self.session);
        }
    }
}
