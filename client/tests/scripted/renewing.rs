//! Channel tokens from a function of the app.
#![allow(unreachable_pub, reason = "the modules of one test program")]

use crate::{support::*, tokens::*};
use sealwire_client::{ClientError, Event, Notice, RenewalId, SubscriptionId};
use sealwire_protocol::{
    Code,
    wire::{Ended, Since, ToClient, ToRelay},
};

/// The lifetime of the tokens, in seconds.
const LIFETIME: u64 = 900;

/// Signs a token now.
pub fn fresh(harness: &Harness) -> String {
    token("{}", (UNIX_START + harness.now_ms) / 1000)
}

/// Returns a confirmed subscription with a token function.
pub fn renewing() -> (Harness, SubscriptionId) {
    let mut harness = Harness::default();
    let first = fresh(&harness);
    let subscription = harness.subscribe_with(private(&first), None);
    harness.client.enable_token_renewal(harness.now(), subscription);
    harness.establish();
    confirm(&mut harness, "{}");
    harness.expect_subscribed(subscription);
    harness.forget_states();
    (harness, subscription)
}

/// Advances the clock on a healthy connection until the client requests a token. Returns the request and the time that
/// passed.
fn until_requested(harness: &mut Harness) -> (RenewalId, u64) {
    let start = harness.now_ms;
    for _ in 0..LIFETIME + 60 {
        if let Some(renewal) = requested(harness) {
            return (renewal, harness.now_ms - start);
        }
        harness.advance(1_000);
        if harness.connection.is_some() {
            harness.ping();
            harness.sent.pop_back();
        }
    }
    panic!("no token is requested");
}

pub fn requested(harness: &mut Harness) -> Option<RenewalId> {
    let index = harness.events.iter().position(|event| matches!(event, Event::TokenRequested { .. }))?;
    match harness.events.remove(index) {
        Some(Event::TokenRequested { renewal, .. }) => Some(renewal),
        _ => None,
    }
}

pub fn provide(harness: &mut Harness, renewal: RenewalId, token: &str) {
    harness.client.handle_token(harness.now(), renewal, token);
    harness.drain();
}

pub fn fail(harness: &mut Harness, renewal: RenewalId) {
    let error = ClientError::new(Code::SessionUnavailable, "the function failed");
    harness.client.handle_token_failed(harness.now(), renewal, error);
    harness.drain();
}

/// Takes the next refresh of a channel token, and skips those of the session.
fn expect_channel_refresh(harness: &mut Harness) -> u32 {
    loop {
        let refresh = harness.expect_refresh();
        if !refresh.channel_id.is_empty() {
            return refresh.request;
        }
    }
}

