//! Establishing a session.

use super::bystanders::Bystanders;
use crate::support::{App, Client, RelayProcess, bad_session_tokens_now, request};
use sealwire_protocol::{
    Code,
    wire::{Hello, Pong, ToRelay},
};
use std::time::{Duration, Instant};

#[tokio::test]
async fn every_invalid_token_closes_only_its_own_connection_with_the_right_code() {
    let relay = RelayProcess::start(&[]);
    let mut bystanders = Bystanders::on(&relay).await;
    for (_, token, code) in bad_session_tokens_now() {
        let mut client = Client::connect(relay.address).await;
        client.send(ToRelay::Hello(Hello { token: token.clone() })).await;
        client.must_end_with(code).await;
        let log = relay.log_with(code.name()).await;
        assert!(token.len() < 20 || !log.contains(&token), "a token is in the log");
        bystanders.must_be_untouched().await;
    }
}

#[tokio::test]
async fn a_connection_without_hello_is_closed_after_the_timeout() {
    let relay = RelayProcess::start(&["--hello-timeout", "300ms"]);
    let start = Instant::now();
    let mut silent = Client::connect(relay.address).await;
    let farewell = silent.must_end_with(Code::HelloTimeout).await;
    let waited = farewell.at - start;
    assert!(waited >= Duration::from_millis(300) && waited < Duration::from_secs(3), "{waited:?}");
}

#[tokio::test]
async fn another_message_before_hello_closes_the_connection() {
    let relay = RelayProcess::start(&[]);
    let mut client = Client::connect(relay.address).await;
    client.send(ToRelay::Pong(Pong {})).await;
    client.must_end_with(Code::HelloExpected).await;
}

#[tokio::test]
async fn two_apps_on_one_relay_never_share_a_channel() {
    let two = App::new("ari:cloud:ecosystem::app/two", "two", 2);
    let relay = RelayProcess::start_for(&[App::one(), two.clone()], &[]);
    let mut one = Client::open(&relay, "alice").await;
    let mut other = Client::open_with(&relay, two.session("alice")).await;
    // Installation, context and name are equal. Only the app differs.
    assert_ne!(one.subscribe("absences").await, other.subscribe("absences").await);
    one.publish("absences", "for one").await;
    assert_eq!(one.text().await, "for one");
    assert!(other.is_quiet().await);
}

#[tokio::test]
async fn an_app_can_have_two_signing_keys_during_a_rotation() {
    let (old, new) = (App::one(), App::new(&App::one().id, "newer", 3));
    let both = App { key_text: format!("{}\", \"{}", old.key_text, new.key_text), ..old.clone() };
    let relay = RelayProcess::start_for(&[both], &[]);
    let mut before = Client::open_with(&relay, old.session("alice")).await;
    let mut after = Client::open_with(&relay, new.session("bob")).await;
    before.subscribe("absences").await;
    after.publish("absences", "same app").await;
    assert_eq!(before.text().await, "same app");
}

#[tokio::test]
async fn a_request_that_is_not_a_handshake_is_refused_with_the_missing_part() {
    let relay = RelayProcess::start(&[]);
    let handshake = "connection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
        sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    for (method, headers, status) in [
        ("GET", "", 426),
        ("GET", &*handshake.replace("13", "8"), 426),
        ("GET", &*handshake.replace("dGhl", ""), 400),
        ("GET", handshake, 400),
        ("POST", handshake, 405),
    ] {
        let answer = request(relay.address, method, "/v1/realtime", headers, "").await;
        assert_eq!(answer.status, status, "{answer:?}");
        assert_eq!(answer.code(), "MALFORMED_REQUEST");
    }
}
