//! The requests of a session that are not completed: the one that waits for the broker, and a publication that was refused
//! temporarily.

use super::subscriptions::Subscription;
use crate::refused::Refused;
use sealwire_protocol::ChannelId;

/// The request that waits for the broker.
pub(super) enum PendingRequest {
    /// Boxed, because an idle session has none.
    Subscribe(Box<PendingSubscribe>),
    Publish {
        request: u32,
    },
}

/// A subscribe request that waits for the broker.
pub(super) struct PendingSubscribe {
    pub(super) request: u32,
    pub(super) channel: ChannelId,
    pub(super) subscription: Subscription,
}

/// A publication that was refused temporarily and has not been repeated yet. Publications that follow it are refused as
/// well, so that they do not overtake it.
pub(super) struct PausedPublish {
    /// The number of the last refused request. A publication that follows this request is refused.
    pub(super) request: u32,
    /// The error for publications that follow.
    pub(super) refused: Refused,
}
