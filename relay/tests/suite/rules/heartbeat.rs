//! Whether the other side is still there.

use super::session::{HEARTBEAT, START, Session, session_token};
use sealwire_protocol::{
    Code,
    tokens::Permissions,
    wire::{Ping, Pong, ToClient, ToRelay},
};
use std::time::Duration;

#[test]
fn a_client_is_pinged_every_heartbeat_and_stays_while_it_answers() {
    let mut session = Session::open_with(Permissions::ALL, 600);
    for _ in 0..10 {
        session.pass(HEARTBEAT);
        assert!(matches!(session.answer(), ToClient::Ping(_)));
        session.send(ToRelay::Pong(Pong {}));
    }
    assert_eq!(session.closed, None);
}

#[test]
fn a_client_that_is_silent_for_two_heartbeats_is_cut_off() {
    let mut session = Session::open();
    session.pass(2 * HEARTBEAT - Duration::from_millis(1));
    assert_eq!(session.closed, None);
    session.pass(Duration::from_millis(1));
    session.must_end(Code::HeartbeatTimeout);
}

#[test]
fn a_client_that_asks_for_a_sign_of_life_gets_one() {
    let mut session = Session::open();
    session.pass(HEARTBEAT - Duration::from_secs(1));
    session.send(ToRelay::Ping(Ping {}));
    assert!(matches!(session.answer(), ToClient::Pong(_)));
    // And has given one.
    session.pass(2 * HEARTBEAT - Duration::from_secs(1));
    assert_eq!(session.closed, None);
}

#[test]
fn a_ping_of_websocket_itself_counts_as_a_sign_of_life() {
    let mut session = Session::open();
    session.pass(HEARTBEAT + Duration::from_secs(1));
    session.rules.handle_heard(session.now);
    session.pass(2 * HEARTBEAT - Duration::from_millis(1));
    assert_eq!(session.closed, None);
    session.pass(Duration::from_millis(1));
    session.must_end(Code::HeartbeatTimeout);
}

#[test]
fn a_wall_clock_that_is_set_while_a_session_runs_is_followed() {
    let mut session = Session::new();
    let token = session_token("alice", Permissions::ALL, START + 120);
    session.send(ToRelay::Hello(sealwire_protocol::wire::Hello { token }));
    // The clock was half a minute slow.
    session.now.wall.0 += 30_000;
    for _ in 0..3 {
        session.pass(HEARTBEAT);
        session.send(ToRelay::Pong(Pong {}));
    }
    assert_eq!(session.closed, None);
    session.pass(Duration::from_secs(14));
    assert_eq!(session.closed, None);
    session.pass(Duration::from_secs(1));
    session.must_end(Code::TokenExpired);
}
