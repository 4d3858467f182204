//! The server side of WebSocket (RFC 6455): the handshake, and the decoding and encoding of frames.
//!
//! The relay does its own framing, because a publication is encoded once as a complete frame that every queue shares, and
//! an idle connection has no buffer. Libraries copy each message per connection and keep buffers of many KiB.

mod decode;
mod encode;
mod handshake;

pub(crate) use decode::MIN_READ_SPACE;
pub use decode::{Decoder, Incoming, Violation};
pub(crate) use encode::{
    CloseStatus, Outgoing, encode_as_client, encode_batch_header, encode_close, encode_message, encode_pong,
    is_message, read_back,
};
pub(crate) use handshake::{AcceptedHandshake, HandshakeError, accept};

/// The maximum payload of a control frame, in bytes (RFC 6455 section 5.5).
const MAX_CONTROL: usize = 125;

mod opcode {
    pub(super) const CONTINUATION: u8 = 0x0;
    pub(super) const TEXT: u8 = 0x1;
    pub(super) const BINARY: u8 = 0x2;
    pub(super) const CLOSE: u8 = 0x8;
    pub(super) const PING: u8 = 0x9;
    pub(super) const PONG: u8 = 0xa;
}
