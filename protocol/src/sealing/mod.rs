//! Sealing and opening of messages. Publishers seal, subscribers open; the relay is built without this code.
//!
//! `sealed = 0x01 ‖ key id (4) ‖ nonce (24) ‖ XAES-256-GCM(channel key, nonce, aad, plaintext)`, where
//! `aad = LP("sealwire/message/v1") channel id (16) LP(event)`, `nonce = sender id (12) ‖ random (12)` and
//! `plaintext = u64 time of sealing in ms ‖ stamp (12) ‖ u32 payload length ‖ payload ‖ signature of the author ‖
//! zeros` up to the Padmé size, big-endian. The signature may be absent; [`AuthorSignature`] and [`Certificate`] have its layout.

mod author;
mod certificate;
mod entry;
mod numbering;
mod numberings;
mod repeatable;
mod signature;
mod stamp;

pub use author::AuthorSignature;
pub use certificate::{Certificate, Certified};
pub use entry::{Entry, EntryPlace, MemberId};
pub use numbering::Numbering;
pub use numberings::{Numbered, Numberings};
pub use repeatable::{RepeatableIds, repeatable_ids};
pub use signature::{Signature, signed_text};
pub use stamp::{SenderId, Stamp};

use crate::{ChannelId, ChannelKey, KeyId, UnixMillis, hashing::Parts, limits, padme};
use alloc::{string::String, vec::Vec};
use sealwire_xaes::{GCM_NONCE_LEN, KEY_LEN, NONCE_LEN, TAG_LEN, Unauthentic, split};
use zeroize::Zeroizing;

const VERSION: u8 = 1;
const HEADER_LEN: usize = 1 + KeyId::LEN + NONCE_LEN;
const PREFIX_LEN: usize = 8 + Stamp::LEN + 4;

/// The number of bytes by which a sealed message is longer than its padded plaintext.
pub const SEALED_OVERHEAD: usize = HEADER_LEN + TAG_LEN;

/// The error for a payload longer than [`limits::MAX_PAYLOAD`], with its length in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the payload has {0} bytes as JSON, more than the maximum of {max}", max = limits::MAX_PAYLOAD)]
pub struct TooLarge(pub usize);

/// The error for a message that cannot be opened, because it was altered, relabelled, moved to another channel,
/// truncated or sealed with another key. The reason is not reported, so that an attacker learns nothing from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the message could not be opened")]
pub struct Unreadable;

/// A message before it is sealed.
#[derive(Clone, Copy)]
pub struct Message<'a> {
    /// The sender.
    pub sender: SenderId,
    /// The place among the sender's messages.
    pub stamp: Stamp,
    /// The time of sealing, by the clock that the app's backend vouches for.
    pub published_at: UnixMillis,
    /// The event name.
    pub event: &'a str,
    /// The payload as JSON text.
    pub payload: &'a str,
    /// The author's signature of [`signed_text`], if the message is signed.
    pub signature: Option<&'a AuthorSignature>,
}

/// An opened message.
#[derive(Clone, PartialEq, Eq)]
pub struct OpenedMessage {
    /// The sender.
    pub sender: SenderId,
    /// The place among the sender's messages.
    pub stamp: Stamp,
    /// The time of sealing, by the sender's clock.
    pub published_at: UnixMillis,
    /// The payload as JSON text.
    pub payload: String,
    /// The author's signature, which nothing has verified yet.
    pub signature: Option<AuthorSignature>,
}

/// The length of the random half of a nonce in bytes.
pub const RANDOM_LEN: usize = NONCE_LEN - SenderId::LEN;

