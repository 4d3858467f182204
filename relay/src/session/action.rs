//! What the rules of a session ask of whoever drives it.

use super::EventFilter;
use crate::{hub::Draft, tenant::Tenant};
use sealwire_protocol::{
    ChannelId, CloseCode, Code,
    wire::{Since, ToClient},
};

/// One thing to do, in the order in which the rules hand them out.
#[derive(Clone, Debug, PartialEq)]
pub enum SessionAction {
    /// Send this message to the client.
    Send(ToClient),
    /// Join a channel, then call [`SessionRules::handle_joined`](super::SessionRules::handle_joined), send what
    /// follows from it, then the replay, unless [`Self::Leave`] was among that. A channel that is joined already starts
    /// anew.
    Join {
        /// Which.
        channel: ChannelId,
        /// The tenant of the channel.
        tenant: Tenant,
        /// From where.
        since: Option<Since>,
        /// Which publications to send.
        events: EventFilter,
    },
    /// Leave a channel.
    Leave(ChannelId),
    /// Publish, then call [`SessionRules::handle_published`](super::SessionRules::handle_published).
    Publish(Publishing),
    /// Write a refused attempt to the audit log.
    Audit(Refusal),
    /// Close the connection with this code, once everything before it is sent. Nothing follows.
    Close(CloseCode),
}

/// A draft on its way to the broker.
#[derive(Clone, Debug)]
pub struct Publishing(pub Draft);

impl PartialEq for Publishing {
    fn eq(&self, other: &Self) -> bool {
        (self.0.channel, self.0.id) == (other.0.channel, other.0.id)
    }
}

/// An attempt that was refused, for the audit log. Holds no token, payload or channel name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What was tried: `connect`, `hello`, `refresh`, `subscribe`, `publish`, `frame` (something that is no message) or
    /// `reload` (its signing key was removed).
    pub attempt: &'static str,
    /// Why it was refused.
    pub code: Code,
    /// Who tried, unless that was never verified.
    pub identity: Option<Identity>,
}

/// Who a verified token says somebody is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// App.
    pub app: String,
    /// Installation.
    pub installation: String,
    /// Account; a backend has none.
    pub account: Option<String>,
}
