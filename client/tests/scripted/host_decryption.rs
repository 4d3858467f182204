//! Large messages, which the host decrypts.

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

/// The size in sealed bytes from which the host decrypts a message.
const THRESHOLD: usize = 1_000;

fn subscribed() -> (Harness, SubscriptionId) {
    Harness::with(Config { host_decrypt_threshold: Some(THRESHOLD), ..Config::default() })
        .with_subscription("absences")
}

/// Returns a payload beyond the threshold that differs by `name`.
fn large(name: &str) -> String {
    name.repeat(THRESHOLD)
}

fn requested(harness: &mut Harness) -> (DecryptionId, AesGcmInput) {
    match harness.events.pop_front() {
        Some(Event::DecryptRequested { decryption, input }) => (decryption, input),
        other => panic!("{other:?}"),
    }
}

/// Decrypts as a host does.
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

fn answer(harness: &mut Harness, decryption: DecryptionId, plaintext: Option<Vec<u8>>) {
    harness.client.handle_decrypted(harness.now(), decryption, plaintext);
    harness.drain();
}

#[test]
fn the_host_decrypts_a_large_message_and_later_messages_wait() {
    let (mut harness, subscription) = subscribed();
    harness.receive(publication("absences", 10, 11, "small"));
    harness.expect_payload(&[subscription], "small");
    harness.receive(publication("absences", 11, 12, &large("a")));
    let (decryption, input) = requested(&mut harness);
    harness.receive(publication("absences", 12, 13, "behind it"));
    harness.expect_nothing();
    answer(&mut harness, decryption, decrypt(&input));
    harness.expect_payload(&[subscription], &large("a"));
    harness.expect_payload(&[subscription], "behind it");
    answer(&mut harness, decryption, decrypt(&input));
    harness.expect_nothing();
}

#[test]
fn answers_in_another_order_keep_the_channels_order() {
    let (mut harness, subscription) = subscribed();
    let mut requests = Vec::new();
    for (offset, name) in (11..).zip(["a", "b", "c"]) {
        harness.receive(publication("absences", offset - 1, offset, &large(name)));
        requests.push(requested(&mut harness));
    }
    for (decryption, input) in requests.iter().rev() {
        harness.expect_nothing();
        answer(&mut harness, *decryption, decrypt(input));
    }
    for name in ["a", "b", "c"] {
        harness.expect_payload(&[subscription], &large(name));
    }
}

#[test]
fn the_client_decrypts_a_message_that_the_host_cannot_decrypt() {
    let (mut harness, subscription) = subscribed();
    harness.receive(publication("absences", 10, 11, &large("a")));
    let (decryption, _) = requested(&mut harness);
    answer(&mut harness, decryption, None);
    harness.expect_payload(&[subscription], &large("a"));
}

#[test]
fn the_client_decrypts_a_message_for_which_the_host_returns_no_plaintext_of_a_message() {
    let (mut harness, subscription) = subscribed();
    harness.receive(publication("absences", 10, 11, &large("a")));
    let (decryption, _) = requested(&mut harness);
    answer(&mut harness, decryption, Some(vec![1; 20]));
    harness.expect_payload(&[subscription], &large("a"));
}

#[test]
fn an_altered_large_message_is_unreadable() {
    let (mut harness, subscription) = subscribed();
    let ToClient::Publication(publication) = publication("absences", 10, 11, &large("a")) else { return };
    let mut sealed = publication.sealed.to_vec();
    sealed[THRESHOLD] ^= 1;
    harness.receive(ToClient::Publication(Publication { sealed: sealed.into(), ..publication }));
    let (decryption, input) = requested(&mut harness);
    assert_eq!(decrypt(&input), None);
    answer(&mut harness, decryption, None);
    harness.expect_unreadable(subscription);
}

#[test]
fn a_full_buffer_does_not_wait_for_a_slow_host() {
    let (mut harness, subscription) = subscribed();
    let payload = large("a").repeat(40);
    let mut requests = Vec::new();
    let mut delivered = 0;
    for offset in 11..61 {
        harness.receive(publication("absences", offset - 1, offset, &payload));
        while let Some(event) = harness.events.pop_front() {
            match event {
                Event::DecryptRequested { decryption, input } => requests.push((decryption, input)),
                Event::Message { message, .. } => {
                    assert_eq!(message.position, position(11 + delivered));
                    delivered += 1;
                }
                other => panic!("{other:?}"),
            }
        }
    }
    // The buffer holds at most a megabyte.
    assert!((20..50).contains(&delivered), "{delivered}");
    for (decryption, input) in requests {
        answer(&mut harness, decryption, decrypt(&input));
    }
    for _ in delivered..50 {
        harness.expect_payload(&[subscription], &payload);
    }
    harness.expect_nothing();
}

#[test]
fn a_channel_that_ends_delivers_the_messages_that_wait_for_the_host() {
    let (mut harness, subscription) = subscribed();
    harness.receive(publication("absences", 10, 11, &large("a")));
    let (decryption, input) = requested(&mut harness);
    harness.receive(ToClient::Ended(Ended {
        channel_id: channel_id("absences").into(),
        code: Code::PermissionMissing.number(),
        message: "no".into(),
    }));
    harness.expect_payload(&[subscription], &large("a"));
    assert!(matches!(harness.expect_notice(&[subscription]), Notice::Ended(_)));
    answer(&mut harness, decryption, decrypt(&input));
    harness.expect_nothing();
}

#[test]
fn nothing_is_decrypted_after_the_last_unsubscribe() {
    let (mut harness, subscription) = subscribed();
    harness.receive(publication("absences", 10, 11, &large("a")));
    let (decryption, input) = requested(&mut harness);
    harness.unsubscribe(subscription);
    harness.expect_unsubscribe();
    answer(&mut harness, decryption, decrypt(&input));
    harness.receive(publication("absences", 11, 12, &large("b")));
    harness.expect_nothing();
}
