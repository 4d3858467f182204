//! The key of a channel, with the expanded keys of the senders whose messages it opened last.

use super::{Key, KeyId, derive, secret_debug};
use alloc::boxed::Box;
use core::fmt;
use sealwire_xaes::{GcmKey, KEY_LEN, NONCE_LEN, PREFIX_LEN, TAG_LEN, Unauthentic, XaesKey, split};
use zeroize::Zeroizing;

/// The most senders of a channel whose keys stay expanded. Each takes about 1 KB, and half as much in plain JavaScript.
const MAX_SENDERS: usize = 4;

/// The key that seals the messages of a channel, and the id of the encryption key that it is derived from.
///
/// XAES-256-GCM derives a key of AES-256-GCM for each sender of the channel. Opening keeps the keys of a few senders expanded, since
/// the expansion takes about as long as the decryption of a short message. They are erased with this key.
#[derive(Clone)]
pub struct ChannelKey {
    pub(crate) id: KeyId,
    key: Key,
    pub(crate) cipher: XaesKey,
    senders: [Option<Box<Sender>>; MAX_SENDERS],
    /// The place of the next new sender.
    next: usize,
}

/// The expanded key of a sender.
#[derive(Clone)]
struct Sender {
    prefix: [u8; PREFIX_LEN],
    key: GcmKey,
}

impl ChannelKey {
    pub(super) fn new(id: KeyId, key: Key) -> Self {
        Self { id, cipher: XaesKey::new(&key), key, senders: Default::default(), next: 0 }
    }

    /// Returns the id of the encryption key that this key is derived from.
    #[must_use]
    pub fn id(&self) -> KeyId {
        self.id
    }

    /// Derives a value from this key and `info`.
    pub(crate) fn derive(&self, info: &[&[u8]]) -> Zeroizing<[u8; 32]> {
        derive(&self.key[..], info)
    }

    /// Returns the bytes of the key, for test vectors.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; KEY_LEN] {
        &self.key
    }

    /// Verifies `tag` and only then decrypts `data` in place. The key of the nonce's sender stays expanded if the data is
    /// authentic. A relay therefore cannot replace the kept keys by inventing senders.
    ///
    /// # Errors
    /// [`Unauthentic`] if the tag does not match. `data` then stays encrypted.
    pub(crate) fn open(
        &mut self,
        nonce: &[u8; NONCE_LEN],
        aad: &[u8],
        data: &mut [u8],
        tag: &[u8; TAG_LEN],
    ) -> Result<(), Unauthentic> {
        let (prefix, nonce) = split(nonce);
        if let Some(sender) = self.senders.iter().flatten().find(|sender| sender.prefix == *prefix) {
            return sender.key.decrypt(nonce, aad, data, tag);
        }
        let sender = Box::new(Sender { prefix: *prefix, key: self.cipher.gcm_key(prefix) });
        sender.key.decrypt(nonce, aad, data, tag)?;
        self.senders[self.next] = Some(sender);
        self.next = (self.next + 1) % MAX_SENDERS;
        Ok(())
    }
}

secret_debug!(ChannelKey);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        ChannelId, EncryptionKey, Message, OpenedMessage, SealedMessage, SenderId, Stamp, UnixMillis,
        Unreadable, seal,
    };
    use alloc::{string::ToString as _, vec::Vec};
    use proptest::prelude::*;

    const CHANNEL: ChannelId = ChannelId([3; 16]);

    fn key(encryption_key: u8, name: &str) -> ChannelKey {
        EncryptionKey::new([encryption_key; 32])
            .scope_key("app", "site", &Default::default())
            .channel_key(None, name)
    }

    fn sealed(key: &ChannelKey, sender: u8, number: u32) -> Vec<u8> {
        let payload = &number.to_string();
        let (sender, stamp) = (SenderId([sender; SenderId::LEN]), Stamp { number, confirmed: 0 });
        let message =
            Message { sender, stamp, published_at: UnixMillis(1), event: "", payload, signature: None };
        seal(key, [number as u8; 12], CHANNEL, &message).unwrap()
    }

    fn open(key: &mut ChannelKey, sealed: &[u8]) -> Result<OpenedMessage, Unreadable> {
        SealedMessage::parse(sealed)?.open(key, CHANNEL, "")
    }

    /// Replaces the sender of a sealed message.
    fn relabelled(sealed: &[u8], sender: u8) -> Vec<u8> {
        let begin = 1 + KeyId::LEN;
        let mut forged = sealed.to_vec();
        forged[begin..begin + SenderId::LEN].fill(sender);
        forged
    }

    fn kept(key: &ChannelKey) -> usize {
        key.senders.iter().flatten().count()
    }

    proptest! {
        #[test]
        fn a_key_that_opened_other_messages_opens_exactly_what_a_new_one_opens(
            steps in proptest::collection::vec((0..3usize, 0..3usize, 0..7u8, 0..7u8, any::<bool>()), 1..60)
        ) {
            let new = || [key(1, "chat"), key(1, "news"), key(2, "chat")];
            let mut used = new();
            for (number, (sealing, opening, sender, label, is_forged)) in steps.into_iter().enumerate() {
                let mut message = sealed(&used[sealing], sender, number as u32 + 1);
                if is_forged {
                    message = relabelled(&message, label);
                }
                let opened = open(&mut used[opening], &message);
                prop_assert_eq!(&opened, &open(&mut new()[opening], &message));
                prop_assert_eq!(opened.is_ok(), sealing == opening && (!is_forged || sender == label));
            }
        }
    }

    #[test]
    fn the_keys_of_any_number_of_senders_take_bounded_memory() {
        let mut key = key(1, "chat");
        for sender in 0..100 {
            let message = sealed(&key, sender, 1);
            assert!(open(&mut key, &message).is_ok());
            assert_eq!(kept(&key), MAX_SENDERS.min(usize::from(sender) + 1));
        }
        assert!(size_of::<Sender>() <= 1200, "{}", size_of::<Sender>());
    }

    #[test]
    fn a_sender_without_an_authentic_message_replaces_no_other_one() {
        let mut key = key(1, "chat");
        for sender in 0..MAX_SENDERS as u8 {
            let message = sealed(&key, sender, 1);
            open(&mut key, &message).unwrap();
        }
        let before = key.senders.clone().map(|sender| sender.unwrap().prefix);
        let genuine = sealed(&key, 90, 1);
        for forged in [relabelled(&genuine, 91), relabelled(&genuine, 0), relabelled(&sealed(&key, 0, 2), 90)]
        {
            assert_eq!(open(&mut key, &forged), Err(Unreadable));
        }
        assert_eq!(key.senders.clone().map(|sender| sender.unwrap().prefix), before);
        assert_eq!(open(&mut key, &genuine).unwrap().sender, SenderId([90; 12]), "the honest sender opens");
        assert_ne!(key.senders.clone().map(|sender| sender.unwrap().prefix), before);
    }
}
