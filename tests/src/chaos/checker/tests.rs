//! Each kind of broken guarantee, as a history in which the check must find it, beside one without it.

use super::*;
use crate::chaos::history::{Millis, Place, Publication, Risk, Seen, Subscription};

/// A history of one channel and two subscribers that were there from the start.
struct Story(History);

fn at(epoch: u64, offset: u64) -> Place {
    Place { epoch, offset }
}

impl Story {
    fn new() -> Self {
        let subscription =
            |subscriber| Subscription { subscriber, channel: 0, events: vec![(0, Seen::Confirmed)] };
        let subscriptions = vec![subscription(0), subscription(1)];
        Self(History { channels: vec!["c".into()], subscriptions, ..History::default() })
    }

    /// Publishes at 10 ms for each message so far, acknowledged 5 ms later at this position.
    fn publish(&mut self, place: Place) -> usize {
        let started_at = 10 * (self.0.publications.len() as Millis + 1);
        self.publish_with(started_at, Outcome::Acknowledged { at: started_at + 5, place })
    }

    fn publish_with(&mut self, started_at: Millis, outcome: Outcome) -> usize {
        self.0.publications.push(Publication { channel: 0, publisher: 0, started_at, outcome });
        self.0.publications.len() - 1
    }

    fn receive(&mut self, subscriber: usize, message: usize, place: Place) {
        let time = 10 * (message as Millis + 1) + 6;
        self.see(subscriber, time, Seen::Message { message, place });
    }

    fn gap(&mut self, subscriber: usize, time: Millis, from: Place, to: Place) {
        self.see(subscriber, time, Seen::Gap { from: Some(from), to });
    }

    fn see(&mut self, subscriber: usize, time: Millis, seen: Seen) {
        self.0.subscriptions[subscriber].events.push((time, seen));
    }

    /// Publishes messages with the offsets 1 to `count` of epoch 1, and lets subscriber 0 receive all of them.
    fn with_messages(count: u64) -> Self {
        let mut story = Self::new();
        for offset in 1..=count {
            let message = story.publish(at(1, offset));
            story.receive(0, message, at(1, offset));
        }
        story
    }

    fn receive_all(&mut self, subscriber: usize, messages: impl IntoIterator<Item = usize>) {
        messages.into_iter().for_each(|message| self.receive(subscriber, message, at(1, message as u64 + 1)));
    }

    /// Checks the history and returns the kinds of the findings.
    fn findings(&self) -> Vec<Kind> {
        let verdict = check(&self.0);
        let kinds: Vec<_> = verdict.findings().iter().map(|finding| finding.kind).collect();
        let breaks = kinds.iter().any(|kind| *kind != Kind::FalseGap);
        assert!(!breaks || !verdict.holds(), "{verdict}");
        kinds
    }
}

#[test]
fn a_run_in_which_everything_arrived_holds() {
    let mut story = Story::with_messages(3);
    story.receive_all(1, 0..3);
    assert_eq!(story.findings(), []);
    let verdict = check(&story.0);
    assert_eq!((verdict.acknowledged, verdict.delivered, verdict.longest_pause), (3, 6, 10));
    assert!(verdict.holds());
}

#[test]
fn the_wait_for_last_messages_is_no_pause_of_publishing() {
    let mut story = Story::with_messages(3);
    story.0.traffic_ended_at = Some(0);
    assert_eq!(check(&story.0).longest_pause, 0);
}

#[test]
fn an_acknowledged_message_that_did_not_arrive_is_lost() {
    let mut story = Story::with_messages(3);
    story.receive_all(1, [0, 2]);
    assert_eq!(story.findings(), [Kind::Lost]);
}

#[test]
fn a_message_after_the_last_delivery_is_lost_as_well() {
    let mut story = Story::with_messages(3);
    story.receive_all(1, [0, 1]);
    assert_eq!(story.findings(), [Kind::Lost]);
}

#[test]
fn an_acknowledged_message_that_nobody_received_is_lost_for_everybody() {
    let mut story = Story::with_messages(1);
    story.receive_all(1, [0]);
    story.publish(at(1, 2));
    assert_eq!(story.findings(), [Kind::Lost, Kind::Lost]);
}

#[test]
fn a_missed_message_with_a_gap_around_it_is_not_lost() {
    let mut story = Story::with_messages(3);
    story.receive_all(1, [0]);
    story.gap(1, 35, at(1, 1), at(1, 2));
    story.receive_all(1, [2]);
    assert_eq!(story.findings(), []);
    assert_eq!(check(&story.0).missed_with_gap, 1);
}

