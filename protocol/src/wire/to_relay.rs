//! The messages from a client to the relay.

use super::{
    Channel, FrameError, Ping, Pong, Position, PresenceEnter, PresenceLeave, PresenceUnwatch, PresenceWatch,
    Session, check_channel_id,
    codec::{implement_channel_id, implement_codec},
    read_channel_id,
};
use crate::{ChannelId, limits};
use alloc::{string::String, vec::Vec};
use bytes::Bytes;
use core::fmt;
use prost::Message;

/// A message from a client to the relay.
#[derive(Clone, PartialEq, prost::Oneof)]
pub enum ToRelay {
    /// Establishes a session. This is the first message on every connection.
    #[prost(message, tag = "1")]
    Hello(Hello),
    /// Replaces a token before it expires.
    #[prost(message, tag = "2")]
    Refresh(Refresh),
    /// Subscribes to a channel.
    #[prost(message, tag = "3")]
    Subscribe(Subscribe),
    /// Unsubscribes from a channel.
    #[prost(message, tag = "4")]
    Unsubscribe(Unsubscribe),
    /// Publishes a message on a channel.
    #[prost(message, tag = "5")]
    Publish(Publish),
    /// Responds to `Ping`.
    #[prost(message, tag = "6")]
    Pong(Pong),
    /// Checks that the relay is alive. It responds with `Pong`.
    #[prost(message, tag = "7")]
    Ping(Ping),
    /// Selects another session on this WebSocket.
    #[prost(message, tag = "8")]
    Session(Session),
    /// Ends the selected session. The WebSocket stays open for the others.
    #[prost(message, tag = "9")]
    End(End),
    /// Makes the session a member of a channel's presence, or replaces the entry of its member.
    #[prost(message, tag = "10")]
    PresenceEnter(PresenceEnter),
    /// Removes a member of a channel's presence.
    #[prost(message, tag = "11")]
    PresenceLeave(PresenceLeave),
    /// Requests the members of a channel's presence and their changes.
    #[prost(message, tag = "12")]
    PresenceWatch(PresenceWatch),
    /// Ends the watching of a channel's presence.
    #[prost(message, tag = "13")]
    PresenceUnwatch(PresenceUnwatch),
}

#[derive(Clone, PartialEq, Message)]
struct Envelope {
    #[prost(oneof = "ToRelay", tags = "1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13")]
    message: Option<ToRelay>,
}

/// See [`ToRelay::Hello`].
#[derive(Clone, PartialEq, Eq, Message)]
#[prost(skip_debug)]
pub struct Hello {
    /// The session token.
    #[prost(string, tag = "1")]
    pub token: String,
}

/// See [`ToRelay::Refresh`].
#[derive(Clone, PartialEq, Eq, Message)]
#[prost(skip_debug)]
pub struct Refresh {
    /// The number that the client chose, never 0. The response carries it.
    #[prost(uint32, tag = "1")]
    pub request: u32,
    /// The channel whose token is replaced, or empty for the session token.
    #[prost(bytes = "bytes", tag = "2")]
    pub channel_id: Bytes,
    /// The new token.
    #[prost(string, tag = "3")]
    pub token: String,
}

/// The point from which a subscription replays publications.
#[derive(Clone, Copy, PartialEq, Eq, prost::Oneof)]
pub enum Since {
    /// Replays the publications of this many past seconds.
    #[prost(uint32, tag = "3")]
    ReplaySeconds(u32),
    /// Replays the publications after this position.
    #[prost(message, tag = "4")]
    Position(Position),
}

/// See [`ToRelay::Subscribe`].
#[derive(Clone, PartialEq, Eq, Message)]
pub struct Subscribe {
    /// The number that the client chose, never 0. The response carries it.
    #[prost(uint32, tag = "1")]
    pub request: u32,
    /// The channel. It is always present in a decoded message.
    #[prost(message, optional, tag = "2")]
    pub channel: Option<Channel>,
    /// The start of the replay. Without it, the subscription begins now.
    #[prost(oneof = "Since", tags = "3, 4")]
    pub since: Option<Since>,
    /// The events to which the subscription is limited. An empty list means all events.
    #[prost(string, repeated, tag = "5")]
    pub events: Vec<String>,
}

