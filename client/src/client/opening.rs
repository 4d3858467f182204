//! Opening of publications: the client decrypts them, or the host does if it is faster at it, such as a browser with large
//! messages. The host also verifies signatures. It answers later; until then, the messages behind such a message wait, so
//! that the channel's order is kept.

use crate::{
    Client, DecryptionId, Event, Now, SignedText, VerificationId,
    state::{
        channel::Channel,
        reorder_buffer::{OpenError, Opening},
        session::Identity,
    },
};
use sealwire_protocol::{
    AesGcmInput, AuthorSignature, ChannelId, KeyId, Message, OpenedMessage, SealedMessage, encode_base64url,
    signed_text, wire::Publication,
};
use zeroize::Zeroizing;

/// The waits that a publication is allowed.
#[derive(Clone, Copy)]
pub(super) struct Patience {
    /// The publication may wait for a key, for its decryption and for the time.
    pub(super) waits: bool,
    /// The publication may wait for the verification of its signature.
    pub(super) waits_for_verification: bool,
}

impl Client {
    /// Handles the host's answer to [`Event::DecryptRequested`]. `None` says that the host could not decrypt the message, for
    /// any reason. The client then tries it itself, which shows whether the message is at fault.
    pub fn handle_decrypted(&mut self, now: Now, decryption: DecryptionId, plaintext: Option<Vec<u8>>) {
        let plaintext = plaintext.map(Zeroizing::new);
        let is_asked = |opening: &Opening| matches!(opening, Opening::Decrypting(id) if *id == decryption);
        let Some((id, place, publication, _)) = self.take_asked(is_asked) else { return };
        let opening = match (plaintext, SealedMessage::parse(&publication.sealed)) {
            (Some(plaintext), Ok(sealed)) => OpenedMessage::read(sealed.sender(), &plaintext)
                .map_or(Opening::Sealed, |opened| self.decrypted(id, &publication, sealed.key_id(), opened)),
            _ => Opening::Sealed,
        };
        self.answered(now, id, place, opening);
    }

    /// Handles the host's answer to [`Event::VerifyRequested`].
    pub fn handle_verified(&mut self, now: Now, verification: VerificationId, is_valid: bool) {
        let is_asked =
            |opening: &Opening| matches!(opening, Opening::Verifying(id, _) if *id == verification);
        let Some((id, place, _, opening)) = self.take_asked(is_asked) else {
            return self.entry_verified(now, verification, is_valid);
        };
        let opening = match opening {
            Opening::Verifying(_, opened) if is_valid => Opening::Opened(opened),
            _ => Opening::Failed(OpenError::FalseSignature),
        };
        self.answered(now, id, place, opening);
    }

    /// Returns the publication about which the host was asked, with its channel, its place in the buffer and its stage.
    fn take_asked(
        &mut self,
        is_asked: impl Fn(&Opening) -> bool,
    ) -> Option<(ChannelId, usize, Publication, Opening)> {
        self.channels.iter_mut().find_map(|(id, channel)| {
            let (place, publication, opening) = channel.buffer.find(&is_asked)?;
            Some((id, place, publication.clone(), core::mem::replace(opening, Opening::Sealed)))
        })
    }

    /// Continues with the publication at this place after an answer of the host.
    fn answered(&mut self, now: Now, id: ChannelId, place: usize, opening: Opening) {
        if let Some(channel) = self.channels.get_mut(&id) {
            channel.buffer.set_opening(place, opening);
        }
        self.deliver(now, id, false);
        self.advance(now);
    }

    /// Starts to open a publication that has just arrived.
    pub(super) fn start_opening(&mut self, id: ChannelId, publication: &Publication) -> Opening {
        if self.config.host_decrypt_threshold.is_some_and(|bytes| publication.sealed.len() >= bytes) {
            let channel = self.channels.get(&id).filter(|channel| !channel.buffer.is_over_full());
            if let Some(input) = channel.and_then(|channel| decrypt_input(channel, id, publication)) {
                let decryption = DecryptionId(self.next_id());
                self.events.push_back(Event::DecryptRequested { decryption, input });
                return Opening::Decrypting(decryption);
            }
        }
        self.decrypt(id, publication).unwrap_or(Opening::Sealed)
    }

