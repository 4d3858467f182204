//! The waits of calls, their errors when they give up, and connections that died in silence meanwhile.

use crate::support::*;
use sealwire_client::{ClientError, Draft, Event, SessionReason, Standing, State, SubscriptionId};
use sealwire_protocol::{
    Code,
    wire::{Pong, Publish, ToClient, ToRelay},
};

/// Lets a connection be dead until the client has replaced it, and says how long that took.
fn advance_past_a_dead_connection(harness: &mut Harness) -> u64 {
    let start = harness.now_ms;
    let connects = harness.connects;
    while harness.connects == connects {
        harness.advance(100);
        assert!(harness.now_ms < start + 30_000, "the client has not left the dead connection");
    }
    harness.now_ms - start
}

fn expect_ping(harness: &mut Harness) {
    assert!(matches!(harness.sent.pop_front(), Some(ToRelay::Ping(_))));
}

fn draft(name: &str, payload: &str, id: Option<&str>, timeout_ms: Option<u64>) -> Draft {
    let (event, payload) = (String::new(), payload.into());
    Draft { spec: channel(name), event, payload, id: id.map(Into::into), timeout_ms }
}

fn standings(harness: &mut Harness, of: SubscriptionId) -> Vec<Standing> {
    let events = std::mem::take(&mut harness.events);
    let standing = |event: Event| match event {
        Event::Standing { subscription, standing } if subscription == of => Some(standing),
        _ => None,
    };
    events.into_iter().filter_map(standing).collect()
}

#[test]
fn a_publish_on_a_connection_that_died_in_silence_is_sent_again_on_the_next_one() {
    let (mut harness, subscription) = Harness::subscribed("absences");
    let publish = harness.publish("absences", "1");
    let first = harness.expect_publish();
    let took = advance_past_a_dead_connection(&mut harness);
    assert!((7_000..=10_100).contains(&took), "{took}");
    assert_eq!(harness.disconnects, [4408]);
    expect_ping(&mut harness);
    harness.establish();
    harness.confirm("absences", 10);
    let second = harness.expect_publish();
    assert_eq!((&second.id, &second.sealed), (&first.id, &first.sealed));
    harness.acknowledge(&second, 11);
    harness.expect_published(publish);
    harness.receive(publication("absences", 10, 11, "1"));
    harness.expect_payload(&[subscription], "1");
}

#[test]
fn every_kind_of_request_finds_out_that_the_connection_is_dead() {
    type Ask = fn(&mut Harness, SubscriptionId);
    let asks: [Ask; 4] = [
        |harness, _| {
            harness.subscribe("other");
        },
        |harness, subscription| harness.unsubscribe(subscription),
        |harness, _| {
            harness.publish("absences", "1");
        },
        |harness, _| {
            harness.advance_to_refresh();
            let fetch = harness.expect_need(SessionReason::Refresh);
            harness.provide(fetch, &[1]);
        },
    ];
    for ask in asks {
        let (mut harness, subscription) = Harness::subscribed("absences");
        ask(&mut harness, subscription);
        let asked_at = harness.now_ms;
        harness.advance(2_999);
        assert!(!harness.sent.iter().any(|sent| matches!(sent, ToRelay::Ping(_))));
        harness.advance(1);
        assert!(matches!(harness.sent.pop_back(), Some(ToRelay::Ping(_))));
        harness.advance(4_000);
        assert_eq!((harness.disconnects.as_slice(), harness.now_ms - asked_at), (&[4408][..], 7_000));
    }
}

#[test]
fn a_relay_that_answers_the_ping_and_takes_its_time_keeps_its_connection() {
    let (mut harness, _) = Harness::subscribed("absences");
    let publish = harness.publish("absences", "1");
    let frame = harness.expect_publish();
    for _ in 0..15 {
        harness.advance(3_000);
        expect_ping(&mut harness);
        harness.receive(ToClient::Pong(Pong {}));
    }
    harness.acknowledge(&frame, 11);
    harness.expect_published(publish);
    assert!(harness.disconnects.is_empty());
}

#[test]
fn answers_that_come_one_by_one_over_a_slow_line_are_a_sign_of_life() {
    let (mut harness, _) = Harness::subscribed("absences");
    let publishes: Vec<_> = (0..20).map(|_| harness.publish("absences", "1")).collect();
    let frames: Vec<Publish> = publishes.iter().map(|_| harness.expect_publish()).collect();
    for (offset, (publish, frame)) in (11..).zip(publishes.iter().zip(&frames)) {
        harness.advance(2_500);
        harness.acknowledge(frame, offset);
        harness.expect_published(*publish);
    }
    harness.expect_nothing();
}

#[test]
fn an_answer_behind_much_else_that_arrives_is_waited_for_but_not_for_ever() {
    let (mut harness, subscription) = Harness::subscribed("absences");
    harness.publish("absences", "1");
    harness.expect_publish();
    for offset in 10..22 {
        harness.advance(1_000);
        harness.receive(publication("absences", offset, offset + 1, "1"));
        harness.expect_payload(&[subscription], "1");
    }
    assert!(harness.disconnects.is_empty());
    harness.advance(1_500);
    assert_eq!(harness.disconnects, [4408], "the way to the relay is dead");
}

