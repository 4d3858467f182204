//! Decodes frames from clients: unmasks them in place, joins fragments, and refuses frames that are too long by their header
//! alone. The decoder holds no memory between messages.

use super::{MAX_CONTROL, opcode};
use bytes::{Buf, Bytes, BytesMut};
use sealwire_protocol::limits;

/// The minimum space offered to a read, in bytes.
pub(crate) const MIN_READ_SPACE: usize = 2 * 1024;
/// The maximum space offered to a read, in bytes. It bounds the memory of a client that announces a long frame and sends
/// little of it.
const MAX_READ_SPACE: usize = 64 * 1024;

/// A decoded message or control frame of a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Incoming {
    /// A whole binary message.
    Message(Bytes),
    /// A fragment of an incomplete message, with its length in bytes.
    Fragment(usize),
    /// A ping of RFC 6455 with its payload.
    Ping(Bytes),
    /// A pong of RFC 6455.
    Pong,
    /// A close frame.
    Close,
}

impl Incoming {
    /// The length of the payload that is kept, in bytes.
    #[must_use]
    pub fn payload_len(&self) -> usize {
        match self {
            Self::Message(payload) | Self::Ping(payload) => payload.len(),
            Self::Fragment(len) => *len,
            Self::Pong | Self::Close => 0,
        }
    }
}

/// The error of a frame after which the connection must end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Violation {
    /// The frame violates RFC 6455.
    #[error("the WebSocket frame violates RFC 6455: {0}")]
    Protocol(&'static str),
    /// A text message.
    #[error("the subprotocol sealwire.v1 has no text frames; send binary frames")]
    Text,
    /// A message longer than [`limits::MAX_FRAME`], or than [`limits::MAX_FIRST_FRAME`] before the session is open.
    #[error(
        "the message is longer than {max} bytes, or than {first} before the session is open",
        max = limits::MAX_FRAME,
        first = limits::MAX_FIRST_FRAME
    )]
    TooLarge,
}

struct Header {
    last: bool,
    opcode: u8,
    mask: [u8; 4],
    len: usize,
    size: usize,
}

/// Decodes the bytes of one client.
pub struct Decoder {
    /// The bytes that are not decoded yet. Boxed, because most connections have none most of the time.
    input: Option<Box<Input>>,
    /// The maximum length of a message, in bytes.
    limit: usize,
}

#[derive(Default)]
struct Input {
    unread: BytesMut,
    /// The fragments of an incomplete message.
    fragments: Option<BytesMut>,
}

/// The decoder of a connection with an open session.
impl Default for Decoder {
    fn default() -> Self {
        Self { input: None, limit: limits::MAX_FRAME }
    }
}

impl Decoder {
    /// Creates the decoder of a new connection, with bytes that were read together with the handshake. Until a session is
    /// open, messages are limited to the length of a `Hello`.
    #[must_use]
    pub fn new(unread: &[u8]) -> Self {
        let mut decoder = Self { input: None, limit: limits::MAX_FIRST_FRAME };
        decoder.push(unread);
        decoder
    }

    /// Raises the limit of messages to that of an open session.
    pub fn session_opened(&mut self) {
        self.limit = limits::MAX_FRAME;
    }

    /// Returns whether there are neither bytes of an incomplete frame nor fragments.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.input.is_none()
    }

    /// Appends bytes that were read.
    pub fn push(&mut self, bytes: &[u8]) {
        if !bytes.is_empty() {
            self.input.get_or_insert_default().unread.extend_from_slice(bytes);
        }
    }

    /// The buffer for the next bytes. It grows only by what the incomplete frame needs.
    pub fn space(&mut self) -> &mut BytesMut {
        let input = self.input.get_or_insert_default();
        let missing = match header(&input.unread, self.limit) {
            Ok(Some(header)) => (header.size + header.len).saturating_sub(input.unread.len()),
            _ => 0,
        };
        input.unread.reserve(missing.clamp(MIN_READ_SPACE, MAX_READ_SPACE));
        &mut input.unread
    }

    /// The memory of an incomplete message, in bytes.
    #[must_use]
    pub fn held(&self) -> usize {
        let Some(Input { unread, fragments }) = self.input.as_deref() else { return 0 };
        unread.capacity() + fragments.as_ref().map_or(0, BytesMut::capacity)
    }

    /// Decodes the next message, fragment or control frame, if it is complete.
    ///
    /// # Errors
    /// [`Violation`]. The decoder must not be used after it.
    pub fn decode(&mut self) -> Result<Option<Incoming>, Violation> {
        let Some(input) = &mut self.input else { return Ok(None) };
        let decoded = input.decode(self.limit)?;
        match (input.unread.is_empty(), &input.fragments) {
            (true, None) => self.input = None,
            (true, Some(_)) => input.unread = BytesMut::new(),
            (false, _) => {}
        }
        Ok(decoded)
    }
}

impl Input {
    /// Decodes the next message, fragment or control frame, if it is complete. Messages are limited to `limit` bytes.
    fn decode(&mut self, limit: usize) -> Result<Option<Incoming>, Violation> {
        let Some(header) = header(&self.unread, limit)? else { return Ok(None) };
        self.check(&header, limit)?;
        if self.unread.len() < header.size + header.len {
            return Ok(None);
        }
        self.unread.advance(header.size);
        let mut payload = self.unread.split_to(header.len);
        unmask(&mut payload, header.mask);
        self.take(&header, payload).map(Some)
    }

