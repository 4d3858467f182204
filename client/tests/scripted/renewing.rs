//! Channel tokens that a function of the app provides.
#![allow(unreachable_pub, reason = "the modules of one test program")]

use crate::{support::*, tokens::*};
use sealwire_client::{ClientError, Event, Notice, RenewalId, SubscriptionId};
use sealwire_protocol::{
    Code,
    wire::{Ended, Since, ToClient, ToRelay},
};

/// Lifetime of the tokens here, in seconds.
const LIFETIME: u64 = 900;

/// A token that is signed now.
pub fn fresh(harness: &Harness) -> String {
    token("{}", (UNIX_START + harness.now_ms) / 1000)
}

/// A live subscription whose token the app's function provides.
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

/// Lets time pass on a healthy connection, with sessions that never end, until a token is asked for.
fn until_asked(harness: &mut Harness) -> (RenewalId, u64) {
    let start = harness.now_ms;
    for _ in 0..LIFETIME + 60 {
        if let Some(renewal) = asked(harness) {
            return (renewal, harness.now_ms - start);
        }
        harness.advance(1_000);
        if harness.connection.is_some() {
            harness.ping();
            harness.sent.pop_back();
        }
    }
    panic!("no token is asked for");
}

pub fn asked(harness: &mut Harness) -> Option<RenewalId> {
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

/// Takes the session's own refreshes out of the way.
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
fn a_token_is_renewed_in_place_ahead_of_its_end_again_and_again() {
    let (mut harness, _) = renewing();
    for _ in 0..12 {
        let (renewal, waited) = until_asked(&mut harness);
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
fn a_failing_function_is_asked_again_while_the_old_token_lives() {
    let (mut harness, subscription) = renewing();
    let (mut renewal, _) = until_asked(&mut harness);
    let end = harness.now_ms + LIFETIME * 310;
    let mut asked_again = 0;
    while harness.now_ms < end {
        harness.events.clear();
        fail(&mut harness, renewal);
        if harness.events.iter().any(|event| matches!(event, Event::Notice { .. })) {
            break;
        }
        renewal = until_asked(&mut harness).0;
        asked_again += 1;
    }
    assert!((3..60).contains(&asked_again), "{asked_again}");
    assert_eq!(ended(&mut harness, subscription), "SESSION_UNAVAILABLE");
    // By the relay's clock the token may live on.
    harness.sent.retain(|message| !matches!(message, ToRelay::Refresh(_)));
    harness.expect_unsubscribe();
}

#[test]
fn a_function_that_recovers_in_time_is_never_heard_of() {
    let (mut harness, _) = renewing();
    let (renewal, _) = until_asked(&mut harness);
    fail(&mut harness, renewal);
    let (renewal, waited) = until_asked(&mut harness);
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
fn a_function_that_never_answers_counts_as_failing() {
    let (mut harness, _) = renewing();
    let (late, _) = until_asked(&mut harness);
    harness.events.clear();
    let (renewal, waited) = until_asked(&mut harness);
    assert!(waited >= 30_000 && renewal != late);
    // Too late: another one was asked for.
    harness.sent.clear();
    let token = fresh(&harness);
    provide(&mut harness, late, &token);
    assert_eq!(harness.sent, []);
}

#[test]
fn a_token_with_other_claims_is_a_failure() {
    let (mut harness, _) = renewing();
    let (renewal, _) = until_asked(&mut harness);
    harness.sent.clear();
    let other = token(r#"{"team":"red"}"#, (UNIX_START + harness.now_ms) / 1000);
    provide(&mut harness, renewal, &other);
    assert_eq!(harness.sent, []);
    assert!(until_asked(&mut harness).1 <= 40_000);
}

#[test]
fn an_expired_token_is_replaced_before_the_channel_is_resumed_where_it_was() {
    let (mut harness, _) = renewing();
    harness.receive(ToClient::Ended(Ended {
        channel_id: private_id("{}").into(),
        code: Code::TokenExpired.number(),
        message: "expired".into(),
    }));
    let renewal = asked(&mut harness).expect("a token is asked for");
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

/// A subscription whose token the relay refuses after a reconnect, so that the app is asked for another.
fn refused() -> (Harness, SubscriptionId, RenewalId) {
    let (mut harness, subscription) = renewing();
    harness.cut(None);
    harness.advance_to_attempt();
    harness.establish();
    let request = harness.expect_subscribe().request;
    harness.refuse(request, Code::TokenUnknownKey, 0);
    let renewal = asked(&mut harness).expect("a token is asked for");
    (harness, subscription, renewal)
}

#[test]
fn a_token_refused_twice_in_a_row_ends_the_subscription() {
    let (mut harness, subscription, renewal) = refused();
    let token = fresh(&harness);
    provide(&mut harness, renewal, &token);
    let request = harness.expect_subscribe().request;
    harness.refuse(request, Code::TokenUnknownKey, 0);
    assert_eq!(ended(&mut harness, subscription), "TOKEN_UNKNOWN_KEY");
    harness.expect_nothing();
}

#[test]
fn a_token_that_ends_while_there_is_no_connection_is_replaced_after_a_refused_one_too() {
    let (mut harness, subscription, renewal) = refused();
    harness.cut(None);
    let second = token("{}", (UNIX_START + harness.now_ms) / 1000 - LIFETIME + 1);
    provide(&mut harness, renewal, &second);
    harness.advance_to_attempt();
    harness.advance(1_500);
    harness.establish();
    let request = harness.expect_subscribe().request;
    harness.refuse(request, Code::TokenExpired, 0);
    let renewal = asked(&mut harness).expect("a third token is asked for");
    // One that had ended before it was given is not asked for again: its function has no better one.
    provide(&mut harness, renewal, &second);
    let request = harness.expect_subscribe().request;
    harness.refuse(request, Code::TokenExpired, 0);
    assert_eq!(ended(&mut harness, subscription), "TOKEN_EXPIRED");
    harness.expect_nothing();
}

#[test]
fn a_token_that_comes_while_the_connection_is_away_is_shown_with_the_next_one() {
    let (mut harness, _) = renewing();
    let (renewal, _) = until_asked(&mut harness);
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
fn a_subscription_with_a_fixed_token_is_never_asked_for_another() {
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
    assert_eq!(asked(&mut harness), None);
}
