//! Publishing: acknowledgements, retries under one idempotency id, refusals, and limits.

use crate::support::*;
use sealwire_client::{ChannelSpec, Config, SessionReason};
use sealwire_protocol::{
    ChannelAddress, Code, Scope, SealedMessage, limits,
    wire::{Pong, Publish, ToClient},
};

/// Decrypts a publication under the first key. Returns its payload.
pub(crate) fn opened(frame: &Publish) -> String {
    let scope = context();
    let mut key = key(1).scope_key(APP, INSTALLATION, &scope).channel_key(None, "absences");
    let opened =
        SealedMessage::parse(&frame.sealed).unwrap().open(&mut key, channel_id("absences"), "").unwrap();
    assert!(opened.published_at.0 >= UNIX_START);
    opened.payload
}

#[test]
fn a_publish_connects_seals_and_is_acknowledged() {
    let mut harness = Harness::default();
    let publish = harness.publish("absences", r#"{"day":1}"#);
    harness.establish();
    let frame = harness.expect_publish();
    assert_eq!(opened(&frame), r#"{"day":1}"#);
    assert_eq!(frame.id.len(), limits::IDEMPOTENCY_ID);
    harness.acknowledge(&frame, 12);
    let receipt = harness.expect_published(publish);
    assert_eq!((receipt.position, receipt.time_ms), (position(12), 99));
    harness.advance(5_000);
    assert_eq!(harness.disconnects, [1000], "nothing needs the connection any longer");
}

#[test]
fn a_publish_on_a_global_channel_is_sealed_for_the_empty_scope() {
    let mut harness = Harness::default();
    let spec = ChannelSpec { scope: Some(Vec::new()), ..channel("absences") };
    harness.client.publish(harness.now(), spec, "added".into(), "1".into());
    harness.drain();
    harness.establish();
    let frame = harness.expect_publish();
    let scope = Scope::default();
    let id = ChannelAddress {
        app: APP,
        installation: INSTALLATION,
        scope: &scope,
        claims_tag: None,
        name: "absences",
    };
    let mut key = key(1).scope_key(APP, INSTALLATION, &scope).channel_key(None, "absences");
    assert!(SealedMessage::parse(&frame.sealed).unwrap().open(&mut key, id.id(), "added").is_ok());
    assert_eq!(frame.channel.unwrap().properties, Vec::<String>::new());
}

#[test]
fn a_publish_in_flight_when_the_connection_is_lost_is_sent_again_unchanged() {
    let (mut harness, _) = Harness::subscribed("absences");
    let publish = harness.publish("absences", "1");
    let first = harness.expect_publish();
    harness.cut(None);
    harness.advance_to_attempt();
    harness.establish();
    harness.confirm("absences", 10);
    let second = harness.expect_publish();
    assert_eq!((&second.id, &second.sealed, &second.channel), (&first.id, &first.sealed, &first.channel));
    harness.acknowledge(&second, 11);
    harness.expect_published(publish);
    harness.expect_nothing();
}

#[test]
fn a_publish_sent_again_after_a_rotation_is_unchanged() {
    let (mut harness, _) = Harness::subscribed("absences");
    let publish = harness.publish("absences", "1");
    let first = harness.expect_publish();
    // The next session has a newer key. A message under that key must not reach the relay with the id of this message.
    harness.goodbye(Code::TokenExpired, 0);
    let fetch = harness.expect_session_request(SessionReason::Connect);
    harness.provide(fetch, &[2, 1]);
    harness.open();
    harness.welcome();
    harness.confirm("absences", 10);
    let second = harness.expect_publish();
    assert_eq!((&second.id, &second.sealed, &second.event), (&first.id, &first.sealed, &first.event));
    harness.acknowledge(&second, 11);
    harness.expect_published(publish);
}

#[test]
fn publishes_keep_the_order_of_the_calls_and_have_distinct_ids() {
    let mut harness = Harness::default();
    let publishes: Vec<_> = (0..3).map(|_| harness.publish("absences", "1")).collect();
    harness.establish();
    let frames: Vec<_> = (0..3).map(|_| harness.expect_publish()).collect();
    assert!(frames[0].id != frames[1].id && frames[1].id != frames[2].id);
    assert!(frames[0].sealed != frames[1].sealed, "nonces differ");
    for (offset, (publish, frame)) in (11..).zip(publishes.iter().zip(&frames)) {
        harness.acknowledge(frame, offset);
        assert_eq!(harness.expect_published(*publish).position, position(offset));
    }
}

#[test]
fn an_unacknowledged_publish_times_out_and_is_not_sent_again() {
    let (mut harness, _) = Harness::subscribed("absences");
    let publish = harness.publish("absences", "1");
    let frame = harness.expect_publish();
    for _ in 0..40 {
        harness.advance(3_000);
        harness.receive(ToClient::Pong(Pong {}));
    }
    assert_eq!(harness.expect_publish_error(publish).code.name(), "UNREACHABLE");
    harness.sent.clear();
    harness.acknowledge(&frame, 11);
    harness.cut(None);
    harness.advance_to_attempt();
    harness.establish();
    harness.confirm("absences", 10);
    harness.expect_nothing();
}

#[test]
fn a_permanent_refusal_fails_the_publish_with_its_code() {
    let (mut harness, _) = Harness::subscribed("absences");
    let publish = harness.publish("absences", "1");
    let request = harness.expect_publish().request;
    harness.refuse(request, Code::PermissionMissing, 0);
    let error = harness.expect_publish_error(publish);
    assert_eq!((error.code.name(), error.message.as_str()), ("PERMISSION_MISSING", "why"));
}

#[test]
fn a_temporary_refusal_is_retried_after_the_requested_time() {
    let (mut harness, _) = Harness::subscribed("absences");
    let publish = harness.publish("absences", "1");
    let first = harness.expect_publish();
    harness.refuse(first.request, Code::RateLimited, 2_000);
    harness.advance(1_999);
    harness.expect_nothing();
    harness.advance(1);
    let second = harness.expect_publish();
    assert_eq!(second.id, first.id);
    harness.refuse(second.request, Code::RateLimited, 120_000);
    let error = harness.expect_publish_error(publish);
    assert_eq!((error.code.name(), error.retry_after_ms), ("RATE_LIMITED", Some(120_000)));
}

#[test]
fn payloads_and_names_beyond_the_limits_are_refused_before_anything_is_sent() {
    let mut harness = Harness::default();
    let long = "x".repeat(256);
    let payload = "1".repeat(limits::MAX_PAYLOAD + 1);
    for (spec, event, payload, code) in [
        (channel(""), String::new(), "1".into(), "NAME_INVALID"),
        (channel(&long), String::new(), "1".into(), "NAME_INVALID"),
        (channel("absences"), long.clone(), "1".into(), "NAME_INVALID"),
        (channel("absences"), String::new(), payload, "MESSAGE_SIZE"),
        (
            ChannelSpec { token: Some("a.b.c".into()), ..channel("a") },
            String::new(),
            "1".into(),
            "TOKEN_MALFORMED",
        ),
    ] {
        let publish = harness.client.publish(harness.now(), spec, event, payload);
        harness.drain();
        assert_eq!(harness.expect_publish_error(publish).code.name(), code);
    }
    assert_eq!(harness.connects, 0);
}

#[test]
fn the_longest_payload_fits_the_relays_frame() {
    let mut harness = Harness::default();
    harness.publish("absences", &"1".repeat(limits::MAX_PAYLOAD));
    harness.establish();
    harness.expect_publish();
}

#[test]
fn a_full_queue_refuses_publishes_until_the_relay_acknowledges_some() {
    let mut harness =
        Harness::with(Config { max_pending_publishes: 2, max_pending_bytes: 10, ..Config::default() });
    harness.publish("absences", "12345");
    harness.publish("absences", "12345");
    let third = harness.publish("absences", "");
    harness.expect_session_request(SessionReason::Connect);
    assert_eq!(harness.expect_publish_error(third).code.name(), "RATE_LIMITED");

    let mut harness = Harness::with(Config { max_pending_bytes: 10, ..Config::default() });
    let kept = harness.publish("absences", "12345");
    let large = harness.publish("absences", "123456");
    harness.establish();
    assert_eq!(harness.expect_publish_error(large).code.name(), "RATE_LIMITED");
    let frame = harness.expect_publish();
    harness.acknowledge(&frame, 11);
    harness.expect_published(kept);
    harness.publish("absences", "1234567890");
    harness.expect_publish();
}

#[test]
fn an_idempotency_id_of_the_app_makes_equal_messages_recognisable_on_the_wire() {
    let mut seed = 0;
    let mut frame = |name: &str, payload: &str, id: &str| {
        seed += 1;
        let mut harness = Harness::seeded(seed);
        harness.now_ms += seed * 1_000;
        harness.client.publish_draft(harness.now(), draft(name, payload, Some(id), None));
        harness.drain();
        harness.establish();
        harness.expect_publish()
    };
    let first = frame("absences", "1", "note-1");
    let again = frame("absences", "1", "note-1");
    assert_eq!((&first.id, &first.content), (&again.id, &again.content));
    assert!(first.sealed != again.sealed, "each page seals under a sender id of its own");
    let changed = frame("absences", "22", "note-1");
    assert_eq!(first.id, changed.id, "the relay detects that the message differs");
    assert!(first.content != changed.content);
    assert!(first.id != frame("absences", "1", "note-2").id);
    assert!(first.id != frame("rotation", "1", "note-1").id);
}

#[test]
fn an_idempotency_id_of_the_app_with_an_invalid_length_is_refused() {
    for id in [String::new(), "x".repeat(256)] {
        let mut harness = Harness::default();
        let publish = harness.client.publish_draft(harness.now(), draft("a", "1", Some(&id), None));
        harness.drain();
        assert_eq!(harness.expect_publish_error(publish).code.name(), "INVALID_ARGUMENT");
    }
}
