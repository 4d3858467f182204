//! One channel on the wire, shared by every subscription of it.

use crate::{
    ClientError, Instant, event::SubscriptionId, state::channel_spec::CheckedSpec,
    state::missing_keys::Missing, state::reorder_buffer::Inbox,
};
use sealwire_protocol::{
    ChannelKey, KeyId, Scope,
    wire::{Position, Since},
};

pub(crate) struct Channel {
    /// With the channel token that the relay was shown last, and the claims keys of all tokens.
    pub(crate) spec: CheckedSpec,
    pub(crate) scope: Scope,
    /// Newest first.
    pub(crate) keys: Vec<ChannelKey>,
    pub(crate) wire: Wire,
    pub(crate) members: Vec<SubscriptionId>,
    /// The furthest place that any publication or answer reached.
    pub(crate) tip: Option<Position>,
    pub(crate) inbox: Inbox,
    /// Why the relay last refused it for now.
    pub(crate) refused: Option<ClientError>,
    /// When the relay could not look at a better token.
    pub(crate) shown_at: Option<Instant>,
    /// The keys that no token of its subscriptions has.
    pub(crate) missing: Missing,
}

/// Where the channel stands on the current connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wire {
    /// Not asked for on this connection.
    Unsent,
    /// `Subscribe` is on its way.
    AwaitingSubscribed {
        request: u32,
        since: Option<Since>,
        /// The channel was live on this connection before.
        rejoins: bool,
    },
    /// Joined.
    Live,
    /// Refused for now.
    AwaitingRetry(Instant),
    /// Refused for its token; the app is asked for another.
    AwaitingToken,
}

impl Channel {
    pub(crate) fn new(spec: CheckedSpec, scope: Scope, keys: Vec<ChannelKey>) -> Self {
        Self {
            spec,
            scope,
            keys,
            wire: Wire::Unsent,
            members: Vec::new(),
            tip: None,
            inbox: Inbox::default(),
            refused: None,
            shown_at: None,
            missing: Missing::default(),
        }
    }

    /// Whether the relay has or will have it as a subscription of this connection.
    pub(crate) fn is_on_the_wire(&self) -> bool {
        matches!(self.wire, Wire::AwaitingSubscribed { .. } | Wire::Live)
    }

    pub(crate) fn key(&self, id: KeyId) -> Option<&ChannelKey> {
        self.keys.iter().find(|key| key.id() == id)
    }

    pub(crate) fn reach(&mut self, position: Position) {
        match &mut self.tip {
            Some(tip) if tip.epoch == position.epoch => tip.offset = tip.offset.max(position.offset),
            tip => *tip = Some(position),
        }
    }
}
