//! The messages from the relay to a client.

use super::{
    FrameError, Ping, Pong, Position, Presence, PresenceAccepted, PresenceEnded, Session, check_channel_id,
    codec::implement_channel_id, read_channel_id,
};
use crate::{ChannelId, Code};
use alloc::string::String;
use bytes::Bytes;
use core::fmt;
use prost::Message;

/// A message from the relay to a client.
#[derive(Clone, PartialEq, prost::Oneof)]
pub enum ToClient {
    /// The session is established. Responds to `Hello`.
    #[prost(message, tag = "1")]
    Welcome(Welcome),
    /// A token was replaced. Responds to `Refresh`.
    #[prost(message, tag = "2")]
    Refreshed(Refreshed),
    /// The subscription is active. Responds to `Subscribe`.
    #[prost(message, tag = "3")]
    Subscribed(Subscribed),
    /// The subscription has ended. Responds to `Unsubscribe`.
    #[prost(message, tag = "4")]
    Unsubscribed(Unsubscribed),
    /// A message on a channel.
    #[prost(message, tag = "5")]
    Publication(Publication),
    /// A message was accepted. Responds to `Publish`.
    #[prost(message, tag = "6")]
    Published(Published),
    /// A request was refused. The session continues.
    #[prost(message, tag = "7")]
    Failed(Failed),
    /// The relay ended a subscription.
    #[prost(message, tag = "8")]
    Ended(Ended),
    /// The relay is about to close the connection.
    #[prost(message, tag = "9")]
    Goodbye(Goodbye),
    /// A heartbeat, to which the client responds with `Pong`. It moves the positions of subscribed channels forward.
    #[prost(message, tag = "10")]
    Ping(Ping),
    /// Responds to the client's `Ping`.
    #[prost(message, tag = "11")]
    Pong(Pong),
    /// The following messages are for another session on this WebSocket.
    #[prost(message, tag = "12")]
    Session(Session),
    /// A request about presence was accepted.
    #[prost(message, tag = "13")]
    PresenceAccepted(PresenceAccepted),
    /// Members of a watched presence.
    #[prost(message, tag = "14")]
    Presence(Presence),
    /// The relay ended the session's part in a presence.
    #[prost(message, tag = "15")]
    PresenceEnded(PresenceEnded),
}

/// The protobuf message as prost reads it. Tests compare it with the result of [`ToClient::from_bytes`].
#[cfg(test)]
#[derive(Clone, PartialEq, Message)]
pub(super) struct Envelope {
    #[prost(oneof = "ToClient", tags = "1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15")]
    pub(super) message: Option<ToClient>,
}

/// See [`ToClient::Welcome`].
#[derive(Clone, Copy, PartialEq, Eq, Message)]
pub struct Welcome {
    /// The longest message that the relay accepts, in bytes.
    #[prost(uint32, tag = "1")]
    pub max_frame: u32,
    /// The maximum number of subscriptions of the session.
    #[prost(uint32, tag = "2")]
    pub max_subscriptions: u32,
    /// The interval at which the relay sends `Ping`. Either side disconnects after two intervals of silence.
    #[prost(uint32, tag = "3")]
    pub heartbeat_ms: u32,
    /// The time for which the relay keeps messages, and so the longest gap after which a subscription can resume.
    #[prost(uint32, tag = "4")]
    pub replay_window_ms: u32,
    /// The end of the session, in seconds since 1970.
    #[prost(uint64, tag = "5")]
    pub expires_at: u64,
    /// The relay's clock, in milliseconds since 1970.
    #[prost(uint64, tag = "6")]
    pub now_ms: u64,
}

/// See [`ToClient::Refreshed`].
#[derive(Clone, Copy, PartialEq, Eq, Message)]
pub struct Refreshed {
    /// The number of the request.
    #[prost(uint32, tag = "1")]
    pub request: u32,
    /// The new end of the session or the subscription, in seconds since 1970.
    #[prost(uint64, tag = "2")]
    pub expires_at: u64,
}

/// See [`ToClient::Subscribed`].
#[derive(Clone, PartialEq, Eq, Message)]
pub struct Subscribed {
    /// The number of the request.
    #[prost(uint32, tag = "1")]
    pub request: u32,
    /// The id of the channel, 16 bytes.
    #[prost(bytes = "bytes", tag = "2")]
    pub channel_id: Bytes,
    /// The position before the first publication that follows. It is always present in a decoded message.
    #[prost(message, optional, tag = "3")]
    pub position: Option<Position>,
    /// True if every publication that `since` requested provably follows.
    #[prost(bool, tag = "4")]
    pub recovered: bool,
    /// The offset of the last publication of the replay. Later ones were published after the subscription began. 0 if there
    /// is no replay.
    #[prost(uint64, tag = "5")]
    pub replay_end: u64,
}

