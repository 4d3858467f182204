//! Sessions: requests, refusals, refresh before expiry, late sessions, and failures of the app.

use crate::support::*;
use sealwire_client::{ClientError, FetchId, SessionReason, State, SubscriptionId};
use sealwire_protocol::{Code, UnixSeconds};

#[test]
fn a_session_is_refreshed_before_it_ends_without_a_reconnect() {
    let (mut harness, subscription) = Harness::subscribed("absences");
    for _ in 0..3 {
        let waited = harness.advance_to_refresh();
        assert!((629_000..=767_000).contains(&waited), "{waited}");
        let fetch = harness.expect_session_request(SessionReason::Refresh);
        harness.provide(fetch, &[1]);
        let refresh = harness.expect_refresh();
        assert!(refresh.channel_id.is_empty() && refresh.token.starts_with("session-"));
        harness.refreshed(refresh.request);
    }
    assert_eq!((harness.connects, harness.disconnects.len()), (1, 0));
    harness.receive(publication("absences", 10, 11, "1"));
    harness.expect_payload(&[subscription], "1");
}

#[test]
fn a_failed_refresh_is_retried_while_the_session_lasts() {
    let (mut harness, _) = Harness::subscribed("absences");
    harness.advance_to_refresh();
    let fetch = harness.expect_session_request(SessionReason::Refresh);
    let error = ClientError::new(Code::SessionUnavailable, "offline");
    harness.client.handle_session_failed(harness.now(), fetch, error);
    harness.drain();
    assert_eq!(harness.states(), [State::Connected]);
    harness.advance(40_000);
    let fetch = harness.expect_session_request(SessionReason::Refresh);
    harness.provide(fetch, &[1]);
    let request = harness.expect_refresh().request;
    harness.refuse(request, Code::TokenNotYetValid, 0);
    harness.advance(40_000);
    harness.expect_session_request(SessionReason::Refresh);
}

#[test]
fn a_session_that_ends_is_replaced_at_once_and_nothing_is_lost() {
    let (mut harness, subscription) = Harness::subscribed("absences");
    harness.goodbye(Code::TokenExpired, 0);
    let fetch = harness.expect_session_request(SessionReason::Connect);
    harness.provide(fetch, &[1]);
    harness.establish();
    harness.confirm("absences", 10);
    harness.receive(publication("absences", 10, 11, "1"));
    harness.expect_payload(&[subscription], "1");
}

#[test]
fn a_second_refused_session_is_reported_and_not_retried() {
    let mut harness = Harness::default();
    let subscription = harness.subscribe("absences");
    for _ in 0..2 {
        let fetch = harness.expect_session_request(SessionReason::Connect);
        harness.provide(fetch, &[1]);
        harness.open();
        harness.sent.clear();
        harness.goodbye(Code::TokenSignature, 0);
    }
    assert_eq!(harness.expect_subscribe_error(subscription).code.name(), "TOKEN_SIGNATURE");
    harness.advance(3_600_000);
    assert_eq!((harness.connects, harness.client.state()), (2, State::Idle));
}

#[test]
fn sessions_that_the_relay_considers_expired_are_requested_with_backoff() {
    let (mut harness, _) = Harness::subscribed("absences");
    harness.goodbye(Code::TokenExpired, 0);
    for attempt in 0..5 {
        let wait = harness.advance_to_attempt();
        assert_eq!(wait == 0, attempt == 0, "the first session is requested without a wait");
        let fetch = harness.expect_session_request(SessionReason::Connect);
        harness.provide(fetch, &[1]);
        harness.open();
        harness.sent.clear();
        harness.goodbye(Code::TokenExpired, 0);
    }
}

#[test]
fn a_refusal_by_the_app_fails_pending_calls_and_is_not_retried() {
    let mut harness = Harness::default();
    let subscription = harness.subscribe("absences");
    let fetch = harness.expect_session_request(SessionReason::Connect);
    let error = ClientError::new(Code::PermissionMissing, "not your project");
    harness.client.handle_session_failed(harness.now(), fetch, error.clone());
    harness.drain();
    assert_eq!(harness.expect_subscribe_error(subscription), error);
    harness.advance(3_600_000);
    harness.expect_nothing();
}

#[test]
fn a_malformed_grant_is_refused_and_not_retried() {
    let mut harness = Harness::default();
    let subscription = harness.subscribe("absences");
    let fetch = harness.expect_session_request(SessionReason::Connect);
    let expires_at = UnixSeconds((UNIX_START + harness.now_ms) / 1000 + SESSION_SECONDS);
    let mut grant = grant(&[1], expires_at);
    grant.keys[0].scopes = "AAAA".into();
    harness.client.handle_session(harness.now(), fetch, grant);
    harness.drain();
    assert_eq!(harness.expect_subscribe_error(subscription).code, Code::InvalidArgument.into());
    harness.advance(3_600_000);
    harness.expect_nothing();
}

