//! Offsets, epochs, marks and answers to a subscribe that the relay invents.

use super::*;
use sealwire_protocol::wire::{Position, Since};

impl Scene {
    fn relay_at(&mut self, number: usize, offset: u64, previous_offset: u64) {
        self.page.receive(publication_of(offset, previous_offset, &self.message(number)));
        self.offset = offset;
    }

    /// Connects again. The relay answers the resume with this position.
    fn resume_at(&mut self, position: Position, recovered: bool) {
        self.page.cut(None);
        self.page.advance_to_attempt();
        self.page.establish();
        self.page.confirm_at("absences", position, recovered);
    }
}

#[test]
fn an_offset_that_goes_back_or_comes_twice_drops_the_message_which_the_next_one_reports() {
    for offset in [START + 1, START, 1, 0] {
        let mut scene = Scene::new();
        scene.relay(&[1]);
        scene.relay_at(2, offset, offset.saturating_sub(1));
        scene.app_sees(&["1"]);
        scene.offset = START + 1;
        scene.relay(&[3]);
        scene.app_sees(&["GAP Withheld", "3"]);
    }
}

#[test]
fn offsets_that_leap_without_a_hole_change_nothing() {
    let mut scene = Scene::new();
    scene.relay_at(1, 1_000, START);
    scene.relay_at(2, u64::MAX / 2, 1_000);
    scene.app_sees(&["1", "2"]);
}

#[test]
fn an_invented_hole_is_a_gap_and_hides_what_was_withheld_in_it() {
    let mut scene = Scene::new();
    scene.relay(&[1]);
    scene.relay_at(3, START + 3, START + 2);
    scene.app_sees(&["1", "GAP Skipped", "3"]);
    scene.relay_at(4, START + 4, u64::MAX);
    scene.app_sees(&["GAP Skipped", "4"]);
    scene.relay(&[5]);
    scene.app_sees(&["5"]);
}

#[test]
fn an_offset_at_the_end_of_the_numbers_stops_the_channel_until_a_reconnect() {
    let mut scene = Scene::new();
    scene.relay_at(1, u64::MAX, START);
    scene.relay_at(2, START + 1, START);
    scene.app_sees(&["1"]);
    scene.resume_at(position(START + 1), false);
    scene.offset = START + 1;
    scene.relay(&[3]);
    scene.app_sees(&["GAP Evicted", "3"]);
}

#[test]
fn an_invented_epoch_is_a_gap_whatever_the_relay_claims_and_repeats_nothing() {
    let mut scene = Scene::new();
    scene.relay(&[1, 2]);
    scene.resume_at(Position { epoch: EPOCH + 1, ..position(0) }, true);
    scene.offset = 0;
    scene.relay(&[1, 2, 4]);
    scene.app_sees(&["1", "2", "GAP Epoch", "4"]);
}

#[test]
fn a_recovery_to_a_later_position_is_a_gap() {
    let mut scene = Scene::new();
    scene.relay(&[1]);
    scene.resume_at(position(START + 3), true);
    scene.offset = START + 3;
    scene.relay(&[4]);
    scene.app_sees(&["1", "GAP Evicted", "4"]);
}

#[test]
fn a_false_recovery_shows_with_the_next_message_of_the_sender() {
    for answer in [START + 1, START, 0] {
        let mut scene = Scene::new();
        scene.relay(&[1]);
        scene.resume_at(position(answer), true);
        scene.relay(&[4]);
        scene.app_sees(&["1", "GAP Withheld", "4"]);
    }
}

#[test]
fn a_denied_recovery_is_a_gap_although_nothing_is_missing() {
    let mut scene = Scene::new();
    scene.relay(&[1]);
    scene.resume_at(position(START + 1), false);
    scene.relay(&[2]);
    scene.app_sees(&["1", "GAP Evicted", "2"]);
}

#[test]
fn a_replay_that_is_called_complete_and_is_not_shows_with_the_next_message_of_the_sender() {
    let mut scene = Scene::new();
    scene.page.unsubscribe(scene.subscription);
    scene.page.sent.clear();
    scene.page.events.clear();
    let replayed = scene.page.subscribe_with(channel("absences"), Some(60));
    assert_eq!(scene.page.confirm_replay("absences", START, START + 2).since, Some(Since::ReplaySeconds(60)));
    scene.page.expect_subscribed(replayed);
    scene.relay(&[1, 3]);
    scene.app_sees(&["1", "GAP Withheld", "3"]);
}

#[test]
fn a_mark_ahead_of_what_was_sent_shows_with_the_next_message_of_the_sender() {
    let mut scene = Scene::new();
    scene.relay(&[1]);
    scene.page.mark(&[position(START + 2)]);
    scene.relay_at(2, START + 2, START + 1);
    scene.app_sees(&["1"]);
    scene.relay(&[3]);
    scene.app_sees(&["GAP Withheld", "3"]);
}

#[test]
fn a_mark_at_the_end_of_the_numbers_stops_the_channel_until_a_reconnect() {
    let mut scene = Scene::new();
    scene.relay(&[1]);
    scene.page.mark(&[position(u64::MAX)]);
    scene.relay(&[2, 3]);
    scene.app_sees(&["1"]);
    scene.resume_at(position(START + 3), false);
    scene.relay(&[4]);
    scene.app_sees(&["GAP Evicted", "4"]);
}

#[test]
fn marks_of_other_epochs_and_marks_that_go_back_change_nothing() {
    let mut scene = Scene::new();
    scene.relay(&[1]);
    let marks = [Position { epoch: EPOCH + 1, ..position(u64::MAX) }, position(0), position(START)];
    scene.page.mark(&marks);
    scene.relay(&[1, 2]);
    scene.app_sees(&["1", "2"]);
}

#[test]
fn an_answer_for_another_channel_ends_the_subscribe() {
    let mut page = Harness::default();
    page.subscribe("absences");
    page.establish();
    let request = page.expect_subscribe().request;
    page.receive(ToClient::Subscribed(Subscribed {
        request,
        channel_id: channel_id("rotation").into(),
        position: Some(position(START)),
        recovered: false,
        replay_end: 0,
    }));
    assert_eq!(page.app_sees(), ["not subscribed: TOKEN_IDENTITY"]);
}

#[test]
fn a_confirmation_that_nobody_asked_for_changes_nothing() {
    let mut scene = Scene::new();
    scene.relay(&[1]);
    for request in [0, 1, 2, 999] {
        scene.page.receive(ToClient::Subscribed(Subscribed {
            request,
            channel_id: channel_id("absences").into(),
            position: Some(position(0)),
            recovered: false,
            replay_end: u64::MAX,
        }));
    }
    scene.relay(&[1, 2]);
    scene.app_sees(&["1", "2"]);
}
