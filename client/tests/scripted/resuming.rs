//! After a loss of the connection: what was missed comes once and in order, or a gap is told.

use crate::support::*;
use sealwire_client::{Gap, GapReason, Notice, SubscriptionId};
use sealwire_protocol::{
    Code,
    wire::{Position, Since, ToClient},
};

fn reconnected() -> (Harness, SubscriptionId) {
    let (mut harness, subscription) = Harness::subscribed("absences");
    harness.receive(publication("absences", 10, 11, "before"));
    harness.expect_payload(&[subscription], "before");
    harness.cut(None);
    harness.advance_to_attempt();
    harness.establish();
    (harness, subscription)
}

#[test]
fn a_resume_names_the_last_place_and_delivers_what_was_missed_once() {
    let (mut harness, subscription) = reconnected();
    let subscribe = harness.confirm("absences", 11);
    assert_eq!(subscribe.since, Some(Since::Position(position(11))));
    for (previous, offset) in [(11, 14), (14, 15)] {
        harness.receive(publication("absences", previous, offset, "missed"));
        harness.expect_payload(&[subscription], "missed");
    }
    harness.receive(publication("absences", 14, 15, "again"));
    harness.receive(publication("absences", 10, 11, "again"));
    harness.receive(publication("absences", 15, 16, "live"));
    harness.expect_payload(&[subscription], "live");
    harness.expect_nothing();
}

#[test]
fn a_resume_that_the_relay_refuses_for_now_is_asked_again_from_the_same_place_and_loses_nothing() {
    let (mut harness, subscription) = reconnected();
    // More replays were asked for than the relay serves at once.
    let subscribe = harness.expect_subscribe();
    assert_eq!(subscribe.since, Some(Since::Position(position(11))));
    harness.refuse(subscribe.request, Code::RateLimited, 2_000);
    harness.expect_nothing();
    harness.advance(1_999);
    harness.expect_nothing();
    harness.advance(2_002);
    let subscribe = harness.confirm("absences", 11);
    assert_eq!(subscribe.since, Some(Since::Position(position(11))));
    harness.receive(publication("absences", 11, 12, "missed"));
    harness.expect_payload(&[subscription], "missed");
    harness.expect_nothing();
}

#[test]
fn a_failed_recovery_is_told_before_the_messages_that_follow() {
    let (mut harness, subscription) = reconnected();
    harness.confirm_at("absences", position(40), false);
    harness.receive(publication("absences", 40, 41, "after"));
    let gap = Gap { from: Some(position(11)), to: position(40), reason: GapReason::Evicted };
    assert_eq!(harness.expect_notice(&[subscription]), Notice::Gap(gap));
    harness.expect_payload(&[subscription], "after");
}

#[test]
fn a_relay_with_another_epoch_is_a_gap() {
    let (mut harness, subscription) = reconnected();
    let to = Position { epoch: 8, offset: 2 };
    harness.confirm_at("absences", to, false);
    let gap = Gap { from: Some(position(11)), to, reason: GapReason::Epoch };
    assert_eq!(harness.expect_notice(&[subscription]), Notice::Gap(gap));
    // Lower than in the epoch before, and yet new.
    harness.receive(publication("absences", 2, 3, "new"));
    let message = harness.expect_message(&[subscription]);
    assert_eq!((message.payload.as_str(), message.position), ("new", Position { epoch: 8, offset: 3 }));
}

#[test]
fn a_message_left_out_on_a_live_connection_is_a_gap() {
    let (mut harness, subscription) = Harness::subscribed("absences");
    harness.receive(publication("absences", 12, 13, "later"));
    let gap = Gap { from: Some(position(10)), to: position(12), reason: GapReason::Skipped };
    assert_eq!(harness.expect_notice(&[subscription]), Notice::Gap(gap));
    harness.expect_payload(&[subscription], "later");
    harness.receive(publication("absences", 11, 12, "too late"));
    harness.expect_nothing();
}

#[test]
fn subscriptions_of_one_channel_that_stand_at_different_places_each_get_what_they_lack() {
    let (mut harness, first) = Harness::subscribed("absences");
    harness.receive(publication("absences", 10, 11, "1"));
    harness.receive(publication("absences", 11, 12, "2"));
    harness.expect_payload(&[first], "1");
    harness.expect_payload(&[first], "2");
    let second = harness.subscribe_with(channel("absences"), Some(60));
    harness.expect_unsubscribe();
    harness.confirm("absences", 10);
    harness.expect_subscribed(second);
    harness.receive(publication("absences", 10, 11, "1"));
    harness.expect_payload(&[second], "1");
    // The second has yet to get 12 when the connection is lost.
    harness.cut(None);
    harness.advance_to_attempt();
    harness.establish();
    let subscribe = harness.confirm("absences", 11);
    assert_eq!(subscribe.since, Some(Since::Position(position(11))));
    harness.receive(publication("absences", 11, 12, "2"));
    harness.expect_payload(&[second], "2");
    harness.receive(publication("absences", 12, 13, "3"));
    harness.expect_payload(&[first, second], "3");
}

#[test]
fn a_subscription_that_joins_during_the_loss_gets_nothing_from_before_it() {
    let mut harness = Harness { now_ms: 100_000, ..Harness::default() };
    let first = harness.subscribe("absences");
    harness.establish();
    harness.confirm("absences", 10);
    harness.expect_subscribed(first);
    harness.cut(None);
    let second = harness.subscribe("absences");
    harness.advance_to_attempt();
    harness.establish();
    harness.confirm("absences", 10);
    harness.expect_subscribed(second);
    harness.receive(publication("absences", 10, 90_000, "before it"));
    harness.expect_payload(&[first], "before it");
    harness.receive(publication("absences", 90_000, 110_000, "after it"));
    harness.expect_payload(&[first, second], "after it");
}

#[test]
fn a_replay_asked_for_during_the_loss_comes_after_the_resume() {
    let (mut harness, first) = Harness::subscribed("absences");
    harness.cut(None);
    let second = harness.subscribe_with(channel("absences"), Some(30));
    harness.advance_to_attempt();
    harness.establish();
    let resume = harness.confirm("absences", 10);
    assert_eq!(resume.since, Some(Since::Position(position(10))));
    harness.expect_unsubscribe();
    let replay = harness.confirm("absences", 9);
    assert_eq!(replay.since, Some(Since::ReplaySeconds(30)));
    harness.expect_subscribed(second);
    harness.receive(publication("absences", 9, 10, "replayed"));
    harness.expect_payload(&[second], "replayed");
    harness.receive(publication("absences", 10, 11, "live"));
    harness.expect_payload(&[first, second], "live");
}

#[test]
fn offsets_at_the_end_of_their_range_do_no_harm() {
    let (mut harness, subscription) = Harness::subscribed("absences");
    harness.receive(publication("absences", 10, u64::MAX, "last"));
    harness.expect_payload(&[subscription], "last");
    harness.receive(publication("absences", u64::MAX, u64::MAX, "again"));
    harness.receive(publication("absences", u64::MAX, 0, "around"));
    harness.expect_nothing();
}

#[test]
fn publications_of_channels_that_nobody_joined_are_ignored() {
    let (mut harness, _) = Harness::subscribed("absences");
    harness.receive(publication("other", 1, 2, "1"));
    harness.receive(ToClient::Subscribed(sealwire_protocol::wire::Subscribed {
        request: 999,
        channel_id: channel_id("other").into(),
        position: Some(position(1)),
        recovered: true,
    }));
    harness.expect_nothing();
}
