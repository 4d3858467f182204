//! Sealing and opening of the entries of a presence. An entry has the layout of a sealed message, with
//! `aad = LP("sealwire/presence/v1") channel id (16) member id (16) u64 number`, a random nonce and
//! `plaintext = u64 time of sealing in ms ‖ u64 time of entering in ms ‖ LP(account) ‖ LP(data) ‖ signature of the page ‖ zeros`
//! up to the Padmé size. The signature may be absent. It has the layout of a page's signature in a message.

use super::{AuthorSignature, SealedMessage, Unreadable, begin_sealed, end_sealed, read_text};
use crate::{ChannelId, ChannelKey, UnixMillis, hashing::Parts, limits};
use alloc::{string::String, vec::Vec};
use sealwire_xaes::NONCE_LEN;

const DOMAIN: &str = "sealwire/presence/v1";

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
    /// The account that the member claims to have. A signature proves it if the certificate has the same account.
    pub account: String,
    /// The data of the app, as JSON text.
    pub data: String,
    /// The signature of [`EntryPlace::signed_text`] with its certificate, if the entry is signed.
    pub signature: Option<AuthorSignature>,
}

impl EntryPlace {
    /// Returns the bytes that the page of a member signs: `LP("sealwire/presence-signature/v1") channel id (16) member id (16)
    /// u64 number u64 time of sealing in ms u64 time of entering in ms LP(account) LP(data)`.
    #[must_use]
    pub fn signed_text(&self, entry: &Entry) -> Vec<u8> {
        let mut text = self.with_domain("sealwire/presence-signature/v1");
        entry.write(&mut text);
        text
    }

    /// Seals an entry. `nonce` must be random for each call. The account and the data must be within their limits.
    #[must_use]
    pub fn seal(&self, key: &ChannelKey, nonce: [u8; NONCE_LEN], entry: &Entry) -> Vec<u8> {
        let signature_len = entry.signature.as_ref().map_or(0, AuthorSignature::sealed_len);
        let length = 8 + 8 + 4 + entry.account.len() + 4 + entry.data.len() + signature_len;
        let mut sealed = begin_sealed(key, &nonce, length);
        entry.write(&mut sealed);
        if let Some(signature) = &entry.signature {
            signature.write(&mut sealed);
        }
        end_sealed(key, &nonce, &self.with_domain(DOMAIN), &mut sealed);
        sealed
    }

    /// Authenticates and decrypts an entry.
    ///
    /// # Errors
    /// [`Unreadable`] unless exactly this entry was sealed with this key for this place.
    pub fn open(&self, sealed: &SealedMessage<'_>, key: &ChannelKey) -> Result<Entry, Unreadable> {
        let plaintext = sealed.decrypt(key.id, |plaintext| {
            key.cipher.decrypt(sealed.nonce, &self.with_domain(DOMAIN), plaintext, sealed.tag)
        });
        Entry::read(&plaintext?)
    }

    /// Returns the place behind a domain.
    fn with_domain(&self, domain: &str) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(80);
        bytes.length_prefixed(domain);
        bytes.bytes(&self.channel.0);
        bytes.bytes(&self.member);
        bytes.bytes(&self.number.to_be_bytes());
        bytes
    }
}

impl Entry {
    /// Writes everything but the signature.
    fn write(&self, out: &mut Vec<u8>) {
        out.bytes(&self.sealed_at.0.to_be_bytes());
        out.bytes(&self.entered_at.0.to_be_bytes());
        out.length_prefixed(&self.account);
        out.length_prefixed(&self.data);
    }

    fn read(plaintext: &[u8]) -> Result<Self, Unreadable> {
        let (sealed_at, rest) = plaintext.split_first_chunk().ok_or(Unreadable)?;
        let (entered_at, rest) = rest.split_first_chunk().ok_or(Unreadable)?;
        let (account, rest) = read_text(rest)?;
        let (data, rest) = read_text(rest)?;
        let signature = AuthorSignature::read(rest)?;
        // A function is no member.
        if signature.as_ref().is_some_and(|signature| signature.certificate.is_none()) {
            return Err(Unreadable);
        }
        let time = |bytes: &[u8; 8]| UnixMillis(u64::from_be_bytes(*bytes));
        Ok(Self { sealed_at: time(sealed_at), entered_at: time(entered_at), account, data, signature })
    }
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
    use crate::{Certificate, Certified, EncryptionKey, Message, Scope, SenderId, Signature, Stamp, seal};
    use proptest::prelude::*;

