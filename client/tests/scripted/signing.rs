//! Publications that the page signs with a key of its own, which its session certifies.

use crate::support::*;
use sealwire_client::{ClientError, Event, PublishId, SessionReason, SigningId};
use sealwire_protocol::{
    Code, Message, OpenedMessage, SealedMessage, Signature, UnixSeconds, signed_text,
    wire::{Publish, ToRelay},
};

const SIGNATURE: Signature = Signature([7; Signature::LEN]);

/// Returns a connected client, whose session certifies the page if `is_certified`.
fn connected(is_certified: bool) -> Harness {
    let mut harness = Harness::default();
    harness.subscribe("absences");
    let fetch = harness.expect_session_request(SessionReason::Connect);
    match is_certified {
        true => harness.provide_certified(fetch, &[1]),
        false => harness.provide(fetch, &[1]),
    }
    harness.establish();
    harness.confirm("absences", 10);
    harness.forget_states();
    harness.events.clear();
    harness
}

/// Takes the request for a signature.
fn requested(harness: &mut Harness) -> (PublishId, Vec<u8>) {
    match harness.next_event() {
        Event::SignRequested { signing, text } => (PublishId(signing.0), text),
        other => panic!("{other:?}"),
    }
}

fn sign(harness: &mut Harness, publish: PublishId) {
    harness.client.handle_signed(harness.now(), SigningId(publish.0), Some(SIGNATURE));
    harness.drain();
}

/// Takes the request for a session that certifies the page, and returns whether it asks for that.
fn asks_for_certificate(harness: &Harness) -> Option<bool> {
    harness.events.iter().find_map(|event| match event {
        Event::SessionRequested { certify, .. } => Some(*certify),
        _ => None,
    })
}

fn opened(publish: &Publish) -> OpenedMessage {
    let mut key = key(1).scope_key(APP, INSTALLATION, &context()).channel_key(None, "absences");
    SealedMessage::parse(&publish.sealed).unwrap().open(&mut key, channel_id("absences"), "").unwrap()
}

fn payloads(harness: &mut Harness) -> Vec<String> {
    core::mem::take(&mut harness.sent)
        .into_iter()
        .map(|message| match message {
            ToRelay::Publish(publish) => opened(&publish).payload,
            other => panic!("{other:?}"),
        })
        .collect()
}

#[test]
fn the_host_signs_what_is_sent_with_the_certificate_of_the_session() {
    let mut harness = connected(true);
    let publish = harness.publish_signed("absences", "1");
    let (id, text) = requested(&mut harness);
    assert_eq!(id, publish);
    harness.expect_nothing();
    sign(&mut harness, publish);
    let sent = harness.expect_publish();
    let opened = opened(&sent);
    let signature = opened.signature.clone().unwrap();
    assert_eq!(signature.signature, SIGNATURE);
    let expires_at = (UNIX_START + 1_000) / 1_000 * 1_000 + SESSION_SECONDS * 1_000;
    assert_eq!(signature.certificate, Some(certificate("anna", expires_at)));
    let OpenedMessage { sender, stamp, published_at, .. } = opened;
    let message = Message { sender, stamp, published_at, event: "", payload: "1", signature: None };
    assert_eq!(text, signed_text(channel_id("absences"), &message));
    harness.acknowledge(&sent, 11);
    harness.expect_published(publish);
}

#[test]
fn the_order_of_the_calls_is_kept_and_many_signatures_are_made_at_once() {
    let mut harness = connected(true);
    let first = harness.publish_signed("absences", "1");
    let second = harness.publish_signed("absences", "2");
    harness.publish("absences", "3");
    let fourth = harness.publish_signed("absences", "4");
    // The third publication holds back the fourth.
    assert_eq!([requested(&mut harness).0, requested(&mut harness).0], [first, second]);
    sign(&mut harness, second);
    harness.expect_nothing();
    sign(&mut harness, first);
    assert_eq!(requested(&mut harness).0, fourth);
    assert_eq!(payloads(&mut harness), ["1", "2", "3"]);
    sign(&mut harness, fourth);
    assert_eq!(payloads(&mut harness), ["4"]);
}

