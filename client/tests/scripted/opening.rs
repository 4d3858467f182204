//! Large messages, which the platform opens.

use crate::support::*;
use aes_gcm::{
    Aes256Gcm, KeyInit as _,
    aead::{AeadInOut as _, inout::InOutBuf},
};
use sealwire_client::{Config, DecryptionId, Event, Notice, SubscriptionId};
use sealwire_protocol::{
    AesGcmInput, Code,
    wire::{Ended, Publication, ToClient},
};

/// Sealed bytes from which on a message is opened elsewhere.
const FROM: usize = 1_000;

fn subscribed() -> (Harness, SubscriptionId) {
    let config = Config { host_decrypt_threshold: Some(FROM), ..Config::default() };
    let mut harness = Harness::with(config);
    let subscription = harness.subscribe("absences");
    harness.establish();
    harness.confirm("absences", 10);
    harness.expect_subscribed(subscription);
    harness.forget_states();
    (harness, subscription)
}

/// A payload that is large enough, and told from others.
fn large(name: &str) -> String {
    name.repeat(FROM)
}

fn asked(harness: &mut Harness) -> (DecryptionId, AesGcmInput) {
    match harness.events.pop_front() {
        Some(Event::DecryptRequested { decryption: opening, input }) => (opening, input),
        other => panic!("{other:?}"),
    }
}

/// What a platform makes of it.
fn decrypt(input: &AesGcmInput) -> Option<Vec<u8>> {
    let (ciphertext, tag) = input.ciphertext.split_last_chunk::<16>()?;
    let mut plaintext = ciphertext.to_vec();
    let cipher = Aes256Gcm::new(&(*input.key).into());
    let buffer = InOutBuf::from(&mut plaintext[..]);
    cipher
        .decrypt_inout_detached(&input.nonce.into(), &input.associated_data, buffer, &(*tag).into())
        .ok()?;
    Some(plaintext)
}

fn answer(harness: &mut Harness, opening: DecryptionId, plaintext: Option<Vec<u8>>) {
    harness.client.handle_decrypted(harness.now(), opening, plaintext);
    harness.drain();
}

#[test]
fn a_large_message_is_opened_by_the_platform_and_what_follows_waits_for_it() {
    let (mut harness, subscription) = subscribed();
    harness.receive(publication("absences", 10, 11, "small"));
    harness.expect_payload(&[subscription], "small");
    harness.receive(publication("absences", 11, 12, &large("a")));
    let (opening, input) = asked(&mut harness);
    harness.receive(publication("absences", 12, 13, "behind it"));
    harness.expect_nothing();
    answer(&mut harness, opening, decrypt(&input));
    harness.expect_payload(&[subscription], &large("a"));
    harness.expect_payload(&[subscription], "behind it");
    answer(&mut harness, opening, decrypt(&input));
    harness.expect_nothing();
}

#[test]
fn answers_that_come_in_another_order_leave_the_channels_order() {
    let (mut harness, subscription) = subscribed();
    let mut openings = Vec::new();
    for (offset, name) in (11..).zip(["a", "b", "c"]) {
        harness.receive(publication("absences", offset - 1, offset, &large(name)));
        openings.push(asked(&mut harness));
    }
    for (opening, input) in openings.iter().rev() {
        harness.expect_nothing();
        answer(&mut harness, *opening, decrypt(input));
    }
    for name in ["a", "b", "c"] {
        harness.expect_payload(&[subscription], &large(name));
    }
}

#[test]
fn what_the_platform_cannot_open_is_opened_here() {
    let (mut harness, subscription) = subscribed();
    harness.receive(publication("absences", 10, 11, &large("a")));
    let (opening, _) = asked(&mut harness);
    answer(&mut harness, opening, None);
    harness.expect_payload(&[subscription], &large("a"));
}

#[test]
fn a_large_message_that_was_altered_is_told_to_be_unreadable() {
    let (mut harness, subscription) = subscribed();
    let ToClient::Publication(publication) = publication("absences", 10, 11, &large("a")) else { return };
    let mut sealed = publication.sealed.to_vec();
    sealed[FROM] ^= 1;
    harness.receive(ToClient::Publication(Publication { sealed: sealed.into(), ..publication }));
    let (opening, input) = asked(&mut harness);
    assert_eq!(decrypt(&input), None);
    answer(&mut harness, opening, None);
    match harness.expect_notice(&[subscription]) {
        Notice::Error(error) => assert_eq!(error.code.name(), "MESSAGE_UNREADABLE"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_platform_that_falls_behind_is_not_waited_for_without_end() {
    let (mut harness, subscription) = subscribed();
    let payload = large("a").repeat(40);
    let mut openings = Vec::new();
    let mut delivered = 0;
    for offset in 11..61 {
        harness.receive(publication("absences", offset - 1, offset, &payload));
        while let Some(event) = harness.events.pop_front() {
            match event {
                Event::DecryptRequested { decryption: opening, input } => openings.push((opening, input)),
                Event::Message { message, .. } => {
                    assert_eq!(message.position, position(11 + delivered));
                    delivered += 1;
                }
                other => panic!("{other:?}"),
            }
        }
    }
    // What is held at once is a megabyte at most.
    assert!((20..50).contains(&delivered), "{delivered}");
    for (opening, input) in openings {
        answer(&mut harness, opening, decrypt(&input));
    }
    for _ in delivered..50 {
        harness.expect_payload(&[subscription], &payload);
    }
    harness.expect_nothing();
}

#[test]
fn a_channel_that_ends_hands_on_what_the_platform_still_has() {
    let (mut harness, subscription) = subscribed();
    harness.receive(publication("absences", 10, 11, &large("a")));
    let (opening, input) = asked(&mut harness);
    harness.receive(ToClient::Ended(Ended {
        channel_id: channel_id("absences").into(),
        code: Code::PermissionMissing.number(),
        message: "no".into(),
    }));
    harness.expect_payload(&[subscription], &large("a"));
    assert!(matches!(harness.expect_notice(&[subscription]), Notice::Ended(_)));
    answer(&mut harness, opening, decrypt(&input));
    harness.expect_nothing();
}

#[test]
fn nothing_is_opened_for_who_left() {
    let (mut harness, subscription) = subscribed();
    harness.receive(publication("absences", 10, 11, &large("a")));
    let (opening, input) = asked(&mut harness);
    harness.unsubscribe(subscription);
    harness.expect_unsubscribe();
    answer(&mut harness, opening, decrypt(&input));
    harness.receive(publication("absences", 11, 12, &large("b")));
    harness.expect_nothing();
}
