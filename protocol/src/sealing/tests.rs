//! Tests of sealing: round trips, tampering, padding, limits and retries.

use super::*;
use crate::{ChannelAddress, EncryptionKey, Scope, canonical_claims};
use alloc::format;
use proptest::prelude::*;

const CHANNEL: ChannelId = ChannelId([3; 16]);
const TIME: UnixMillis = UnixMillis(1_800_000_000_123);

fn scope(pairs: &[(&str, &str)]) -> Scope {
    let mut scope = Scope::default();
    for (property, value) in pairs {
        scope.insert(property, value).unwrap();
    }
    scope
}

fn key(byte: u8) -> ChannelKey {
    let context = scope(&[("issue", "1")]);
    EncryptionKey::new([byte; 32]).scope_key("app", "site", &context).channel_key(None, "chat")
}

fn sealed(payload: &str) -> Vec<u8> {
    seal(&key(1), [2; 24], CHANNEL, "added", TIME, payload).unwrap()
}

fn open(
    sealed: &[u8],
    key: &ChannelKey,
    channel: ChannelId,
    event: &str,
) -> Result<OpenedMessage, Unreadable> {
    SealedMessage::parse(sealed)?.open(key, channel, event)
}

proptest! {
    #[test]
    fn a_sealed_message_opens_to_the_same_payload_and_time(payload in ".{0,2000}", event in ".{0,60}", nonce: [u8; 24], time: u64) {
        let sealed = seal(&key(1), nonce, CHANNEL, &event, UnixMillis(time), &payload).unwrap();
        let opened = open(&sealed, &key(1), CHANNEL, &event).unwrap();
        prop_assert_eq!(opened, OpenedMessage { published_at: UnixMillis(time), payload });
    }

    #[test]
    fn bytes_that_were_not_sealed_do_not_open(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        prop_assert_eq!(open(&bytes, &key(1), CHANNEL, "added"), Err(Unreadable));
    }
}

#[test]
fn aes_gcm_input_matches_the_sealed_message_and_its_plaintext_reads_the_same() {
    let sealed = sealed("{}");
    let message = SealedMessage::parse(&sealed).unwrap();
    assert_eq!(message.aes_gcm_input(&key(2), CHANNEL, "added"), None);
    let input = message.aes_gcm_input(&key(1), CHANNEL, "added").unwrap();
    // The published cases of XAES-256-GCM test the key.
    assert_eq!(input.ciphertext, sealed[HEADER_LEN..]);
    assert_eq!(input.nonce, sealed[HEADER_LEN - GCM_NONCE_LEN..HEADER_LEN]);
    assert_eq!(input.associated_data, associated_data(CHANNEL, "added"));
    let mut plaintext = TIME.0.to_be_bytes().to_vec();
    plaintext.length_prefixed("{}");
    plaintext.extend([0; 2]);
    assert_eq!(OpenedMessage::read(&plaintext), open(&sealed, &key(1), CHANNEL, "added"));
    plaintext.extend([1]);
    assert_eq!(OpenedMessage::read(&plaintext), Err(Unreadable));
}

#[test]
fn every_flipped_bit_and_every_truncation_is_detected() {
    let sealed = sealed("{\"name\":\"Anna\"}");
    for index in 0..sealed.len() {
        for bit in 0..8 {
            let mut altered = sealed.clone();
            altered[index] ^= 1 << bit;
            assert_eq!(
                open(&altered, &key(1), CHANNEL, "added"),
                Err(Unreadable),
                "bit {bit} of byte {index}"
            );
        }
        assert_eq!(open(&sealed[..index], &key(1), CHANNEL, "added"), Err(Unreadable), "cut at {index}");
    }
}

#[test]
fn a_message_with_another_event_channel_or_key_does_not_open() {
    let sealed = sealed("{}");
    assert!(open(&sealed, &key(1), CHANNEL, "added").is_ok());
    assert_eq!(open(&sealed, &key(1), CHANNEL, "removed"), Err(Unreadable));
    assert_eq!(open(&sealed, &key(1), ChannelId([4; 16]), "added"), Err(Unreadable));
    assert_eq!(open(&sealed, &key(9), CHANNEL, "added"), Err(Unreadable));
}

