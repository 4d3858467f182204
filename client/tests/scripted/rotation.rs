//! Rotations of the encryption key on channels with claims: the current token lacks the key of new messages.

use crate::{renewing::*, support::*, tokens::*};
use sealwire_client::{Event, RenewalId, SessionReason};
use sealwire_protocol::wire::ToClient;

const CLAIMS: &str = "{}";

/// Signs a token now, with claims keys under these encryption keys.
fn under(harness: &Harness, keys: &[u8]) -> String {
    token_under(keys, CLAIMS, (UNIX_START + harness.now_ms) / 1000)
}

/// Advances the clock until the client requests a token.
fn until_requested(harness: &mut Harness, within_ms: u64) -> RenewalId {
    for _ in 0..within_ms {
        if let Some(renewal) = requested(harness) {
            return renewal;
        }
        harness.advance(1);
    }
    requested(harness).expect("a token is requested in time")
}

/// Waits for a session request and provides a session with both keys.
fn provide_session(harness: &mut Harness) {
    let asks = |event: &Event| matches!(event, Event::SessionRequested { .. });
    for _ in 0..2_000 {
        if harness.events.iter().any(asks) {
            break;
        }
        harness.advance(1);
    }
    let fetch = harness.expect_session_request(SessionReason::UnknownKey);
    harness.provide(fetch, &[2, 1]);
    let request = harness.expect_refresh().request;
    harness.refreshed(request);
}

fn rotated(previous_offset: u64, payload: &str) -> ToClient {
    private_publication(2, CLAIMS, previous_offset, previous_offset + 1, payload)
}

#[test]
fn a_rotation_requests_session_and_token_at_once_and_keeps_the_order() {
    let (mut harness, subscription) = renewing();
    harness.receive(rotated(10, "first"));
    harness.receive(private_publication(1, CLAIMS, 11, 12, "second"));
    harness.receive(rotated(12, "third"));
    let renewal = until_requested(&mut harness, 2_000);
    provide_session(&mut harness);
    harness.expect_nothing();
    let token = under(&harness, &[2, 1]);
    provide(&mut harness, renewal, &token);
    for payload in ["first", "second", "third"] {
        harness.expect_payload(&[subscription], payload);
    }
    // The relay accepts the token like any renewed one.
    let request = harness.expect_refresh().request;
    harness.refreshed(request);
    harness.receive(rotated(13, "fourth"));
    harness.expect_payload(&[subscription], "fourth");
    harness.expect_nothing();
}

#[test]
fn a_failing_token_function_is_retried_within_seconds() {
    let (mut harness, subscription) = renewing();
    harness.receive(rotated(10, "1"));
    let renewal = until_requested(&mut harness, 2_000);
    provide_session(&mut harness);
    fail(&mut harness, renewal);
    harness.receive(rotated(11, "2"));
    let renewal = until_requested(&mut harness, 1_500);
    let token = under(&harness, &[2, 1]);
    provide(&mut harness, renewal, &token);
    harness.expect_payload(&[subscription], "1");
    harness.expect_payload(&[subscription], "2");
}

#[test]
fn a_token_without_the_new_key_is_requested_again_and_removes_no_key() {
    let (mut harness, subscription) = renewing();
    harness.receive(rotated(10, "1"));
    let renewal = until_requested(&mut harness, 2_000);
    provide_session(&mut harness);
    let stale = under(&harness, &[1]);
    provide(&mut harness, renewal, &stale);
    let request = harness.expect_refresh().request;
    harness.refreshed(request);
    let renewal = until_requested(&mut harness, 1_500);
    let token = under(&harness, &[2, 1]);
    provide(&mut harness, renewal, &token);
    harness.expect_payload(&[subscription], "1");
    let request = harness.expect_refresh().request;
    harness.refreshed(request);
    // A later token without the key does not remove it.
    harness.client.refresh_token(harness.now(), subscription, &stale);
    harness.drain();
    let request = harness.expect_refresh().request;
    harness.refreshed(request);
    assert!(matches!(harness.next_event(), Event::RefreshDone { result: Ok(()), .. }));
    harness.receive(rotated(11, "2"));
    harness.expect_payload(&[subscription], "2");
}

#[test]
fn an_error_names_the_fixed_token_and_a_fresh_token_resolves_it() {
    let mut harness = Harness::default();
    let first = fresh(&harness);
    let subscription = harness.subscribe_with(private(&first), None);
    harness.establish();
    confirm(&mut harness, CLAIMS);
    harness.expect_subscribed(subscription);
    harness.receive(rotated(10, "1"));
    let message = harness.expect_unreadable(subscription);
    assert!(message.contains("refreshToken()") && message.contains("function"), "{message}");
    provide_session(&mut harness);
    let token = under(&harness, &[2, 1]);
    harness.client.refresh_token(harness.now(), subscription, &token);
    harness.drain();
    harness.receive(rotated(11, "2"));
    harness.expect_payload(&[subscription], "2");
}

