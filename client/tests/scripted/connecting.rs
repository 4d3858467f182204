//! The connection: heartbeat, handshake, malformed frames, idle close, and failures of the transport.

use crate::support::*;
use sealwire_client::{ClientError, Event, SessionReason, State};
use sealwire_protocol::{
    Code,
    wire::{Pong, ToClient, ToRelay},
};

#[test]
fn heartbeats_are_answered_and_two_missed_ones_end_the_connection() {
    let (mut harness, _) = Harness::subscribed("absences");
    for _ in 0..5 {
        harness.advance(HEARTBEAT_MS);
        harness.ping();
        assert!(matches!(harness.sent.pop_front(), Some(ToRelay::Pong(_))));
    }
    harness.advance(2 * HEARTBEAT_MS - 1);
    assert!(harness.disconnects.is_empty());
    harness.advance(1);
    assert_eq!(harness.disconnects, [4408]);
    assert_eq!(harness.states(), [State::Reconnecting]);
}

#[test]
fn a_hello_without_an_answer_is_retried_on_a_new_connection() {
    let mut harness = Harness::default();
    let subscription = harness.subscribe("absences");
    let fetch = harness.expect_session_request(SessionReason::Connect);
    harness.provide(fetch, &[1]);
    harness.open();
    harness.advance(10_000);
    assert_eq!(harness.disconnects, [1000]);
    harness.sent.clear();
    harness.advance_to_attempt();
    harness.establish();
    harness.confirm("absences", 10);
    harness.expect_subscribed(subscription);
}

#[test]
fn an_unanswered_request_closes_the_connection() {
    let (mut harness, _) = Harness::subscribed("absences");
    harness.cut(None);
    harness.advance_to_attempt();
    harness.establish();
    harness.expect_subscribe();
    for _ in 0..3 {
        harness.advance(3_000);
        harness.receive(ToClient::Pong(Pong {}));
    }
    harness.advance(999);
    assert!(harness.disconnects.is_empty());
    harness.advance(1);
    assert_eq!(harness.disconnects, [4408]);
    harness.sent.clear();
    harness.advance_to_attempt();
    harness.establish();
    harness.confirm("absences", 10);
}

#[test]
fn malformed_frames_close_the_connection_and_the_client_reconnects() {
    for frame in [None, Some(&b""[..]), Some(b"\xff\xff\xff"), Some(b"{}"), Some(b"\x1a\x02\x08\x01")] {
        let (mut harness, _) = Harness::subscribed("absences");
        let connection = harness.connection.unwrap();
        let frame = frame.map(|bytes| bytes.to_vec().into());
        harness.client.handle_frame(harness.now(), connection, frame);
        harness.drain();
        assert_eq!(harness.disconnects, [4400]);
        harness.advance_to_attempt();
        assert_eq!(harness.connects, 2);
    }
}

#[test]
fn inputs_of_a_former_connection_are_ignored() {
    let (mut harness, subscription) = Harness::subscribed("absences");
    let former = harness.connection.unwrap();
    harness.cut(None);
    harness.advance_to_attempt();
    let now = harness.now();
    harness.client.handle_frame(now, former, Some(publication("absences", 10, 11, "1").to_bytes().into()));
    harness.client.handle_opened(now, former);
    harness.client.handle_closed(now, former, Some(4403));
    harness.drain();
    harness.forget_states();
    harness.expect_nothing();
    harness.establish();
    harness.confirm("absences", 10);
    harness.receive(publication("absences", 10, 11, "1"));
    harness.expect_payload(&[subscription], "1");
}

#[test]
fn an_unused_connection_is_closed_after_five_seconds() {
    let (mut harness, subscription) = Harness::subscribed("absences");
    harness.unsubscribe(subscription);
    let request = harness.expect_unsubscribe().request;
    harness.unsubscribed(request);
    harness.events.clear();
    harness.advance(4_999);
    assert!(harness.disconnects.is_empty());
    harness.advance(1);
    assert_eq!(harness.disconnects, [1000]);
    assert_eq!(harness.states(), [State::Idle]);
    assert_eq!(harness.client.poll_timeout(), None);
    // The session is still valid.
    let again = harness.subscribe("absences");
    harness.establish();
    harness.confirm("absences", 12);
    harness.expect_subscribed(again);
}

#[test]
fn a_subscribe_within_five_seconds_keeps_an_unused_connection() {
    let (mut harness, subscription) = Harness::subscribed("absences");
    harness.unsubscribe(subscription);
    let request = harness.expect_unsubscribe().request;
    harness.unsubscribed(request);
    harness.advance(4_000);
    harness.subscribe("absences");
    harness.confirm("absences", 12);
    harness.advance(20_000);
    assert_eq!((harness.connects, harness.disconnects.len()), (1, 0));
}

#[test]
fn no_timeout_is_due_again_right_after_it_was_handled() {
    let (mut harness, _) = Harness::subscribed("absences");
    for _ in 0..1_000 {
        let Some(due) = harness.client.poll_timeout() else { break };
        harness.now_ms = harness.now_ms.max(due.0);
        harness.client.handle_timeout(harness.now());
        harness.drain();
        assert!(harness.client.poll_timeout().is_none_or(|next| next.0 > harness.now_ms));
    }
}

#[test]
fn a_failure_explained_by_the_transport_is_reported_and_decides_whether_to_retry() {
    let refused = |code, after| ClientError { retry_after_ms: after, ..ClientError::new(code, "no") };
    for (error, retries) in [
        (refused(Code::OriginRefused, None), false),
        (refused(Code::EgressBlocked, None), false),
        (refused(Code::TooManyConnections, Some(4_000)), true),
        (refused(Code::Unreachable, None), true),
    ] {
        let mut harness = Harness::default();
        let subscription = harness.subscribe("absences");
        let fetch = harness.expect_session_request(SessionReason::Connect);
        harness.provide(fetch, &[1]);
        harness.forget_states();
        let connection = harness.connection.take().unwrap();
        harness.client.handle_failed(harness.now(), connection, error.clone());
        harness.drain();
        let reported = harness.events.iter().find_map(|event| match event {
            Event::State { error: Some(error), .. } => Some(error.code),
            _ => None,
        });
        assert_eq!(reported, Some(error.code));
        if retries {
            assert!(harness.advance_to_attempt() >= u64::from(error.retry_after_ms.unwrap_or(375)));
        } else {
            assert_eq!(harness.expect_subscribe_error(subscription).code, error.code);
            harness.advance(120_000);
            assert_eq!(harness.connects, 1);
        }
    }
}

#[test]
fn an_error_about_an_unreachable_relay_names_its_address_and_no_secret() {
    let mut harness = Harness::default();
    harness.subscribe("absences");
    let fetch = harness.expect_session_request(SessionReason::Connect);
    harness.provide(fetch, &[1]);
    harness.cut(None);
    let error = harness.events.iter().rev().find_map(|event| match event {
        Event::State { error: Some(error), .. } => Some(error.message.clone()),
        _ => None,
    });
    let message = error.unwrap();
    assert!(message.ends_with(" (relay: wss://relay.example)"), "{message}");
}
