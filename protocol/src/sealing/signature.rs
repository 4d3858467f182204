//! Signatures of messages. The key of a channel proves that a member of its scope sealed a message; a signature proves the
//! author to each of these members: a function of the app, or a page with a [`Certificate`].
//!
//! A signature is one of ECDSA with P-256 and SHA-256, which every browser's WebCrypto has. This crate neither signs nor
//! verifies: it lays out the bytes, and the host has the keys.

use super::{Certificate, Message, Unreadable};
use crate::{ChannelId, hashing::Parts};
use alloc::vec::Vec;

/// The first byte of the signature of a function. A zero begins the padding instead.
const FUNCTION: u8 = 1;
/// The first byte of the certificate and the signature of a page.
const PAGE: u8 = 2;

/// A signature of ECDSA with P-256 and SHA-256.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signature(pub [u8; Signature::LEN]);

impl Signature {
    /// The length in bytes: the numbers `r` and `s`, 32 bytes each, big-endian, as IEEE P1363 defines.
    pub const LEN: usize = 64;
}

/// The signature of a message by its author.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthorSignature {
    /// The certificate of the page whose key signs. `None` for a function, which signs with the signing key of the encryption
    /// key that the message is sealed under.
    pub certificate: Option<Certificate>,
    /// The signature of [`signed_text`].
    pub signature: Signature,
}

/// The signature of a function.
impl From<Signature> for AuthorSignature {
    fn from(signature: Signature) -> Self {
        Self { certificate: None, signature }
    }
}

impl AuthorSignature {
    /// Returns the length in a sealed message, in bytes.
    pub(super) fn sealed_len(&self) -> usize {
        1 + self.certificate.as_ref().map_or(0, |certificate| certificate.as_bytes().len()) + Signature::LEN
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        match &self.certificate {
            None => out.push(FUNCTION),
            Some(certificate) => {
                out.push(PAGE);
                out.bytes(certificate.as_bytes());
            }
        }
        out.bytes(&self.signature.0);
    }

    /// Reads the signature that follows a payload, if there is one. Returns the bytes behind it.
    pub(super) fn read(bytes: &[u8]) -> Result<(Option<Self>, &[u8]), Unreadable> {
        let (certificate, rest) = match bytes.split_first() {
            None | Some((0, _)) => return Ok((None, bytes)),
            Some((&FUNCTION, rest)) => (None, rest),
            Some((&PAGE, rest)) => {
                let (certificate, rest) = Certificate::read(rest)?;
                (Some(certificate), rest)
            }
            Some(_) => return Err(Unreadable),
        };
        let (signature, rest) = rest.split_first_chunk().ok_or(Unreadable)?;
        Ok((Some(Self { certificate, signature: Signature(*signature) }), rest))
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
