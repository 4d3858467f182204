//! Connections that died without a close: detected by a `Ping` while a request stays unanswered.

use crate::support::*;
use sealwire_client::{SessionReason, SubscriptionId};
use sealwire_protocol::wire::{Pong, Publish, ToClient, ToRelay};

/// Advances the clock on a dead connection until the client replaces it. Returns the time that passed.
fn advance_past_a_dead_connection(harness: &mut Harness) -> u64 {
    let start = harness.now_ms;
    let connects = harness.connects;
    while harness.connects == connects {
        harness.advance(100);
        assert!(harness.now_ms < start + 30_000, "the client keeps the dead connection");
    }
    harness.now_ms - start
}

fn expect_ping(harness: &mut Harness) {
    assert!(matches!(harness.sent.pop_front(), Some(ToRelay::Ping(_))));
}

#[test]
fn a_publish_on_a_dead_connection_is_sent_again_on_the_next_one() {
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
fn every_kind_of_request_detects_a_dead_connection() {
    type MakeRequest = fn(&mut Harness, SubscriptionId);
    let requests: [MakeRequest; 4] = [
        |harness, _| {
            harness.subscribe("other");
        },
        |harness, subscription| harness.unsubscribe(subscription),
        |harness, _| {
            harness.publish("absences", "1");
        },
        |harness, _| {
            harness.advance_to_refresh();
            let fetch = harness.expect_session_request(SessionReason::Refresh);
            harness.provide(fetch, &[1]);
        },
    ];
    for make_request in requests {
        let (mut harness, subscription) = Harness::subscribed("absences");
        make_request(&mut harness, subscription);
        let requested_at = harness.now_ms;
        harness.advance(2_999);
        assert!(!harness.sent.iter().any(|sent| matches!(sent, ToRelay::Ping(_))));
        harness.advance(1);
        assert!(matches!(harness.sent.pop_back(), Some(ToRelay::Ping(_))));
        harness.advance(4_000);
        assert_eq!((harness.disconnects.as_slice(), harness.now_ms - requested_at), (&[4408][..], 7_000));
    }
}

#[test]
fn a_slow_relay_that_answers_pings_keeps_its_connection() {
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
fn answers_that_arrive_slowly_one_by_one_keep_the_connection() {
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
fn an_answer_behind_many_publications_gets_more_time_but_not_unlimited_time() {
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
    assert_eq!(harness.disconnects, [4408], "the direction to the relay is dead");
}

#[test]
fn a_large_publication_gets_the_time_of_a_slow_uplink() {
    let (mut harness, _) = Harness::subscribed("absences");
    harness.publish("absences", &"1".repeat(128 * 1024));
    harness.advance(3_000 + 4_000 + 8_000);
    assert!(harness.disconnects.is_empty());
    harness.advance(500);
    assert_eq!(harness.disconnects, [4408]);
}

#[test]
fn a_short_publish_timeout_also_detects_a_dead_connection() {
    let (mut harness, _) = Harness::subscribed("absences");
    let publish = harness.client.publish_draft(harness.now(), draft("absences", "1", None, Some(500)));
    harness.drain();
    harness.advance(500);
    assert_eq!(harness.expect_publish_error(publish).may_have_arrived, Some(true));
    harness.advance(4_000);
    assert_eq!(harness.disconnects, [4408]);
}
