//! Resuming after a lost connection: missed messages are delivered once and in order, or a gap is reported.

use crate::support::*;
use sealwire_client::{Gap, GapReason, Notice, SubscriptionId};
use sealwire_protocol::{
    Code,
    wire::{Ended, Position, Since, ToClient},
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
    let to = Position { epoch: 8, ..position(2) };
    harness.confirm_at("absences", to, false);
    let gap = Gap { from: Some(position(11)), to, reason: GapReason::Epoch };
    assert_eq!(harness.expect_notice(&[subscription]), Notice::Gap(gap));
    // The offset is lower than in the previous epoch, but the message is new.
    harness.receive(publication("absences", 2, 3, "new"));
    let message = harness.expect_message(&[subscription]);
    assert_eq!((message.payload.as_str(), message.position), ("new", Position { epoch: 8, ..position(3) }));
}

/// Ends the subscription as a relay does that lost track of the channel's messages. Takes the client's next `Subscribe`,
/// and answers it.
fn resume_after_end(harness: &mut Harness, answer: Position, recovered: bool) {
    let (code, channel_id) = (Code::BrokerUnavailable.number(), channel_id("absences").into());
    harness.receive(ToClient::Ended(Ended { channel_id, code, message: "why".into() }));
    harness.advance(999);
    assert_eq!(harness.sent, []);
    harness.advance(1_002);
    let subscribe = harness.confirm_at("absences", answer, recovered);
    assert_eq!(subscribe.since, Some(Since::Position(position(11))));
}

#[test]
fn a_subscription_that_the_relay_ends_temporarily_resumes_by_itself_and_has_a_gap_only_if_the_answer_says_so()
{
    let elsewhere = Position { epoch: EPOCH + 1, ..position(3) };
    let gap = |to, reason| Some(Notice::Gap(Gap { from: Some(position(11)), to, reason }));
    for (answer, recovered, expected) in [
        (position(11), true, None),
        (position(11), false, gap(position(11), GapReason::Evicted)),
        (position(20), false, gap(position(20), GapReason::Evicted)),
        (elsewhere, false, gap(elsewhere, GapReason::Epoch)),
    ] {
        let (mut harness, subscription) = Harness::subscribed("absences");
        harness.receive(publication("absences", 10, 11, "before"));
        harness.expect_payload(&[subscription], "before");
        resume_after_end(&mut harness, answer, recovered);
        if let Some(expected) = expected {
            assert_eq!(harness.expect_notice(&[subscription]), expected);
        }
        let next = answer.offset + 1;
        harness.receive(publication("absences", answer.offset, next, "after"));
        harness.expect_payload(&[subscription], "after");
        harness.expect_nothing();
    }
}

#[test]
fn a_history_that_lost_its_end_is_a_gap_after_which_the_lost_offsets_count_again() {
    let (mut harness, first) = Harness::subscribed("absences");
    harness.receive(publication("absences", 10, 11, "before"));
    harness.expect_payload(&[first], "before");
    let end = Position { time_ms: 1, ..position(8) };
    resume_after_end(&mut harness, end, false);
    let gap = Gap { from: Some(position(11)), to: end, reason: GapReason::Evicted };
    assert_eq!(harness.expect_notice(&[first]), Notice::Gap(gap));
    // A subscription without a replay starts at the same position.
    let second = harness.subscribe("absences");
    harness.expect_subscribed(second);
    for (previous, offset) in [(8, 9), (9, 11)] {
        harness.receive(publication("absences", previous, offset, "another"));
        harness.expect_payload(&[first, second], "another");
    }
    harness.expect_nothing();
}

#[test]
fn a_refused_position_is_a_gap_for_every_subscription_at_its_offset_whatever_time_each_was_told() {
    let (mut harness, first) = Harness::subscribed("absences");
    harness.cut(None);
    let second = harness.subscribe("absences");
    harness.advance_to_attempt();
    harness.establish();
    let retold = Position { time_ms: 1, ..position(10) };
    harness.confirm_at("absences", retold, true);
    harness.expect_subscribed(second);
    harness.cut(None);
    harness.advance_to_attempt();
    harness.establish();
    let subscribe = harness.confirm_at("absences", position(10), false);
    assert_eq!(subscribe.since, Some(Since::Position(position(10))));
    for (subscription, from) in [(first, position(10)), (second, retold)] {
        let gap = Gap { from: Some(from), to: position(10), reason: GapReason::Evicted };
        assert_eq!(harness.expect_notice(&[subscription]), Notice::Gap(gap));
    }
}

#[test]
fn a_message_skipped_on_a_live_connection_is_a_gap() {
    let (mut harness, subscription) = Harness::subscribed("absences");
    harness.receive(publication("absences", 12, 13, "later"));
    // The time of the publication before the received one is unknown.
    let to = Position { time_ms: 0, ..position(12) };
    let gap = Gap { from: Some(position(10)), to, reason: GapReason::Skipped };
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

/// Subscribes twice, the second time without a connection. The replay of the resume ends at `replay_end`.
fn joined_without_a_connection(replay_end: u64) -> (Harness, SubscriptionId, SubscriptionId) {
    let mut harness = Harness { now_ms: 100_000, ..Harness::default() };
    let first = harness.subscribe("absences");
    harness.establish();
    harness.confirm("absences", 10);
    harness.expect_subscribed(first);
    harness.cut(None);
    let second = harness.subscribe("absences");
    harness.advance_to_attempt();
    harness.establish();
    harness.confirm_replay("absences", 10, replay_end);
    harness.expect_subscribed(second);
    (harness, first, second)
}

#[test]
fn a_subscription_made_without_a_connection_receives_no_earlier_messages() {
    let (mut harness, first, second) = joined_without_a_connection(110_000);
    harness.receive(publication("absences", 10, 90_000, "before it"));
    harness.expect_payload(&[first], "before it");
    harness.receive(publication("absences", 90_000, 110_000, "after it"));
    harness.expect_payload(&[first, second], "after it");
}

#[test]
fn a_publication_behind_the_replay_is_delivered_although_its_relays_clock_is_behind() {
    let (mut harness, first, second) = joined_without_a_connection(11);
    harness.receive(publication("absences", 10, 11, "replayed"));
    harness.expect_payload(&[first], "replayed");
    harness.receive(publication("absences", 11, 12, "live"));
    harness.expect_payload(&[first, second], "live");
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
        replay_end: 0,
    }));
    harness.expect_nothing();
}
