//! From the relay to a client.

use super::{FrameError, Ping, Pong, Position, Session, check_channel_id, read_channel_id};
use crate::{ChannelId, Code};
use alloc::{string::String, vec::Vec};
use bytes::Bytes;
use core::fmt;
use prost::Message;

/// A message from the relay to a client.
#[derive(Clone, PartialEq, prost::Oneof)]
pub enum ToClient {
    /// The session is open; answers `Hello`.
    #[prost(message, tag = "1")]
    Welcome(Welcome),
    /// A token was replaced; answers `Refresh`.
    #[prost(message, tag = "2")]
    Refreshed(Refreshed),
    /// A channel was joined; answers `Subscribe`.
    #[prost(message, tag = "3")]
    Subscribed(Subscribed),
    /// A channel was left; answers `Unsubscribe`.
    #[prost(message, tag = "4")]
    Unsubscribed(Unsubscribed),
    /// One message on a channel.
    #[prost(message, tag = "5")]
    Publication(Publication),
    /// A message was taken; answers `Publish`.
    #[prost(message, tag = "6")]
    Published(Published),
    /// A request was refused; the session goes on.
    #[prost(message, tag = "7")]
    Failed(Failed),
    /// The relay ended a subscription.
    #[prost(message, tag = "8")]
    Ended(Ended),
    /// The relay is about to close the connection.
    #[prost(message, tag = "9")]
    Goodbye(Goodbye),
    /// A heartbeat; the client answers `Pong`.
    #[prost(message, tag = "10")]
    Ping(Ping),
    /// Answers the client's `Ping`.
    #[prost(message, tag = "11")]
    Pong(Pong),
    /// What follows is for another of the sessions on this WebSocket.
    #[prost(message, tag = "12")]
    Session(Session),
}

#[derive(Clone, PartialEq, Message)]
struct Frame {
    #[prost(oneof = "ToClient", tags = "1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12")]
    message: Option<ToClient>,
}

/// See [`ToClient::Welcome`].
#[derive(Clone, Copy, PartialEq, Eq, Message)]
pub struct Welcome {
    /// Longest message that the relay takes, in bytes.
    #[prost(uint32, tag = "1")]
    pub max_frame: u32,
    /// Most subscriptions of the connection.
    #[prost(uint32, tag = "2")]
    pub max_subscriptions: u32,
    /// The relay sends `Ping` this often; either side gives up after two silent heartbeats.
    #[prost(uint32, tag = "3")]
    pub heartbeat_ms: u32,
    /// How far back a subscription can resume.
    #[prost(uint32, tag = "4")]
    pub replay_window_ms: u32,
    /// End of the session, in seconds since 1970.
    #[prost(uint64, tag = "5")]
    pub expires_at: u64,
    /// The relay's clock, in milliseconds since 1970.
    #[prost(uint64, tag = "6")]
    pub now_ms: u64,
}

/// See [`ToClient::Refreshed`].
#[derive(Clone, Copy, PartialEq, Eq, Message)]
pub struct Refreshed {
    /// The request that this answers.
    #[prost(uint32, tag = "1")]
    pub request: u32,
    /// New end of the session or subscription, in seconds since 1970.
    #[prost(uint64, tag = "2")]
    pub expires_at: u64,
}

/// See [`ToClient::Subscribed`].
#[derive(Clone, PartialEq, Eq, Message)]
pub struct Subscribed {
    /// The request that this answers.
    #[prost(uint32, tag = "1")]
    pub request: u32,
    /// 16 bytes.
    #[prost(bytes = "bytes", tag = "2")]
    pub channel_id: Bytes,
    /// Where the subscription stands before the first publication that follows; always there once decoded.
    #[prost(message, optional, tag = "3")]
    pub position: Option<Position>,
    /// Everything that `since` asked for provably follows.
    #[prost(bool, tag = "4")]
    pub recovered: bool,
}

/// See [`ToClient::Unsubscribed`].
#[derive(Clone, Copy, PartialEq, Eq, Message)]
pub struct Unsubscribed {
    /// The request that this answers.
    #[prost(uint32, tag = "1")]
    pub request: u32,
}