#[test]
fn a_failing_session_function_is_retried_until_the_call_times_out() {
    let mut harness = Harness::default();
    let subscription =
        harness.client.subscribe_within(harness.now(), channel("absences"), None, Some(10_000));
    harness.drain();
    let error = ClientError::new(Code::SessionUnavailable, "offline");
    let mut attempts = 0;
    while harness.now_ms < 11_000 {
        if harness.events.iter().any(|event| matches!(event, sealwire_client::Event::SessionRequested { .. }))
        {
            attempts += 1;
            let fetch = harness.expect_session_request(SessionReason::Connect);
            harness.client.handle_session_failed(harness.now(), fetch, error.clone());
        }
        harness.advance(100);
        harness.drain();
    }
    assert_eq!(harness.expect_subscribe_error(subscription), error);
    assert!((3..=6).contains(&attempts), "{attempts}");
    assert_eq!(harness.client.poll_timeout(), None);
}

#[test]
fn an_unanswered_session_request_times_out_and_is_retried() {
    let (mut harness, _) = Harness::subscribed("absences");
    harness.goodbye(Code::TokenExpired, 0);
    let fetch = harness.expect_session_request(SessionReason::Connect);
    harness.advance(30_000);
    harness.advance_to_attempt();
    let again = harness.expect_session_request(SessionReason::Connect);
    harness.provide(fetch, &[1]);
    assert_eq!(harness.connection, None, "the session arrived too late");
    harness.provide(again, &[1]);
    assert!(harness.connection.is_some());
}

#[test]
fn a_session_of_another_context_is_refused_while_there_are_channels() {
    let (mut harness, subscription) = Harness::subscribed("absences");
    harness.goodbye(Code::TokenExpired, 0);
    let fetch = harness.expect_session_request(SessionReason::Connect);
    let mut other = grant(&[1], UnixSeconds(UNIX_START / 1000 + 900));
    other.installation = "ari:cloud:jira::site/2".into();
    harness.client.handle_session(harness.now(), fetch, other);
    harness.drain();
    match harness.expect_notice(&[subscription]) {
        sealwire_client::Notice::Ended(error) => assert_eq!(error.code.name(), "TOKEN_IDENTITY"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_session_about_to_expire_is_not_used_for_another_attempt() {
    let (mut harness, _) = Harness::subscribed("absences");
    for _ in 0..620 {
        harness.advance(1_000);
        harness.ping();
    }
    harness.sent.clear();
    harness.cut(None);
    for _ in 0..8 {
        harness.advance_to_attempt();
        if harness.connection.is_some() {
            harness.advance(9_999);
            harness.cut(None);
        }
    }
    while harness.now_ms < 1_000 + 896_000 {
        harness.advance_to_attempt();
        if harness.connection.is_none() {
            break;
        }
        harness.cut(None);
    }
    harness.expect_session_request(SessionReason::Connect);
}

/// Returns a client whose session request has just timed out, and that request.
fn timed_out_request() -> (Harness, SubscriptionId, FetchId) {
    let mut harness = Harness::default();
    let subscription = harness.subscribe("absences");
    let late = harness.expect_session_request(SessionReason::Connect);
    harness.advance(30_000);
    assert_eq!(harness.connects, 0);
    (harness, subscription, late)
}

#[test]
fn a_late_session_is_adopted_if_there_is_none() {
    let (mut harness, subscription, late) = timed_out_request();
    harness.provide(late, &[1]);
    assert_eq!(harness.connects, 1, "the client connects at once");
    harness.establish();
    harness.confirm("absences", 10);
    harness.expect_subscribed(subscription);
}

#[test]
fn a_late_session_replaces_the_pending_request() {
    let (mut harness, _, late) = timed_out_request();
    harness.advance_to_attempt();
    let next = harness.expect_session_request(SessionReason::Connect);
    harness.provide(late, &[1]);
    assert_eq!(harness.connects, 1);
    harness.establish();
    harness.provide(next, &[1]);
    harness.confirm("absences", 10);
    assert_eq!((harness.connects, harness.sent.len()), (1, 0), "the other session is no longer needed");
}

#[test]
fn a_late_session_is_ignored_after_the_relay_refused_one() {
    let (mut harness, _, late) = timed_out_request();
    harness.advance_to_attempt();
    let next = harness.expect_session_request(SessionReason::Connect);
    harness.provide(next, &[1]);
    harness.open();
    harness.sent.clear();
    harness.goodbye(Code::TokenExpired, 0);
    harness.expect_session_request(SessionReason::Connect);
    harness.provide(late, &[1]);
    assert_eq!(harness.connection, None);
}
