//! The messages on the WebSocket, in the encoding of `proto/sealwire/v1/realtime.proto`: an enum per direction.
//!
//! The field numbers stand here and in the .proto file; `tests/` proves that both say the same.

mod batch;
mod to_client;
mod to_relay;

pub use batch::{BATCHED_SUBPROTOCOL, BatchError, Messages};
pub use to_client::{
    Ended, Failed, Goodbye, Publication, Published, Refreshed, Subscribed, ToClient, Unsubscribed, Welcome,
};
pub use to_relay::{Channel, End, Hello, Publish, Refresh, Since, Subscribe, ToRelay, Unsubscribe};

use crate::ChannelId;
use alloc::{format, string::String};
use bytes::Bytes;

/// The WebSocket subprotocol.
pub const SUBPROTOCOL: &str = "sealwire.v1";

/// A frame that is not a message of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// Not protobuf, or a message that this version does not know.
    #[error("the frame holds no message of sealwire.v1")]
    Unknown,
    /// A field has the wrong size.
    #[error("field '{0}' of the message has the wrong size")]
    Field(&'static str),
}

/// Asks the other side for a sign of life.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct Ping {}

/// Answers [`Ping`].
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct Pong {}

/// Names one of the sessions on a WebSocket; what follows, in the same direction, is of that one. A WebSocket starts with
/// session 0, and where there is no other, this message never occurs.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct Session {
    /// Chosen by the client; a new session has a greater number than every one before it.
    #[prost(uint32, tag = "1")]
    pub number: u32,
}

/// A place in a channel's history.
#[derive(Clone, Copy, PartialEq, Eq, Hash, prost::Message)]
pub struct Position {
    /// The relay's run; offsets of different epochs cannot be compared.
    #[prost(uint64, tag = "1")]
    pub epoch: u64,
    /// The place within the epoch.
    #[prost(uint64, tag = "2")]
    pub offset: u64,
}

impl Position {
    /// The id of the publication at this position: 16 hexadecimal digits of the epoch, a dash, the offset.
    #[must_use]
    pub fn event_id(self) -> String {
        format!("{:016x}-{}", self.epoch, self.offset)
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
