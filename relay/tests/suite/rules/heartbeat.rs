//! Whether the other side is still there.

use super::session::{HEARTBEAT, HELLO_TIMEOUT, START, Session, session_token};
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
    session.rules.handle_activity(session.now);
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

/// A session whose relay beats, and then stands still for three minutes, timers and all.
fn after_a_standstill(mut session: Session) -> Session {
    session.stall_detector.tick(session.now.monotonic);
    session.now.monotonic += Duration::from_secs(180);
    session.now.wall.0 += 180_000;
    session
}

/// Lets time pass in a relay that runs.
fn pass_running(session: &mut Session, span: Duration) {
    const BEAT: Duration = Duration::from_millis(100);
    let end = session.now.monotonic + span;
    while session.now.monotonic < end {
        session.stall_detector.tick(session.now.monotonic);
        session.pass(BEAT.min(end - session.now.monotonic));
    }
}

#[test]
fn a_relay_that_stood_still_reads_what_came_meanwhile_before_it_ends_anybody() {
    // The timer comes first, and the client's frame, which lay unread, a second later.
    let mut session = after_a_standstill(Session::open());
    pass_running(&mut session, Duration::from_secs(1));
    assert_eq!(session.closed, None);
    session.send(ToRelay::Pong(Pong {}));
    pass_running(&mut session, 2 * HEARTBEAT - Duration::from_millis(1));
    assert_eq!(session.closed, None);
    // The frame comes first.
    let mut session = after_a_standstill(Session::open());
    session.send(ToRelay::Pong(Pong {}));
    pass_running(&mut session, HEARTBEAT);
    assert_eq!(session.closed, None);
    // A client that is silent then as well is gone.
    let mut session = after_a_standstill(Session::open());
    pass_running(&mut session, HEARTBEAT - Duration::from_millis(1));
    assert_eq!(session.closed, None);
    pass_running(&mut session, Duration::from_millis(1));
    session.must_end(Code::HeartbeatTimeout);
}

#[test]
fn a_hello_and_a_request_that_came_during_a_standstill_are_in_time() {
    let mut session = after_a_standstill(Session::new());
    pass_running(&mut session, Duration::from_secs(1));
    session.hello(Permissions::ALL, 600);
    let mut session = after_a_standstill(Session::new());
    pass_running(&mut session, HELLO_TIMEOUT);
    session.must_end(Code::HelloTimeout);

    let mut session = Session::open_with(Permissions::ALL, 655);
    for _ in 0..10 {
        pass_running(&mut session, Duration::from_secs(45));
        session.send(ToRelay::Pong(Pong {}));
    }
    // Seven and a half minutes without a request, and three more in which one came.
    let mut session = after_a_standstill(session);
    pass_running(&mut session, Duration::from_secs(1));
    assert_eq!(session.closed, None);
    session.sent.clear();
    session.subscribed("absences");
    assert_eq!(session.closed, None);
}

#[test]
fn a_frame_that_is_read_after_the_deadline_and_before_its_timer_is_a_sign_of_life() {
    let mut session = Session::open();
    session.now.monotonic += 2 * HEARTBEAT;
    session.send(ToRelay::Pong(Pong {}));
    assert_eq!(session.closed, None);
}