/// Seals a message. `random` must be random for each call: under one sender id, 12 random bytes do not repeat in practice.
///
/// # Errors
/// [`TooLarge`] if the payload is longer than [`limits::MAX_PAYLOAD`].
pub fn seal(
    key: &ChannelKey,
    random: [u8; RANDOM_LEN],
    channel: ChannelId,
    message: &Message<'_>,
) -> Result<Vec<u8>, TooLarge> {
    let Message { sender, stamp, published_at, event, payload, signature } = *message;
    if payload.len() > limits::MAX_PAYLOAD {
        return Err(TooLarge(payload.len()));
    }
    let mut nonce = [0; NONCE_LEN];
    nonce[..SenderId::LEN].copy_from_slice(&sender.0);
    nonce[SenderId::LEN..].copy_from_slice(&random);
    let signature_len = signature.map_or(0, AuthorSignature::sealed_len);
    let mut sealed = begin_sealed(key, &nonce, PREFIX_LEN + payload.len() + signature_len);
    sealed.bytes(&published_at.0.to_be_bytes());
    sealed.bytes(&stamp.to_bytes());
    sealed.length_prefixed(payload);
    if let Some(signature) = signature {
        signature.write(&mut sealed);
    }
    end_sealed(key, &nonce, &associated_data(channel, event), &mut sealed);
    Ok(sealed)
}

/// Returns the header of a sealed message, with capacity for a plaintext of this length and its padding.
fn begin_sealed(key: &ChannelKey, nonce: &[u8; NONCE_LEN], length: usize) -> Vec<u8> {
    let mut sealed = Vec::with_capacity(padme::padded_len(length) + SEALED_OVERHEAD);
    sealed.push(VERSION);
    sealed.bytes(&key.id.0);
    sealed.bytes(nonce);
    sealed
}

/// Pads and encrypts the plaintext behind a header.
fn end_sealed(key: &ChannelKey, nonce: &[u8; NONCE_LEN], associated_data: &[u8], sealed: &mut Vec<u8>) {
    sealed.resize(HEADER_LEN + padme::padded_len(sealed.len() - HEADER_LEN), 0);
    let tag = key.cipher.encrypt(nonce, associated_data, &mut sealed[HEADER_LEN..]);
    sealed.bytes(&tag);
}

/// A sealed message in its parts, not yet authenticated.
#[derive(Clone, Copy)]
pub struct SealedMessage<'a> {
    key_id: KeyId,
    nonce: &'a [u8; NONCE_LEN],
    ciphertext: &'a [u8],
    tag: &'a [u8; TAG_LEN],
}

/// The input with which the platform's AES-256-GCM opens one message.
#[derive(Clone, PartialEq, Eq)]
pub struct AesGcmInput {
    /// The AES-256 key, which is the same for all messages of a sender on a channel.
    pub key: Zeroizing<[u8; KEY_LEN]>,
    /// The initialization vector.
    pub nonce: [u8; GCM_NONCE_LEN],
    /// The additional authenticated data.
    pub associated_data: Vec<u8>,
    /// The ciphertext, followed by the tag of 16 bytes.
    pub ciphertext: Vec<u8>,
}

impl<'a> SealedMessage<'a> {
    /// Splits a sealed message into its parts.
    ///
    /// # Errors
    /// [`Unreadable`] if the message is too short, too long or of another version.
    pub fn parse(sealed: &'a [u8]) -> Result<Self, Unreadable> {
        let (version, rest) = sealed.split_first().ok_or(Unreadable)?;
        let (key_id, rest) = rest.split_first_chunk().ok_or(Unreadable)?;
        let (nonce, rest) = rest.split_first_chunk().ok_or(Unreadable)?;
        let (ciphertext, tag) = rest.split_last_chunk().ok_or(Unreadable)?;
        if *version != VERSION || ciphertext.len() < PREFIX_LEN || sealed.len() > limits::MAX_SEALED {
            return Err(Unreadable);
        }
        Ok(Self { key_id: KeyId(*key_id), nonce, ciphertext, tag })
    }

    /// Returns the id of the encryption key that the message was sealed under.
    #[must_use]
    pub fn key_id(&self) -> KeyId {
        self.key_id
    }

    /// Returns the sender. The id is authentic once the message has been opened.
    #[must_use]
    pub fn sender(&self) -> SenderId {
        let (sender, _) = split(self.nonce);
        SenderId(*sender)
    }

