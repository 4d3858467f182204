//! A revocation as a message of the stream, as protobuf: digests, a time and authentication tags. Each tag is made with a
//! signing key of the app, which the relays share, so that access to the stream alone revokes nothing.

use crate::{
    auth::{
        revocations::{Selection, SharedRevocation},
        signing_keys::SigningKeys,
    },
    id_digest::IdDigest,
};
use prost::Message;
use sealwire_protocol::{UnixSeconds, limits};
use std::fmt;

/// The version of the format.
const VERSION: u32 = 1;
/// The purpose of the tags; see [`SigningKey::tag`](sealwire_protocol::tokens::SigningKey::tag).
const PURPOSE: &str = "sealwire revocation 1";
/// The maximum number of tags, of as many keys of the app.
const MAX_TAGS: usize = 4;
/// The maximum size of a message, in bytes.
pub(crate) const MAX_MESSAGE: usize = 2048;

/// The last part of a subject: two messages have the same one if they revoke the same selection of the same installation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct EntryName {
    pub(crate) installation: IdDigest,
    selection: IdDigest,
}

/// A message of the stream after its tags were checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) revocation: SharedRevocation,
    /// The `kid`s of its valid tags.
    kids: Vec<String>,
}

#[derive(Clone, PartialEq, Message)]
struct WireEntry {
    #[prost(uint32, tag = "1")]
    version: u32,
    /// An encoded [`WireRevocation`].
    #[prost(bytes = "vec", tag = "2")]
    revocation: Vec<u8>,
    #[prost(message, repeated, tag = "3")]
    tags: Vec<WireTag>,
}

#[derive(Clone, PartialEq, Message)]
struct WireTag {
    #[prost(string, tag = "1")]
    kid: String,
    #[prost(bytes = "vec", tag = "2")]
    tag: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
struct WireRevocation {
    #[prost(bytes = "vec", tag = "1")]
    installation: Vec<u8>,
    /// Empty for all accounts.
    #[prost(bytes = "vec", tag = "2")]
    account: Vec<u8>,
    #[prost(bytes = "vec", repeated, tag = "3")]
    context: Vec<Vec<u8>>,
    /// In seconds since 1970.
    #[prost(uint64, tag = "4")]
    before: u64,
}

impl EntryName {
    pub(crate) fn of(revocation: &SharedRevocation) -> Self {
        let SharedRevocation { installation, selection, .. } = revocation;
        let account = selection.account.iter();
        let parts = account.map(|account| (0, account)).chain(selection.context.iter().map(|part| (1, part)));
        let parts = parts.map(|(kind, part)| [&[kind], part.as_bytes().as_slice()].concat());
        Self { installation: *installation, selection: IdDigest::of("selection", parts) }
    }
}

/// The name as two tokens of a subject.
impl fmt::Display for EntryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.installation, self.selection)
    }
}

impl Entry {
    /// Encodes a revocation with tags of the app's current keys.
    pub(crate) fn encode(revocation: &SharedRevocation, keys: &SigningKeys) -> Vec<u8> {
        let SharedRevocation { app, installation, selection, before } = revocation;
        let bytes = |digest: &IdDigest| digest.as_bytes().to_vec();
        let record = WireRevocation {
            installation: bytes(installation),
            account: selection.account.as_ref().map(bytes).unwrap_or_default(),
            context: selection.context.iter().map(bytes).collect(),
            before: before.0,
        };
        let record = record.encode_to_vec();
        let tags = keys.tags(app, PURPOSE, &record, MAX_TAGS).into_iter();
        let tags = tags.map(|(kid, tag)| WireTag { kid, tag: tag.to_vec() }).collect();
        WireEntry { version: VERSION, revocation: record, tags }.encode_to_vec()
    }

    /// Decodes a message, and checks that a key of this relay made one of its tags.
    pub(crate) fn decode(bytes: &[u8], keys: &SigningKeys) -> Option<Self> {
        if bytes.len() > MAX_MESSAGE {
            return None;
        }
        let WireEntry { version, revocation: record, tags } = WireEntry::decode(bytes).ok()?;
        if version != VERSION || tags.len() > MAX_TAGS {
            return None;
        }
        let app = tags.iter().find_map(|WireTag { kid, tag }| keys.tagged_by(kid, PURPOSE, &record, tag))?;
        let wire = WireRevocation::decode(&*record).ok()?;
        let account = match wire.account.is_empty() {
            true => None,
            false => Some(IdDigest::from_slice(&wire.account)?),
        };
        if wire.context.len() > limits::MAX_PROPERTIES {
            return None;
        }
        let context =
            wire.context.iter().map(|digest| IdDigest::from_slice(digest)).collect::<Option<_>>()?;
        let installation = IdDigest::from_slice(&wire.installation)?;
        let (selection, before) = (Selection { account, context }, UnixSeconds(wire.before));
        let revocation = SharedRevocation { app, installation, selection, before };
        let made = |WireTag { kid, tag }: &WireTag| {
            keys.tagged_by(kid, PURPOSE, &record, tag).is_some_and(|app| app == revocation.app)
        };
        let kids = tags.iter().filter(|tag| made(tag)).map(|tag| tag.kid.clone()).collect();
        Some(Self { revocation, kids })
    }

    /// Returns whether nothing is gained by replacing this message with one of `revocation`: it covers as much, and has a
    /// tag of each of the app's keys.
    pub(crate) fn suffices_for(&self, revocation: &SharedRevocation, keys: &SigningKeys) -> bool {
        let kids = keys.tags(&revocation.app, PURPOSE, &[], MAX_TAGS);
        self.revocation.before >= revocation.before && kids.iter().all(|(kid, _)| self.kids.contains(kid))
    }
}