#[test]
fn payloads_of_similar_lengths_have_the_same_sealed_size() {
    let size = |length: usize| sealed(&"x".repeat(length)).len();
    assert_eq!(size(1_000), size(1_012));
    assert_eq!(size(1_012), 1024 + SEALED_OVERHEAD);
}

#[test]
fn the_longest_payload_fits_the_sealed_limit_and_one_more_byte_is_refused() {
    let longest = "x".repeat(limits::MAX_PAYLOAD);
    let sealed = sealed(&longest);
    assert!(sealed.len() <= limits::MAX_SEALED);
    assert_eq!(open(&sealed, &key(1), CHANNEL, "added").unwrap().payload, longest);
    let over = seal(&key(1), [0; 24], CHANNEL, "", TIME, &format!("{longest}x"));
    assert_eq!(over, Err(TooLarge(limits::MAX_PAYLOAD + 1)));
}

#[test]
fn scopes_claims_apps_and_installations_never_share_a_channel() {
    let (subset, superset) = (scope(&[("project", "2")]), scope(&[("issue", "1"), ("project", "2")]));
    let base =
        ChannelAddress { app: "app", installation: "site", scope: &subset, claims_tag: None, name: "chat" };
    let ids = [
        base.id(),
        ChannelAddress { scope: &superset, ..base }.id(),
        ChannelAddress { app: "app2", ..base }.id(),
        ChannelAddress { installation: "site2", ..base }.id(),
        ChannelAddress { claims_tag: Some(&[1; 32]), ..base }.id(),
        ChannelAddress { name: "chat2", ..base }.id(),
        // The same characters with another boundary between app and installation.
        ChannelAddress { app: "appsi", installation: "te", ..base }.id(),
    ];
    for (index, id) in ids.iter().enumerate() {
        assert!(!ids[..index].contains(id), "{index}");
    }
}

#[test]
fn equal_claims_have_one_canonical_form() {
    let canonical = canonical_claims(r#"{ "b": 1.0, "a": {"z":"é","y":[true,null]} }"#).unwrap();
    assert_eq!(canonical, r#"{"a":{"y":[true,null],"z":"é"},"b":1}"#);
    assert_eq!(canonical_claims(&canonical).unwrap(), canonical);
    for refused in ["", "[]", "1", "{", "null"] {
        assert!(canonical_claims(refused).is_err(), "{refused}");
    }
    let long = format!(r#"{{"a":"{}"}}"#, "x".repeat(limits::MAX_CLAIMS));
    assert!(canonical_claims(&long).is_err());
}

#[test]
fn a_retry_under_an_app_chosen_id_has_the_same_bytes_and_any_other_message_another_nonce() {
    let sealed = |key: &ChannelKey, sender: &str, id: &str, event: &str, payload: &str| {
        seal_repeatable(key, CHANNEL, sender, id, event, payload).unwrap()
    };
    let first = sealed(&key(1), "ada", "note-1", "added", "1");
    assert_eq!(sealed(&key(1), "ada", "note-1", "added", "1"), first);
    assert_eq!(
        open(&first.0, &key(1), CHANNEL, "added"),
        Ok(OpenedMessage { published_at: UnixMillis(0), payload: "1".into() })
    );
    let nonce = |sealed: &[u8]| sealed[5..29].to_vec();
    for (key, sender, id, event, payload, same_id) in [
        (key(1), "ada", "note-1", "added", "2", true),
        (key(1), "ada", "note-1", "gone", "1", true),
        (key(1), "ada", "note-2", "added", "1", false),
        (key(1), "ben", "note-1", "added", "1", false),
        (key(2), "ada", "note-1", "added", "1", false),
        (key(1), "adanote", "-1", "added", "1", false),
    ] {
        let other = sealed(&key, sender, id, event, payload);
        assert_eq!(other.1 == first.1, same_id, "{sender} {id} {event} {payload}");
        assert!(nonce(&other.0) != nonce(&first.0), "{sender} {id} {event} {payload}");
    }
    let long = "1".repeat(limits::MAX_PAYLOAD + 1);
    assert_eq!(seal_repeatable(&key(1), CHANNEL, "", "x", "", &long), Err(TooLarge(limits::MAX_PAYLOAD + 1)));
}