pub fn ended(harness: &mut Harness, subscription: SubscriptionId) -> &'static str {
    harness.events.retain(|event| !matches!(event, Event::SessionRequested { .. }));
    match harness.expect_notice(&[subscription]) {
        Notice::Ended(error) => error.code.name(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_token_is_renewed_before_it_expires_every_time() {
    let (mut harness, _) = renewing();
    for _ in 0..12 {
        let (renewal, waited) = until_requested(&mut harness);
        assert!((LIFETIME * 690..=LIFETIME * 860).contains(&waited), "{waited}");
        harness.sent.clear();
        harness.events.clear();
        let token = fresh(&harness);
        provide(&mut harness, renewal, &token);
        let request = expect_channel_refresh(&mut harness);
        harness.refreshed(request);
    }
    assert_eq!(harness.connects, 1);
}

#[test]
fn a_failing_function_is_retried_while_the_current_token_is_valid() {
    let (mut harness, subscription) = renewing();
    let (mut renewal, _) = until_requested(&mut harness);
    let end = harness.now_ms + LIFETIME * 310;
    let mut retries = 0;
    while harness.now_ms < end {
        harness.events.clear();
        fail(&mut harness, renewal);
        if harness.events.iter().any(|event| matches!(event, Event::Notice { .. })) {
            break;
        }
        renewal = until_requested(&mut harness).0;
        retries += 1;
    }
    assert!((3..60).contains(&retries), "{retries}");
    assert_eq!(ended(&mut harness, subscription), "SESSION_UNAVAILABLE");
    // The token may still be valid by the relay's clock.
    harness.sent.retain(|message| !matches!(message, ToRelay::Refresh(_)));
    harness.expect_unsubscribe();
}

#[test]
fn a_function_that_recovers_in_time_causes_no_event() {
    let (mut harness, _) = renewing();
    let (renewal, _) = until_requested(&mut harness);
    fail(&mut harness, renewal);
    let (renewal, waited) = until_requested(&mut harness);
    assert!(waited <= 40_000, "{waited}");
    harness.sent.clear();
    let token = fresh(&harness);
    provide(&mut harness, renewal, &token);
    let request = expect_channel_refresh(&mut harness);
    harness.refreshed(request);
    harness.events.retain(|event| !matches!(event, Event::SessionRequested { .. }));
    harness.expect_nothing();
}

#[test]
fn an_unanswered_token_request_counts_as_failed() {
    let (mut harness, _) = renewing();
    let (late, _) = until_requested(&mut harness);
    harness.events.clear();
    let (renewal, waited) = until_requested(&mut harness);
    assert!(waited >= 30_000 && renewal != late);
    // The answer arrives after the next request and is ignored.
    harness.sent.clear();
    let token = fresh(&harness);
    provide(&mut harness, late, &token);
    assert_eq!(harness.sent, []);
}

#[test]
fn a_token_with_other_claims_counts_as_failed() {
    let (mut harness, _) = renewing();
    let (renewal, _) = until_requested(&mut harness);
    harness.sent.clear();
    let other = token(r#"{"team":"red"}"#, (UNIX_START + harness.now_ms) / 1000);
    provide(&mut harness, renewal, &other);
    assert_eq!(harness.sent, []);
    assert!(until_requested(&mut harness).1 <= 40_000);
}

#[test]
fn an_expired_token_is_replaced_before_the_channel_resumes_from_its_position() {
    let (mut harness, _) = renewing();
    harness.receive(ToClient::Ended(Ended {
        channel_id: private_id("{}").into(),
        code: Code::TokenExpired.number(),
        message: "expired".into(),
    }));
    let renewal = requested(&mut harness).expect("a token is requested");
    assert_eq!(harness.sent, []);
    let token = fresh(&harness);
    provide(&mut harness, renewal, &token);
    match harness.sent.pop_front() {
        Some(ToRelay::Subscribe(subscribe)) => {
            assert_eq!(subscribe.since, Some(Since::Position(position(10))));
            assert_eq!(subscribe.channel.unwrap().token, jwt(&token));
        }
        other => panic!("{other:?}"),
    }
    harness.expect_nothing();
}

/// Returns a subscription whose token the relay rejected after a reconnect, and the request for another one.
fn rejected() -> (Harness, SubscriptionId, RenewalId) {
    let (mut harness, subscription) = renewing();
    harness.cut(None);
    harness.advance_to_attempt();
    harness.establish();
    let request = harness.expect_subscribe().request;
    harness.refuse(request, Code::TokenUnknownKey, 0);
    let renewal = requested(&mut harness).expect("a token is requested");
    (harness, subscription, renewal)
}

#[test]
fn two_consecutive_rejected_tokens_end_the_subscription() {
    let (mut harness, subscription, renewal) = rejected();
    let token = fresh(&harness);
    provide(&mut harness, renewal, &token);
    let request = harness.expect_subscribe().request;
    harness.refuse(request, Code::TokenUnknownKey, 0);
    assert_eq!(ended(&mut harness, subscription), "TOKEN_UNKNOWN_KEY");
    harness.expect_nothing();
}

#[test]
fn a_token_that_expired_without_a_connection_is_replaced_even_after_a_rejected_one() {
    let (mut harness, subscription, renewal) = rejected();
    harness.cut(None);
    let second = token("{}", (UNIX_START + harness.now_ms) / 1000 - LIFETIME + 1);
    provide(&mut harness, renewal, &second);
    harness.advance_to_attempt();
    harness.advance(1_500);
    harness.establish();
    let request = harness.expect_subscribe().request;
    harness.refuse(request, Code::TokenExpired, 0);
    let renewal = requested(&mut harness).expect("a third token is requested");
    // A token that had expired before the app provided it is not requested again: the function has no better one.
    provide(&mut harness, renewal, &second);
    let request = harness.expect_subscribe().request;
    harness.refuse(request, Code::TokenExpired, 0);
    assert_eq!(ended(&mut harness, subscription), "TOKEN_EXPIRED");
    harness.expect_nothing();
}

#[test]
fn a_token_provided_without_a_connection_is_used_on_the_next_one() {
    let (mut harness, _) = renewing();
    let (renewal, _) = until_requested(&mut harness);
    harness.cut(None);
    harness.sent.clear();
    let token = fresh(&harness);
    provide(&mut harness, renewal, &token);
    harness.events.clear();
    harness.advance_to_attempt();
    harness.open();
    harness.welcome();
    assert_eq!(confirm(&mut harness, "{}"), jwt(&token));
}

#[test]
fn no_token_is_requested_for_a_subscription_with_a_fixed_token() {
    let mut harness = Harness::default();
    let first = fresh(&harness);
    let subscription = harness.subscribe_with(private(&first), None);
    harness.establish();
    confirm(&mut harness, "{}");
    harness.expect_subscribed(subscription);
    harness.receive(ToClient::Ended(Ended {
        channel_id: private_id("{}").into(),
        code: Code::TokenExpired.number(),
        message: "expired".into(),
    }));
    assert_eq!(ended(&mut harness, subscription), "TOKEN_EXPIRED");
    assert_eq!(requested(&mut harness), None);
}
