//! The loss of a connection: backoff, and the relay's reasons to close it.

use crate::support::*;
use sealwire_client::{ClientError, Event, SessionReason, State};
use sealwire_protocol::Code;

#[test]
fn a_lost_connection_is_retried_with_the_same_session_and_backoff() {
    let (mut harness, _) = Harness::subscribed("absences");
    harness.cut(None);
    let mut waits = Vec::new();
    for attempt in 2..9 {
        waits.push(harness.advance_to_attempt());
        assert_eq!(harness.connects, attempt);
        harness.cut(Some(1006));
    }
    for (attempt, wait) in waits.iter().enumerate() {
        let max = (3_000 << attempt).min(30_000);
        assert!((max / 8..=max).contains(wait), "{waits:?}");
    }
    assert!(harness.states().iter().all(|state| *state == State::Reconnecting));
}

#[test]
fn only_a_stable_connection_resets_the_backoff() {
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

/// Returns the largest number of moments within any span of `span_ms`.
fn max_within(span_ms: u64, mut moments: Vec<u64>) -> usize {
    moments.sort_unstable();
    let within = |(first, at): (usize, &u64)| moments[first..].partition_point(|other| other - at < span_ms);
    moments.iter().enumerate().map(within).max().unwrap_or(0)
}

#[test]
fn a_thousand_clients_of_a_relay_that_vanished_reconnect_spread_over_time() {
    let (mut first, mut second) = (Vec::new(), Vec::new());
    for seed in 1..=1_000 {
        let mut harness = Harness::seeded(seed);
        harness.subscribe("absences");
        harness.establish();
        harness.confirm("absences", 10);
        harness.cut(Some(1006));
        let wait = harness.advance_to_attempt();
        first.push(wait);
        // The relay is not back yet.
        harness.cut(None);
        second.push(wait + harness.advance_to_attempt());
    }
    // If spread evenly over three seconds, 167 clients return within 500 milliseconds.
    assert!(max_within(500, first.clone()) <= 260, "{}", max_within(500, first));
    assert!(max_within(500, second.clone()) <= 200, "{}", max_within(500, second));
    assert!(first.iter().max() <= Some(&3_000), "no client waits long");
}

#[test]
fn a_session_with_a_removed_signing_key_is_replaced_at_the_requested_time() {
    let (mut harness, _) = Harness::subscribed("absences");
    harness.goodbye(Code::TokenUnknownKey, 2_500);
    let wait = harness.advance_to_attempt();
    assert!((2_500..=3_750).contains(&wait), "{wait}");
    harness.expect_session_request(SessionReason::Connect);
    // If the relay requests no time, the client requests a session at once.
    let (mut harness, _) = Harness::subscribed("absences");
    harness.goodbye(Code::TokenUnknownKey, 0);
    harness.expect_session_request(SessionReason::Connect);
}

#[test]
fn the_reconnect_time_that_the_relay_requests_is_kept() {
    let (mut harness, _) = Harness::subscribed("absences");
    harness.goodbye(Code::ShuttingDown, 7_000);
    assert_eq!(harness.disconnects, [1000]);
    let wait = harness.advance_to_attempt();
    assert!((7_000..=10_500).contains(&wait), "{wait}");
}

#[test]
fn a_permanent_refusal_ends_everything_once_and_is_not_retried() {
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
        // The app may subscribe again.
        harness.subscribe("absences");
        harness.expect_session_request(SessionReason::Connect);
    }
}

#[test]
fn a_revoked_session_is_replaced_once_after_the_time_that_the_relay_requested() {
    let (mut harness, _) = Harness::subscribed("absences");
    harness.goodbye(Code::Revoked, 1_500);
    assert!(harness.events.iter().all(|event| !matches!(event, Event::SessionRequested { .. })));
    harness.advance(1_499);
    assert!(harness.events.iter().all(|event| !matches!(event, Event::SessionRequested { .. })));
    harness.advance(1_500);
    // The client does not send the old token again. It requests another session, which the app grants.
    let fetch = harness.expect_session_request(SessionReason::Connect);
    harness.provide(fetch, &[1]);
    harness.open();
    assert_eq!(harness.connects, 2);
    // The relay refuses that one as well.
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
    let fetch = harness.expect_session_request(SessionReason::Connect);
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
fn orderly_closes_by_a_gateway_do_not_increase_the_backoff() {
    for code in [1000, 1001, 1005, 1012] {
        let (mut harness, _) = Harness::subscribed("absences");
        for _ in 0..10 {
            harness.advance(3_000);
            // The unanswered subscribe has made the client send a Ping.
            harness.sent.clear();
            harness.cut(Some(code));
            let wait = harness.advance_to_attempt();
            assert!(wait <= 3_000, "{wait} ms after {code}");
            harness.establish();
            harness.sent.clear();
        }
    }
    // A relay that closes every connection at once still causes backoff.
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