#[test]
fn a_gap_that_ends_before_the_missed_message_does_not_excuse_it() {
    let mut story = Story::with_messages(4);
    story.receive_all(1, [0]);
    story.gap(1, 35, at(1, 1), at(1, 2));
    story.receive_all(1, [3]);
    assert_eq!(story.findings(), [Kind::Lost]);
}

#[test]
fn a_message_without_an_acknowledgement_that_others_received_is_a_silent_gap() {
    let mut story = Story::with_messages(1);
    let message = story.publish_with(20, Outcome::Failed);
    story.receive(0, message, at(1, 2));
    story.receive_all(1, [0]);
    assert_eq!(story.findings(), [Kind::SilentGap]);
    story.receive_all(1, [1]);
    assert_eq!(story.findings(), []);
}

#[test]
fn another_epoch_without_a_gap_is_a_silent_gap() {
    let mut story = Story::with_messages(1);
    story.receive_all(1, [0]);
    let message = story.publish(at(2, 1));
    for subscriber in [0, 1] {
        story.receive(subscriber, message, at(2, 1));
    }
    assert_eq!(story.findings(), [Kind::SilentGap, Kind::SilentGap]);
}

#[test]
fn a_message_that_arrives_twice_is_doubled() {
    let mut story = Story::with_messages(2);
    story.receive_all(1, [0, 1, 1]);
    assert_eq!(story.findings(), [Kind::Doubled]);
}

#[test]
fn a_message_that_arrives_under_two_positions_is_doubled() {
    let mut story = Story::with_messages(2);
    story.receive_all(1, [0, 1]);
    story.receive(1, 1, at(1, 3));
    assert_eq!(story.findings(), [Kind::Doubled]);
}

#[test]
fn a_repeat_is_excused_only_if_the_broker_may_have_lost_the_first_one() {
    let mut story = Story::with_messages(1);
    story.receive_all(1, [0]);
    story.0.publications[0].outcome = Outcome::Acknowledged { at: 40, place: at(2, 1) };
    for subscriber in [0, 1] {
        story.gap(subscriber, 35, at(1, 1), at(2, 0));
        story.see(subscriber, 40, Seen::Message { message: 0, place: at(2, 1) });
    }
    let findings = story.findings();
    assert_eq!(findings.iter().filter(|kind| **kind == Kind::Doubled).count(), 2, "{findings:?}");
    story.0.risks.push(Risk { from: 20, to: Some(30) });
    assert_eq!(story.findings(), []);
    assert_eq!(check(&story.0).repeated_after_loss, 2);
}

#[test]
fn a_repeat_in_the_same_epoch_is_doubled_even_after_a_loss() {
    let mut story = Story::with_messages(1);
    story.receive_all(1, [0]);
    story.0.risks.push(Risk { from: 17, to: Some(30) });
    story.see(1, 40, Seen::Message { message: 0, place: at(1, 1) });
    assert_eq!(story.findings(), [Kind::Doubled]);
}

#[test]
fn messages_in_another_order_are_found_by_their_positions() {
    let mut story = Story::with_messages(3);
    for publication in &mut story.0.publications {
        publication.publisher = publication.started_at as usize;
    }
    story.receive_all(1, [0, 2, 1]);
    assert_eq!(story.findings(), [Kind::Reordered]);
}

#[test]
fn a_publishers_messages_in_another_order_are_found_without_positions() {
    let mut story = Story::new();
    // The relay took the second message first.
    for (message, offset) in [(0, 2), (1, 1)] {
        assert_eq!(story.publish(at(1, offset)), message);
    }
    for subscriber in [0, 1] {
        story.receive(subscriber, 1, at(1, 1));
        story.receive(subscriber, 0, at(1, 2));
    }
    assert_eq!(story.findings(), [Kind::Reordered, Kind::Reordered]);
}

#[test]
fn a_message_at_another_position_than_the_acknowledged_one_is_misplaced() {
    let mut story = Story::with_messages(1);
    story.receive(1, 0, at(1, 9));
    assert_eq!(story.findings(), [Kind::Misplaced]);
}

