//! From a client to the relay.

use super::{FrameError, Ping, Pong, Position, Session, check_channel_id, read_channel_id};
use crate::{ChannelId, limits};
use alloc::{string::String, vec::Vec};
use bytes::Bytes;
use core::fmt;
use prost::Message;

/// A message from a client to the relay.
#[derive(Clone, PartialEq, prost::Oneof)]
pub enum ToRelay {
    /// Opens a session; the first message on every connection.
    #[prost(message, tag = "1")]
    Hello(Hello),
    /// Replaces a token before it expires.
    #[prost(message, tag = "2")]
    Refresh(Refresh),
    /// Joins a channel.
    #[prost(message, tag = "3")]
    Subscribe(Subscribe),
    /// Leaves a channel.
    #[prost(message, tag = "4")]
    Unsubscribe(Unsubscribe),
    /// Sends one message to a channel.
    #[prost(message, tag = "5")]
    Publish(Publish),
    /// Answers `Ping`.
    #[prost(message, tag = "6")]
    Pong(Pong),
    /// Asks whether the relay is still there; answered by `Pong`.
    #[prost(message, tag = "7")]
    Ping(Ping),
    /// Turns to another of the sessions on this WebSocket.
    #[prost(message, tag = "8")]
    Session(Session),
    /// Ends the session turned to; the WebSocket stays for the others.
    #[prost(message, tag = "9")]
    End(End),
}

#[derive(Clone, PartialEq, Message)]
struct Frame {
    #[prost(oneof = "ToRelay", tags = "1, 2, 3, 4, 5, 6, 7, 8, 9")]
    message: Option<ToRelay>,
}

/// See [`ToRelay::Hello`].
#[derive(Clone, PartialEq, Eq, Message)]
#[prost(skip_debug)]
pub struct Hello {
    /// Session token.
    #[prost(string, tag = "1")]
    pub token: String,
}

/// See [`ToRelay::Refresh`].
#[derive(Clone, PartialEq, Eq, Message)]
#[prost(skip_debug)]
pub struct Refresh {
    /// Chosen by the client, never 0; the answer carries it.
    #[prost(uint32, tag = "1")]
    pub request: u32,
    /// Empty for the session token; otherwise the subscription whose channel token is replaced.
    #[prost(bytes = "bytes", tag = "2")]
    pub channel_id: Bytes,
    /// The new token.
    #[prost(string, tag = "3")]
    pub token: String,
}

/// A channel as a client may name it: the values of the properties come from the verified session.
#[derive(Clone, PartialEq, Eq, Message)]
#[prost(skip_debug)]
pub struct Channel {
    /// Channel name.
    #[prost(string, tag = "1")]
    pub name: String,
    /// Context properties that make up the scope, in any order.
    #[prost(string, repeated, tag = "2")]
    pub properties: Vec<String>,
    /// Channel token, or empty.
    #[prost(string, tag = "3")]
    pub token: String,
}

/// From where a subscription starts.
#[derive(Clone, Copy, PartialEq, Eq, prost::Oneof)]
pub enum Since {
    /// With what the last so many seconds brought.
    #[prost(uint32, tag = "3")]
    ReplaySeconds(u32),
    /// With what came after this position.
    #[prost(message, tag = "4")]
    Position(Position),
}

/// See [`ToRelay::Subscribe`].
#[derive(Clone, PartialEq, Eq, Message)]
pub struct Subscribe {
    /// Chosen by the client, never 0; the answer carries it.
    #[prost(uint32, tag = "1")]
    pub request: u32,
    /// What to join; always there once decoded.
    #[prost(message, optional, tag = "2")]
    pub channel: Option<Channel>,
    /// From where; nothing is from now on.
    #[prost(oneof = "Since", tags = "3, 4")]
    pub since: Option<Since>,
    /// Only publications with one of these events; none is every event.
    #[prost(string, repeated, tag = "5")]
    pub events: Vec<String>,
}

/// See [`ToRelay::Unsubscribe`].
#[derive(Clone, PartialEq, Eq, Message)]
pub struct Unsubscribe {
    /// Chosen by the client, never 0; the answer carries it.
    #[prost(uint32, tag = "1")]
    pub request: u32,
    /// 16 bytes.
    #[prost(bytes = "bytes", tag = "2")]
    pub channel_id: Bytes,
}

