//! Messages with the signature of a function or of a page with a certificate, which the host verifies.

use crate::support::*;
use sealwire_client::{Author, Config, Event, SessionReason, SignedText, SubscriptionId, VerificationId};
use sealwire_protocol::{
    AuthorSignature, Code, Message, Signature, Stamp, encode_base64url, seal, signed_text,
    wire::{Publication, ToClient},
};

const SIGNATURE: Signature = Signature([7; Signature::LEN]);

fn subscribed() -> (Harness, SubscriptionId) {
    Harness::with(Config { verifies_signatures: true, ..Config::default() }).with_subscription("absences")
}

/// Returns a publication with the signature of a function.
fn signed(offset: u64, stamp: Stamp, payload: &str) -> ToClient {
    signed_by(SIGNATURE.into(), offset, stamp, payload)
}

/// Returns a publication with the signature of a page of this account, whose certificate expires at `expires_at_ms`.
fn certified(account: &str, expires_at_ms: u64, offset: u64, stamp: Stamp, payload: &str) -> ToClient {
    let certificate = Some(certificate(account, expires_at_ms));
    signed_by(AuthorSignature { certificate, signature: SIGNATURE }, offset, stamp, payload)
}

fn signed_by(signature: AuthorSignature, offset: u64, stamp: Stamp, payload: &str) -> ToClient {
    let ToClient::Publication(publication) = publication("absences", offset - 1, offset, payload) else {
        panic!("the fixture is a publication")
    };
    let key = key(1).scope_key(APP, INSTALLATION, &context()).channel_key(None, "absences");
    let message = Message { signature: Some(&signature), ..message(stamp, payload) };
    let sealed = seal(&key, [4; 12], channel_id("absences"), &message).unwrap();
    ToClient::Publication(Publication { sealed: sealed.into(), ..publication })
}

fn requested(harness: &mut Harness) -> VerificationId {
    match harness.events.pop_front() {
        Some(Event::VerifyRequested { verification, signed, .. }) if signed.signature == SIGNATURE => {
            verification
        }
        other => panic!("{other:?}"),
    }
}

fn answer(harness: &mut Harness, verification: VerificationId, is_valid: bool) {
    harness.client.handle_verified(harness.now(), verification, is_valid);
    harness.drain();
}