#[test]
fn signed_and_unsigned_messages_have_numbers_of_their_own_in_the_order_of_sending() {
    let mut harness = connected(true);
    let signed = ["1", "2"].map(|payload| harness.publish_signed("absences", payload));
    harness.publish("absences", "3");
    signed.into_iter().rev().for_each(|publish| sign(&mut harness, publish));
    let stamps = [(); 3]
        .map(|()| opened(&harness.expect_publish()))
        .map(|opened| (opened.sender, opened.stamp.number));
    let ((signed, _), (unsigned, _)) = (stamps[0], stamps[2]);
    assert_eq!(stamps, [(signed, 1), (signed, 2), (unsigned, 1)]);
    assert!(signed != unsigned, "a receiver counts the messages of each author apart");
}

#[test]
fn a_session_without_a_certificate_is_replaced_before_the_first_signature() {
    let mut harness = connected(false);
    let publish = harness.publish_signed("absences", "1");
    assert_eq!(asks_for_certificate(&harness), Some(true));
    let fetch = harness.expect_session_request(SessionReason::Refresh);
    harness.expect_nothing();
    harness.provide_certified(fetch, &[1]);
    let refresh = harness.expect_refresh();
    harness.refreshed(refresh.request);
    assert_eq!(requested(&mut harness).0, publish);
    sign(&mut harness, publish);
    let sent = harness.expect_publish();
    harness.acknowledge(&sent, 11);
    harness.expect_published(publish);
    // Every later session is certified as well.
    harness.advance_to_refresh();
    assert_eq!(asks_for_certificate(&harness), Some(true));
}

#[test]
fn a_session_that_was_under_way_without_the_key_is_not_taken_for_a_refusal() {
    let mut harness = connected(false);
    harness.advance_to_refresh();
    assert_eq!(asks_for_certificate(&harness), Some(false));
    let publish = harness.publish_signed("absences", "1");
    let fetch = harness.expect_session_request(SessionReason::Refresh);
    harness.provide(fetch, &[1]);
    assert_eq!(asks_for_certificate(&harness), Some(true));
    let fetch = harness.expect_session_request(SessionReason::Refresh);
    harness.provide_certified(fetch, &[1]);
    assert_eq!(requested(&mut harness).0, publish);
}

/// Publishes two messages, one of them signed, and answers the request for a certificate by `answer`. Returns the error of the
/// signed one. The other one is sent.
fn refused(answer: impl FnOnce(&mut Harness, sealwire_client::FetchId)) -> ClientError {
    let mut harness = connected(false);
    let publish = harness.publish_signed("absences", "1");
    harness.publish("absences", "2");
    let fetch = harness.expect_session_request(SessionReason::Refresh);
    answer(&mut harness, fetch);
    harness.drain();
    let error = harness.expect_publish_error(publish);
    let publish = harness.sent.iter().find_map(|message| match message {
        ToRelay::Publish(publish) => Some(opened(publish)),
        _ => None,
    });
    let opened = publish.expect("the unsigned publication is sent");
    assert_eq!((opened.payload.as_str(), opened.signature), ("2", None));
    error
}

#[test]
fn a_backend_that_certifies_nothing_fails_the_signed_publish_and_no_other() {
    let error = refused(|harness, fetch| harness.provide(fetch, &[1]));
    assert_eq!((error.code.name(), error.may_have_arrived), ("SIGNING_UNAVAILABLE", Some(false)));
    let error = refused(|harness, fetch| {
        let error = ClientError::new(Code::PermissionMissing, "why");
        harness.client.handle_session_failed(harness.now(), fetch, error);
    });
    assert_eq!(error.code.name(), "PERMISSION_MISSING");
}

