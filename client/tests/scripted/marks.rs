//! Marks: a heartbeat moves the positions of subscribed channels forward, also without publications.

use crate::support::*;
use sealwire_client::{SessionReason, SubscriptionId};
use sealwire_protocol::{
    Code,
    wire::{Ended, Position, Since, ToClient},
};

/// Cuts the connection, and returns the position with which the client subscribes again on the next one.
fn resumed_from(harness: &mut Harness) -> Option<Since> {
    harness.cut(None);
    harness.advance_to_attempt();
    harness.establish();
    harness.expect_subscribe().since
}

/// Checks that the subscription has missed nothing and receives the publication after `previous_offset`.
fn must_deliver(harness: &mut Harness, subscription: SubscriptionId, previous_offset: u64, offset: u64) {
    harness.receive(publication("absences", previous_offset, offset, "next"));
    harness.expect_payload(&[subscription], "next");
    harness.expect_nothing();
}

#[test]
fn a_silent_channel_resumes_from_the_last_mark_and_its_time() {
    let (mut harness, _) = Harness::subscribed("absences");
    harness.mark(&[position(40)]);
    let mark = Position { time_ms: 77, ..position(50) };
    harness.mark(&[Position { epoch: 3, ..position(90) }, mark]);
    assert_eq!(resumed_from(&mut harness), Some(Since::Position(mark)));
}

#[test]
fn a_publication_after_a_mark_is_no_gap() {
    let (mut harness, subscription) = Harness::subscribed("absences");
    harness.mark(&[position(50)]);
    must_deliver(&mut harness, subscription, 10, 60);
    assert_eq!(resumed_from(&mut harness), Some(Since::Position(position(60))));
}

#[test]
fn a_publication_at_or_before_the_mark_is_dropped_as_a_repetition() {
    let (mut harness, subscription) = Harness::subscribed("absences");
    harness.mark(&[position(50)]);
    for offset in [11, 50] {
        harness.receive(publication("absences", 10, offset, "again"));
    }
    harness.expect_nothing();
    must_deliver(&mut harness, subscription, 50, 51);
}

#[test]
fn a_mark_of_another_epoch_or_behind_the_position_changes_nothing() {
    let (mut harness, subscription) = Harness::subscribed("absences");
    harness.mark(&[Position { epoch: EPOCH + 1, ..position(50) }, position(9)]);
    harness.mark(&[Position { time_ms: 1, ..position(10) }]);
    harness.receive(publication("absences", 9, 10, "again"));
    harness.expect_nothing();
    must_deliver(&mut harness, subscription, 10, 11);
    assert_eq!(resumed_from(&mut harness), Some(Since::Position(position(11))));
}

#[test]
fn a_channel_that_the_relay_has_not_confirmed_stays() {
    // After a reconnect, before the relay's answer.
    let (mut harness, subscription) = Harness::subscribed("absences");
    harness.cut(None);
    harness.advance_to_attempt();
    harness.establish();
    harness.mark(&[position(50)]);
    harness.confirm("absences", 10);
    must_deliver(&mut harness, subscription, 10, 11);

    // After the relay ended the subscription, before the client subscribes again.
    let (code, channel_id) = (Code::BrokerUnavailable.number(), channel_id("absences").into());
    harness.receive(ToClient::Ended(Ended { channel_id, code, message: "why".into() }));
    harness.mark(&[position(50)]);
    harness.advance(2_001);
    assert_eq!(harness.confirm("absences", 11).since, Some(Since::Position(position(11))));
    must_deliver(&mut harness, subscription, 11, 12);
}

#[test]
fn a_channel_that_is_subscribed_again_for_a_replay_stays_until_the_relay_confirms_it() {
    let (mut harness, first) = Harness::subscribed("absences");
    let second = harness.subscribe_with(channel("absences"), Some(60));
    harness.expect_unsubscribe();
    harness.mark(&[position(50)]);
    harness.confirm("absences", 9);
    harness.expect_subscribed(second);
    harness.receive(publication("absences", 9, 10, "replayed"));
    harness.expect_payload(&[second], "replayed");
    harness.receive(publication("absences", 10, 11, "live"));
    harness.expect_payload(&[first, second], "live");
    harness.mark(&[position(50)]);
    assert_eq!(resumed_from(&mut harness), Some(Since::Position(position(50))));
}

#[test]
fn a_mark_moves_every_subscription_of_a_channel_and_new_ones_start_there() {
    let (mut harness, first) = Harness::subscribed("absences");
    let second = harness.subscribe("absences");
    harness.expect_subscribed(second);
    harness.mark(&[position(50)]);
    let third = harness.subscribe("absences");
    harness.expect_subscribed(third);
    harness.receive(publication("absences", 10, 50, "again"));
    harness.receive(publication("absences", 10, 51, "next"));
    harness.expect_payload(&[first, second, third], "next");
    harness.expect_nothing();
}

#[test]
fn a_mark_drops_no_message_that_waits_for_its_key() {
    let (mut harness, subscription) = Harness::subscribed("absences");
    harness.receive(publication_under(2, "absences", 10, 11, "waits"));
    harness.mark(&[position(50)]);
    harness.receive(publication("absences", 11, 51, "behind it"));
    harness.expect_nothing();
    harness.advance(2_000);
    let fetch = harness.expect_session_request(SessionReason::UnknownKey);
    harness.provide(fetch, &[2, 1]);
    harness.expect_payload(&[subscription], "waits");
    harness.expect_payload(&[subscription], "behind it");
}
