//! Sealing and opening of the entries of a presence. An entry has the layout of a sealed message, with
//! `aad = LP("sealwire/presence/v1") channel id (16) member id (16) u64 number`, a random nonce and
//! `plaintext = u64 time of sealing in ms ‖ u64 time of entering in ms ‖ LP(account) ‖ LP(data) ‖ zeros` up to the Padmé size.

use super::{HEADER_LEN, SEALED_OVERHEAD, SealedMessage, Unreadable, VERSION};
use crate::{ChannelId, ChannelKey, UnixMillis, hashing::Parts, limits, padme};
use alloc::{string::String, vec::Vec};
use sealwire_xaes::{NONCE_LEN, decrypt, encrypt};
use zeroize::Zeroizing;

/// The id of a member of a presence.
pub type MemberId = [u8; limits::MEMBER_ID];

/// The place of an entry, outside of which it does not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EntryPlace {
    /// The channel.
    pub channel: ChannelId,
    /// The member.
    pub member: MemberId,
    /// The number of the entry.
    pub number: u64,
}

/// The content of an entry.
#[derive(Clone, PartialEq, Eq)]
pub struct Entry {
    /// The time of sealing, by the clock that the app's backend vouches for.
    pub sealed_at: UnixMillis,
    /// The time at which the member entered, by the same clock.
    pub entered_at: UnixMillis,
    /// The account that the member claims to have. Nothing proves it.
    pub account: String,
    /// The data of the app, as JSON text.
    pub data: String,
}

impl EntryPlace {
    /// Seals an entry. `nonce` must be random for each call. The account and the data must be within their limits.
    #[must_use]
    pub fn seal(&self, key: &ChannelKey, nonce: [u8; NONCE_LEN], entry: &Entry) -> Vec<u8> {
        let padded = padme::padded_len(8 + 8 + 4 + entry.account.len() + 4 + entry.data.len());
        let mut sealed = Vec::with_capacity(padded + SEALED_OVERHEAD);
        sealed.push(VERSION);
        sealed.bytes(&key.id.0);
        sealed.bytes(&nonce);
        sealed.bytes(&entry.sealed_at.0.to_be_bytes());
        sealed.bytes(&entry.entered_at.0.to_be_bytes());
        sealed.length_prefixed(&entry.account);
        sealed.length_prefixed(&entry.data);
        sealed.resize(HEADER_LEN + padded, 0);
        let tag = encrypt(&key.key, &nonce, &self.associated_data(), &mut sealed[HEADER_LEN..]);
        sealed.bytes(&tag);
        sealed
    }

    /// Authenticates and decrypts an entry.
    ///
    /// # Errors
    /// [`Unreadable`] unless exactly this entry was sealed with this key for this place.
    pub fn open(&self, sealed: &SealedMessage<'_>, key: &ChannelKey) -> Result<Entry, Unreadable> {
        if key.id != sealed.key_id {
            return Err(Unreadable);
        }
        let mut plaintext = Zeroizing::new(sealed.ciphertext.to_vec());
        decrypt(&key.key, sealed.nonce, &self.associated_data(), &mut plaintext, sealed.tag)
            .map_err(|_| Unreadable)?;
        Entry::read(&plaintext)
    }

    fn associated_data(&self) -> Vec<u8> {
        let mut aad = Vec::with_capacity(64);
        aad.length_prefixed("sealwire/presence/v1");
        aad.bytes(&self.channel.0);
        aad.bytes(&self.member);
        aad.bytes(&self.number.to_be_bytes());
        aad
    }
}

impl Entry {
    fn read(plaintext: &[u8]) -> Result<Self, Unreadable> {
        let (sealed_at, rest) = plaintext.split_first_chunk().ok_or(Unreadable)?;
        let (entered_at, rest) = rest.split_first_chunk().ok_or(Unreadable)?;
        let (account, rest) = read_text(rest)?;
        let (data, padding) = read_text(rest)?;
        if padding.iter().any(|byte| *byte != 0) {
            return Err(Unreadable);
        }
        let time = |bytes: &[u8; 8]| UnixMillis(u64::from_be_bytes(*bytes));
        Ok(Self { sealed_at: time(sealed_at), entered_at: time(entered_at), account, data })
    }
}

/// Splits off a text with its length.
fn read_text(bytes: &[u8]) -> Result<(String, &[u8]), Unreadable> {
    let (length, rest) = bytes.split_first_chunk().ok_or(Unreadable)?;
    let length = usize::try_from(u32::from_be_bytes(*length)).map_err(|_| Unreadable)?;
    let (text, rest) = rest.split_at_checked(length).ok_or(Unreadable)?;
    Ok((String::from_utf8(text.to_vec()).map_err(|_| Unreadable)?, rest))
}