#[test]
fn one_token_function_gets_the_key_for_its_whole_channel() {
    let mut harness = Harness::default();
    let first = fresh(&harness);
    let fixed = harness.subscribe_with(private(&first), None);
    let renewing = harness.subscribe_with(private(&first), None);
    harness.client.enable_token_renewal(harness.now(), renewing);
    harness.establish();
    confirm(&mut harness, CLAIMS);
    harness.expect_subscribed(fixed);
    harness.expect_subscribed(renewing);
    harness.receive(rotated(10, "1"));
    let renewal = until_requested(&mut harness, 2_000);
    provide_session(&mut harness);
    let token = under(&harness, &[2, 1]);
    provide(&mut harness, renewal, &token);
    harness.expect_payload(&[fixed, renewing], "1");
}

#[test]
fn another_function_is_asked_after_one_leaves_or_fails() {
    let mut harness = Harness::default();
    let first = fresh(&harness);
    let [one, two, three] = std::array::from_fn(|_| {
        let subscription = harness.subscribe_with(private(&first), None);
        harness.client.enable_token_renewal(harness.now(), subscription);
        subscription
    });
    harness.establish();
    confirm(&mut harness, CLAIMS);
    [one, two, three].into_iter().for_each(|subscription| harness.expect_subscribed(subscription));
    let next_request = |harness: &mut Harness| {
        for _ in 0..3_000 {
            let asks = |event: &Event| matches!(event, Event::TokenRequested { .. });
            if let Some(index) = harness.events.iter().position(asks) {
                match harness.events.remove(index) {
                    Some(Event::TokenRequested { renewal, subscription, fresh: true }) => {
                        return (renewal, subscription);
                    }
                    other => panic!("{other:?}"),
                }
            }
            harness.advance(1);
        }
        panic!("no token is requested");
    };
    harness.receive(rotated(10, "1"));
    let (_, leaving) = next_request(&mut harness);
    provide_session(&mut harness);
    harness.unsubscribe(leaving);
    assert!(matches!(harness.next_event(), Event::UnsubscribeDone { .. }));
    harness.receive(rotated(11, "2"));
    let (renewal, failing) = next_request(&mut harness);
    fail(&mut harness, renewal);
    let (renewal, next) = next_request(&mut harness);
    assert_ne!(failing, next);
    let token = under(&harness, &[2, 1]);
    provide(&mut harness, renewal, &token);
    harness.expect_payload(&[two, three], "1");
    harness.expect_payload(&[two, three], "2");
}

#[test]
fn waiting_messages_survive_a_resume_and_are_dropped_with_their_subscription() {
    let (mut harness, subscription) = renewing();
    harness.receive(rotated(10, "1"));
    let renewal = until_requested(&mut harness, 2_000);
    provide_session(&mut harness);
    harness.cut(None);
    harness.advance_to_attempt();
    harness.establish();
    confirm(&mut harness, CLAIMS);
    harness.forget_states();
    let token = under(&harness, &[2, 1]);
    provide(&mut harness, renewal, &token);
    harness.expect_payload(&[subscription], "1");
    harness.sent.clear();
    harness.receive(private_publication(3, CLAIMS, 11, 12, "2"));
    harness.unsubscribe(subscription);
    harness.expect_unsubscribe();
    harness.advance(120_000);
    assert!(
        !harness
            .events
            .iter()
            .any(|event| matches!(event, Event::Notice { .. } | Event::TokenRequested { .. }))
    );
}

#[test]
fn a_relay_that_invents_keys_cannot_make_the_client_request_tokens_constantly() {
    let (mut harness, _) = renewing();
    let mut tokens = 0;
    for (offset, key) in (10..).zip((2..202).cycle()).take(1_000) {
        harness.receive(private_publication(key, CLAIMS, offset, offset + 1, "1"));
        harness.advance(200);
        if let Some(renewal) = requested(&mut harness) {
            tokens += 1;
            let token = under(&harness, &[1]);
            provide(&mut harness, renewal, &token);
        }
        if harness.events.iter().any(|event| matches!(event, Event::SessionRequested { .. })) {
            let fetch = harness.expect_session_request(SessionReason::UnknownKey);
            harness.provide(fetch, &[1]);
        }
        for message in std::mem::take(&mut harness.sent) {
            if let sealwire_protocol::wire::ToRelay::Refresh(refresh) = message {
                harness.refreshed(refresh.request);
            }
        }
        harness.ping();
        harness.events.clear();
        harness.sent.clear();
    }
    assert!((5..=12).contains(&tokens), "{tokens} in 200 seconds");
}