#[test]
fn a_function_that_fails_for_now_is_asked_again_until_the_limit_of_the_publish() {
    let mut harness = connected(false);
    let publish = harness.publish_signed("absences", "1");
    let mut requests = 0;
    while !harness.events.iter().any(|event| matches!(event, Event::PublishDone { .. })) {
        if asks_for_certificate(&harness) == Some(true) {
            let fetch = harness.expect_session_request(SessionReason::Refresh);
            let error = ClientError::new(Code::SessionUnavailable, "why");
            harness.client.handle_session_failed(harness.now(), fetch, error);
            harness.drain();
            requests += 1;
        }
        harness.advance(1_000);
        if harness.now_ms.is_multiple_of(10_000) {
            harness.ping();
        }
    }
    harness.events.retain(|event| matches!(event, Event::PublishDone { .. }));
    assert_eq!(harness.expect_publish_error(publish).code.name(), "SESSION_UNAVAILABLE");
    assert!((2..=24).contains(&requests), "{requests}");
}

#[test]
fn a_host_that_cannot_sign_fails_the_publish_and_those_behind_it_go_on() {
    let mut harness = connected(true);
    let [first, second] = ["1", "2"].map(|payload| harness.publish_signed("absences", payload));
    sign(&mut harness, second);
    harness.client.handle_signed(harness.now(), SigningId(first.0), None);
    harness.drain();
    harness.events.retain(|event| matches!(event, Event::PublishDone { .. }));
    assert_eq!(harness.expect_publish_error(first).code.name(), "SIGNING_UNAVAILABLE");
    assert_eq!(payloads(&mut harness), ["2"]);
    // A late answer changes nothing.
    sign(&mut harness, first);
    harness.expect_nothing();
}

#[test]
fn a_withdrawn_publication_holds_nothing_back_and_its_late_signature_is_ignored() {
    let mut harness = connected(true);
    let publish = harness.publish_signed("absences", "1");
    harness.publish("absences", "2");
    harness.client.withdraw_publish(harness.now(), publish);
    harness.drain();
    assert_eq!(payloads(&mut harness), ["2"]);
    sign(&mut harness, publish);
    assert!(harness.sent.is_empty());
}

#[test]
fn a_signed_message_is_sent_again_with_the_same_bytes_and_one_that_was_signed_offline_once() {
    let mut harness = connected(true);
    let sent = harness.publish_signed("absences", "1");
    sign(&mut harness, sent);
    let first = harness.expect_publish();
    let offline = harness.publish_signed("absences", "2");
    harness.cut(None);
    sign(&mut harness, offline);
    assert!(harness.sent.is_empty());
    harness.events.clear();
    harness.advance_to_attempt();
    harness.open();
    harness.welcome();
    let publishes: Vec<Publish> = core::mem::take(&mut harness.sent)
        .into_iter()
        .filter_map(|message| match message {
            ToRelay::Publish(publish) => Some(publish),
            _ => None,
        })
        .collect();
    assert_eq!(publishes.len(), 2);
    assert_eq!((&publishes[0].sealed, &publishes[0].id), (&first.sealed, &first.id));
    assert_eq!(opened(&publishes[1]).payload, "2");
    assert!(!harness.events.iter().any(|event| matches!(event, Event::SignRequested { .. })));
}

#[test]
fn a_certificate_that_has_expired_is_renewed_before_the_next_signature() {
    let mut harness = Harness::default();
    harness.subscribe("absences");
    let fetch = harness.expect_session_request(SessionReason::Connect);
    let now_ms = UNIX_START + harness.now_ms;
    let mut grant = certified_grant(&[1], UnixSeconds(now_ms / 1000 + SESSION_SECONDS));
    grant.keys[0].certificate = Some(certificate("anna", now_ms + 10_000).to_base64url());
    harness.client.handle_session(harness.now(), fetch, grant);
    harness.drain();
    harness.establish();
    harness.confirm("absences", 10);
    harness.events.clear();
    harness.advance(9_999);
    let publish = harness.publish_signed("absences", "1");
    assert_eq!(requested(&mut harness).0, publish);
    harness.advance(1);
    let publish = harness.publish_signed("absences", "2");
    let fetch = harness.expect_session_request(SessionReason::Refresh);
    harness.provide_certified(fetch, &[1]);
    assert_eq!(requested(&mut harness).0, publish);
}