/// See [`ToRelay::Unsubscribe`].
#[derive(Clone, PartialEq, Eq, Message)]
pub struct Unsubscribe {
    /// The number that the client chose, never 0. The response carries it.
    #[prost(uint32, tag = "1")]
    pub request: u32,
    /// The id of the channel, 16 bytes.
    #[prost(bytes = "bytes", tag = "2")]
    pub channel_id: Bytes,
}

/// See [`ToRelay::Publish`].
#[derive(Clone, PartialEq, Eq, Message)]
#[prost(skip_debug)]
pub struct Publish {
    /// The number that the client chose, never 0. The response carries it.
    #[prost(uint32, tag = "1")]
    pub request: u32,
    /// The channel. It is always present in a decoded message.
    #[prost(message, optional, tag = "2")]
    pub channel: Option<Channel>,
    /// The label that subscribers can filter by. The relay can read it.
    #[prost(string, tag = "3")]
    pub event: String,
    /// The sealed message.
    #[prost(bytes = "bytes", tag = "4")]
    pub sealed: Bytes,
    /// The idempotency id, 16 random bytes. A retry of the same message is acknowledged and not published again.
    /// Another message with the same id is refused.
    #[prost(bytes = "bytes", tag = "5")]
    pub id: Bytes,
    /// The request number of the publication that this one must not overtake, or 0. If the relay refused that
    /// publication temporarily, it refuses this one as well.
    #[prost(uint32, tag = "6")]
    pub follows: u32,
    /// The digest of the content, 16 bytes, if the app chose the id. A retry with the same digest is the same message,
    /// although its sealed bytes differ. Without a digest, a retry has the same sealed bytes.
    #[prost(bytes = "bytes", tag = "7")]
    pub content: Bytes,
}

/// See [`ToRelay::End`].
#[derive(Clone, Copy, PartialEq, Eq, Message)]
pub struct End {}

implement_codec!(ToRelay, decode);

fn decode(bytes: Bytes) -> Result<ToRelay, FrameError> {
    let envelope = Envelope::decode(bytes).map_err(|_| FrameError::Unknown)?;
    envelope.message.ok_or(FrameError::Unknown)
}

impl ToRelay {
    /// Returns whether a frame controls the sessions on the WebSocket ([`Self::Session`], [`Self::End`]) and is not a
    /// message of the selected session.
    #[must_use]
    pub fn is_about_sessions(frame: &[u8]) -> bool {
        // These are the protobuf keys of the fields 8 and 9.
        matches!(frame.first(), Some(0x42 | 0x4a))
    }

    fn check(&self) -> Result<(), FrameError> {
        let request = match self {
            Self::Hello(_) | Self::Pong(_) | Self::Session(_) | Self::End(_) => return Ok(()),
            Self::Ping(ping) => return ping.check(),
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
            Self::PresenceEnter(enter) => enter.check()?,
            Self::PresenceLeave(leave) => leave.check()?,
            Self::PresenceWatch(watch) => {
                watch.channel.as_ref().ok_or(FrameError::Field("channel"))?;
                watch.request
            }
            Self::PresenceUnwatch(unwatch) => {
                check_channel_id(&unwatch.channel_id)?;
                unwatch.request
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
                if !matches!(publish.content.len(), 0 | limits::CONTENT) {
                    return Err(FrameError::Field("content"));
                }
                publish.request
            }
        };
        if request == 0 { Err(FrameError::Field("request")) } else { Ok(()) }
    }
}

impl Refresh {
    /// Returns the channel whose token is replaced, or `None` for the session token.
    #[must_use]
    pub fn channel_id(&self) -> Option<ChannelId> {
        ChannelId::from_slice(&self.channel_id)
    }
}

implement_channel_id!(Unsubscribe);

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

impl fmt::Debug for Publish {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Publish")
            .field("request", &self.request)
            .field("channel", &self.channel)
            .field("sealed", &self.sealed.len())
            .finish_non_exhaustive()
    }
}