#[test]
fn a_large_publication_has_the_time_of_a_slow_uplink() {
    let (mut harness, _) = Harness::subscribed("absences");
    harness.publish("absences", &"1".repeat(128 * 1024));
    harness.advance(3_000 + 4_000 + 8_000);
    assert!(harness.disconnects.is_empty());
    harness.advance(500);
    assert_eq!(harness.disconnects, [4408]);
}

#[test]
fn short_limits_find_a_dead_connection_too() {
    let (mut harness, _) = Harness::subscribed("absences");
    let publish = harness.client.publish_draft(harness.now(), draft("absences", "1", None, Some(500)));
    harness.drain();
    harness.advance(500);
    assert_eq!(harness.expect_publish_error(publish).may_have_arrived, Some(true));
    harness.advance(4_000);
    assert_eq!(harness.disconnects, [4408]);
}

#[test]
fn a_subscription_waits_until_the_relay_is_there() {
    let mut harness = Harness::default();
    let subscription = harness.subscribe("absences");
    for _ in 0..40 {
        if let Some(index) =
            harness.events.iter().position(|event| matches!(event, Event::SessionRequested { .. }))
        {
            let Some(Event::SessionRequested { fetch, .. }) = harness.events.remove(index) else { panic!() };
            let error = ClientError::new(Code::SessionUnavailable, "a cold start");
            harness.client.handle_session_failed(harness.now(), fetch, error);
            harness.drain();
        }
        harness.advance(30_000);
    }
    assert!(harness.events.iter().all(|event| !matches!(event, Event::SubscribeDone { .. })));
    harness.advance_to_attempt();
    let fetch = harness.expect_need(SessionReason::Connect);
    harness.provide(fetch, &[1]);
    for _ in 0..40 {
        harness.cut(None);
        harness.advance_to_attempt();
        if harness.connection.is_none() {
            let fetch = harness.expect_need(SessionReason::Connect);
            harness.provide(fetch, &[1]);
        }
    }
    harness.establish();
    harness.confirm("absences", 10);
    harness.expect_subscribed(subscription);
}

#[test]
fn a_subscribe_with_a_limit_fails_then_and_leaves_nothing_behind() {
    let mut harness = Harness::default();
    let subscription =
        harness.client.subscribe_within(harness.now(), channel("absences"), None, Some(10_000));
    harness.drain();
    harness.establish();
    harness.expect_subscribe();
    harness.advance(9_999);
    assert!(harness.events.iter().all(|event| !matches!(event, Event::SubscribeDone { .. })));
    harness.advance(1);
    assert_eq!(harness.expect_subscribe_error(subscription).code.name(), "UNREACHABLE");
    harness.advance(60_000);
    assert_eq!(harness.client.state(), State::Idle, "nothing needs a connection any more");
}

#[test]
fn the_side_that_was_slow_is_named() {
    let limit = |harness: &mut Harness| {
        let id = harness.client.subscribe_within(harness.now(), channel("absences"), None, Some(5_000));
        harness.drain();
        id
    };
    let mut harness = Harness::default();
    let id = limit(&mut harness);
    let publish = harness.client.publish_draft(harness.now(), draft("absences", "1", None, Some(5_000)));
    harness.drain();
    harness.expect_need(SessionReason::Connect);
    harness.advance(5_000);
    let error = harness.expect_subscribe_error(id);
    assert_eq!(error.code.name(), "SESSION_UNAVAILABLE");
    assert!(error.message.contains("session function has not answered"), "{error}");
    let error = harness.expect_publish_error(publish);
    assert_eq!((error.code.name(), error.may_have_arrived), ("SESSION_UNAVAILABLE", Some(false)));
    assert!(error.message.ends_with("the message was not sent"), "{error}");

    let mut harness = Harness::default();
    let id = limit(&mut harness);
    let fetch = harness.expect_need(SessionReason::Connect);
    harness.provide(fetch, &[1]);
    harness.advance(5_000);
    assert_eq!(harness.expect_subscribe_error(id).code.name(), "UNREACHABLE");
}

#[test]
fn a_publish_that_gives_up_says_whether_the_message_may_have_arrived() {
    let (mut harness, _) = Harness::subscribed("absences");
    let sent = harness.publish("absences", "1");
    harness.expect_publish();
    harness.cut(None);
    let unsent = harness.publish("absences", "2");
    harness.advance(120_000);
    let mut told = Vec::new();
    while let Some(event) = harness.events.pop_front() {
        if let Event::PublishDone { publish, result: Err(error) } = event {
            told.push((publish, error.code.name(), error.may_have_arrived));
            let end =
                if publish == sent { "the message may have arrived" } else { "the message was not sent" };
            assert!(error.message.ends_with(&format!("; {end} (relay: wss://relay.example)")), "{error}");
        }
    }
    assert_eq!(told, [(sent, "UNREACHABLE", Some(true)), (unsent, "UNREACHABLE", Some(false))]);
}

