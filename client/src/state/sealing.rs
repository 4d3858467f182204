//! The stages of a publication up to its sealed bytes.

use crate::state::channel_spec::{CheckedSpec, Resolved};
use sealwire_protocol::{
    AuthorSignature, Certificate, ChannelId, ChannelKey, Message, Numbered, RANDOM_LEN, UnixMillis, seal,
    signed_text,
    wire::{Publish, ToRelay},
};
use zeroize::Zeroizing;

/// A publication before it is sealed.
pub(crate) struct Unsealed {
    pub(crate) spec: CheckedSpec,
    pub(crate) event: String,
    pub(crate) payload: Zeroizing<String>,
    /// The idempotency id that the app chose.
    pub(crate) app_id: Option<String>,
    /// The page signs it.
    pub(crate) signed: bool,
}

/// The channel of a publication within a session, and the key that seals for it.
pub(crate) struct SealingKey {
    pub(crate) channel: Resolved,
    /// The event name that the relay sees.
    pub(crate) event: String,
    pub(crate) key: ChannelKey,
}

/// The outcome of sealing a publication.
pub(crate) enum Sealed {
    Complete(Publish, Numbered),
    /// The page signs the publication first, with this certificate.
    Unsigned(Box<(Unsigned, Certificate)>, Numbered),
    /// The session has no certificate.
    AwaitsCertificate,
}

/// A publication before it is signed and sealed.
pub(crate) struct Unsigned {
    /// The publication without the sealed message.
    pub(crate) frame: Publish,
    pub(crate) payload: Zeroizing<String>,
    pub(crate) published_at: UnixMillis,
    pub(crate) channel: ChannelId,
    pub(crate) key: ChannelKey,
    /// The random half of the nonce.
    pub(crate) random: [u8; RANDOM_LEN],
}

impl Unsigned {
    /// Returns the bytes to sign.
    pub(crate) fn text(&self, numbered: Numbered) -> Vec<u8> {
        signed_text(self.channel, &self.message(numbered, None))
    }

    /// Seals the message.
    pub(crate) fn seal(self, numbered: Numbered, signature: Option<&AuthorSignature>) -> Publish {
        let sealed = seal(&self.key, self.random, self.channel, &self.message(numbered, signature))
            .expect("a draft with a longer payload is refused");
        Publish { sealed: sealed.into(), ..self.frame }
    }

    fn message<'a>(&'a self, numbered: Numbered, signature: Option<&'a AuthorSignature>) -> Message<'a> {
        Message {
            sender: numbered.sender,
            stamp: numbered.stamp,
            published_at: self.published_at,
            event: &self.frame.event,
            payload: &self.payload,
            signature,
        }
    }
}

/// Encodes a publication without a copy of its fields. Returns it with its bytes.
pub(crate) fn encode(publish: Publish) -> (Publish, Vec<u8>) {
    let message = ToRelay::Publish(publish);
    let bytes = message.to_bytes();
    match message {
        ToRelay::Publish(publish) => (publish, bytes),
        _ => unreachable!("the message is a publication"),
    }
}
