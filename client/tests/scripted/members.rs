//! Several subscriptions of one channel, each with its own channel token.

use crate::{renewing::*, support::*, tokens::*};
use sealwire_client::{Event, Notice, SubscriptionId};
use sealwire_protocol::{
    Code,
    wire::{Ended, Since, Subscribe, Subscribed, ToClient},
};

const CLAIMS: &str = "{}";

/// Signs a token now that lasts for `seconds`.
fn lasting(harness: &Harness, seconds: u64) -> String {
    token_for(&[1], CLAIMS, (UNIX_START + harness.now_ms) / 1000, seconds)
}

/// Returns a confirmed subscription with a token that lasts an hour.
fn hourly() -> (Harness, SubscriptionId, String) {
    let mut harness = Harness::default();
    let token = lasting(&harness, 3_600);
    let subscription = harness.subscribe_with(private(&token), None);
    harness.establish();
    confirm(&mut harness, CLAIMS);
    harness.expect_subscribed(subscription);
    (harness, subscription, token)
}

/// Takes the client's refresh with this token. Returns its request number.
fn refresh_with(harness: &mut Harness, token: &str) -> u32 {
    let refresh = harness.expect_refresh();
    assert_eq!(refresh.token, jwt(token));
    refresh.request
}

/// Adds a second subscription, whose token the relay accepts before it receives the first one's again.
fn joined(harness: &mut Harness, second: &str, first: &str) -> SubscriptionId {
    let subscription = harness.subscribe_with(private(second), None);
    let request = refresh_with(harness, second);
    harness.refreshed(request);
    harness.expect_subscribed(subscription);
    let request = refresh_with(harness, first);
    harness.refreshed(request);
    harness.expect_nothing();
    subscription
}

fn end(harness: &mut Harness, code: Code) {
    let ended = Ended { channel_id: private_id(CLAIMS).into(), code: code.number(), message: "why".into() };
    harness.receive(ToClient::Ended(ended));
}

/// Takes the client's `Subscribe`, which resumes the channel with this token.
fn resumed(harness: &mut Harness, token: &str) -> Subscribe {
    let subscribe = harness.expect_subscribe();
    assert_eq!(subscribe.channel.as_ref().unwrap().token, jwt(token));
    assert_eq!(subscribe.since, Some(Since::Position(position(10))));
    subscribe
}

#[test]
fn an_expired_token_ends_only_its_own_subscription() {
    let (mut harness, first, long) = hourly();
    let short = lasting(&harness, 3);
    let second = joined(&mut harness, &short, &long);
    harness.receive(private_publication(1, CLAIMS, 10, 11, "1"));
    harness.expect_payload(&[first, second], "1");
    harness.advance(2_900);
    harness.expect_nothing();
    harness.advance(1_200);
    assert_eq!(ended(&mut harness, second), "TOKEN_EXPIRED");
    harness.receive(private_publication(1, CLAIMS, 11, 12, "2"));
    harness.expect_payload(&[first], "2");
    harness.expect_nothing();
}

#[test]
fn a_new_connection_uses_the_token_that_lasts_longest() {
    let (mut harness, _, long) = hourly();
    let short = lasting(&harness, 60);
    joined(&mut harness, &short, &long);
    harness.cut(None);
    harness.advance_to_attempt();
    harness.establish();
    resumed(&mut harness, &long);
}

#[test]
fn a_channel_whose_token_expired_resumes_with_the_token_of_another_subscription() {
    let (mut harness, first, long) = hourly();
    let short = lasting(&harness, 3);
    let second = harness.subscribe_with(private(&short), None);
    let request = refresh_with(&mut harness, &short);
    harness.refreshed(request);
    harness.expect_subscribed(second);
    let request = refresh_with(&mut harness, &long);
    // The relay has not received the better token yet.
    end(&mut harness, Code::TokenExpired);
    assert_eq!(ended(&mut harness, second), "TOKEN_EXPIRED");
    resumed(&mut harness, &long);
    harness.refuse(request, Code::NotSubscribed, 0);
    harness.expect_nothing();
    harness.unsubscribe(first);
    harness.expect_unsubscribe();
}

