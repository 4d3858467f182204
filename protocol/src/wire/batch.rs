//! Batches: several messages in one WebSocket message, for a client that offered [`BATCHED_SUBPROTOCOL`]. A batch is
//! the concatenation of the RFC 6455 frames that would otherwise carry the messages one by one.

use bytes::{Buf as _, Bytes};

/// The WebSocket subprotocol that permits the relay to send batches.
pub const BATCHED_SUBPROTOCOL: &str = "sealwire.v1.batched";

/// The first byte of a final binary frame, and so of a batch. No [`super::ToClient`] begins with this byte: in protobuf
/// it begins a field whose number is a multiple of 16, and those numbers are reserved.
const BINARY: u8 = 0x82;

/// The error for a batch that is not a sequence of complete, final, binary, unmasked frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the batch is not a sequence of complete binary frames")]
pub struct MalformedBatch;

/// Iterates over the messages of one WebSocket message, which is either a batch or a single message.
#[derive(Clone, Debug)]
pub struct Messages {
    rest: Bytes,
    is_batch: bool,
}

impl Messages {
    /// Takes a WebSocket message from the relay.
    #[must_use]
    pub fn of(message: Bytes) -> Self {
        Self { is_batch: message.first() == Some(&BINARY), rest: message }
    }

    /// Takes the payload of the next frame. Returns `None` if the frame is malformed.
    fn take_frame(&mut self) -> Option<Bytes> {
        let rest = &mut self.rest;
        if rest.try_get_u8().ok()? != BINARY {
            return None;
        }
        let len = match rest.try_get_u8().ok()? {
            len @ 0..=125 => u64::from(len),
            126 => u64::from(rest.try_get_u16().ok()?),
            127 => rest.try_get_u64().ok()?,
            _ => return None,
        };
        let len = usize::try_from(len).ok().filter(|len| *len <= rest.len())?;
        Some(rest.split_to(len))
    }
}

impl Iterator for Messages {
    type Item = Result<Bytes, MalformedBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        if !self.is_batch {
            // An empty WebSocket message counts as one message too.
            self.is_batch = true;
            return Some(Ok(core::mem::take(&mut self.rest)));
        }
        if self.rest.is_empty() {
            return None;
        }
        let message = self.take_frame();
        if message.is_none() {
            self.rest.clear();
        }
        Some(message.ok_or(MalformedBatch))
    }
}