    const PLACE: EntryPlace = EntryPlace { channel: ChannelId([3; 16]), member: [5; 16], number: 9 };

    fn key(byte: u8) -> ChannelKey {
        EncryptionKey::new([byte; 32]).scope_key("app", "site", &Scope::default()).channel_key(None, "chat")
    }

    fn entry(account: &str, data: &str) -> Entry {
        let (account, data) = (account.into(), data.into());
        let (sealed_at, entered_at) = (UnixMillis(1_800_000_000_123), UnixMillis(7));
        Entry { sealed_at, entered_at, account, data, signature: None }
    }

    fn signed(account: &str, data: &str) -> Entry {
        let public_key = &[4; Certificate::PUBLIC_KEY_LEN];
        let certified = Certified { public_key, expires_at: UnixMillis(1_800_000_900_000), account };
        let certificate = Some(certified.sign(Signature([6; Signature::LEN])));
        let signature = AuthorSignature { certificate, signature: Signature([7; Signature::LEN]) };
        Entry { signature: Some(signature), ..entry(account, data) }
    }

    fn open(place: EntryPlace, sealed: &[u8], key: &ChannelKey) -> Result<Entry, Unreadable> {
        place.open(&SealedMessage::parse(sealed)?, key)
    }

    proptest! {
        #[test]
        fn a_sealed_entry_opens_to_the_same_content(
            account in ".{0,64}", data in ".{0,800}", times: (u64, u64), nonce: ([u8; 12], [u8; 12]),
            is_signed: bool,
        ) {
            let (sealed_at, entered_at) = (UnixMillis(times.0), UnixMillis(times.1));
            let signature = signed("anna", "").signature.filter(|_| is_signed);
            let entry = Entry { sealed_at, entered_at, account, data, signature };
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
        assert!(parsed.open(&mut key(1), PLACE.channel, "").is_err());
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
        for entry in [entry(&account, &data), signed(&account, &data)] {
            let sealed = PLACE.seal(&key(1), [4; 24], &entry);
            assert!(sealed.len() <= 4096, "{}", sealed.len());
        }
    }

    #[test]
    fn the_signed_text_differs_for_every_part_and_covers_no_signature() {
        let text = |place: EntryPlace, entry: &Entry| place.signed_text(entry);
        let entry = entry("anna", "{}");
        let first = text(PLACE, &entry);
        for other in [
            text(EntryPlace { channel: ChannelId([4; 16]), ..PLACE }, &entry),
            text(EntryPlace { member: [6; 16], ..PLACE }, &entry),
            text(EntryPlace { number: 8, ..PLACE }, &entry),
            text(PLACE, &Entry { sealed_at: UnixMillis(1), ..entry.clone() }),
            text(PLACE, &Entry { entered_at: UnixMillis(1), ..entry.clone() }),
            text(PLACE, &Entry { account: "ann".into(), data: "a{}".into(), ..entry.clone() }),
            text(PLACE, &Entry { data: "[]".into(), ..entry.clone() }),
        ] {
            assert_ne!(first, other);
        }
        assert_eq!(first, text(PLACE, &signed("anna", "{}")));
    }

    #[test]
    fn the_signature_of_a_function_makes_an_entry_unreadable() {
        let signature = Some(Signature([7; Signature::LEN]).into());
        let sealed = PLACE.seal(&key(1), [4; 24], &Entry { signature, ..entry("anna", "{}") });
        assert_eq!(open(PLACE, &sealed, &key(1)), Err(Unreadable));
        assert_eq!(
            open(PLACE, &PLACE.seal(&key(1), [4; 24], &signed("a", "1")), &key(1)),
            Ok(signed("a", "1"))
        );
    }

    #[test]
    fn the_length_reveals_the_data_only_up_to_the_padding() {
        let length = |data: &str| PLACE.seal(&key(1), [4; 24], &entry("", data)).len();
        assert_eq!(length(&"d".repeat(500)), length(&"d".repeat(503)));
        assert!(length("") >= 45);
    }
}
