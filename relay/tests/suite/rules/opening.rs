//! Establishing a session, and the messages that end it immediately.

use super::session::{HELLO_TIMEOUT, START, Session};
use crate::support::{App, bad_session_tokens};
use bytes::Bytes;
use sealwire_protocol::{
    Code,
    wire::{Hello, Ping, Pong, ToClient, ToRelay, Unsubscribe},
};
use sealwire_relay::EndReason;
use std::time::Duration;

#[test]
fn welcome_states_the_settings_of_the_relay() {
    let mut session = Session::new();
    assert_eq!(session.rules.identity(), None);
    session.send(ToRelay::Hello(Hello {
        token: super::session::session_token(
            "alice",
            sealwire_protocol::tokens::Permissions::ALL,
            START + 600,
        ),
    }));
    let ToClient::Welcome(welcome) = session.answer() else { panic!() };
    assert_eq!(welcome.expires_at, START + 600);
    assert_eq!(welcome.now_ms, START * 1000);
    assert_eq!((welcome.heartbeat_ms, welcome.replay_window_ms), (25_000, 120_000));
    assert_eq!(session.rules.identity().unwrap().account.as_deref(), Some("alice"));
}

#[test]
fn every_invalid_token_is_refused_with_its_code_and_audited() {
    for (what, token, code) in bad_session_tokens(START) {
        let mut session = Session::new();
        session.send(ToRelay::Hello(Hello { token }));
        assert_eq!(session.closed, Some(code.close_code()), "{what}: {:?}", session.sent);
        session.must_end(code);
        assert_eq!(session.last_audited(), ("hello", code), "{what}");
        assert_eq!(session.audited[0].identity, None, "{what}: nothing of a refused token must be trusted");
    }
}

#[test]
fn a_client_without_hello_is_disconnected_at_the_deadline() {
    let mut session = Session::new();
    session.pass(HELLO_TIMEOUT - Duration::from_millis(1));
    assert_eq!(session.closed, None);
    session.pass(Duration::from_millis(1));
    assert!(session.must_end(Code::HelloTimeout).reconnect_after_ms > 0);
}

#[test]
fn a_first_message_other_than_hello_ends_the_session() {
    for message in [
        ToRelay::Pong(Pong {}),
        ToRelay::Ping(Ping::default()),
        ToRelay::Unsubscribe(Unsubscribe { request: 1, channel_id: vec![0; 16].into() }),
    ] {
        let mut session = Session::new();
        session.send(message);
        session.must_end(Code::HelloExpected);
        assert_eq!(session.last_audited(), ("frame", Code::HelloExpected));
    }
}

#[test]
fn a_second_hello_ends_the_session() {
    let mut session = Session::open();
    session.send(ToRelay::Hello(Hello { token: App::one().session("alice") }));
    session.must_end(Code::HelloExpected);
    assert_eq!(session.audited[0].identity.as_ref().unwrap().account.as_deref(), Some("alice"));
}

#[test]
fn malformed_frames_end_the_session() {
    let unsubscribe =
        ToRelay::Unsubscribe(Unsubscribe { request: 1, channel_id: vec![0; 16].into() }).to_bytes();
    let short_id =
        ToRelay::Unsubscribe(Unsubscribe { request: 1, channel_id: vec![0; 15].into() }).to_bytes();
    let no_request =
        ToRelay::Unsubscribe(Unsubscribe { request: 0, channel_id: vec![0; 16].into() }).to_bytes();
    for (what, frame) in [
        ("empty", Vec::new()),
        ("truncated", unsubscribe[..unsubscribe.len() - 1].to_vec()),
        ("of an unknown message", vec![0x7a, 0]),
        ("mangled", vec![0xff; 20]),
        ("with a short id", short_id),
        ("with request 0", no_request),
    ] {
        for mut session in [Session::new(), Session::open()] {
            session.send_bytes(Bytes::from(frame.clone()));
            assert!(session.closed.is_some(), "{what}");
            session.must_end(Code::MalformedFrame);
            assert_eq!(session.last_audited(), ("frame", Code::MalformedFrame), "{what}");
        }
    }
}

#[test]
fn every_end_reason_ends_a_session_once() {
    for (fault, code, returns) in [
        (EndReason::TextFrame, Code::TextFrame, false),
        (EndReason::FrameTooLarge, Code::FrameTooLarge, false),
        (EndReason::SlowConsumer, Code::SlowConsumer, true),
        (EndReason::ShuttingDown, Code::ShuttingDown, true),
    ] {
        let mut session = Session::open();
        session.rules.handle_end(fault);
        session.act();
        assert_eq!(session.must_end(code).reconnect_after_ms > 0, returns, "{fault:?}");
        session.rules.handle_end(EndReason::ShuttingDown);
        session.send(ToRelay::Pong(Pong {}));
        assert!(session.sent.is_empty());
    }
}