#[test]
fn a_token_rejected_on_joining_fails_only_its_own_subscription() {
    for code in [Code::PermissionMissing, Code::TokenExpired, Code::TokenSignature] {
        let (mut harness, first, _) = hourly();
        let bad = lasting(&harness, 7_200);
        let second = harness.subscribe_with(private(&bad), None);
        let request = refresh_with(&mut harness, &bad);
        harness.refuse(request, code, 0);
        assert_eq!(harness.expect_subscribe_error(second).code.name(), code.name());
        harness.expect_nothing();
        harness.receive(private_publication(1, CLAIMS, 10, 11, "1"));
        harness.expect_payload(&[first], "1");
    }
}

#[test]
fn simultaneous_subscriptions_are_each_confirmed_for_their_own_token() {
    let mut harness = Harness::default();
    let (bad, good) = (lasting(&harness, 7_200), lasting(&harness, 3_600));
    let (short, same) = (lasting(&harness, 60), good.clone());
    let subscriptions =
        [&good, &bad, &short, &same].map(|token| harness.subscribe_with(private(token), None));
    harness.establish();
    let request = harness.expect_subscribe().request;
    harness.refuse(request, Code::TokenSignature, 0);
    assert_eq!(harness.expect_subscribe_error(subscriptions[1]).code.name(), "TOKEN_SIGNATURE");
    assert_eq!(confirm(&mut harness, CLAIMS), jwt(&good));
    harness.expect_subscribed(subscriptions[0]);
    harness.expect_subscribed(subscriptions[3]);
    let request = refresh_with(&mut harness, &short);
    harness.expect_nothing();
    harness.refreshed(request);
    harness.expect_subscribed(subscriptions[2]);
    refresh_with(&mut harness, &good);
}

#[test]
fn a_token_rejected_at_a_resume_ends_only_its_own_subscription() {
    let (mut harness, first, long) = hourly();
    let short = lasting(&harness, 600);
    let second = joined(&mut harness, &short, &long);
    harness.cut(None);
    harness.advance_to_attempt();
    harness.establish();
    let request = resumed(&mut harness, &long).request;
    harness.refuse(request, Code::TokenUnknownKey, 0);
    assert_eq!(ended(&mut harness, first), "TOKEN_UNKNOWN_KEY");
    resumed(&mut harness, &short);
    harness.expect_nothing();
    let _ = second;
}

#[test]
fn a_channel_continues_with_the_token_of_a_remaining_subscription() {
    let (mut harness, first, long) = hourly();
    let short = lasting(&harness, 600);
    let second = joined(&mut harness, &short, &long);
    harness.unsubscribe(first);
    assert!(matches!(harness.next_event(), Event::UnsubscribeDone { .. }));
    let request = refresh_with(&mut harness, &short);
    harness.refreshed(request);
    // The relay now has this token, so the relay judges its expiry.
    harness.advance(1_000);
    end(&mut harness, Code::TokenExpired);
    assert_eq!(ended(&mut harness, second), "TOKEN_EXPIRED");
    harness.expect_nothing();
}

#[test]
fn a_failing_token_function_ends_only_its_own_subscription() {
    let (mut harness, first, long) = hourly();
    let short = lasting(&harness, 60);
    let second = joined(&mut harness, &short, &long);
    harness.client.enable_token_renewal(harness.now(), second);
    let end = harness.now_ms + 62_000;
    let mut failures = 0;
    while harness.now_ms < end && !harness.events.iter().any(|event| matches!(event, Event::Notice { .. })) {
        harness.advance(500);
        if let Some(renewal) = requested(&mut harness) {
            failures += 1;
            fail(&mut harness, renewal);
        }
        if harness.now_ms.is_multiple_of(20_000) {
            harness.ping();
            harness.sent.clear();
        }
    }
    assert!(failures >= 2, "{failures}");
    harness.sent.clear();
    match harness.expect_notice(&[second]) {
        Notice::Ended(error) => assert_eq!(error.code.name(), "SESSION_UNAVAILABLE"),
        other => panic!("{other:?}"),
    }
    harness.receive(private_publication(1, CLAIMS, 10, 11, "1"));
    harness.expect_payload(&[first], "1");
    harness.expect_nothing();
}

#[test]
fn each_token_function_renews_the_token_of_its_own_subscription() {
    let (mut harness, _, long) = hourly();
    let short = lasting(&harness, 60);
    let second = joined(&mut harness, &short, &long);
    harness.client.enable_token_renewal(harness.now(), second);
    let mut shorts = vec![short];
    for _ in 0..3 {
        let start = harness.now_ms;
        let renewal = loop {
            harness.advance(500);
            harness.ping();
            if let Some(renewal) = requested(&mut harness) {
                break renewal;
            }
        };
        assert!((40_000..=52_000).contains(&(harness.now_ms - start)));
        harness.sent.clear();
        let next = lasting(&harness, 60);
        provide(&mut harness, renewal, &next);
        let request = refresh_with(&mut harness, &next);
        harness.refreshed(request);
        let request = refresh_with(&mut harness, &long);
        harness.refreshed(request);
        shorts.push(next);
    }
    harness.events.retain(|event| !matches!(event, Event::SessionRequested { .. }));
    harness.expect_nothing();
}

