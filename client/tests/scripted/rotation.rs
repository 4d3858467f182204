//! Rotations of the encryption key on channels with claims: the token at hand has no key for the new messages.

use crate::{renewing::*, support::*, tokens::*};
use sealwire_client::{Event, Notice, RenewalId, SessionReason, SubscriptionId};
use sealwire_protocol::wire::ToClient;

const CLAIMS: &str = "{}";

/// A token that is signed now, with keys under these encryption keys.
fn under(harness: &Harness, keys: &[u8]) -> String {
    token_under(keys, CLAIMS, (UNIX_START + harness.now_ms) / 1000)
}

/// Lets time pass until a token is asked for.
fn until_asked(harness: &mut Harness, within_ms: u64) -> RenewalId {
    for _ in 0..within_ms {
        if let Some(renewal) = asked(harness) {
            return renewal;
        }
        harness.advance(1);
    }
    asked(harness).expect("a token is asked for in time")
}

/// A session with both keys, where one is asked for.
fn provide_session(harness: &mut Harness) {
    let asks = |event: &Event| matches!(event, Event::SessionRequested { .. });
    for _ in 0..2_000 {
        if harness.events.iter().any(asks) {
            break;
        }
        harness.advance(1);
    }
    let fetch = harness.expect_need(SessionReason::UnknownKey);
    harness.provide(fetch, &[2, 1]);
    let request = harness.expect_refresh().request;
    harness.refreshed(request);
}

fn rotated(previous_offset: u64, payload: &str) -> ToClient {
    private_publication(2, CLAIMS, previous_offset, previous_offset + 1, payload)
}

fn unreadable(harness: &mut Harness, subscription: SubscriptionId) -> String {
    match harness.expect_notice(&[subscription]) {
        Notice::Error(error) => {
            assert_eq!(error.code.name(), "MESSAGE_UNREADABLE");
            error.message
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn session_and_token_are_asked_for_at_once_and_what_came_meanwhile_is_read_in_order() {
    let (mut harness, subscription) = renewing();
    harness.receive(rotated(10, "first"));
    harness.receive(private_publication(1, CLAIMS, 11, 12, "second"));
    harness.receive(rotated(12, "third"));
    let renewal = until_asked(&mut harness, 2_000);
    provide_session(&mut harness);
    harness.expect_nothing();
    let token = under(&harness, &[2, 1]);
    provide(&mut harness, renewal, &token);
    for payload in ["first", "second", "third"] {
        harness.expect_payload(&[subscription], payload);
    }
    // The relay takes the token as any renewed one.
    let request = harness.expect_refresh().request;
    harness.refreshed(request);
    harness.receive(rotated(13, "fourth"));
    harness.expect_payload(&[subscription], "fourth");
    harness.expect_nothing();
}

#[test]
fn a_token_function_that_fails_is_asked_again_within_seconds() {
    let (mut harness, subscription) = renewing();
    harness.receive(rotated(10, "1"));
    let renewal = until_asked(&mut harness, 2_000);
    provide_session(&mut harness);
    fail(&mut harness, renewal);
    harness.receive(rotated(11, "2"));
    let renewal = until_asked(&mut harness, 1_500);
    let token = under(&harness, &[2, 1]);
    provide(&mut harness, renewal, &token);
    harness.expect_payload(&[subscription], "1");
    harness.expect_payload(&[subscription], "2");
}

#[test]
fn a_token_of_a_process_that_has_not_seen_the_rotation_is_not_the_last_word() {
    let (mut harness, subscription) = renewing();
    harness.receive(rotated(10, "1"));
    let renewal = until_asked(&mut harness, 2_000);
    provide_session(&mut harness);
    let stale = under(&harness, &[1]);
    provide(&mut harness, renewal, &stale);
    let request = harness.expect_refresh().request;
    harness.refreshed(request);
    let renewal = until_asked(&mut harness, 1_500);
    let token = under(&harness, &[2, 1]);
    provide(&mut harness, renewal, &token);
    harness.expect_payload(&[subscription], "1");
    let request = harness.expect_refresh().request;
    harness.refreshed(request);
    // Nor does a later one of such a process take the key away.
    harness.client.refresh_token(harness.now(), subscription, &stale);
    harness.drain();
    let request = harness.expect_refresh().request;
    harness.refreshed(request);
    assert!(matches!(harness.next_event(), Event::RefreshDone { result: Ok(()), .. }));
    harness.receive(rotated(11, "2"));
    harness.expect_payload(&[subscription], "2");
}

#[test]
fn a_fixed_token_is_said_to_be_the_reason_and_a_fresh_one_mends_it() {
    let mut harness = Harness::default();
    let first = fresh(&harness);
    let subscription = harness.subscribe_with(private(&first), None);
    harness.establish();
    confirm(&mut harness, CLAIMS);
    harness.expect_subscribed(subscription);
    harness.receive(rotated(10, "1"));
    let message = unreadable(&mut harness, subscription);
    assert!(message.contains("refreshToken()") && message.contains("function"), "{message}");
    provide_session(&mut harness);
    let token = under(&harness, &[2, 1]);
    harness.client.refresh_token(harness.now(), subscription, &token);
    harness.drain();
    harness.receive(rotated(11, "2"));
    harness.expect_payload(&[subscription], "2");
}

#[test]
fn one_subscription_with_a_function_gets_the_key_for_all_of_its_channel() {
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
    let renewal = until_asked(&mut harness, 2_000);
    provide_session(&mut harness);
    let token = under(&harness, &[2, 1]);
    provide(&mut harness, renewal, &token);
    harness.expect_payload(&[fixed, renewing], "1");
}

#[test]
fn a_function_that_leaves_or_fails_is_followed_by_another_one() {
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
    let who = |harness: &mut Harness| {
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
        panic!("nobody is asked");
    };
    harness.receive(rotated(10, "1"));
    let (_, asked) = who(&mut harness);
    provide_session(&mut harness);
    harness.unsubscribe(asked);
    assert!(matches!(harness.next_event(), Event::UnsubscribeDone { .. }));
    harness.receive(rotated(11, "2"));
    let (renewal, asked) = who(&mut harness);
    fail(&mut harness, renewal);
    let (renewal, next) = who(&mut harness);
    assert_ne!(asked, next);
    let token = under(&harness, &[2, 1]);
    provide(&mut harness, renewal, &token);
    harness.expect_payload(&[two, three], "1");
    harness.expect_payload(&[two, three], "2");
}

#[test]
fn messages_that_wait_survive_a_resume_and_end_with_their_subscription() {
    let (mut harness, subscription) = renewing();
    harness.receive(rotated(10, "1"));
    let renewal = until_asked(&mut harness, 2_000);
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
fn a_relay_that_makes_up_keys_cannot_make_the_client_ask_for_tokens_all_the_time() {
    let (mut harness, _) = renewing();
    let mut tokens = 0;
    for (offset, key) in (10..).zip((2..202).cycle()).take(1_000) {
        harness.receive(private_publication(key, CLAIMS, offset, offset + 1, "1"));
        harness.advance(200);
        if let Some(renewal) = asked(&mut harness) {
            tokens += 1;
            let token = under(&harness, &[1]);
            provide(&mut harness, renewal, &token);
        }
        if harness.events.iter().any(|event| matches!(event, Event::SessionRequested { .. })) {
            let fetch = harness.expect_need(SessionReason::UnknownKey);
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
