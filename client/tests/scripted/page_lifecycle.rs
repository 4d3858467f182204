//! The page's lifecycle and the machine's sleep: offline, hidden, frozen, asleep, and back.

use crate::support::*;
use sealwire_client::{Event, Pause, State};
use sealwire_protocol::{
    Code,
    wire::{Pong, Since, Subscribed, ToClient, ToRelay},
};

fn pause(harness: &mut Harness, pause: Pause) {
    harness.client.handle_pause(harness.now(), pause);
    harness.drain();
}

fn wake(harness: &mut Harness) {
    harness.client.handle_wake(harness.now());
    harness.drain();
}

/// Takes the client's `Ping` and answers it.
fn answer_probe(harness: &mut Harness) {
    assert!(matches!(harness.sent.pop_front(), Some(ToRelay::Ping(_))));
    harness.receive(ToClient::Pong(Pong {}));
}

#[test]
fn a_wake_skips_the_wait_before_the_next_attempt() {
    let (mut harness, _) = Harness::subscribed("absences");
    harness.cut(None);
    harness.client.handle_wake(harness.now());
    harness.drain();
    assert_eq!(harness.connects, 2);
}

#[test]
fn a_wake_detects_a_dead_connection_within_seconds() {
    let (mut harness, _) = Harness::subscribed("absences");
    harness.advance(3_000);
    harness.client.handle_wake(harness.now());
    harness.client.handle_wake(harness.now());
    harness.drain();
    assert!(matches!(harness.sent.pop_front(), Some(ToRelay::Ping(_))));
    harness.expect_nothing();
    harness.advance(3_999);
    assert!(harness.disconnects.is_empty());
    harness.advance(1);
    assert_eq!(
        (harness.disconnects.as_slice(), harness.connects),
        (&[4408][..], 2),
        "the client reconnects at once"
    );
}

#[test]
fn a_working_connection_survives_a_sleep() {
    let (mut harness, subscription) = Harness::subscribed("absences");
    // The machine slept for longer than two heartbeats. Frames that arrived in that time have not been read yet.
    harness.now_ms += 10 * HEARTBEAT_MS;
    harness.client.handle_timeout(harness.now());
    harness.drain();
    assert!(matches!(harness.sent.pop_front(), Some(ToRelay::Ping(_))));
    harness.receive(publication("absences", 10, 11, "1"));
    harness.receive(ToClient::Pong(Pong {}));
    harness.expect_payload(&[subscription], "1");
    harness.advance(20_000);
    assert!(harness.disconnects.is_empty());
}

#[test]
fn a_dead_connection_while_offline_is_suspended_until_the_network_is_back() {
    let (mut harness, _) = Harness::subscribed("absences");
    pause(&mut harness, Pause::Offline);
    assert!(matches!(harness.sent.pop_front(), Some(ToRelay::Ping(_))));
    harness.advance(4_000);
    assert_eq!(harness.disconnects, [4408]);
    assert_eq!(harness.states(), [State::Suspended]);
    harness.advance(59_999);
    assert_eq!(harness.connects, 1);
    // The browser may be wrong, so the client makes rare attempts and stays suspended.
    assert!(harness.advance_to_attempt() <= 30_001);
    harness.cut(None);
    assert!(harness.states().iter().all(|state| *state == State::Suspended));
    wake(&mut harness);
    assert_eq!(harness.connects, 3);
    assert!(!harness.states().contains(&State::Suspended));
    assert_eq!(harness.client.state(), State::Reconnecting);
}

#[test]
fn a_wrong_offline_report_keeps_a_working_connection() {
    let (mut harness, _) = Harness::subscribed("absences");
    pause(&mut harness, Pause::Offline);
    answer_probe(&mut harness);
    harness.advance(20_000);
    assert_eq!((harness.client.state(), harness.disconnects.len()), (State::Connected, 0));
}

#[test]
fn a_connection_lost_while_paused_is_suspended_with_the_reason() {
    for kind in [Pause::Offline, Pause::Hidden] {
        let (mut harness, _) = Harness::subscribed("absences");
        pause(&mut harness, kind);
        answer_probe(&mut harness);
        harness.cut(Some(1006));
        match harness.events.pop_front() {
            Some(Event::State { state: State::Suspended, error: Some(error) }) => {
                assert_eq!(error.code.name(), "UNREACHABLE");
            }
            other => panic!("{other:?}"),
        }
        harness.advance(59_999);
        assert_eq!(harness.connects, 1);
    }
}