#[test]
fn a_message_of_another_channel_is_misplaced() {
    let mut story = Story::with_messages(1);
    story.receive_all(1, [0]);
    story.0.channels.push("d".into());
    story.0.publications.push(Publication {
        channel: 1,
        publisher: 0,
        started_at: 20,
        outcome: Outcome::Acknowledged { at: 25, place: at(1, 2) },
    });
    story.receive(1, 1, at(1, 2));
    assert_eq!(story.findings(), [Kind::Misplaced]);
}

#[test]
fn a_gap_without_a_missed_message_is_false() {
    let mut story = Story::with_messages(2);
    story.receive_all(1, [0]);
    story.gap(1, 15, at(1, 1), at(1, 1));
    story.receive_all(1, [1]);
    assert_eq!(story.findings(), [Kind::FalseGap]);
}

#[test]
fn false_gaps_break_a_run_beyond_one_for_each_thousand_reconnects() {
    let mut story = Story::with_messages(1);
    story.receive_all(1, [0]);
    story.0.reconnects = 900;
    story.gap(1, 15, at(1, 1), at(1, 1));
    assert!(check(&story.0).holds());
    story.gap(1, 16, at(1, 1), at(1, 1));
    assert!(!check(&story.0).holds());
    story.0.reconnects = 1_001;
    assert!(check(&story.0).holds());
}

#[test]
fn a_gap_after_a_loss_of_contents_is_no_false_gap_and_a_second_one_is() {
    let mut story = Story::with_messages(1);
    story.receive_all(1, [0]);
    story.0.risks.push(Risk { from: 100, to: Some(200) });
    story.gap(1, 210, at(1, 1), at(2, 0));
    assert_eq!(story.findings(), []);
    assert_eq!(check(&story.0).unproven_gaps, 1);
    story.gap(1, 220, at(2, 0), at(2, 0));
    assert_eq!(story.findings(), [Kind::FalseGap]);
}

#[test]
fn a_gap_that_may_cover_a_message_without_an_answer_is_not_false() {
    let mut story = Story::with_messages(1);
    story.receive_all(1, [0]);
    story.publish_with(20, Outcome::Failed);
    story.gap(1, 30, at(1, 1), at(1, 2));
    assert_eq!(story.findings(), []);
}

#[test]
fn a_gap_between_epochs_covers_the_end_of_one_the_start_of_the_other_and_those_between() {
    let mut story = Story::with_messages(1);
    story.receive_all(1, [0]);
    for place in [at(1, 2), at(3, 1), at(2, 7)] {
        story.publish(place);
    }
    for subscriber in [0, 1] {
        story.gap(subscriber, 100, at(1, 1), at(2, 7));
    }
    assert_eq!(story.findings(), []);
    story.publish_with(120, Outcome::Acknowledged { at: 125, place: at(3, 9) });
    assert_eq!(story.findings(), [Kind::Lost, Kind::Lost]);
}

#[test]
fn an_offset_that_was_used_twice_leaves_the_gap_to_time() {
    let mut story = Story::with_messages(2);
    story.receive_all(1, [0]);
    let message = story.publish(at(1, 2));
    story.receive(1, message, at(1, 2));
    // Subscriber 0 received the message that is gone, and subscriber 1 the one that took its place.
    assert_eq!(story.findings(), [Kind::Lost, Kind::Lost]);
    story.0.risks.push(Risk { from: 20, to: Some(30) });
    story.gap(0, 50, at(1, 2), at(1, 2));
    story.gap(1, 50, at(1, 2), at(1, 2));
    assert_eq!(story.findings(), []);
    assert_eq!(check(&story.0).reused_epochs, 1);
}

#[test]
fn a_subscription_is_not_entitled_to_messages_before_its_start() {
    let mut story = Story::with_messages(3);
    story.0.subscriptions[1].events = vec![(25, Seen::Confirmed)];
    story.receive_all(1, [2]);
    assert_eq!(story.findings(), []);
}

#[test]
fn a_subscription_that_was_never_confirmed_or_that_broke_is_a_failure() {
    let mut story = Story::with_messages(0);
    story.0.subscriptions[1].events.clear();
    assert_eq!(story.findings(), [Kind::Failure]);
    story.see(1, 5, Seen::Broken("ended".into()));
    assert_eq!(story.findings(), [Kind::Failure, Kind::Failure]);
}

#[test]
fn a_failure_of_the_run_breaks_it() {
    let mut story = Story::with_messages(0);
    story.0.failures.push("relay 1 ended".into());
    assert_eq!(story.findings(), [Kind::Failure]);
}
