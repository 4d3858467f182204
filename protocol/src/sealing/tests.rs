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
const STAMP: Stamp = Stamp { number: 9, settled: 7, confirmed: 0b101 };

fn message(payload: &str) -> Message<'_> {
    Message { sender: SENDER, stamp: STAMP, published_at: TIME, event: "added", payload, signature: None }
}

fn sealed(payload: &str) -> Vec<u8> {
    seal(&key(1), [6; 12], CHANNEL, &message(payload)).unwrap()
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
    fn a_sealed_message_opens_to_the_same_content(
        payload in ".{0,2000}",
        event in ".{0,60}",
        nonce: ([u8; 12], [u8; 12]),
        time: u64,
        number in 1..u32::MAX,
        behind in 0..70_000_u32,
        confirmed: u64,
        signature: Option<[u8; 32]>,
    ) {
        let signature = signature.map(|half| Signature([half, half].concat().try_into().unwrap()));
        let settled = number.saturating_sub(1 + behind);
        let stamp = Stamp { number, settled, confirmed };
        let (sender, published_at) = (SenderId(nonce.0), UnixMillis(time));
        let message = Message { sender, stamp, published_at, event: &event, payload: &payload, signature };
        let sealed = seal(&key(1), nonce.1, CHANNEL, &message).unwrap();
        let opened = open(&sealed, &key(1), CHANNEL, &event).unwrap();
        let lag = number - 1 - settled;
        let expected = if lag > 65_535 { Stamp { number, settled: number - 65_536, confirmed: 0 } } else { stamp };
        prop_assert_eq!(opened, OpenedMessage { sender, stamp: expected, published_at, payload, signature });
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
    plaintext.extend([0, 0, 0, 9, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0b101]);
    plaintext.length_prefixed("{}");
    plaintext.extend([0; 4]);
    assert_eq!(OpenedMessage::read(SENDER, &plaintext), open(&sealed, &key(1), CHANNEL, "added"));
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
    for padding in [&[][..], &[0; 5]] {
        assert_eq!(read(padding).unwrap().signature, None);
        let opened = read(&signed(1, Signature::LEN, padding)).unwrap();
        assert_eq!(opened.signature, Some(Signature([7; Signature::LEN])));
    }
    for (kind, length, padding) in [(1, 63, &[][..]), (1, Signature::LEN, &[0, 1]), (2, Signature::LEN, &[])]
    {
        assert_eq!(read(&signed(kind, length, padding)), Err(Unreadable), "{kind} {length} {padding:?}");
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
    assert_eq!(size(990), size(998));
    assert_eq!(size(998), 1024 + SEALED_OVERHEAD);
}

#[test]
fn the_longest_payload_fits_the_sealed_limit_and_one_more_byte_is_refused() {
    let longest = "x".repeat(limits::MAX_PAYLOAD);
    let signature = Some(Signature([7; Signature::LEN]));
    let sealed = seal(&key(1), [6; 12], CHANNEL, &Message { signature, ..message(&longest) }).unwrap();
    assert!(sealed.len() <= limits::MAX_SEALED);
    assert_eq!(open(&sealed, &key(1), CHANNEL, "added").unwrap().payload, longest);
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
    assert_eq!(open(&moved, &key(1), CHANNEL, "added"), Err(Unreadable));
}

#[test]
fn a_stamp_that_no_sender_writes_is_refused() {
    let plaintext = |number: u32, behind: u16| {
        let mut bytes = TIME.0.to_be_bytes().to_vec();
        bytes.extend(number.to_be_bytes());
        bytes.extend(behind.to_be_bytes());
        bytes.extend([0; 8]);
        bytes.length_prefixed("1");
        OpenedMessage::read(SENDER, &bytes)
    };
    assert!(plaintext(1, 0).is_ok() && plaintext(5, 4).is_ok());
    assert_eq!(plaintext(0, 0), Err(Unreadable), "numbers begin at 1");
    assert_eq!(plaintext(5, 5), Err(Unreadable), "no number is settled before 0");
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
fn a_stamp_names_the_confirmed_numbers_before_the_first_one_without_an_outcome() {
    let mut numbering = Numbering::new(SENDER);
    let confirmed = |stamp: Stamp| {
        let numbers = (0..CONFIRMED_NUMBERS.min(stamp.settled)).filter(|bit| stamp.confirmed >> bit & 1 == 1);
        numbers.map(|bit| stamp.settled - bit).collect::<Vec<u32>>()
    };
    assert_eq!(numbering.assign(), Stamp { number: 1, settled: 0, confirmed: 0 });
    assert_eq!((numbering.assign().number, numbering.assign().number), (2, 3));
    assert!(!numbering.is_settled());
    numbering.settle(2, Outcome::Confirmed);
    assert_eq!(numbering.assign().settled, 0, "the outcome of 1 is not known");
    numbering.settle(1, Outcome::Unconfirmed);
    let stamp = numbering.assign();
    assert_eq!((stamp.number, stamp.settled, confirmed(stamp)), (5, 2, vec![2]));
    for number in [4, 3, 5, 1, 0, 77] {
        numbering.settle(number, Outcome::Confirmed);
    }
    assert!(numbering.is_settled());
    assert_eq!(confirmed(numbering.assign()), [5, 4, 3, 2]);
}

#[test]
fn a_sender_id_ends_before_its_random_nonces_could_repeat() {
    let mut numbering = Numbering::new(SENDER);
    while !numbering.is_exhausted() {
        let stamp = numbering.assign();
        numbering.settle(stamp.number, Outcome::Confirmed);
    }
    assert_eq!(numbering.assign().settled, 1 << 24);
}