/// Omits the account and the data.
impl core::fmt::Debug for Entry {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Entry")
            .field("sealed_at", &self.sealed_at)
            .field("entered_at", &self.entered_at)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{EncryptionKey, Message, Scope, SenderId, Stamp, seal};
    use proptest::prelude::*;

    const PLACE: EntryPlace = EntryPlace { channel: ChannelId([3; 16]), member: [5; 16], number: 9 };

    fn key(byte: u8) -> ChannelKey {
        EncryptionKey::new([byte; 32]).scope_key("app", "site", &Scope::default()).channel_key(None, "chat")
    }

    fn entry(account: &str, data: &str) -> Entry {
        let (account, data) = (account.into(), data.into());
        Entry { sealed_at: UnixMillis(1_800_000_000_123), entered_at: UnixMillis(7), account, data }
    }

    fn open(place: EntryPlace, sealed: &[u8], key: &ChannelKey) -> Result<Entry, Unreadable> {
        place.open(&SealedMessage::parse(sealed)?, key)
    }

    proptest! {
        #[test]
        fn a_sealed_entry_opens_to_the_same_content(
            account in ".{0,64}", data in ".{0,800}", times: (u64, u64), nonce: ([u8; 12], [u8; 12]),
        ) {
            let (sealed_at, entered_at) = (UnixMillis(times.0), UnixMillis(times.1));
            let entry = Entry { sealed_at, entered_at, account, data };
            let nonce = [nonce.0, nonce.1].concat().try_into().unwrap();
            prop_assert_eq!(open(PLACE, &PLACE.seal(&key(1), nonce, &entry), &key(1)), Ok(entry));
        }

        #[test]
        fn any_bytes_are_unreadable_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = Entry::read(&bytes);
            prop_assert!(open(PLACE, &bytes, &key(1)).is_err());
        }
    }

    #[test]
    fn an_entry_opens_only_at_its_place_and_under_its_key() {
        let sealed = PLACE.seal(&key(1), [4; 24], &entry("anna", "{}"));
        assert!(open(PLACE, &sealed, &key(1)).is_ok());
        let others = [
            EntryPlace { channel: ChannelId([4; 16]), ..PLACE },
            EntryPlace { member: [6; 16], ..PLACE },
            EntryPlace { number: 8, ..PLACE },
            EntryPlace { number: 10, ..PLACE },
        ];
        for other in others {
            assert_eq!(open(other, &sealed, &key(1)), Err(Unreadable), "{other:?}");
        }
        assert_eq!(open(PLACE, &sealed, &key(2)), Err(Unreadable));
        for at in 0..sealed.len() {
            let mut altered = sealed.clone();
            altered[at] ^= 1;
            assert_eq!(open(PLACE, &altered, &key(1)), Err(Unreadable), "byte {at}");
        }
    }

    #[test]
    fn an_entry_is_no_message_and_a_message_no_entry() {
        let sealed = PLACE.seal(&key(1), [4; 24], &entry("anna", "{}"));
        let parsed = SealedMessage::parse(&sealed).unwrap();
        assert!(parsed.open(&key(1), PLACE.channel, "").is_err());
        let message = Message {
            sender: SenderId([2; 12]),
            stamp: Stamp { number: 1, confirmed: 0 },
            published_at: UnixMillis(1),
            event: "",
            payload: "{}",
            signature: None,
        };
        let sealed = seal(&key(1), [6; 12], PLACE.channel, &message).unwrap();
        assert_eq!(open(PLACE, &sealed, &key(1)), Err(Unreadable));
    }

    #[test]
    fn the_largest_data_fits_the_default_limit_of_the_relay() {
        let (account, data) = ("a".repeat(limits::MAX_ACCOUNT), "d".repeat(limits::MAX_PRESENCE_DATA));
        let sealed = PLACE.seal(&key(1), [4; 24], &entry(&account, &data));
        assert!(sealed.len() <= 4096, "{}", sealed.len());
    }

    #[test]
    fn the_length_reveals_the_data_only_up_to_the_padding() {
        let length = |data: &str| PLACE.seal(&key(1), [4; 24], &entry("", data)).len();
        assert_eq!(length(&"d".repeat(500)), length(&"d".repeat(503)));
        assert!(length("") >= 45);
    }
}