/// See [`ToClient::Publication`]; the same bytes for every subscriber.
#[derive(Clone, PartialEq, Eq, Message)]
#[prost(skip_debug)]
pub struct Publication {
    /// 16 bytes.
    #[prost(bytes = "bytes", tag = "1")]
    pub channel_id: Bytes,
    /// Its place within the relay's epoch.
    #[prost(uint64, tag = "2")]
    pub offset: u64,
    /// Offset of the publication before it on this channel.
    #[prost(uint64, tag = "3")]
    pub previous_offset: u64,
    /// When the relay took it, in milliseconds since 1970.
    #[prost(uint64, tag = "4")]
    pub time_ms: u64,
    /// Label that subscribers can filter by.
    #[prost(string, tag = "5")]
    pub event: String,
    /// The sealed message.
    #[prost(bytes = "bytes", tag = "6")]
    pub sealed: Bytes,
}

/// See [`ToClient::Published`].
#[derive(Clone, Copy, PartialEq, Eq, Message)]
pub struct Published {
    /// The request that this answers.
    #[prost(uint32, tag = "1")]
    pub request: u32,
    /// Where it stands; always there once decoded.
    #[prost(message, optional, tag = "2")]
    pub position: Option<Position>,
    /// When the relay took it, in milliseconds since 1970.
    #[prost(uint64, tag = "3")]
    pub time_ms: u64,
}

/// See [`ToClient::Failed`].
#[derive(Clone, PartialEq, Eq, Message)]
pub struct Failed {
    /// The request that this answers.
    #[prost(uint32, tag = "1")]
    pub request: u32,
    /// Number of a [`Code`].
    #[prost(uint32, tag = "2")]
    pub code: u32,
    /// For a person.
    #[prost(string, tag = "3")]
    pub message: String,
    /// When to try again; 0: do not repeat it unchanged.
    #[prost(uint32, tag = "4")]
    pub retry_after_ms: u32,
}

/// See [`ToClient::Ended`].
#[derive(Clone, PartialEq, Eq, Message)]
pub struct Ended {
    /// 16 bytes.
    #[prost(bytes = "bytes", tag = "1")]
    pub channel_id: Bytes,
    /// Number of a [`Code`].
    #[prost(uint32, tag = "2")]
    pub code: u32,
    /// For a person.
    #[prost(string, tag = "3")]
    pub message: String,
}

/// See [`ToClient::Goodbye`].
#[derive(Clone, PartialEq, Eq, Message)]
pub struct Goodbye {
    /// Number of a [`Code`].
    #[prost(uint32, tag = "1")]
    pub code: u32,
    /// For a person.
    #[prost(string, tag = "2")]
    pub message: String,
    /// When to come back; 0: not with the same token.
    #[prost(uint32, tag = "3")]
    pub reconnect_after_ms: u32,
}

impl ToClient {
    /// The bytes of one WebSocket message.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.encoded_len());
        self.encode(&mut bytes);
        bytes
    }

    /// Reads one WebSocket message and checks the sizes of its ids.
    ///
    /// # Errors
    /// [`FrameError`].
    pub fn from_bytes(bytes: Bytes) -> Result<Self, FrameError> {
        let frame = Frame::decode(bytes).map_err(|_| FrameError::Unknown)?;
        let message = frame.message.ok_or(FrameError::Unknown)?;
        match &message {
            Self::Subscribed(subscribed) => {
                check_channel_id(&subscribed.channel_id)?;
                subscribed.position.ok_or(FrameError::Field("position"))?;
            }
            Self::Published(published) => {
                published.position.ok_or(FrameError::Field("position"))?;
            }
            Self::Publication(publication) => check_channel_id(&publication.channel_id)?,
            Self::Ended(ended) => check_channel_id(&ended.channel_id)?,
            _ => {}
        }
        Ok(message)
    }
}

impl Subscribed {
    /// The channel joined.
    #[must_use]
    pub fn channel_id(&self) -> ChannelId {
        read_channel_id(&self.channel_id)
    }
}

impl Publication {
    /// The channel it is on.
    #[must_use]
    pub fn channel_id(&self) -> ChannelId {
        read_channel_id(&self.channel_id)
    }
}

impl Ended {
    /// The channel left.
    #[must_use]
    pub fn channel_id(&self) -> ChannelId {
        read_channel_id(&self.channel_id)
    }
}

impl From<ChannelId> for Bytes {
    fn from(id: ChannelId) -> Self {
        Self::copy_from_slice(&id.0)
    }
}

impl Failed {
    /// Refuses `request`.
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