#[test]
fn a_publish_that_is_withdrawn_is_not_sent_and_says_so() {
    let mut harness = Harness::default();
    let publish = harness.publish("absences", "1");
    harness.client.withdraw_publish(harness.now(), publish);
    harness.client.withdraw_publish(harness.now(), publish);
    harness.drain();
    harness.establish();
    assert_eq!(harness.sent, []);
    assert_eq!(harness.expect_publish_error(publish).may_have_arrived, Some(false));
    harness.expect_nothing();
}

#[test]
fn a_refusal_after_a_lost_connection_does_not_hide_that_the_message_may_have_arrived() {
    let (mut harness, _) = Harness::subscribed("absences");
    let publish = harness.publish("absences", "1");
    harness.expect_publish();
    harness.cut(None);
    harness.advance_to_attempt();
    harness.establish();
    harness.confirm("absences", 10);
    let request = harness.expect_publish().request;
    harness.refuse(request, Code::PermissionMissing, 0);
    let error = harness.expect_publish_error(publish);
    assert_eq!((error.code.name(), error.may_have_arrived), ("PERMISSION_MISSING", Some(true)));
}

#[test]
fn an_id_of_the_apps_own_makes_the_same_message_the_same_on_the_wire() {
    let frame = |name: &str, payload: &str, id: &str| {
        let mut harness = Harness::seeded(name.len() as u64 + payload.len() as u64);
        harness.now_ms += payload.len() as u64 * 1_000;
        harness.client.publish_draft(harness.now(), draft(name, payload, Some(id), None));
        harness.drain();
        harness.establish();
        harness.expect_publish()
    };
    let first = frame("absences", "1", "note-1");
    let again = frame("absences", "1", "note-1");
    assert_eq!((&first.id, &first.sealed), (&again.id, &again.sealed));
    let changed = frame("absences", "22", "note-1");
    assert_eq!(first.id, changed.id, "the relay finds that it is another message");
    assert!(first.sealed[5..29] != changed.sealed[5..29], "under a nonce of its own");
    assert!(first.id != frame("absences", "1", "note-2").id);
    assert!(first.id != frame("rotation", "1", "note-1").id);
}

#[test]
fn ids_of_the_apps_own_have_a_length() {
    for id in [String::new(), "x".repeat(256)] {
        let mut harness = Harness::default();
        let publish = harness.client.publish_draft(harness.now(), draft("a", "1", Some(&id), None));
        harness.drain();
        assert_eq!(harness.expect_publish_error(publish).code.name(), "INVALID_ARGUMENT");
    }
}

#[test]
fn the_app_is_told_how_a_subscription_stands() {
    let mut harness = Harness::default();
    let subscription = harness.subscribe("absences");
    harness.establish();
    harness.confirm("absences", 10);
    assert_eq!(standings(&mut harness, subscription), [Standing::Subscribed]);
    harness.cut(None);
    assert_eq!(standings(&mut harness, subscription), [Standing::Resuming]);
    harness.advance_to_attempt();
    harness.establish();
    harness.confirm("absences", 10);
    assert_eq!(standings(&mut harness, subscription), [Standing::Subscribed]);
    harness.unsubscribe(subscription);
    assert_eq!(standings(&mut harness, subscription), []);
}

#[test]
fn a_session_that_comes_late_serves_where_there_is_none() {
    let mut harness = Harness::default();
    let subscription = harness.subscribe("absences");
    let late = harness.expect_need(SessionReason::Connect);
    harness.advance(30_000);
    assert_eq!(harness.connects, 0);
    harness.provide(late, &[1]);
    assert_eq!(harness.connects, 1, "the wait for another attempt is over");
    harness.establish();
    harness.confirm("absences", 10);
    harness.expect_subscribed(subscription);
}

#[test]
fn a_session_that_comes_late_takes_the_place_of_the_next_request() {
    let mut harness = Harness::default();
    let _ = harness.subscribe("absences");
    let late = harness.expect_need(SessionReason::Connect);
    harness.advance(30_000);
    harness.advance_to_attempt();
    let next = harness.expect_need(SessionReason::Connect);
    harness.provide(late, &[1]);
    assert_eq!(harness.connects, 1);
    harness.establish();
    harness.provide(next, &[1]);
    harness.confirm("absences", 10);
    assert_eq!((harness.connects, harness.sent.len()), (1, 0), "the other one is not needed any more");
}

#[test]
fn a_session_that_comes_late_is_not_used_after_the_relay_refused_one() {
    let mut harness = Harness::default();
    let _ = harness.subscribe("absences");
    let late = harness.expect_need(SessionReason::Connect);
    harness.advance(30_000);
    harness.advance_to_attempt();
    let next = harness.expect_need(SessionReason::Connect);
    harness.provide(next, &[1]);
    harness.open();
    harness.sent.clear();
    harness.goodbye(Code::TokenExpired, 0);
    harness.expect_need(SessionReason::Connect);
    harness.provide(late, &[1]);
    assert_eq!(harness.connection, None);
}
