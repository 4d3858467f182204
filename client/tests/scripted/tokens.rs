//! Channel tokens: channels with claims, and refreshed tokens.
#![allow(unreachable_pub, reason = "the modules of one test program")]

use crate::support::*;
use sealwire_client::{ChannelSpec, Event, Notice, SubscriptionId};
use sealwire_protocol::{
    ChannelAddress, ChannelId, ClaimsKeyring, Code, RoutingKey, UnixSeconds, seal,
    tokens::{ChannelClaims, Permissions, SigningKey, sign},
    wire::{Publication, Subscribed, ToClient},
};

const NAME: &str = "private";

fn tag(claims: &str) -> [u8; 32] {
    RoutingKey::new([5; 32]).claims_tag(APP, INSTALLATION, NAME, claims)
}

/// Returns a channel token as the resolver writes it. `number` distinguishes tokens of the same claims.
pub fn token(claims: &str, number: u64) -> String {
    token_under(&[1], claims, number)
}

/// Returns a channel token with claims keys under these encryption keys.
pub fn token_under(keys: &[u8], claims: &str, number: u64) -> String {
    token_for(keys, claims, number, 900)
}

/// Returns a channel token that is valid for `seconds` from the Unix time `number`.
pub fn token_for(keys: &[u8], claims: &str, number: u64, seconds: u64) -> String {
    let validity = (UnixSeconds(number), UnixSeconds(number + seconds));
    let claims_of_token = ChannelClaims::new(
        APP.into(),
        INSTALLATION.into(),
        NAME.into(),
        tag(claims),
        Permissions::ALL,
        validity,
    );
    let jwt = sign(&claims_of_token, &SigningKey::new("k", vec![1; 64]).unwrap()).unwrap();
    let keys: Vec<_> = keys
        .iter()
        .map(|number| (key(*number).id(), key(*number).claims_key(APP, INSTALLATION, NAME, claims)))
        .collect();
    ClaimsKeyring::write(&jwt, keys.iter().map(|(id, key)| (*id, key)))
}

/// Returns a publication on the channel with these claims.
pub fn private_publication(
    number: u8,
    claims: &str,
    previous_offset: u64,
    offset: u64,
    payload: &str,
) -> ToClient {
    let (scope, id, key) = (context(), private_id(claims), key(number));
    let claims_key = key.claims_key(APP, INSTALLATION, NAME, claims);
    let channel_key = key.scope_key(APP, INSTALLATION, &scope).channel_key(Some(&claims_key), NAME);
    let sealed = seal(&channel_key, [1; 12], id, &message(next_stamp(), payload)).unwrap();
    ToClient::Publication(Publication {
        channel_id: id.into(),
        offset,
        previous_offset,
        time_ms: 1,
        event: String::new(),
        sealed: sealed.into(),
    })
}

pub fn jwt(token: &str) -> &str {
    token.split('~').next().unwrap()
}

pub fn private(token: &str) -> ChannelSpec {
    ChannelSpec { token: Some(token.into()), ..channel(NAME) }
}

pub fn private_id(claims: &str) -> ChannelId {
    let (scope, tag) = (context(), tag(claims));
    ChannelAddress { app: APP, installation: INSTALLATION, scope: &scope, claims_tag: Some(&tag), name: NAME }
        .id()
}

pub fn confirm(harness: &mut Harness, claims: &str) -> String {
    let subscribe = harness.expect_subscribe();
    harness.receive(ToClient::Subscribed(Subscribed {
        request: subscribe.request,
        channel_id: private_id(claims).into(),
        position: Some(position(10)),
        recovered: true,
        replay_end: 0,
    }));
    subscribe.channel.unwrap().token
}

fn subscribed(claims: &str) -> (Harness, SubscriptionId) {
    let mut harness = Harness::default();
    let subscription = harness.subscribe_with(private(&token(claims, 1)), None);
    harness.establish();
    assert_eq!(confirm(&mut harness, claims), jwt(&token(claims, 1)));
    harness.expect_subscribed(subscription);
    (harness, subscription)
}

fn refresh_error(harness: &mut Harness) -> &'static str {
    match harness.next_event() {
        Event::RefreshDone { result: Err(error), .. } => error.code.name(),
        other => panic!("{other:?}"),
    }
}

fn refresh_ok(harness: &mut Harness) {
    assert!(matches!(harness.next_event(), Event::RefreshDone { result: Ok(()), .. }));
}

