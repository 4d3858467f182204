//! Resuming after a lost connection: missed messages are delivered once and in order, or a gap is reported.

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
fn a_resume_names_the_last_position_and_delivers_missed_messages_once() {
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
fn a_temporarily_refused_resume_is_retried_from_the_same_position_without_loss() {
    let (mut harness, subscription) = reconnected();
    // The relay already serves as many replays as it can.
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
fn a_failed_recovery_is_reported_before_later_messages() {
    let (mut harness, subscription) = reconnected();
    harness.confirm_at("absences", position(40), false);
    harness.receive(publication("absences", 40, 41, "after"));
    let gap = Gap { from: Some(position(11)), to: position(40), reason: GapReason::Evicted };
    assert_eq!(harness.expect_notice(&[subscription]), Notice::Gap(gap));
    harness.expect_payload(&[subscription], "after");
}

#[test]
fn another_epoch_is_a_gap() {
    let (mut harness, subscription) = reconnected();
    let to = Position { epoch: 8, offset: 2 };
    harness.confirm_at("absences", to, false);
    let gap = Gap { from: Some(position(11)), to, reason: GapReason::Epoch };
    assert_eq!(harness.expect_notice(&[subscription]), Notice::Gap(gap));
    // The offset is lower than in the previous epoch, but the message is new.
    harness.receive(publication("absences", 2, 3, "new"));
    let message = harness.expect_message(&[subscription]);
    assert_eq!((message.payload.as_str(), message.position), ("new", Position { epoch: 8, offset: 3 }));
}

#[test]
fn a_message_skipped_on_a_live_connection_is_a_gap() {
    let (mut harness, subscription) = Harness::subscribed("absences");
    harness.receive(publication("absences", 12, 13, "later"));
    let gap = Gap { from: Some(position(10)), to: position(12), reason: GapReason::Skipped };
    assert_eq!(harness.expect_notice(&[subscription]), Notice::Gap(gap));
    harness.expect_payload(&[subscription], "later");
    harness.receive(publication("absences", 11, 12, "too late"));
    harness.expect_nothing();
}

#[test]
fn subscriptions_at_different_positions_each_receive_their_missing_messages() {
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
    // The connection is lost before the second subscription receives 12.
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
fn a_subscription_made_without_a_connection_receives_no_earlier_messages() {
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
fn a_replay_requested_without_a_connection_follows_the_resume() {
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
fn offsets_at_the_end_of_their_range_are_handled() {
    let (mut harness, subscription) = Harness::subscribed("absences");
    harness.receive(publication("absences", 10, u64::MAX, "last"));
    harness.expect_payload(&[subscription], "last");
    harness.receive(publication("absences", u64::MAX, u64::MAX, "again"));
    harness.receive(publication("absences", u64::MAX, 0, "around"));
    harness.expect_nothing();
}

#[test]
fn publications_of_unknown_channels_are_ignored() {
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