/// Takes a message from the events and returns its payload and author.
fn delivered(harness: &mut Harness) -> (String, Author) {
    match harness.events.pop_front() {
        Some(Event::Message { message, .. }) => (message.payload, message.author),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_verified_signature_proves_the_author_and_later_messages_wait_for_it() {
    let (mut harness, _) = subscribed();
    let stamp = next_stamp();
    harness.receive(signed(11, stamp, "\"one\""));
    harness.receive(publication("absences", 11, 12, "\"two\""));
    let event = harness.events.pop_front();
    let Some(Event::VerifyRequested { verification, signed, certificate }) = event else {
        panic!("{event:?}")
    };
    let text = signed_text(channel_id("absences"), &message(stamp, "\"one\""));
    assert_eq!(*signed, SignedText { signer: "signer 1".into(), text, signature: SIGNATURE });
    assert_eq!(certificate, None);
    harness.expect_nothing();
    answer(&mut harness, verification, true);
    assert_eq!(delivered(&mut harness), ("\"one\"".into(), Author::Function));
    assert_eq!(delivered(&mut harness), ("\"two\"".into(), Author::Unverified));
    answer(&mut harness, verification, false);
    harness.expect_nothing();
}

#[test]
fn the_host_verifies_many_messages_at_once_and_the_order_of_its_answers_does_not_matter() {
    let (mut harness, _) = subscribed();
    for offset in 11..14 {
        harness.receive(signed(offset, next_stamp(), &offset.to_string()));
    }
    let requests: Vec<_> = (0..3).map(|_| requested(&mut harness)).collect();
    for verification in requests.iter().rev() {
        harness.expect_nothing();
        answer(&mut harness, *verification, true);
    }
    for offset in 11..14 {
        assert_eq!(delivered(&mut harness), (offset.to_string(), Author::Function));
    }
}

#[test]
fn a_message_with_a_false_signature_is_refused_and_does_not_take_the_number_of_the_genuine_one() {
    let (mut harness, subscription) = subscribed();
    let stamp = next_stamp();
    harness.receive(signed(11, stamp, "\"forged\""));
    let verification = requested(&mut harness);
    answer(&mut harness, verification, false);
    harness.expect_unreadable(subscription);
    harness.receive(signed(12, stamp, "\"genuine\""));
    let verification = requested(&mut harness);
    answer(&mut harness, verification, true);
    assert_eq!(delivered(&mut harness), ("\"genuine\"".into(), Author::Function));
}

#[test]
fn an_unsigned_message_under_the_id_and_number_of_a_function_does_not_replace_its_message() {
    let (mut harness, _) = subscribed();
    let stamp = next_stamp();
    let sealed = sealed(1, "absences", stamp, "\"forged\"");
    let ToClient::Publication(fixture) = publication("absences", 10, 11, "0") else { return };
    harness.receive(ToClient::Publication(Publication { sealed: sealed.into(), ..fixture }));
    assert_eq!(delivered(&mut harness), ("\"forged\"".into(), Author::Unverified));
    let requests = [12, 13].map(|offset| {
        harness.receive(signed(offset, stamp, "\"genuine\""));
        requested(&mut harness)
    });
    requests.into_iter().for_each(|verification| answer(&mut harness, verification, true));
    assert_eq!(delivered(&mut harness), ("\"genuine\"".into(), Author::Function));
    harness.expect_nothing();
    assert_eq!(harness.client.repeated_messages(), 1);
}

#[test]
fn a_page_is_verified_by_its_certificate_under_the_key_of_the_message_and_by_its_own_key() {
    let (mut harness, _) = subscribed();
    let stamp = next_stamp();
    harness.receive(certified("anna", later(1), 11, stamp, "1"));
    let event = harness.events.pop_front();
    let Some(Event::VerifyRequested { verification, signed, certificate: Some(certified) }) = event else {
        panic!("{event:?}")
    };
    let expected = certificate("anna", later(1));
    let text = signed_text(channel_id("absences"), &message(stamp, "1"));
    let signer = encode_base64url(expected.public_key());
    assert_eq!(*signed, SignedText { signer, text, signature: SIGNATURE });
    let text = expected.text(APP, INSTALLATION);
    assert_eq!(*certified, SignedText { signer: "signer 1".into(), text, signature: expected.signature() });
    harness.expect_nothing();
    answer(&mut harness, verification, true);
    assert_eq!(delivered(&mut harness), ("1".into(), page("anna")));
}

#[test]
fn a_certificate_counts_up_to_its_expiry_by_the_time_of_sealing() {
    let (mut harness, subscription) = subscribed();
    harness.receive(certified("anna", later(0), 11, next_stamp(), "1"));
    let verification = requested(&mut harness);
    answer(&mut harness, verification, true);
    assert_eq!(delivered(&mut harness).1, page("anna"));
    harness.receive(certified("anna", later(0) - 1, 12, next_stamp(), "2"));
    harness.expect_unreadable(subscription);
    harness.expect_nothing();
}

#[test]
fn a_false_certificate_or_signature_of_a_page_is_refused_and_takes_no_number() {
    let (mut harness, subscription) = subscribed();
    let stamp = next_stamp();
    harness.receive(certified("anna", later(1), 11, stamp, "\"forged\""));
    let verification = requested(&mut harness);
    answer(&mut harness, verification, false);
    harness.expect_unreadable(subscription);
    harness.receive(certified("anna", later(1), 12, stamp, "\"genuine\""));
    let verification = requested(&mut harness);
    answer(&mut harness, verification, true);
    assert_eq!(delivered(&mut harness), ("\"genuine\"".into(), page("anna")));
}

#[test]
fn no_other_account_no_function_and_no_unsigned_message_uses_up_the_numbers_of_a_page() {
    let (mut harness, _) = subscribed();
    let stamp = next_stamp();
    let of_ben = certified("ben", later(1), 11, stamp, "\"ben\"");
    let of_function = signed(12, stamp, "\"function\"");
    let unsigned = sealed(1, "absences", stamp, "\"unsigned\"");
    let ToClient::Publication(fixture) = publication("absences", 12, 13, "0") else { return };
    let unsigned = ToClient::Publication(Publication { sealed: unsigned.into(), ..fixture });
    let of_anna = [14, 15].map(|offset| certified("anna", later(1), offset, stamp, "\"anna\""));
    for publication in [of_ben, of_function, unsigned].into_iter().chain(of_anna) {
        harness.receive(publication);
        if let Some(Event::VerifyRequested { verification, .. }) = harness.events.front() {
            let verification = *verification;
            harness.events.clear();
            answer(&mut harness, verification, true);
        }
        if let Some(Event::Message { message, .. }) = harness.events.front() {
            let expected = match message.payload.as_str() {
                "\"ben\"" => page("ben"),
                "\"function\"" => Author::Function,
                "\"unsigned\"" => Author::Unverified,
                _ => page("anna"),
            };
            assert_eq!(message.author, expected);
            harness.events.clear();
        } else {
            assert_eq!(harness.client.repeated_messages(), 1, "only the repetition of Anna's own message");
        }
    }
    assert_eq!(harness.client.repeated_messages(), 1);
}

#[test]
fn a_certificate_under_a_replaced_key_counts_as_long_as_the_session_carries_its_signer() {
    let (mut harness, _) = subscribed();
    harness.advance_to_refresh();
    let fetch = harness.expect_session_request(SessionReason::Refresh);
    harness.provide(fetch, &[2, 1]);
    harness.events.clear();
    harness.receive(certified("anna", later(1), 11, next_stamp(), "1"));
    let Some(Event::VerifyRequested { verification, certificate: Some(certificate), .. }) =
        harness.events.pop_front()
    else {
        panic!("no request")
    };
    assert_eq!(certificate.signer, "signer 1");
    answer(&mut harness, verification, true);
    assert_eq!(delivered(&mut harness).1, page("anna"));
}

fn page(account: &str) -> Author {
    Author::Page { account: account.into() }
}

/// Returns the time `ms` from now, in Unix milliseconds.
fn later(ms: u64) -> u64 {
    TIME_MS.get() + ms
}

#[test]
fn without_a_host_that_verifies_no_message_has_a_verified_author() {
    let mut harness = Harness::with(Config::default());
    harness.subscribe("absences");
    harness.establish();
    harness.confirm("absences", 10);
    harness.forget_states();
    harness.events.clear();
    harness.receive(signed(11, next_stamp(), "1"));
    assert_eq!(delivered(&mut harness), ("1".into(), Author::Unverified));
}

#[test]
fn a_replay_of_thousands_of_signed_messages_is_verified_and_a_host_that_never_answers_is_not_awaited() {
    let (mut harness, _) = subscribed();
    let mut requests = Vec::new();
    for offset in 11..1_011 {
        harness.receive(signed(offset, next_stamp(), "1"));
        requests.push(requested(&mut harness));
    }
    harness.expect_nothing();
    for verification in requests {
        answer(&mut harness, verification, true);
        assert_eq!(delivered(&mut harness).1, Author::Function);
    }
    let ToClient::Publication(fixture) = signed(1_011, next_stamp(), "1") else { return };
    for offset in 1_011.. {
        assert!(offset < 50_000, "the buffer is bounded");
        let publication = Publication { offset, previous_offset: offset - 1, ..fixture.clone() };
        harness.receive(ToClient::Publication(publication));
        requested(&mut harness);
        if let Some(Event::Message { message, .. }) = harness.events.pop_front() {
            assert_eq!(message.author, Author::Unverified);
            break;
        }
    }
}

#[test]
fn a_message_that_opens_between_two_sessions_still_has_its_author() {
    let config = Config { verifies_signatures: true, host_decrypt_threshold: Some(1), ..Config::default() };
    let (mut harness, _) = Harness::with(config).with_subscription("absences");
    harness.receive(signed(11, next_stamp(), "\"one\""));
    let event = harness.events.pop_front();
    let Some(Event::DecryptRequested { decryption, .. }) = event else { panic!("{event:?}") };
    harness.goodbye(Code::TokenExpired, 0);
    harness.advance_to_attempt();
    harness.expect_session_request(SessionReason::Connect);
    harness.forget_states();
    harness.client.handle_decrypted(harness.now(), decryption, None);
    harness.drain();
    let verification = requested(&mut harness);
    answer(&mut harness, verification, true);
    assert_eq!(delivered(&mut harness), ("\"one\"".into(), Author::Function));
}