#[test]
fn a_token_provided_during_a_resume_is_used_after_it() {
    let (mut harness, subscription, old) = hourly();
    harness.cut(None);
    harness.advance_to_attempt();
    harness.establish();
    let request = resumed(&mut harness, &old).request;
    let fresh = lasting(&harness, 3_600);
    harness.client.refresh_token(harness.now(), subscription, &fresh);
    harness.drain();
    let refresh = refresh_with(&mut harness, &fresh);
    // The old token had expired, so the relay refused the channel and has nothing to refresh.
    harness.refuse(request, Code::TokenExpired, 0);
    harness.refuse(refresh, Code::NotSubscribed, 0);
    assert!(matches!(harness.next_event(), Event::RefreshDone { result: Ok(()), .. }));
    resumed(&mut harness, &fresh);
    harness.expect_nothing();
}

#[test]
fn a_token_provided_while_one_is_requested_is_used_at_once() {
    let (mut harness, subscription) = renewing();
    end(&mut harness, Code::TokenExpired);
    let renewal = requested(&mut harness).expect("a token is requested");
    assert_eq!(harness.sent, []);
    let fresh = lasting(&harness, 3_600);
    harness.client.refresh_token(harness.now(), subscription, &fresh);
    harness.drain();
    assert!(matches!(harness.next_event(), Event::RefreshDone { result: Ok(()), .. }));
    let subscribe = resumed(&mut harness, &fresh);
    harness.receive(ToClient::Subscribed(Subscribed {
        request: subscribe.request,
        channel_id: private_id(CLAIMS).into(),
        position: Some(position(10)),
        recovered: true,
        replay_end: 0,
    }));
    // The token that the function provides later is another one.
    let later = lasting(&harness, 3_601);
    provide(&mut harness, renewal, &later);
    refresh_with(&mut harness, &later);
}

#[test]
fn a_subscription_with_a_valid_token_does_not_wait_for_the_renewal_of_another() {
    let (mut harness, waiting) = renewing();
    end(&mut harness, Code::TokenExpired);
    assert!(matches!(
        harness.events.iter().find(|event| matches!(event, Event::TokenRequested { .. })),
        Some(Event::TokenRequested { subscription, .. }) if *subscription == waiting
    ));
    harness.events.clear();
    let token = lasting(&harness, 600);
    let second = harness.subscribe_with(private(&token), None);
    let subscribe = harness.expect_subscribe();
    assert_eq!(subscribe.channel.as_ref().unwrap().token, jwt(&token));
    harness.receive(ToClient::Subscribed(Subscribed {
        request: subscribe.request,
        channel_id: private_id(CLAIMS).into(),
        position: Some(position(10)),
        recovered: true,
        replay_end: 0,
    }));
    assert!(harness.events.contains(&Event::SubscribeDone { subscription: second, result: Ok(()) }));
}

#[test]
fn the_answer_to_a_token_from_before_a_subscribe_does_not_name_the_relays_token() {
    let (mut harness, _, hour) = hourly();
    let (short, long) = (lasting(&harness, 60), lasting(&harness, 600));
    let joining = [&short, &long].map(|token| harness.subscribe_with(private(token), Some(7)));
    let requests = [refresh_with(&mut harness, &short), refresh_with(&mut harness, &long)];
    harness.refreshed(requests[0]);
    harness.expect_unsubscribe();
    // The relay answered this one before it read the subscribe.
    harness.refreshed(requests[1]);
    assert_eq!(confirm(&mut harness, CLAIMS), jwt(&short), "the token that the relay had at that time");
    joining.into_iter().for_each(|subscription| harness.expect_subscribed(subscription));
    end(&mut harness, Code::TokenExpired);
    assert_eq!(ended(&mut harness, joining[0]), "TOKEN_EXPIRED");
    refresh_with(&mut harness, &hour);
    resumed(&mut harness, &hour);
    harness.forget_states();
    harness.expect_nothing();
}
