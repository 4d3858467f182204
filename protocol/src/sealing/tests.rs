//! Tests of sealing: round trips, tampering, padding, limits and retries.

use super::*;
use crate::{ChannelAddress, EncryptionKey, Scope, canonical_claims};
use alloc::{format, vec};
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

const SENDER: SenderId = SenderId([2; 12]);
const STAMP: Stamp = Stamp { number: 9, confirmed: 0b101 };

fn message(payload: &str) -> Message<'_> {
    Message { sender: SENDER, stamp: STAMP, published_at: TIME, event: "added", payload, signature: None }
}

fn certificate(account: &str) -> Certificate {
    let public_key = &[4; Certificate::PUBLIC_KEY_LEN];
    Certified { public_key, expires_at: UnixMillis(TIME.0 + 1), account }.sign(Signature([8; Signature::LEN]))
}

fn sealed(payload: &str) -> Vec<u8> {
    seal(&key(1), [6; 12], CHANNEL, &message(payload)).unwrap()
}

fn open(
    sealed: &[u8],
    key: &mut ChannelKey,
    channel: ChannelId,
    event: &str,
) -> Result<OpenedMessage, Unreadable> {
    SealedMessage::parse(sealed)?.open(key, channel, event)
}

proptest! {
    #[test]
    fn a_sealed_message_opens_to_the_same_content(
        payload in ".{0,2000}",
        event in ".{0,60}",
        nonce: ([u8; 12], [u8; 12]),
        time: u64,
        number in 1..u32::MAX,
        confirmed: u64,
        signature: Option<[u8; 32]>,
        account in proptest::option::of(".{1,64}"),
    ) {
        let signature = signature.map(|half| AuthorSignature {
            signature: Signature([half, half].concat().try_into().unwrap()),
            certificate: account.map(|account| certificate(&account)),
        });
        let stamp = Stamp { number, confirmed };
        let (sender, published_at) = (SenderId(nonce.0), UnixMillis(time));
        let message = Message { sender, stamp, published_at, event: &event, payload: &payload, signature: signature.as_ref() };
        let sealed = seal(&key(1), nonce.1, CHANNEL, &message).unwrap();
        let opened = open(&sealed, &mut key(1), CHANNEL, &event).unwrap();
        prop_assert_eq!(opened, OpenedMessage { sender, stamp, published_at, payload, signature });
    }

    #[test]
    fn bytes_that_were_not_sealed_do_not_open(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        prop_assert_eq!(open(&bytes, &mut key(1), CHANNEL, "added"), Err(Unreadable));
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
    plaintext.extend([0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0b101]);
    plaintext.length_prefixed("{}");
    plaintext.extend([0; 4]);
    assert_eq!(OpenedMessage::read(SENDER, &plaintext), open(&sealed, &mut key(1), CHANNEL, "added"));
    plaintext.extend([1]);
    assert_eq!(OpenedMessage::read(SENDER, &plaintext), Err(Unreadable));
}

#[test]
fn a_signature_follows_the_payload_and_anything_else_there_is_refused() {
    let mut plaintext = TIME.0.to_be_bytes().to_vec();
    plaintext.extend(STAMP.to_bytes());
    plaintext.length_prefixed("{}");
    let read = |end: &[u8]| OpenedMessage::read(SENDER, &[&plaintext[..], end].concat());
    let signed = |kind: u8, length: usize, padding: &[u8]| {
        [&[kind][..], &[7; Signature::LEN][..length], padding].concat()
    };
    let certified = { [&[2], certificate("anna").as_bytes(), &[7; Signature::LEN]].concat() };
    for padding in [&[][..], &[0; 5]] {
        assert_eq!(read(padding).unwrap().signature, None);
        let opened = read(&signed(1, Signature::LEN, padding)).unwrap();
        assert_eq!(opened.signature, Some(Signature([7; Signature::LEN]).into()));
        let opened = read(&[&certified, padding].concat()).unwrap().signature.unwrap();
        assert_eq!(opened.certificate, Some(certificate("anna")));
        assert_eq!(opened.signature, Signature([7; Signature::LEN]));
    }
    for (kind, length, padding) in
        [(1, 63, &[][..]), (1, Signature::LEN, &[0, 1]), (2, Signature::LEN, &[]), (3, Signature::LEN, &[])]
    {
        assert_eq!(read(&signed(kind, length, padding)), Err(Unreadable), "{kind} {length} {padding:?}");
    }
    for length in 1..certified.len() {
        assert_eq!(read(&certified[..length]), Err(Unreadable), "{length}");
    }
}

/// The lengths in docs/security.md.
#[test]
fn a_signature_of_a_function_has_65_bytes_and_that_of_a_page_206_and_its_account() {
    let of_function = AuthorSignature::from(Signature([7; Signature::LEN]));
    assert_eq!(of_function.sealed_len(), 65);
    for account in ["a", "712020:6fb5a3b0-1f3c-4d2e-9a51-0c5d1e7a9b42"] {
        let of_page = AuthorSignature { certificate: Some(certificate(account)), ..of_function };
        assert_eq!(of_page.sealed_len(), 206 + account.len());
        let length = |signature| {
            seal(&key(1), [6; 12], CHANNEL, &Message { signature, ..message("1") }).unwrap().len()
        };
        let padded = |bytes: usize| padme::padded_len(PREFIX_LEN + 1 + bytes) + SEALED_OVERHEAD;
        assert_eq!(length(Some(&of_page)), padded(206 + account.len()));
    }
}

#[test]
fn a_signed_text_differs_for_every_part_of_the_message() {
    let text = |message: &Message<'_>| signed_text(CHANNEL, message);
    let first = text(&message("1"));
    for other in [
        text(&message("2")),
        text(&Message { event: "adde", payload: "d1", ..message("") }),
        text(&Message { sender: SenderId([9; 12]), ..message("1") }),
        text(&Message { stamp: Stamp { number: 10, ..STAMP }, ..message("1") }),
        text(&Message { published_at: UnixMillis(TIME.0 + 1), ..message("1") }),
        signed_text(ChannelId([4; 16]), &message("1")),
    ] {
        assert_ne!(first, other);
    }
    // The stamp's bitmap says what the relay acknowledged, not what the author wrote.
    assert_eq!(first, text(&Message { stamp: Stamp { confirmed: 0, ..STAMP }, ..message("1") }));
}

#[test]
fn every_flipped_bit_and_every_truncation_is_detected() {
    let sealed = sealed("{\"name\":\"Anna\"}");
    for index in 0..sealed.len() {
        for bit in 0..8 {
            let mut altered = sealed.clone();
            altered[index] ^= 1 << bit;
            assert_eq!(
                open(&altered, &mut key(1), CHANNEL, "added"),
                Err(Unreadable),
                "bit {bit} of byte {index}"
            );
        }
        assert_eq!(open(&sealed[..index], &mut key(1), CHANNEL, "added"), Err(Unreadable), "cut at {index}");
    }
}

#[test]
fn a_message_with_another_event_channel_or_key_does_not_open() {
    let sealed = sealed("{}");
    assert!(open(&sealed, &mut key(1), CHANNEL, "added").is_ok());
    assert_eq!(open(&sealed, &mut key(1), CHANNEL, "removed"), Err(Unreadable));
    assert_eq!(open(&sealed, &mut key(1), ChannelId([4; 16]), "added"), Err(Unreadable));
    assert_eq!(open(&sealed, &mut key(9), CHANNEL, "added"), Err(Unreadable));
}

#[test]
fn payloads_of_similar_lengths_have_the_same_sealed_size() {
    let size = |length: usize| sealed(&"x".repeat(length)).len();
    assert_eq!(size(990), size(998));
    assert_eq!(size(998), 1024 + SEALED_OVERHEAD);
}

#[test]
fn the_longest_payload_fits_the_sealed_limit_and_one_more_byte_is_refused() {
    let longest = "x".repeat(limits::MAX_PAYLOAD);
    let signature = AuthorSignature {
        certificate: Some(certificate(&"a".repeat(limits::MAX_ACCOUNT))),
        signature: Signature([7; Signature::LEN]),
    };
    let message_of_page = Message { signature: Some(&signature), ..message(&longest) };
    let sealed = seal(&key(1), [6; 12], CHANNEL, &message_of_page).unwrap();
    assert!(sealed.len() <= limits::MAX_SEALED);
    assert_eq!(open(&sealed, &mut key(1), CHANNEL, "added").unwrap().payload, longest);
    let over = seal(&key(1), [0; 12], CHANNEL, &message(&format!("{longest}x")));
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
fn a_message_under_another_sender_id_does_not_open() {
    let sealed = sealed("{}");
    let mut moved = sealed.clone();
    moved[5] ^= 1;
    assert!(SealedMessage::parse(&moved).unwrap().sender() != SENDER);
    assert_eq!(open(&moved, &mut key(1), CHANNEL, "added"), Err(Unreadable));
}

#[test]
fn a_stamp_that_no_sender_writes_is_refused() {
    let plaintext = |number: u32, confirmed: u64| {
        let mut bytes = TIME.0.to_be_bytes().to_vec();
        bytes.extend(number.to_be_bytes());
        bytes.extend(confirmed.to_be_bytes());
        bytes.length_prefixed("1");
        OpenedMessage::read(SENDER, &bytes)
    };
    assert!(plaintext(1, 0).is_ok() && plaintext(5, 0b1111).is_ok());
    assert_eq!(plaintext(0, 0), Err(Unreadable), "numbers begin at 1");
}

#[test]
fn a_retry_under_an_app_chosen_id_has_the_same_ids_and_any_other_message_another_content() {
    let first = repeatable_ids(&key(1), "ada", "note-1", "added", "1");
    assert_eq!(repeatable_ids(&key(1), "ada", "note-1", "added", "1"), first);
    for (key, sender, id, event, payload, same_id) in [
        (key(1), "ada", "note-1", "added", "2", true),
        (key(1), "ada", "note-1", "gone", "1", true),
        (key(1), "ada", "note-2", "added", "1", false),
        (key(1), "ben", "note-1", "added", "1", false),
        (key(2), "ada", "note-1", "added", "1", false),
        (key(1), "adanote", "-1", "added", "1", false),
    ] {
        let other = repeatable_ids(&key, sender, id, event, payload);
        assert_eq!(other.id == first.id, same_id, "{sender} {id} {event} {payload}");
        assert!(other.content != first.content, "{sender} {id} {event} {payload}");
    }
}

#[test]
fn a_stamp_names_the_confirmed_numbers_among_the_64_before_it() {
    let mut numbering = Numbering::new(SENDER);
    let mut next = |confirmed: &[u32]| {
        for number in confirmed {
            numbering.confirm(*number);
        }
        let stamp = numbering.assign();
        (stamp.number, stamp.confirmed, stamp.confirmed_numbers().collect::<Vec<_>>())
    };
    assert_eq!(next(&[]), (1, 0, vec![]));
    assert_eq!(next(&[]), (2, 0, vec![]));
    assert_eq!(next(&[]), (3, 0, vec![]));
    assert_eq!(next(&[2]), (4, 0b10, vec![2]), "whatever the outcome of the others is");
    assert_eq!(next(&[2, 1, 77]), (5, 0b1100, vec![2, 1]), "77 was not assigned");
    for number in 6..=66 {
        next(&[number - 1]);
    }
    let (number, _, confirmed) = next(&[3]);
    assert_eq!((number, confirmed.last(), confirmed.len()), (67, Some(&3), 62));
    assert_eq!(next(&[]).2.last(), Some(&5), "3 is too far behind, and 4 was not confirmed");
    let (_, _, confirmed) = next(&[4]);
    assert_eq!((confirmed.first(), confirmed.last()), (Some(&65), Some(&5)), "4 is too far behind");
}

#[test]
fn a_bit_for_a_number_below_1_names_nothing() {
    let all = |number| Stamp { number, confirmed: u64::MAX }.confirmed_numbers().collect::<Vec<_>>();
    assert_eq!((all(1), all(3)), (vec![], vec![2, 1]));
    assert_eq!((all(65).len(), all(65).last()), (64, Some(&1)));
}

#[test]
fn a_sender_id_ends_before_its_random_nonces_could_repeat() {
    let mut numbering = Numbering::new(SENDER);
    let mut last = 0;
    while !numbering.is_exhausted() {
        last = numbering.assign().number;
    }
    assert_eq!(last, 1 << 24);
}
