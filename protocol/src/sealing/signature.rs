//! Signatures of messages. The key of a channel proves that a member of its scope sealed a message; a signature proves the
//! author to each of these members.
//!
//! A signature is one of ECDSA with P-256 and SHA-256, which every browser's WebCrypto has. This crate neither signs nor
//! verifies: it lays out the bytes, and the host has the keys.

use super::{Message, Unreadable};
use crate::{ChannelId, hashing::Parts};
use alloc::vec::Vec;

/// The first byte of the signature of a function. A zero begins the padding instead.
const FUNCTION: u8 = 1;

/// The signature of a message, made with the signing key of the encryption key that the message is sealed under.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signature(pub [u8; Signature::LEN]);

impl Signature {
    /// The length in bytes: the numbers `r` and `s`, 32 bytes each, big-endian, as IEEE P1363 defines.
    pub const LEN: usize = 64;
    pub(super) const SEALED_LEN: usize = 1 + Self::LEN;

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.push(FUNCTION);
        out.bytes(&self.0);
    }

    /// Reads the signature that follows a payload, if there is one. Returns the bytes behind it.
    pub(super) fn read(bytes: &[u8]) -> Result<(Option<Self>, &[u8]), Unreadable> {
        match bytes.split_first() {
            None | Some((0, _)) => Ok((None, bytes)),
            Some((&FUNCTION, rest)) => {
                let (signature, rest) = rest.split_first_chunk().ok_or(Unreadable)?;
                Ok((Some(Self(*signature)), rest))
            }
            Some(_) => Err(Unreadable),
        }
    }
}

/// Returns the bytes that the author of a message signs:
/// `LP("sealwire/signature/v1") channel id (16) sender id (12) u32 number u64 time of sealing in ms LP(event) LP(payload)`.
#[must_use]
pub fn signed_text(channel: ChannelId, message: &Message<'_>) -> Vec<u8> {
    let Message { sender, stamp, published_at, event, payload, .. } = *message;
    let mut text = Vec::with_capacity(80 + event.len() + payload.len());
    text.length_prefixed("sealwire/signature/v1");
    text.bytes(&channel.0);
    text.bytes(&sender.0);
    text.bytes(&stamp.number.to_be_bytes());
    text.bytes(&published_at.0.to_be_bytes());
    text.length_prefixed(event);
    text.length_prefixed(payload);
    text
}