    /// Opens a publication as far as possible. Returns true if it waits.
    pub(super) fn open(
        &mut self,
        now: Now,
        id: ChannelId,
        publication: &Publication,
        opening: &mut Opening,
        patience: Patience,
    ) -> bool {
        if let Opening::Decrypting(_) = opening {
            if patience.waits {
                return true;
            }
            *opening = Opening::Sealed;
        }
        if let Opening::Sealed = opening {
            *opening = match self.decrypt(id, publication) {
                Ok(opening) => opening,
                Err(OpenError::UnknownKey(key)) => match self.await_key(now, id, key) {
                    Ok(true) if patience.waits => return true,
                    Ok(_) => Opening::Failed(OpenError::UnknownKey(key)),
                    Err(error) => Opening::Failed(error),
                },
                Err(error) => Opening::Failed(error),
            };
        }
        if let Opening::Verifying(..) = opening {
            if patience.waits_for_verification {
                return true;
            }
            *opening = match core::mem::replace(opening, Opening::Sealed) {
                Opening::Verifying(_, opened) => unverified(opened),
                other => other,
            };
        }
        matches!(opening, Opening::Opened(opened) if patience.waits && self.awaits_time(now, opened.published_at))
    }

    /// Decrypts a publication. Returns the next stage of its opening.
    fn decrypt(&mut self, id: ChannelId, publication: &Publication) -> Result<Opening, OpenError> {
        let sealed = SealedMessage::parse(&publication.sealed).map_err(|_| OpenError::Unreadable)?;
        let key_id = sealed.key_id();
        let key = self.channels.get_mut(&id).and_then(|channel| channel.key_mut(key_id));
        let opened = sealed.open(key.ok_or(OpenError::UnknownKey(key_id))?, id, &publication.event);
        Ok(self.decrypted(id, publication, key_id, opened.map_err(|_| OpenError::Unreadable)?))
    }

    /// Requests the verification of a message's signature, if there is one and the host verifies it.
    fn decrypted(
        &mut self,
        id: ChannelId,
        publication: &Publication,
        key: KeyId,
        opened: OpenedMessage,
    ) -> Opening {
        let OpenedMessage { sender, stamp, published_at, payload, signature } = &opened;
        let Some(signature) = signature else {
            return Opening::Opened(Box::new(opened));
        };
        let message = Message {
            sender: *sender,
            stamp: *stamp,
            published_at: *published_at,
            event: &publication.event,
            payload,
            signature: None,
        };
        if signature.certificate.as_ref().is_some_and(|certificate| certificate.expires_at() < *published_at)
        {
            return Opening::Failed(OpenError::FalseSignature);
        }
        match self.request_verification(key, signature, || signed_text(id, &message)) {
            Some(verification) => Opening::Verifying(verification, Box::new(opened)),
            None => unverified(Box::new(opened)),
        }
    }

    /// Requests the verification of an author's signature of a text under an encryption key. Returns `None` if the host does not
    /// verify, or if the session has no public key for it. If the signature is valid, [`crate::Author::of`] returns the author.
    pub(super) fn request_verification(
        &mut self,
        key: KeyId,
        signature: &AuthorSignature,
        text: impl FnOnce() -> Vec<u8>,
    ) -> Option<VerificationId> {
        if !self.config.verifies_signatures {
            return None;
        }
        let (_, signer) = self.signers.iter().find(|(id, _)| *id == key)?;
        let (mut signer, mut certificate) = (signer.clone(), None);
        if let Some(page) = &signature.certificate {
            let Identity { app, installation, .. } = self.identity.as_ref()?;
            let text = page.text(app, installation);
            certificate = Some(Box::new(SignedText { signer, text, signature: page.signature() }));
            signer = encode_base64url(page.public_key());
        }
        let verification = VerificationId(self.next_id());
        let signed = Box::new(SignedText { signer, text: text(), signature: signature.signature });
        self.events.push_back(Event::VerifyRequested { verification, signed, certificate });
        Some(verification)
    }
}

/// Forgets the signature of a message, which nothing verifies.
fn unverified(mut opened: Box<OpenedMessage>) -> Opening {
    opened.signature = None;
    Opening::Opened(opened)
}

/// Returns the input of AES-GCM, or `None` if the channel lacks the key, which the app may still provide.
fn decrypt_input(channel: &Channel, id: ChannelId, publication: &Publication) -> Option<AesGcmInput> {
    let sealed = SealedMessage::parse(&publication.sealed).ok()?;
    sealed.aes_gcm_input(channel.key(sealed.key_id())?, id, &publication.event)
}
