//! Genuine messages that the relay repeats, delivers late, leaves out or delivers in another order.

use super::*;

#[test]
fn messages_that_are_repeated_under_new_offsets_are_delivered_once() {
    let mut scene = Scene::new();
    scene.relay(&[1, 1, 2, 1, 2, 3, 3]);
    scene.app_sees(&["1", "2", "3"]);
    assert_eq!(scene.page.client.repeated_messages(), 4);
}

#[test]
fn a_message_that_is_repeated_after_a_reconnect_is_delivered_once() {
    let mut scene = Scene::new();
    scene.relay(&[1, 2]);
    scene.resume();
    scene.relay(&[1, 2, 3]);
    scene.app_sees(&["1", "2", "3"]);
}

#[test]
fn a_message_that_is_repeated_for_a_later_subscription_reaches_that_one_only() {
    let mut scene = Scene::new();
    scene.relay(&[1]);
    let later = scene.page.subscribe("absences");
    scene.relay(&[1, 2]);
    scene.page.expect_payload(&[scene.subscription], "1");
    scene.page.expect_subscribed(later);
    scene.page.expect_payload(&[later], "1");
    scene.page.expect_payload(&[scene.subscription, later], "2");
    scene.page.expect_nothing();
}

#[test]
fn a_recording_of_yesterday_is_refused_message_by_message_on_a_page_that_opens_today() {
    let mut scene = Scene::opened_after(DAY_MS);
    scene.relay(&[1, 2, 3, 4, 5, 6]);
    scene.app_sees(&[Code::MessageStale.name(); 6]);
    let today = Sender::new(3).send_at(scene.page.now_ms, "today");
    scene.deliver(&today);
    scene.app_sees(&["today"]);
}

#[test]
fn a_recording_of_five_minutes_is_not_noticed_by_a_page_that_has_just_opened() {
    let mut scene = Scene::opened_after(290_000);
    scene.relay(&[1, 2, 3, 4, 5, 6]);
    scene.app_sees(&["1", "2", "3", "4", "5", "6"]);
}

#[test]
fn a_recording_that_a_page_has_received_stays_repeated_however_old_it_is() {
    let mut scene = Scene::new();
    scene.relay(&[1, 2, 3]);
    scene.app_sees(&["1", "2", "3"]);
    scene.page.pass(1_000_000);
    scene.relay(&[1, 2, 3]);
    scene.app_sees(&[]);
    assert_eq!(scene.page.client.repeated_messages(), 3);
}

#[test]
fn a_message_that_is_held_back_for_more_than_five_minutes_is_refused() {
    let mut scene = Scene::new();
    scene.relay(&[1]);
    scene.page.pass(310_000);
    scene.relay(&[2]);
    scene.app_sees(&["1", Code::MessageStale.name()]);
}

#[test]
fn one_withheld_message_is_a_gap_before_the_next_one() {
    let mut scene = Scene::new();
    scene.relay(&[1, 3, 4]);
    scene.app_sees(&["1", "GAP Withheld", "3", "4"]);
}

#[test]
fn a_withheld_run_of_messages_is_one_gap() {
    let mut scene = Scene::new();
    scene.relay(&[1, 5, 6]);
    scene.app_sees(&["1", "GAP Withheld", "5", "6"]);
}

#[test]
fn every_second_message_withheld_is_a_gap_each_time() {
    let mut scene = Scene::new();
    scene.relay(&[1, 3, 5]);
    scene.app_sees(&["1", "GAP Withheld", "3", "GAP Withheld", "5"]);
}

#[test]
fn the_withheld_last_message_is_not_noticed_until_the_next_one() {
    let mut scene = Scene::new();
    scene.relay(&[1, 2, 3, 4, 5]);
    scene.page.pass(600_000);
    scene.app_sees(&["1", "2", "3", "4", "5"]);
    // The sender's clock stands at the beginning, where its session is still valid.
    let next = scene.sender.send_at(scene.page.now_ms, "7");
    scene.deliver(&next);
    scene.app_sees(&["GAP Withheld", "7"]);
}

#[test]
fn messages_withheld_before_the_first_one_are_not_noticed() {
    let mut scene = Scene::new();
    scene.relay(&[3, 4]);
    scene.app_sees(&["3", "4"]);
}

#[test]
fn a_sender_that_is_withheld_altogether_is_not_noticed() {
    let (mut scene, mut other) = (Scene::new(), Sender::new(3));
    for payload in ["a", "b"] {
        let message = other.send(payload);
        scene.deliver(&message);
    }
    scene.app_sees(&["a", "b"]);
}

#[test]
fn a_message_withheld_during_a_reconnect_that_claims_a_recovery_is_a_gap_before_the_next_one() {
    let mut scene = Scene::new();
    scene.relay(&[1]);
    scene.resume();
    scene.relay(&[3]);
    scene.app_sees(&["1", "GAP Withheld", "3"]);
}

#[test]
fn a_message_that_is_withheld_from_one_of_two_pages_is_a_gap_on_that_page_only() {
    let mut scene = Scene::new();
    let (mut other, _) = Harness::seeded(4).joined("absences");
    for number in 1..=3 {
        let offset = START + number as u64;
        other.receive(publication_of(offset, offset - 1, &scene.message(number)));
    }
    scene.relay(&[1, 3]);
    scene.app_sees(&["1", "GAP Withheld", "3"]);
    assert_eq!(other.app_sees(), ["1", "2", "3"]);
}

#[test]
fn two_messages_in_the_wrong_order_are_a_gap_and_both_delivered() {
    let mut scene = Scene::new();
    scene.relay(&[1, 3, 2, 4]);
    scene.app_sees(&["1", "GAP Withheld", "3", "2", "4"]);
}

#[test]
fn two_messages_that_were_under_way_together_in_the_wrong_order_are_not_noticed() {
    let (mut scene, mut sender) = (Scene::new(), Sender::new(3));
    let first = sender.send("a");
    let ((_, second), (_, third)) = (sender.publish("b"), sender.publish("c"));
    for message in [&first[..], &third.sealed, &second.sealed] {
        scene.deliver(message);
    }
    scene.app_sees(&["a", "c", "b"]);
}

#[test]
fn messages_of_two_senders_in_the_wrong_order_are_not_noticed() {
    let (mut scene, mut other) = (Scene::new(), Sender::new(3));
    scene.relay(&[1]);
    let (before, after) = (other.send("before"), other.send("after"));
    scene.relay(&[2, 3]);
    scene.deliver(&before);
    scene.deliver(&after);
    scene.app_sees(&["1", "2", "3", "before", "after"]);
}
