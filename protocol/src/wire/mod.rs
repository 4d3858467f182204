//! The messages on the WebSocket, encoded as in `proto/sealwire/v1/realtime.proto`, with one enum for each direction.
//!
//! The field numbers are both here and in the .proto file. A test in `tests/` proves that they agree.

mod batch;
mod channel;
mod codec;
mod decode;
mod fields;
mod presence;
mod to_client;
mod to_relay;

pub use batch::{BATCHED_SUBPROTOCOL, MalformedBatch, Messages};
pub use channel::Channel;
pub use presence::{
    Presence, PresenceAccepted, PresenceEnded, PresenceEnter, PresenceEntry, PresenceLeave, PresenceUnwatch,
    PresenceWatch,
};
pub use to_client::{
    Ended, Failed, Goodbye, Publication, Published, Refreshed, Subscribed, ToClient, Unsubscribed, Welcome,
};
pub use to_relay::{End, Hello, Publish, Refresh, Since, Subscribe, ToRelay, Unsubscribe};

use crate::{ChannelId, decimal, limits};
use alloc::{string::String, vec::Vec};
use bytes::Bytes;
use fields::{Fields, Value};

/// The WebSocket subprotocol.
pub const SUBPROTOCOL: &str = "sealwire.v1";

/// The error for a frame that is not a valid message of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// The frame is not protobuf, or its message is unknown in this version.
    #[error("the frame is not a message of sealwire.v1")]
    Unknown,
    /// This field is missing, zero or of the wrong size.
    #[error("field '{0}' of the message is missing or has the wrong size")]
    Field(&'static str),
}

/// Requests a [`Pong`] from the peer, as a sign that it is alive.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Ping {
    /// The positions up to which the relay has sent the client everything, at most [`limits::MAX_MARKS`] and at most one
    /// for each epoch. A subscribed channel of the same epoch has moved to the mark, even if nothing was published on
    /// it. A client sends none, and the relay ignores those that it receives.
    #[prost(message, repeated, tag = "1")]
    pub marks: Vec<Position>,
}

/// The response to [`Ping`].
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct Pong {}

/// Selects one of the sessions on a WebSocket. The following messages in the same direction belong to that session.
///
/// A WebSocket starts with session 0 selected. On a WebSocket with a single session, this message never occurs.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct Session {
    /// The number that the client chose. A new session has a greater number than every earlier one.
    #[prost(uint32, tag = "1")]
    pub number: u32,
}

/// A position in the history of a channel.
#[derive(Clone, Copy, PartialEq, Eq, Hash, prost::Message)]
pub struct Position {
    /// Identifies one run of the relay. Offsets of different epochs cannot be compared.
    #[prost(uint64, tag = "1")]
    pub epoch: u64,
    /// The offset within the epoch.
    #[prost(uint64, tag = "2")]
    pub offset: u64,
    /// The time of the publication or mark at `offset`, in milliseconds since 1970. A relay compares it with its own
    /// record of that offset. Times are only ever compared for equality: the order is that of offsets.
    #[prost(uint64, tag = "3")]
    pub time_ms: u64,
}

impl Ping {
    fn read(mut bytes: Bytes) -> Result<Self, FrameError> {
        let mut marks = Vec::new();
        while let Some((number, value)) = fields::next(&mut bytes)? {
            match value {
                Value::Bytes(mark) if number == 1 => marks.push(Position::read(mark)?),
                _ if number == 1 => return Err(FrameError::Unknown),
                _ => {}
            }
        }
        Ok(Self { marks })
    }

    fn check(&self) -> Result<(), FrameError> {
        if self.marks.len() > limits::MAX_MARKS { Err(FrameError::Field("marks")) } else { Ok(()) }
    }
}

impl Position {
    fn read(bytes: Bytes) -> Result<Self, FrameError> {
        let fields = Fields::read(bytes)?;
        Ok(Self { epoch: fields.u64(1)?, offset: fields.u64(2)?, time_ms: fields.u64(3)? })
    }

    /// Returns whether both positions name the same offset of the same epoch. Their times may differ.
    #[must_use]
    pub fn is_same_offset(self, other: Self) -> bool {
        (self.epoch, self.offset) == (other.epoch, other.offset)
    }

    /// Returns whether this position is behind `other` in the same epoch. Positions of different epochs cannot be
    /// compared.
    #[must_use]
    pub fn is_behind(self, other: Self) -> bool {
        self.epoch == other.epoch && self.offset < other.offset
    }

    /// Returns the id of the publication at this position: the epoch as 16 hexadecimal digits, a dash and the offset.
    #[must_use]
    pub fn event_id(self) -> String {
        let digits =
            (0..16).rev().map(|digit| b"0123456789abcdef"[(self.epoch >> (4 * digit) & 15) as usize]);
        let mut id: String = digits.map(char::from).collect();
        id.push('-');
        id.push_str(&decimal(self.offset));
        id
    }
}

fn check_channel_id(bytes: &Bytes) -> Result<(), FrameError> {
    if bytes.len() == ChannelId::LEN { Ok(()) } else { Err(FrameError::Field("channel_id")) }
}

fn read_channel_id(bytes: &Bytes) -> ChannelId {
    ChannelId::from_slice(bytes).unwrap_or(ChannelId([0; ChannelId::LEN]))
}

#[cfg(test)]
mod tests;