/// See [`ToRelay::Publish`].
#[derive(Clone, PartialEq, Eq, Message)]
#[prost(skip_debug)]
pub struct Publish {
    /// Chosen by the client, never 0; the answer carries it.
    #[prost(uint32, tag = "1")]
    pub request: u32,
    /// Where to; always there once decoded.
    #[prost(message, optional, tag = "2")]
    pub channel: Option<Channel>,
    /// Label that subscribers can filter by; readable by the relay.
    #[prost(string, tag = "3")]
    pub event: String,
    /// The sealed message.
    #[prost(bytes = "bytes", tag = "4")]
    pub sealed: Bytes,
    /// 16 random bytes. The same message under it is answered and not published again; another message is refused.
    #[prost(bytes = "bytes", tag = "5")]
    pub id: Bytes,
    /// The request number of the publication that this one must not overtake, or 0. Where the relay refused that one for
    /// a while, it refuses this one as well.
    #[prost(uint32, tag = "6")]
    pub follows: u32,
}

/// See [`ToRelay::End`].
#[derive(Clone, Copy, PartialEq, Eq, Message)]
pub struct End {}

impl ToRelay {
    /// Whether a frame is about the sessions on the WebSocket ([`Self::Session`], [`Self::End`]) and not for the one
    /// turned to.
    #[must_use]
    pub fn is_about_sessions(frame: &[u8]) -> bool {
        // The keys of fields 8 and 9.
        matches!(frame.first(), Some(0x42 | 0x4a))
    }

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
    /// [`FrameError`]; the connection cannot go on.
    pub fn from_bytes(bytes: Bytes) -> Result<Self, FrameError> {
        let frame = Frame::decode(bytes).map_err(|_| FrameError::Unknown)?;
        let message = frame.message.ok_or(FrameError::Unknown)?;
        message.check()?;
        Ok(message)
    }

    fn check(&self) -> Result<(), FrameError> {
        let request = match self {
            Self::Hello(_) | Self::Pong(_) | Self::Ping(_) | Self::Session(_) | Self::End(_) => return Ok(()),
            Self::Refresh(refresh) => {
                if !refresh.channel_id.is_empty() {
                    check_channel_id(&refresh.channel_id)?;
                }
                refresh.request
            }
            Self::Subscribe(subscribe) => {
                subscribe.channel.as_ref().ok_or(FrameError::Field("channel"))?;
                if subscribe.events.len() > limits::MAX_EVENT_FILTERS {
                    return Err(FrameError::Field("events"));
                }
                subscribe.request
            }
            Self::Unsubscribe(unsubscribe) => {
                check_channel_id(&unsubscribe.channel_id)?;
                unsubscribe.request
            }
            Self::Publish(publish) => {
                publish.channel.as_ref().ok_or(FrameError::Field("channel"))?;
                if publish.id.len() != limits::IDEMPOTENCY_ID {
                    return Err(FrameError::Field("id"));
                }
                publish.request
            }
        };
        if request == 0 { Err(FrameError::Field("request")) } else { Ok(()) }
    }
}

impl Refresh {
    /// The subscription whose token is replaced; `None` for the session's.
    #[must_use]
    pub fn channel_id(&self) -> Option<ChannelId> {
        ChannelId::from_slice(&self.channel_id)
    }
}

impl Unsubscribe {
    /// The channel to leave.
    #[must_use]
    pub fn channel_id(&self) -> ChannelId {
        read_channel_id(&self.channel_id)
    }
}

impl fmt::Debug for Hello {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hello").finish_non_exhaustive()
    }
}

impl fmt::Debug for Refresh {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { request, .. } = self;
        f.debug_struct("Refresh")
            .field("request", request)
            .field("channel", &self.channel_id())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Channel")
            .field("properties", &self.properties)
            .field("token", &!self.token.is_empty())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Publish {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Publish")
            .field("request", &self.request)
            .field("channel", &self.channel)
            .field("sealed", &self.sealed.len())
            .finish_non_exhaustive()
    }
}