#[test]
fn a_wait_for_the_next_attempt_is_suspended_when_the_browser_goes_offline() {
    let (mut harness, _) = Harness::subscribed("absences");
    harness.cut(None);
    assert_eq!(harness.states(), [State::Reconnecting]);
    pause(&mut harness, Pause::Offline);
    assert_eq!(harness.states(), [State::Suspended]);
    harness.advance(59_999);
    assert_eq!(harness.connects, 1);
    wake(&mut harness);
    assert_eq!((harness.connects, harness.states()), (2, vec![State::Reconnecting]));
}

#[test]
fn a_frozen_page_closes_its_connection_and_resumes_from_its_position() {
    let (mut harness, subscription) = Harness::subscribed("absences");
    pause(&mut harness, Pause::Frozen);
    assert_eq!((harness.states(), harness.disconnects.as_slice()), (vec![State::Suspended], &[1000][..]));
    harness.now_ms += 60_000;
    wake(&mut harness);
    harness.establish();
    let subscribe = harness.confirm("absences", 10);
    assert_eq!(subscribe.since, Some(Since::Position(position(10))));
    harness.receive(publication("absences", 10, 11, "1"));
    harness.expect_payload(&[subscription], "1");
}

#[test]
fn a_wake_keeps_the_reconnect_time_that_the_relay_requests() {
    let (mut harness, _) = Harness::subscribed("absences");
    harness.goodbye(Code::ShuttingDown, 7_000);
    harness.advance(1_000);
    pause(&mut harness, Pause::Offline);
    wake(&mut harness);
    assert_eq!(harness.connects, 1);
    let waited = harness.advance_to_attempt() + 1_000;
    assert!((7_000..=10_500).contains(&waited), "{waited}");
}

#[test]
fn a_wall_clock_ahead_of_the_timers_means_that_the_machine_slept() {
    let (mut harness, _) = Harness::subscribed("absences");
    harness.advance(5_000);
    assert!(harness.sent.is_empty());
    harness.asleep_ms += 600_000;
    harness.advance(5_000);
    assert!(matches!(harness.sent.pop_front(), Some(ToRelay::Ping(_))));
    harness.advance(4_000);
    assert_eq!((harness.disconnects.as_slice(), harness.connects), (&[4408][..], 2));
}

#[test]
fn a_wake_shortens_the_timeout_of_a_pending_attempt() {
    let (mut harness, _) = Harness::subscribed("absences");
    harness.cut(None);
    harness.advance_to_attempt();
    wake(&mut harness);
    harness.advance(4_000);
    assert_eq!(harness.disconnects, [1000]);
    harness.advance_to_attempt();
    assert_eq!(harness.connects, 3);
}

#[test]
fn a_wake_does_nothing_if_no_connection_is_needed() {
    let mut harness = Harness::default();
    pause(&mut harness, Pause::Frozen);
    wake(&mut harness);
    harness.expect_nothing();
    assert_eq!((harness.connects, harness.client.state()), (0, State::Idle));
    harness.client.close();
    pause(&mut harness, Pause::Offline);
    wake(&mut harness);
    assert_eq!(harness.client.state(), State::Closed);
}

#[test]
fn unread_answers_count_after_a_sleep_before_requests_time_out() {
    let (mut harness, _) = Harness::subscribed("absences");
    let waiting = harness.subscribe("other");
    let request = harness.expect_subscribe().request;
    let publish = harness.publish("absences", "1");
    let Some(ToRelay::Publish(published)) = harness.sent.pop_front() else { panic!() };
    // The machine slept past every deadline. The timers run before the unread frames are handled.
    harness.now_ms += 600_000;
    harness.client.handle_timeout(harness.now());
    harness.drain();
    assert!(harness.disconnects.is_empty() && harness.events.is_empty(), "{:?}", harness.events);
    harness.receive(ToClient::Subscribed(Subscribed {
        request,
        channel_id: channel_id("other").into(),
        position: Some(position(10)),
        recovered: false,
        replay_end: 0,
    }));
    harness.acknowledge(&published, 11);
    harness.expect_subscribed(waiting);
    let done =
        |event: &Event| matches!(event, Event::PublishDone { publish: id, result: Ok(_) } if *id == publish);
    assert!(harness.events.iter().any(done), "{:?}", harness.events);
    // A publish without an answer within the time of a probe fails.
    let late = harness.publish("absences", "2");
    harness.now_ms += 600_000;
    harness.client.handle_timeout(harness.now());
    harness.drain();
    harness.advance(4_000);
    let failed =
        |event: &Event| matches!(event, Event::PublishDone { publish: id, result: Err(_) } if *id == late);
    assert!(harness.events.iter().any(failed), "{:?}", harness.events);
}