    fn check(&self, header: &Header, limit: usize) -> Result<(), Violation> {
        match header.opcode {
            opcode::CLOSE | opcode::PING | opcode::PONG if !header.last => {
                Err(Violation::Protocol("a control frame is fragmented"))
            }
            opcode::CLOSE | opcode::PING | opcode::PONG if header.len > MAX_CONTROL => {
                Err(Violation::Protocol("a control frame is longer than 125 bytes"))
            }
            opcode::CLOSE if header.len == 1 => {
                Err(Violation::Protocol("a close frame has an incomplete close code"))
            }
            opcode::CLOSE | opcode::PING | opcode::PONG => Ok(()),
            opcode::BINARY if self.fragments.is_some() => {
                Err(Violation::Protocol("a message starts before the fragmented message is complete"))
            }
            opcode::BINARY => Ok(()),
            opcode::CONTINUATION => match &self.fragments {
                None => Err(Violation::Protocol("a continuation frame has no message to continue")),
                Some(fragments) if fragments.len() + header.len > limit => Err(Violation::TooLarge),
                Some(_) => Ok(()),
            },
            _ => Err(Violation::Protocol("the opcode is unknown")),
        }
    }

    fn take(&mut self, header: &Header, payload: BytesMut) -> Result<Incoming, Violation> {
        let incoming = match header.opcode {
            opcode::CLOSE => {
                check_close(&payload)?;
                Incoming::Close
            }
            opcode::PING => Incoming::Ping(payload.freeze()),
            opcode::PONG => Incoming::Pong,
            _ => {
                let message = match self.fragments.take() {
                    None => payload,
                    Some(mut fragments) => {
                        fragments.extend_from_slice(&payload);
                        fragments
                    }
                };
                if !header.last {
                    self.fragments = Some(message);
                    return Ok(Incoming::Fragment(header.len));
                }
                Incoming::Message(message.freeze())
            }
        };
        Ok(incoming)
    }
}

/// Reads the header at the start of `bytes`, if it is complete.
fn header(bytes: &[u8], limit: usize) -> Result<Option<Header>, Violation> {
    let &[first, second, ..] = bytes else { return Ok(None) };
    if first & 0x70 != 0 {
        return Err(Violation::Protocol("a reserved bit is set"));
    }
    if second & 0x80 == 0 {
        return Err(Violation::Protocol("the frame is not masked"));
    }
    let (len, length_size) = match second & 0x7f {
        126 => match bytes.get(2..4).and_then(|bytes| bytes.try_into().ok()) {
            Some(bytes) => (u64::from(u16::from_be_bytes(bytes)), 2),
            None => return Ok(None),
        },
        127 => match bytes.get(2..10).and_then(|bytes| bytes.try_into().ok()) {
            Some(bytes) => (u64::from_be_bytes(bytes), 8),
            None => return Ok(None),
        },
        short => (u64::from(short), 0),
    };
    if (length_size == 2 && len < 126) || (length_size == 8 && len < 65_536) {
        return Err(Violation::Protocol("the length is not in its shortest form"));
    }
    // A frame that is too long is refused before any memory is allocated for it.
    let len = usize::try_from(len).ok().filter(|len| *len <= limit);
    let len = match first & 0x0f {
        opcode::TEXT => return Err(Violation::Text),
        _ => len.ok_or(Violation::TooLarge)?,
    };
    let size = 2 + length_size + 4;
    let Some(mask) = bytes.get(size - 4..size).and_then(|bytes| bytes.try_into().ok()) else {
        return Ok(None);
    };
    Ok(Some(Header { last: first & 0x80 != 0, opcode: first & 0x0f, mask, len, size }))
}

/// Checks the code and the reason of a close frame if it has them (RFC 6455 sections 5.5.1 and 7.4).
fn check_close(payload: &[u8]) -> Result<(), Violation> {
    let Some((code, reason)) = payload.split_first_chunk() else { return Ok(()) };
    match u16::from_be_bytes(*code) {
        // Below 3000, only the codes that IANA lists for use in a frame are valid.
        1000..=1003 | 1007..=1014 | 3000..=4999 => {}
        _ => return Err(Violation::Protocol("the close code is not valid in a frame")),
    }
    std::str::from_utf8(reason)
        .map(drop)
        .map_err(|_| Violation::Protocol("the reason of a close frame is not UTF-8"))
}

fn unmask(payload: &mut [u8], mask: [u8; 4]) {
    let [a, b, c, d] = mask;
    let wide = u64::from_ne_bytes([a, b, c, d, a, b, c, d]);
    let (words, rest) = payload.as_chunks_mut();
    for word in words {
        *word = (u64::from_ne_bytes(*word) ^ wide).to_ne_bytes();
    }
    for (byte, mask) in rest.iter_mut().zip(mask.into_iter().cycle()) {
        *byte ^= mask;
    }
}

#[cfg(test)]
mod tests;