#[test]
fn the_relay_receives_the_token_without_its_keys_and_the_client_decrypts_with_them() {
    let (mut harness, subscription) = subscribed("{}");
    harness.receive(private_publication(1, "{}", 10, 11, "1"));
    harness.expect_payload(&[subscription], "1");
}

#[test]
fn a_refreshed_token_is_sent_at_once_and_used_for_the_next_connection() {
    let (mut harness, subscription) = subscribed("{}");
    harness.client.refresh_token(harness.now(), subscription, &token("{}", 2));
    harness.drain();
    let refresh = harness.expect_refresh();
    assert_eq!(
        (refresh.channel_id(), refresh.token.as_str()),
        (Some(private_id("{}")), jwt(&token("{}", 2)))
    );
    harness.expect_nothing();
    harness.refreshed(refresh.request);
    refresh_ok(&mut harness);
    harness.cut(None);
    harness.advance_to_attempt();
    harness.establish();
    assert_eq!(confirm(&mut harness, "{}"), jwt(&token("{}", 2)));
}

#[test]
fn a_rejected_token_leaves_the_current_one_in_use() {
    let (mut harness, subscription) = subscribed("{}");
    harness.client.refresh_token(harness.now(), subscription, &token("{}", 2));
    harness.drain();
    let request = harness.expect_refresh().request;
    harness.refuse(request, Code::TokenSignature, 0);
    assert_eq!(refresh_error(&mut harness), "TOKEN_SIGNATURE");
    harness.cut(None);
    harness.advance_to_attempt();
    harness.establish();
    assert_eq!(confirm(&mut harness, "{}"), jwt(&token("{}", 1)));
}

#[test]
fn a_token_refreshed_without_a_connection_is_used_for_the_next_one() {
    let (mut harness, subscription) = subscribed("{}");
    harness.cut(None);
    harness.client.refresh_token(harness.now(), subscription, &token("{}", 2));
    harness.drain();
    refresh_ok(&mut harness);
    harness.advance_to_attempt();
    harness.establish();
    assert_eq!(confirm(&mut harness, "{}"), jwt(&token("{}", 2)));
}

#[test]
fn a_token_for_other_claims_or_for_no_subscription_is_refused() {
    let (mut harness, subscription) = subscribed("{}");
    harness.client.refresh_token(harness.now(), subscription, &token(r#"{"a":1}"#, 2));
    harness.drain();
    assert_eq!(refresh_error(&mut harness), "TOKEN_IDENTITY");
    harness.client.refresh_token(harness.now(), subscription, "nonsense");
    harness.drain();
    assert_eq!(refresh_error(&mut harness), "TOKEN_MALFORMED");
    harness.client.refresh_token(harness.now(), SubscriptionId(999), &token("{}", 2));
    harness.drain();
    assert_eq!(refresh_error(&mut harness), "NOT_SUBSCRIBED");
}

#[test]
fn a_subscription_that_joins_with_another_token_is_confirmed_once_the_relay_accepts_it() {
    let (mut harness, first) = subscribed("{}");
    let second = harness.subscribe_with(private(&token("{}", 2)), None);
    let request = harness.expect_refresh().request;
    harness.expect_nothing();
    harness.refreshed(request);
    harness.expect_subscribed(second);
    let _ = first;
}

#[test]
fn a_subscription_that_joins_with_a_bad_token_is_the_only_one_to_fail() {
    let (mut harness, first) = subscribed("{}");
    let second = harness.subscribe_with(private(&token("{}", 2)), None);
    let request = harness.expect_refresh().request;
    harness.refuse(request, Code::TokenExpired, 0);
    assert_eq!(harness.expect_subscribe_error(second).code.name(), "TOKEN_EXPIRED");
    harness.expect_nothing();
    harness.unsubscribe(first);
    harness.expect_unsubscribe();
}

#[test]
fn other_claims_are_another_channel() {
    let (mut harness, _) = subscribed("{}");
    let second = harness.subscribe_with(private(&token(r#"{"a":1}"#, 1)), None);
    confirm(&mut harness, r#"{"a":1}"#);
    harness.expect_subscribed(second);
}

#[test]
fn a_token_that_expired_without_a_connection_ends_the_subscription() {
    let (mut harness, subscription) = subscribed("{}");
    harness.cut(None);
    harness.advance_to_attempt();
    harness.establish();
    let request = harness.expect_subscribe().request;
    harness.refuse(request, Code::TokenExpired, 0);
    match harness.expect_notice(&[subscription]) {
        Notice::Ended(error) => assert_eq!(error.code.name(), "TOKEN_EXPIRED"),
        other => panic!("{other:?}"),
    }
}
