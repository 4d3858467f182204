//! The connection: heartbeat, loss, backoff, what the relay says when it closes, and rest.

use crate::support::*;
use sealwire_client::{ClientError, Event, SessionReason, State};
use sealwire_protocol::{
    Code,
    wire::{Pong, ToClient, ToRelay},
};

#[test]
fn a_heartbeat_is_answered_and_silence_of_two_ends_the_connection() {
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
fn a_lost_connection_is_made_again_with_the_same_session_and_growing_waits() {
    let (mut harness, _) = Harness::subscribed("absences");
    harness.cut(None);
    let mut waits = Vec::new();
    for attempt in 2..9 {
        waits.push(harness.advance_to_attempt());
        assert_eq!(harness.connects, attempt);
        harness.cut(Some(1006));
    }
    for (attempt, wait) in waits.iter().enumerate() {
        let ceiling = (3_000 << attempt).min(30_000);
        assert!((ceiling / 8..=ceiling).contains(wait), "{waits:?}");
    }
    assert!(harness.states().iter().all(|state| *state == State::Reconnecting));
}

#[test]
fn a_connection_that_held_starts_the_waits_anew_and_one_that_did_not_does_not() {
    let (mut harness, _) = Harness::subscribed("absences");
    for _ in 0..3 {
        harness.cut(None);
        harness.advance_to_attempt();
        harness.establish();
        harness.sent.clear();
    }
    harness.cut(None);
    assert!(harness.advance_to_attempt() >= 4_000);
    harness.establish();
    harness.confirm("absences", 10);
    harness.advance(10_000);
    harness.cut(None);
    assert!(harness.advance_to_attempt() <= 3_000);
}

/// Counts the moments in the fullest span of so many milliseconds.
fn most_within(span_ms: u64, mut moments: Vec<u64>) -> usize {
    moments.sort_unstable();
    let within = |(first, at): (usize, &u64)| moments[first..].partition_point(|other| other - at < span_ms);
    moments.iter().enumerate().map(within).max().unwrap_or(0)
}

#[test]
fn a_thousand_clients_whose_relay_is_gone_without_a_word_come_back_spread() {
    let (mut first, mut second) = (Vec::new(), Vec::new());
    for seed in 1..=1_000 {
        let mut harness = Harness::seeded(seed);
        harness.subscribe("absences");
        harness.establish();
        harness.confirm("absences", 10);
        harness.cut(Some(1006));
        let wait = harness.advance_to_attempt();
        first.push(wait);
        // It is not there yet.
        harness.cut(None);
        second.push(wait + harness.advance_to_attempt());
    }
    // Evenly over three seconds, five hundred milliseconds would have 167 of them.
    assert!(most_within(500, first.clone()) <= 260, "{}", most_within(500, first));
    assert!(most_within(500, second.clone()) <= 200, "{}", most_within(500, second));
    assert!(first.iter().max() <= Some(&3_000), "and none waits long");
}

#[test]
fn a_session_whose_signing_key_is_gone_is_replaced_when_the_relay_says() {
    let (mut harness, _) = Harness::subscribed("absences");
    harness.goodbye(Code::TokenUnknownKey, 2_500);
    let wait = harness.advance_to_attempt();
    assert!((2_500..=3_750).contains(&wait), "{wait}");
    harness.expect_need(SessionReason::Connect);
    // A relay that names no time is asked at once.
    let (mut harness, _) = Harness::subscribed("absences");
    harness.goodbye(Code::TokenUnknownKey, 0);
    harness.expect_need(SessionReason::Connect);
}

#[test]
fn the_relays_time_to_come_back_is_kept() {
    let (mut harness, _) = Harness::subscribed("absences");
    harness.goodbye(Code::ShuttingDown, 7_000);
    assert_eq!(harness.disconnects, [1000]);
    let wait = harness.advance_to_attempt();
    assert!((7_000..=10_500).contains(&wait), "{wait}");
}

#[test]
fn a_terminal_refusal_ends_everything_once_and_is_not_repeated() {
    for code in [Code::PermissionMissing, Code::MalformedFrame, Code::HelloExpected] {
        let (mut harness, subscription) = Harness::subscribed("absences");
        let waiting = harness.subscribe("other");
        let publish = harness.publish("absences", "1");
        harness.sent.clear();
        harness.goodbye(code, 0);
        let mut failed = Vec::new();
        let mut ended = Vec::new();
        let mut states = Vec::new();
        for event in std::mem::take(&mut harness.events) {
            match event {
                Event::Notice { subscriptions, notice: sealwire_client::Notice::Ended(error) } => {
                    ended.push((subscriptions, error.code.name()));
                }
                Event::SubscribeDone { subscription, result: Err(error) } => {
                    assert_eq!((subscription, error.code.name()), (waiting, code.name()));
                    failed.push("subscribe");
                }
                Event::PublishDone { publish: failed_publish, result: Err(error) } => {
                    assert_eq!((failed_publish, error.code.name()), (publish, code.name()));
                    failed.push("publish");
                }
                Event::State { state, error } => states.push((state, error.unwrap().code.name())),
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(ended, [(vec![subscription], code.name())]);
        assert_eq!(failed, ["subscribe", "publish"]);
        assert_eq!(states, [(State::Idle, code.name())]);
        harness.advance(3_600_000);
        assert_eq!((harness.connects, harness.client.poll_timeout()), (1, None));
        // The app may try again.
        harness.subscribe("absences");
        harness.expect_need(SessionReason::Connect);
    }
}

#[test]
fn a_revoked_session_is_replaced_once_after_the_time_that_the_relay_asked_for() {
    let (mut harness, _) = Harness::subscribed("absences");
    harness.goodbye(Code::Revoked, 1_500);
    assert!(harness.events.iter().all(|event| !matches!(event, Event::SessionRequested { .. })));
    harness.advance(1_499);
    assert!(harness.events.iter().all(|event| !matches!(event, Event::SessionRequested { .. })));
    harness.advance(1_500);
    // The old token is not shown again: the app is asked for another session, and grants it.
    let fetch = harness.expect_need(SessionReason::Connect);
    harness.provide(fetch, &[1]);
    harness.open();
    assert_eq!(harness.connects, 2);
    // That one is refused as well.
    harness.goodbye(Code::Revoked, 1_500);
    let ended = harness.events.iter().any(|event| {
        matches!(event, Event::Notice { notice: sealwire_client::Notice::Ended(error), .. } if error.code.name() == "REVOKED")
    });
    assert!(ended);
    harness.advance(3_600_000);
    assert_eq!((harness.connects, harness.client.state()), (2, State::Idle));
}

#[test]
fn a_revoked_session_that_the_app_does_not_replace_ends_everything() {
    let (mut harness, _) = Harness::subscribed("absences");
    harness.goodbye(Code::Revoked, 1_500);
    harness.advance(3_000);
    let fetch = harness.expect_need(SessionReason::Connect);
    let error = ClientError::new(Code::PermissionMissing, "authorize() refused the session");
    harness.client.handle_session_failed(harness.now(), fetch, error);
    harness.drain();
    let ended = harness.events.iter().any(|event| {
        matches!(event, Event::Notice { notice: sealwire_client::Notice::Ended(error), .. } if error.code.name() == "PERMISSION_MISSING")
    });
    assert!(ended);
    harness.advance(3_600_000);
    assert_eq!((harness.connects, harness.client.state()), (1, State::Idle));
}

#[test]
fn a_relay_that_never_answers_hello_is_left_and_tried_again() {
    let mut harness = Harness::default();
    let subscription = harness.subscribe("absences");
    let fetch = harness.expect_need(SessionReason::Connect);
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
fn a_request_that_the_relay_leaves_unanswered_costs_it_the_connection() {
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
fn frames_that_are_none_make_the_client_leave_and_come_back() {
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
fn what_a_former_connection_still_brings_is_ignored() {
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
fn the_connection_rests_some_time_after_the_last_unsubscribe() {
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
    // The session is still good.
    let again = harness.subscribe("absences");
    harness.establish();
    harness.confirm("absences", 12);
    harness.expect_subscribed(again);
}

#[test]
fn a_subscribe_within_the_rest_keeps_the_connection() {
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
fn a_gateway_that_ends_every_connection_in_good_order_makes_no_wait_longer() {
    for code in [1000, 1001, 1005, 1012] {
        let (mut harness, _) = Harness::subscribed("absences");
        for _ in 0..10 {
            harness.advance(3_000);
            // The unanswered subscribe has made the client ask with a Ping.
            harness.sent.clear();
            harness.cut(Some(code));
            let wait = harness.advance_to_attempt();
            assert!(wait <= 3_000, "{wait} ms after {code}");
            harness.establish();
            harness.sent.clear();
        }
    }
    // A relay that turns everybody away at once is no gateway.
    let (mut harness, _) = Harness::subscribed("absences");
    for _ in 0..3 {
        harness.cut(Some(1001));
        harness.advance_to_attempt();
        harness.establish();
        harness.sent.clear();
    }
    harness.cut(Some(1001));
    assert!(harness.advance_to_attempt() >= 3_000);
}

#[test]
fn a_failure_that_the_transport_explains_is_told_and_decides_over_the_next_attempt() {
    let refused = |code, after| ClientError { retry_after_ms: after, ..ClientError::new(code, "no") };
    for (error, comes_back) in [
        (refused(Code::OriginRefused, None), false),
        (refused(Code::EgressBlocked, None), false),
        (refused(Code::TooManyConnections, Some(4_000)), true),
        (refused(Code::Unreachable, None), true),
    ] {
        let mut harness = Harness::default();
        let subscription = harness.subscribe("absences");
        let fetch = harness.expect_need(SessionReason::Connect);
        harness.provide(fetch, &[1]);
        harness.forget_states();
        let connection = harness.connection.take().unwrap();
        harness.client.handle_failed(harness.now(), connection, error.clone());
        harness.drain();
        let told = harness.events.iter().find_map(|event| match event {
            Event::State { error: Some(error), .. } => Some(error.code),
            _ => None,
        });
        assert_eq!(told, Some(error.code));
        if comes_back {
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
    let fetch = harness.expect_need(SessionReason::Connect);
    harness.provide(fetch, &[1]);
    harness.cut(None);
    let error = harness.events.iter().rev().find_map(|event| match event {
        Event::State { error: Some(error), .. } => Some(error.message.clone()),
        _ => None,
    });
    let message = error.unwrap();
    assert!(message.ends_with(" (relay: wss://relay.example)"), "{message}");
}
