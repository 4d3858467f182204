//! One channel that a follower follows.

use super::{RequestId, StoredPublication, Ticket};
use crate::tenant::Tenant;
use sealwire_protocol::{UnixMillis, wire::Since};
use std::time::Instant;

/// A subscription that waits until its channel is complete.
pub(super) struct Waiter {
    pub(super) ticket: Ticket,
    pub(super) since: Option<Since>,
}

/// The state of a followed channel.
pub(super) enum ChannelState {
    /// The channel is watched, and its publications are being read. `None` waits for a subscription, or for the follower.
    Joining(Option<RequestId>),
    /// Every publication is appended when it arrives.
    Live,
    /// The publications from a sequence on are being read, because one of them did not arrive.
    Mending { request: RequestId, from: u64 },
}

/// A channel with at least one subscription on this relay, or with one a short time ago.
pub(super) struct FollowedChannel {
    pub(super) tenant: Tenant,
    pub(super) state: ChannelState,
    /// The subscriptions that were answered and not ended, plus those that wait.
    pub(super) subscriptions: usize,
    /// The subscriptions that wait for `state` to become live.
    pub(super) waiters: Vec<Waiter>,
    /// The publications that arrived while others before them were being read.
    pub(super) held_back: Vec<(StoredPublication, u64)>,
    /// The time of the newest publication, if there is one.
    pub(super) head_time: Option<UnixMillis>,
    /// The time since which there is no subscription.
    pub(super) unused_since: Option<Instant>,
}

impl FollowedChannel {
    pub(super) fn new(tenant: Tenant) -> Self {
        Self {
            tenant,
            state: ChannelState::Joining(None),
            subscriptions: 0,
            waiters: Vec::new(),
            held_back: Vec::new(),
            head_time: None,
            unused_since: None,
        }
    }

    pub(super) fn is_live(&self) -> bool {
        matches!(self.state, ChannelState::Live)
    }
}
