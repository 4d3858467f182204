//! Several messages in one WebSocket message, for a client that offered [`BATCHED_SUBPROTOCOL`]: the frames of RFC 6455
//! that they would have been otherwise, one after the other.

use bytes::{Buf as _, Bytes};

/// The WebSocket subprotocol in which the relay may put several messages into one of the WebSocket's.
pub const BATCHED_SUBPROTOCOL: &str = "sealwire.v1.batched";

/// The first byte of a final binary frame, and so of a batch. No [`super::ToClient`] begins with it: as protobuf it were
/// a field whose number is a multiple of 16.
const BINARY: u8 = 0x82;

/// A batch that does not consist of whole, final, binary, unmasked frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the batch does not consist of whole binary frames")]
pub struct BatchError;

/// The messages in what a WebSocket brought: those of a batch, or the one that it is.
#[derive(Clone, Debug)]
pub struct Messages {
    rest: Bytes,
    is_batch: bool,
}

impl Messages {
    /// Reads a WebSocket message from the relay.
    #[must_use]
    pub fn of(message: Bytes) -> Self {
        Self { is_batch: message.first() == Some(&BINARY), rest: message }
    }

    fn unwrap_frame(&mut self) -> Option<Bytes> {
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
    type Item = Result<Bytes, BatchError>;

    fn next(&mut self) -> Option<Self::Item> {
        if !self.is_batch {
            // Even an empty message is one.
            self.is_batch = true;
            return Some(Ok(core::mem::take(&mut self.rest)));
        }
        if self.rest.is_empty() {
            return None;
        }
        let message = self.unwrap_frame();
        if message.is_none() {
            self.rest.clear();
        }
        Some(message.ok_or(BatchError))
    }
}
