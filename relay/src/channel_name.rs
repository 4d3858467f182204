//! The name of a channel, for the observer of a relay.

use sealwire_protocol::{ChannelId, Scope};

/// The name of a channel within its scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelName {
    /// The channel.
    pub channel: ChannelId,
    /// The name that the app gave to it.
    pub name: String,
    /// The scope, with the values of the verified session.
    pub scope: Scope,
    /// True if a channel token with claims is part of the channel.
    pub has_token: bool,
}
