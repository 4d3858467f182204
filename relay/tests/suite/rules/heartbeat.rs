//! Heartbeats: detecting whether the peer is alive.

use super::session::{HEARTBEAT, HELLO_TIMEOUT, START, Session, session_token};
use sealwire_protocol::{
    Code,
    tokens::Permissions,
    wire::{Ping, Pong, Position, ToClient, ToRelay},
};
use std::time::Duration;

#[test]
fn a_client_is_pinged_every_heartbeat_and_stays_connected_while_it_responds() {
    let mut session = Session::open_with(Permissions::ALL, 600);
    for _ in 0..10 {
        session.pass(HEARTBEAT);
        assert!(matches!(session.answer(), ToClient::Ping(_)));
        session.send(ToRelay::Pong(Pong {}));
    }
    assert_eq!(session.closed, None);
}

#[test]
fn every_ping_carries_the_marks_of_its_moment_and_by_default_none() {
    let mut session = Session::open();
    session.pass(HEARTBEAT);
    assert_eq!(session.answer().to_bytes(), [0x52, 0]);
    for offset in [5, 9] {
        let marks =
            vec![Position { epoch: 1, offset, time_ms: 7 }, Position { epoch: 2, offset, time_ms: 8 }];
        session.marks.set(marks.clone());
        session.send(ToRelay::Pong(Pong {}));
        session.pass(HEARTBEAT);
        assert_eq!(session.answer(), ToClient::Ping(Ping { marks }));
    }
}

#[test]
fn a_client_that_is_silent_for_two_heartbeats_is_disconnected() {
    let mut session = Session::open();
    session.pass(2 * HEARTBEAT - Duration::from_millis(1));
    assert_eq!(session.closed, None);
    session.pass(Duration::from_millis(1));
    session.must_end(Code::HeartbeatTimeout);
}

#[test]
fn a_ping_from_a_client_is_answered_with_pong() {
    let mut session = Session::open();
    session.pass(HEARTBEAT - Duration::from_secs(1));
    session.send(ToRelay::Ping(Ping::default()));
    assert!(matches!(session.answer(), ToClient::Pong(_)));
    // The ping itself counts as a sign of life.
    session.pass(2 * HEARTBEAT - Duration::from_secs(1));
    assert_eq!(session.closed, None);
}

#[test]
fn a_websocket_ping_counts_as_a_sign_of_life() {
    let mut session = Session::open();
    session.pass(HEARTBEAT + Duration::from_secs(1));
    session.rules.handle_activity(session.now);
    session.pass(2 * HEARTBEAT - Duration::from_millis(1));
    assert_eq!(session.closed, None);
    session.pass(Duration::from_millis(1));
    session.must_end(Code::HeartbeatTimeout);
}

#[test]
fn the_expiry_of_a_session_follows_changes_of_the_wall_clock() {
    let mut session = Session::new();
    let token = session_token("alice", Permissions::ALL, START + 120);
    session.send(ToRelay::Hello(sealwire_protocol::wire::Hello { token }));
    // The clock was half a minute behind and is corrected.
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

/// Suspends the relay of a session for three minutes, timers included.
fn after_a_suspension(mut session: Session) -> Session {
    session.stall_detector.tick(session.now.monotonic);
    session.now.monotonic += Duration::from_secs(180);
    session.now.wall.0 += 180_000;
    session
}

/// Lets time pass in a running relay.
fn pass_running(session: &mut Session, span: Duration) {
    const BEAT: Duration = Duration::from_millis(100);
    let end = session.now.monotonic + span;
    while session.now.monotonic < end {
        session.stall_detector.tick(session.now.monotonic);
        session.pass(BEAT.min(end - session.now.monotonic));
    }
}

#[test]
fn a_relay_resumed_after_a_suspension_reads_waiting_frames_before_it_disconnects_a_client() {
    // The timer fires first. The client's frame, which was waiting, is read a second later.
    let mut session = after_a_suspension(Session::open());
    pass_running(&mut session, Duration::from_secs(1));
    assert_eq!(session.closed, None);
    session.send(ToRelay::Pong(Pong {}));
    pass_running(&mut session, 2 * HEARTBEAT - Duration::from_millis(1));
    assert_eq!(session.closed, None);
    // The frame is read first.
    let mut session = after_a_suspension(Session::open());
    session.send(ToRelay::Pong(Pong {}));
    pass_running(&mut session, HEARTBEAT);
    assert_eq!(session.closed, None);
    // A client that stays silent is disconnected.
    let mut session = after_a_suspension(Session::open());
    pass_running(&mut session, HEARTBEAT - Duration::from_millis(1));
    assert_eq!(session.closed, None);
    pass_running(&mut session, Duration::from_millis(1));
    session.must_end(Code::HeartbeatTimeout);
}

#[test]
fn a_hello_and_a_request_that_arrived_during_a_suspension_are_in_time() {
    let mut session = after_a_suspension(Session::new());
    pass_running(&mut session, Duration::from_secs(1));
    session.hello(Permissions::ALL, 600);
    let mut session = after_a_suspension(Session::new());
    pass_running(&mut session, HELLO_TIMEOUT);
    session.must_end(Code::HelloTimeout);

    let mut session = Session::open_with(Permissions::ALL, 655);
    for _ in 0..10 {
        pass_running(&mut session, Duration::from_secs(45));
        session.send(ToRelay::Pong(Pong {}));
    }
    // Seven and a half minutes without a request are followed by a suspension of three minutes, during which one
    // arrives.
    let mut session = after_a_suspension(session);
    pass_running(&mut session, Duration::from_secs(1));
    assert_eq!(session.closed, None);
    session.sent.clear();
    session.subscribed("absences");
    assert_eq!(session.closed, None);
}

#[test]
fn a_frame_read_between_the_deadline_and_its_timer_is_a_sign_of_life() {
    let mut session = Session::open();
    session.now.monotonic += 2 * HEARTBEAT;
    session.send(ToRelay::Pong(Pong {}));
    assert_eq!(session.closed, None);
}