    /// Authenticates and decrypts the message.
    ///
    /// # Errors
    /// [`Unreadable`] unless exactly this message was sealed with this key, for this channel and this event.
    pub fn open(
        &self,
        key: &mut ChannelKey,
        channel: ChannelId,
        event: &str,
    ) -> Result<OpenedMessage, Unreadable> {
        let plaintext = self.decrypt(key.id, |plaintext| {
            key.open(self.nonce, &associated_data(channel, event), plaintext, self.tag)
        });
        OpenedMessage::read(self.sender(), &plaintext?)
    }

    /// Authenticates and decrypts the ciphertext with a key of this id.
    fn decrypt(
        &self,
        key: KeyId,
        decrypt: impl FnOnce(&mut [u8]) -> Result<(), Unauthentic>,
    ) -> Result<Vec<u8>, Unreadable> {
        if key != self.key_id {
            return Err(Unreadable);
        }
        let mut plaintext = self.ciphertext.to_vec();
        decrypt(&mut plaintext).map_err(|_| Unreadable)?;
        Ok(plaintext)
    }

    /// Returns the input with which the platform's AES-256-GCM decrypts the message, or `None` if it was sealed under
    /// another key. [`OpenedMessage::read`] reads the plaintext.
    #[must_use]
    pub fn aes_gcm_input(&self, key: &ChannelKey, channel: ChannelId, event: &str) -> Option<AesGcmInput> {
        if key.id != self.key_id {
            return None;
        }
        let (sender, nonce) = split(self.nonce);
        Some(AesGcmInput {
            key: key.cipher.derive(sender),
            nonce: *nonce,
            associated_data: associated_data(channel, event),
            ciphertext: [self.ciphertext, self.tag].concat(),
        })
    }
}

impl OpenedMessage {
    /// Reads an authenticated plaintext of `sender`.
    ///
    /// # Errors
    /// [`Unreadable`] if the plaintext does not have the layout of this protocol.
    pub fn read(sender: SenderId, plaintext: &[u8]) -> Result<Self, Unreadable> {
        let (time, rest) = plaintext.split_first_chunk().ok_or(Unreadable)?;
        let (stamp, rest) = rest.split_first_chunk().ok_or(Unreadable)?;
        let stamp = Stamp::read(stamp)?;
        let (payload, rest) = read_text(rest)?;
        let signature = AuthorSignature::read(rest)?;
        Ok(Self { sender, stamp, published_at: UnixMillis(u64::from_be_bytes(*time)), payload, signature })
    }
}

/// Reads a text with its length in front. Returns the bytes behind it.
fn read_text(bytes: &[u8]) -> Result<(String, &[u8]), Unreadable> {
    let (length, rest) = bytes.split_first_chunk().ok_or(Unreadable)?;
    let length = usize::try_from(u32::from_be_bytes(*length)).map_err(|_| Unreadable)?;
    let (text, rest) = rest.split_at_checked(length).ok_or(Unreadable)?;
    Ok((String::from_utf8(text.to_vec()).map_err(|_| Unreadable)?, rest))
}

fn associated_data(channel: ChannelId, event: &str) -> Vec<u8> {
    let mut aad = Vec::with_capacity(64 + event.len());
    aad.length_prefixed("sealwire/message/v1");
    aad.bytes(&channel.0);
    aad.length_prefixed(event);
    aad
}

impl core::fmt::Debug for OpenedMessage {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("OpenedMessage")
            .field("sender", &self.sender)
            .field("stamp", &self.stamp)
            .field("published_at", &self.published_at)
            .finish_non_exhaustive()
    }
}

impl core::fmt::Debug for AesGcmInput {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("AesGcmInput").field("bytes", &self.ciphertext.len()).finish_non_exhaustive()
    }
}

impl core::fmt::Debug for SealedMessage<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("SealedMessage").field("key_id", &self.key_id).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
