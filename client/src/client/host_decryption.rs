//! Decryption of large messages by the host, such as a browser's own AES-GCM, which may be faster than this crate. It
//! answers later; until then, the messages behind such a message wait, so that the channel's order is kept.

use crate::{
    Client, DecryptionId, Event, Now,
    state::{channel::Channel, reorder_buffer::Decryption},
};
use sealwire_protocol::{AesGcmInput, ChannelId, OpenedMessage, SealedMessage, wire::Publication};
use zeroize::Zeroizing;

impl Client {
    /// Handles the host's answer to [`Event::DecryptRequested`]. `None` says that the host could not decrypt the message, for
    /// any reason. The client then tries it itself, which shows whether the message is at fault.
    pub fn handle_decrypted(&mut self, now: Now, decryption: DecryptionId, plaintext: Option<Vec<u8>>) {
        let plaintext = plaintext.map(Zeroizing::new);
        let requested = self
            .channels
            .iter_mut()
            .find_map(|(id, channel)| channel.buffer.find_requested(decryption).map(|found| (id, found)));
        let Some((id, (publication, state))) = requested else { return };
        let opened = plaintext.and_then(|plaintext| {
            let sealed = SealedMessage::parse(&publication.sealed).ok()?;
            OpenedMessage::read(sealed.sender(), &plaintext).ok()
        });
        *state = opened.map_or(Decryption::Local, |opened| Decryption::Done(Box::new(opened)));
        self.deliver(now, id, false);
        self.advance(now);
    }

    /// Asks the host to decrypt a publication if it is large enough.
    pub(super) fn start_decryption(&mut self, id: ChannelId, publication: &Publication) -> Decryption {
        if self.config.host_decrypt_threshold.is_none_or(|bytes| publication.sealed.len() < bytes) {
            return Decryption::Local;
        }
        let channel = self.channels.get(&id).filter(|channel| !channel.buffer.is_over_full());
        let Some(input) = channel.and_then(|channel| decrypt_input(channel, id, publication)) else {
            return Decryption::Local;
        };
        let decryption = DecryptionId(self.next_id());
        self.events.push_back(Event::DecryptRequested { decryption, input });
        Decryption::Requested(decryption)
    }
}

/// Returns the input of AES-GCM, or `None` if the channel lacks the key, which the app may still provide.
fn decrypt_input(channel: &Channel, id: ChannelId, publication: &Publication) -> Option<AesGcmInput> {
    let sealed = SealedMessage::parse(&publication.sealed).ok()?;
    sealed.aes_gcm_input(channel.key(sealed.key_id())?, id, &publication.event)
}
