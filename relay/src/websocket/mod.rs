//! The server's side of WebSocket (RFC 6455), as far as the relay needs it.
//!
//! Own framing rather than a library: a publication is encoded once as a complete frame and shared by every queue, and
//! an idle connection holds no buffer. Libraries copy each message per connection and keep buffers of many KiB.

mod decode;
mod encode;
mod handshake;

pub use decode::{Decoder, Incoming, Violation};
pub(crate) use encode::{
    CloseStatus, Outgoing, encode_as_client, encode_batch_header, encode_close, encode_message, encode_pong,
    is_message, read_back,
};
pub(crate) use handshake::{Accepted, HandshakeError, accept};

/// Longest payload of a control frame, in bytes (RFC 6455 section 5.5).
const MAX_CONTROL: usize = 125;

mod opcode {
    pub(super) const CONTINUATION: u8 = 0x0;
    pub(super) const TEXT: u8 = 0x1;
    pub(super) const BINARY: u8 = 0x2;
    pub(super) const CLOSE: u8 = 0x8;
    pub(super) const PING: u8 = 0x9;
    pub(super) const PONG: u8 = 0xa;
}