/// Tags a record as a relay does, for the fuzz target, so that it reaches the checks behind the tag.
#[cfg(feature = "fuzzing")]
pub(crate) fn tag_record(record: &[u8], app: &str, keys: &SigningKeys) -> Vec<u8> {
    let tags = keys.tags(app, PURPOSE, record, MAX_TAGS).into_iter();
    let tags = tags.map(|(kid, tag)| WireTag { kid, tag: tag.to_vec() }).collect();
    WireEntry { version: VERSION, revocation: record.to_vec(), tags }.encode_to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::revocations::Selector;
    use proptest::prelude::*;
    use sealwire_protocol::{
        Scope,
        tokens::{Keyring, SigningKey},
    };

    fn revocation(account: Option<&str>) -> SharedRevocation {
        let mut context = Scope::default();
        context.insert("dashboard", "7").unwrap();
        context.insert("module", "absences").unwrap();
        let selector = Selector { account: account.map(str::to_owned), context };
        SharedRevocation::new("app", "site", &selector, UnixSeconds(1_800_000_000))
    }

    #[test]
    fn a_relay_with_any_of_the_keys_reads_the_revocation() {
        let revocation = revocation(Some("alice"));
        let bytes = Entry::encode(
            &revocation,
            &SigningKeys::of_kids(&[("app", "old"), ("app", "new"), ("other", "third")]),
        );
        for kid in ["old", "new"] {
            let entry = Entry::decode(&bytes, &SigningKeys::of_kids(&[("app", kid)])).unwrap();
            assert_eq!(entry.revocation, revocation);
        }
        assert_eq!(Entry::decode(&bytes, &SigningKeys::of_kids(&[("other", "third")])), None);
    }

    #[test]
    fn access_to_the_stream_alone_revokes_nothing() {
        let bytes = Entry::encode(&revocation(Some("alice")), &SigningKeys::of_kids(&[("app", "kid")]));
        // The key of another app with the same kid is another key.
        let mut keyring = Keyring::default();
        keyring.insert("app", SigningKey::new("kid", vec![9; 64]).unwrap()).unwrap();
        assert_eq!(Entry::decode(&bytes, &SigningKeys::new(keyring)), None);
        let mut wire = WireEntry::decode(&*bytes).unwrap();
        let mut record = WireRevocation::decode(&*wire.revocation).unwrap();
        record.before += 1;
        wire.revocation = record.encode_to_vec();
        assert_eq!(Entry::decode(&wire.encode_to_vec(), &SigningKeys::of_kids(&[("app", "kid")])), None);
        wire.tags.clear();
        assert_eq!(Entry::decode(&wire.encode_to_vec(), &SigningKeys::of_kids(&[("app", "kid")])), None);
    }

    #[test]
    fn a_message_contains_no_name() {
        let bytes = Entry::encode(&revocation(Some("alice")), &SigningKeys::of_kids(&[("app", "kid")]));
        let text = String::from_utf8_lossy(&bytes).into_owned()
            + &EntryName::of(&revocation(Some("alice"))).to_string();
        for name in ["app", "site", "alice", "dashboard", "absences"] {
            assert!(!text.contains(name), "{name}");
        }
    }

    #[test]
    fn names_differ_by_selection_and_not_by_time() {
        let (alice, all) = (revocation(Some("alice")), revocation(None));
        assert_ne!(EntryName::of(&alice), EntryName::of(&all));
        assert_eq!(
            EntryName::of(&alice),
            EntryName::of(&SharedRevocation { before: UnixSeconds(1), ..alice.clone() })
        );
        // An account does not have the name of a property with the same digest.
        let mut swapped = alice.clone();
        swapped.selection.context.insert(0, swapped.selection.account.take().unwrap());
        assert_ne!(EntryName::of(&alice), EntryName::of(&swapped));
    }

    #[test]
    fn a_message_is_replaced_by_a_later_time_or_another_key() {
        let (early, one) = (revocation(None), SigningKeys::of_kids(&[("app", "one")]));
        let later = SharedRevocation { before: UnixSeconds(early.before.0 + 1), ..early.clone() };
        let entry = Entry::decode(&Entry::encode(&early, &one), &one).unwrap();
        assert!(entry.suffices_for(&early, &one) && !entry.suffices_for(&later, &one));
        assert!(!entry.suffices_for(&early, &SigningKeys::of_kids(&[("app", "one"), ("app", "two")])));
    }

    #[test]
    fn the_largest_message_is_within_the_limit() {
        let kids: Vec<String> =
            (0..9).map(|number: u8| format!("{number}").repeat(limits::MAX_KEY_ID)).collect();
        let known: Vec<(&str, &str)> = kids.iter().map(|kid| ("app", &**kid)).collect();
        let mut largest = revocation(Some("alice"));
        largest.selection.context = vec![IdDigest::app("a"); limits::MAX_PROPERTIES];
        let bytes = Entry::encode(&largest, &SigningKeys::of_kids(&known));
        assert!(bytes.len() < MAX_MESSAGE, "{}", bytes.len());
        assert!(Entry::decode(&bytes, &SigningKeys::of_kids(&known)).is_some());
    }

    proptest! {
        #[test]
        fn mangled_messages_never_panic_and_are_refused(position in any::<prop::sample::Index>(), flip in 1..=255_u8) {
            let keys = SigningKeys::of_kids(&[("app", "kid")]);
            let mut bytes = Entry::encode(&revocation(Some("alice")), &keys);
            let position = position.index(bytes.len());
            let _ = Entry::decode(&bytes[..position], &keys);
            bytes[position] ^= flip;
            let read = Entry::decode(&bytes, &keys);
            prop_assert!(read.is_none_or(|entry| entry.revocation == revocation(Some("alice"))));
        }
    }
}