/// See [`ToClient::Unsubscribed`].
#[derive(Clone, Copy, PartialEq, Eq, Message)]
pub struct Unsubscribed {
    /// The number of the request.
    #[prost(uint32, tag = "1")]
    pub request: u32,
}

/// See [`ToClient::Publication`]. Every subscriber gets the same bytes.
#[derive(Clone, PartialEq, Eq, Message)]
#[prost(skip_debug)]
pub struct Publication {
    /// The id of the channel, 16 bytes.
    #[prost(bytes = "bytes", tag = "1")]
    pub channel_id: Bytes,
    /// The offset within the relay's epoch.
    #[prost(uint64, tag = "2")]
    pub offset: u64,
    /// The offset of the previous publication on this channel.
    #[prost(uint64, tag = "3")]
    pub previous_offset: u64,
    /// The time at which the relay accepted the message, in milliseconds since 1970.
    #[prost(uint64, tag = "4")]
    pub time_ms: u64,
    /// The label that subscribers can filter by.
    #[prost(string, tag = "5")]
    pub event: String,
    /// The sealed message.
    #[prost(bytes = "bytes", tag = "6")]
    pub sealed: Bytes,
}

/// See [`ToClient::Published`].
#[derive(Clone, Copy, PartialEq, Eq, Message)]
pub struct Published {
    /// The number of the request.
    #[prost(uint32, tag = "1")]
    pub request: u32,
    /// The position of the publication. It is always present in a decoded message.
    #[prost(message, optional, tag = "2")]
    pub position: Option<Position>,
    /// The time at which the relay accepted the message, in milliseconds since 1970.
    #[prost(uint64, tag = "3")]
    pub time_ms: u64,
}

/// See [`ToClient::Failed`].
#[derive(Clone, PartialEq, Eq, Message)]
pub struct Failed {
    /// The number of the request.
    #[prost(uint32, tag = "1")]
    pub request: u32,
    /// The number of a [`Code`].
    #[prost(uint32, tag = "2")]
    pub code: u32,
    /// An explanation for people.
    #[prost(string, tag = "3")]
    pub message: String,
    /// The delay before a retry. 0 means that an unchanged retry fails again.
    #[prost(uint32, tag = "4")]
    pub retry_after_ms: u32,
}

/// See [`ToClient::Ended`].
#[derive(Clone, PartialEq, Eq, Message)]
pub struct Ended {
    /// The id of the channel, 16 bytes.
    #[prost(bytes = "bytes", tag = "1")]
    pub channel_id: Bytes,
    /// The number of a [`Code`].
    #[prost(uint32, tag = "2")]
    pub code: u32,
    /// An explanation for people.
    #[prost(string, tag = "3")]
    pub message: String,
}

/// See [`ToClient::Goodbye`].
#[derive(Clone, PartialEq, Eq, Message)]
pub struct Goodbye {
    /// The number of a [`Code`].
    #[prost(uint32, tag = "1")]
    pub code: u32,
    /// An explanation for people.
    #[prost(string, tag = "2")]
    pub message: String,
    /// The minimum delay before the client reconnects. 0 means at once with a fresh token, or never, depending on the
    /// code.
    #[prost(uint32, tag = "3")]
    pub reconnect_after_ms: u32,
}

impl ToClient {
    pub(super) fn check(&self) -> Result<(), FrameError> {
        match self {
            Self::Subscribed(subscribed) => {
                check_channel_id(&subscribed.channel_id)?;
                subscribed.position.ok_or(FrameError::Field("position"))?;
            }
            Self::Published(published) => {
                published.position.ok_or(FrameError::Field("position"))?;
            }
            Self::Publication(publication) => check_channel_id(&publication.channel_id)?,
            Self::Ended(ended) => check_channel_id(&ended.channel_id)?,
            Self::Ping(ping) => ping.check()?,
            Self::PresenceAccepted(accepted) => check_channel_id(&accepted.channel_id)?,
            Self::Presence(presence) => presence.check()?,
            Self::PresenceEnded(ended) => check_channel_id(&ended.channel_id)?,
            _ => {}
        }
        Ok(())
    }
}

implement_channel_id!(Subscribed, Publication, Ended);

impl From<ChannelId> for Bytes {
    fn from(id: ChannelId) -> Self {
        Self::copy_from_slice(&id.0)
    }
}

impl Failed {
    /// Creates the refusal of `request`, without a delay for a retry.
    #[must_use]
    pub fn new(request: u32, code: Code, message: String) -> Self {
        Self { request, code: code.number(), message, retry_after_ms: 0 }
    }
}

impl fmt::Debug for Publication {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Publication")
            .field("channel_id", &self.channel_id())
            .field("offset", &self.offset)
            .field("previous_offset", &self.previous_offset)
            .field("sealed", &self.sealed.len())
            .finish_non_exhaustive()
    }
}
