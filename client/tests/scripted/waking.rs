//! Offline, hidden, frozen, asleep, and awake again.

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

/// Takes the client's `Ping`, and the relay's answer to it.
fn answer_probe(harness: &mut Harness) {
    assert!(matches!(harness.sent.pop_front(), Some(ToRelay::Ping(_))));
    harness.receive(ToClient::Pong(Pong {}));
}

#[test]
fn the_network_coming_back_cuts_the_wait_short() {
    let (mut harness, _) = Harness::subscribed("absences");
    harness.cut(None);
    harness.client.handle_wake(harness.now());
    harness.drain();
    assert_eq!(harness.connects, 2);
}

#[test]
fn a_machine_that_woke_up_finds_a_dead_connection_within_seconds() {
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
        "and comes back at once"
    );
}

#[test]
fn a_machine_that_woke_up_keeps_a_connection_that_lives() {
    let (mut harness, subscription) = Harness::subscribed("absences");
    // Asleep past two heartbeats, timers and all; what came meanwhile waits to be read.
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
fn offline_with_a_dead_connection_is_suspended_until_the_network_is_back() {
    let (mut harness, _) = Harness::subscribed("absences");
    pause(&mut harness, Pause::Offline);
    assert!(matches!(harness.sent.pop_front(), Some(ToRelay::Ping(_))));
    harness.advance(4_000);
    assert_eq!(harness.disconnects, [4408]);
    assert_eq!(harness.states(), [State::Suspended]);
    harness.advance(59_999);
    assert_eq!(harness.connects, 1);
    // The browser may be wrong: now and then the client tries, and stays suspended.
    assert!(harness.advance_to_attempt() <= 30_001);
    harness.cut(None);
    assert!(harness.states().iter().all(|state| *state == State::Suspended));
    wake(&mut harness);
    assert_eq!(harness.connects, 3);
    assert!(!harness.states().contains(&State::Suspended));
    assert_eq!(harness.client.state(), State::Reconnecting);
}

#[test]
fn a_browser_that_says_offline_and_is_wrong_keeps_its_connection() {
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
fn waiting_for_an_attempt_becomes_suspended_when_the_browser_goes_offline() {
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
fn a_frozen_page_closes_its_connection_and_resumes_where_it_was() {
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
fn the_relays_time_to_come_back_is_kept_also_by_a_page_that_wakes_up() {
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
fn a_wall_clock_that_ran_on_while_the_timers_stood_still_means_sleep() {
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
fn an_attempt_under_way_is_given_up_soon_after_the_page_woke_up() {
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
fn waking_a_client_that_needs_no_connection_does_nothing() {
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
fn a_machine_that_woke_up_reads_the_answers_that_came_meanwhile_before_it_gives_up_on_them() {
    let (mut harness, _) = Harness::subscribed("absences");
    let waiting = harness.subscribe("other");
    let request = harness.expect_subscribe().request;
    let publish = harness.publish("absences", "1");
    let Some(ToRelay::Publish(published)) = harness.sent.pop_front() else { panic!() };
    // Asleep past every deadline; the timers come first, and then what lay unread.
    harness.now_ms += 600_000;
    harness.client.handle_timeout(harness.now());
    harness.drain();
    assert!(harness.disconnects.is_empty() && harness.events.is_empty(), "{:?}", harness.events);
    harness.receive(ToClient::Subscribed(Subscribed {
        request,
        channel_id: channel_id("other").into(),
        position: Some(position(10)),
        recovered: false,
    }));
    harness.acknowledge(&published, 11);
    harness.expect_subscribed(waiting);
    let done =
        |event: &Event| matches!(event, Event::PublishDone { publish: id, result: Ok(_) } if *id == publish);
    assert!(harness.events.iter().any(done), "{:?}", harness.events);
    // An answer that is not there within a probe's time does not come.
    let late = harness.publish("absences", "2");
    harness.now_ms += 600_000;
    harness.client.handle_timeout(harness.now());
    harness.drain();
    harness.advance(4_000);
    let failed =
        |event: &Event| matches!(event, Event::PublishDone { publish: id, result: Err(_) } if *id == late);
    assert!(harness.events.iter().any(failed), "{:?}", harness.events);
}
