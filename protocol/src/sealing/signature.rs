//! Signatures of messages. The key of a channel proves that a member of its scope sealed a message; a signature proves the
//! author to each of these members: a function of the app, or a page with a certificate.
//!
//! A signature is one of ECDSA with P-256 and SHA-256, which every browser's WebCrypto has. This crate neither signs nor
//! verifies: it lays out the bytes, and the host has the keys.

use super::Message;
use crate::{ChannelId, hashing::Parts};
use alloc::vec::Vec;

/// A signature of ECDSA with P-256 and SHA-256.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signature(pub [u8; Signature::LEN]);

impl Signature {
    /// The length in bytes: the numbers `r` and `s`, 32 bytes each, big-endian, as IEEE P1363 defines.
    pub const LEN: usize = 64;
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
