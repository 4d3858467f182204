//! False answers to a publisher, and what its subscribers then see.

use super::*;
use sealwire_protocol::{
    CloseCode,
    wire::{Failed, Published},
};

fn acceptance(request: u32, offset: u64) -> ToClient {
    ToClient::Published(Published { request, position: Some(position(offset)), time_ms: UNIX_START })
}

fn refusal(request: u32, code: u32) -> ToClient {
    ToClient::Failed(Failed { request, code, message: "why".into(), retry_after_ms: 0 })
}

#[test]
fn a_message_that_is_acknowledged_and_never_delivered_is_a_gap_for_subscribers_and_a_success_for_its_sender()
{
    let mut scene = Scene::new();
    let (_, swallowed) = scene.sender.publish("swallowed");
    scene.sender.page.receive(acceptance(swallowed.request, 999));
    assert_eq!(scene.sender.page.app_sees().last().unwrap(), "published at 999");
    let next = scene.sender.send("next");
    scene.relay(&[5, 6]);
    scene.deliver(&next);
    scene.app_sees(&["5", "6", "GAP Withheld", "next"]);
}

#[test]
fn a_message_that_is_refused_and_never_delivered_is_an_error_for_its_sender_alone() {
    let mut scene = Scene::new();
    scene.sender.page.events.clear();
    let (_, refused) = scene.sender.publish("refused");
    scene.sender.page.receive(refusal(refused.request, Code::PermissionMissing.number()));
    assert_eq!(scene.sender.page.app_sees(), ["not published: PERMISSION_MISSING"]);
    let next = scene.sender.send("next");
    scene.relay(&[5, 6]);
    scene.deliver(&next);
    scene.app_sees(&["5", "6", "next"]);
}

#[test]
fn a_message_that_is_refused_and_delivered_all_the_same_is_not_noticed() {
    let mut scene = Scene::new();
    scene.sender.page.events.clear();
    let (_, refused) = scene.sender.publish("refused");
    scene.sender.page.receive(refusal(refused.request, Code::PermissionMissing.number()));
    assert_eq!(scene.sender.page.app_sees(), ["not published: PERMISSION_MISSING"]);
    scene.relay(&[6]);
    scene.deliver(&refused.sealed);
    scene.app_sees(&["6", "refused"]);
}

#[test]
fn a_second_acknowledgement_of_a_message_changes_nothing() {
    let mut sender = Sender::new(2);
    let (_, publish) = sender.publish("1");
    for offset in [11, 12, 13] {
        sender.page.receive(acceptance(publish.request, offset));
    }
    sender.page.receive(refusal(publish.request, Code::PermissionMissing.number()));
    assert_eq!(sender.page.app_sees(), ["published at 11"]);
}

#[test]
fn an_acknowledgement_of_another_request_leaves_the_message_without_an_answer() {
    let mut sender = Sender::new(2);
    let publish = sender.page.publish_within("absences", "1", 3_000);
    let request = sender.page.expect_publish().request;
    for other in [0, request - 1, request + 1, u32::MAX] {
        sender.page.receive(acceptance(other, 11));
    }
    sender.page.pass(2_000);
    sender.page.expect_nothing();
    sender.page.pass(2_000);
    let error = sender.page.expect_publish_error(publish);
    assert_eq!((error.code.name(), error.may_have_arrived), ("UNREACHABLE", Some(true)));
}

#[test]
fn an_acknowledgement_without_a_position_closes_the_connection_and_the_message_is_sent_again() {
    let mut sender = Sender::new(2);
    let (_, publish) = sender.publish("1");
    sender.page.receive(ToClient::Published(Published {
        request: publish.request,
        position: None,
        time_ms: 0,
    }));
    assert_eq!(sender.page.disconnects, [CloseCode::BadRequest as u16]);
    sender.page.advance_to_attempt();
    sender.page.establish();
    sender.page.confirm("absences", START);
    assert_eq!(sender.page.expect_publish().sealed, publish.sealed);
}

#[test]
fn swapped_acknowledgements_give_false_positions_and_no_false_alarm() {
    let (mut scene, mut sender) = (Scene::new(), Sender::new(3));
    let ((one, first), (other, second)) = (sender.publish("a"), sender.publish("b"));
    sender.page.receive(acceptance(second.request, 11));
    sender.page.receive(acceptance(first.request, 12));
    assert_eq!(sender.page.expect_published(other).position.offset, 11);
    assert_eq!(sender.page.expect_published(one).position.offset, 12);
    sender.offset = 12;
    let third = sender.send("c");
    for message in [&first.sealed[..], &second.sealed, &third] {
        scene.deliver(message);
    }
    scene.app_sees(&["a", "b", "c"]);
}

#[test]
fn acknowledgements_out_of_order_do_not_hide_a_withheld_message() {
    let (mut scene, mut sender) = (Scene::new(), Sender::new(3));
    let first = sender.send("a");
    let ((_, second), (_, third)) = (sender.publish("b"), sender.publish("c"));
    sender.acknowledge(&third);
    sender.acknowledge(&second);
    let fourth = sender.send("d");
    for message in [&first[..], &third.sealed, &fourth] {
        scene.deliver(message);
    }
    scene.app_sees(&["a", "c", "GAP Withheld", "d"]);
}

#[test]
fn a_refusal_with_an_unknown_code_is_an_error_with_the_code_unknown() {
    for code in [0, 9_999, u32::MAX] {
        let mut page = Harness::default();
        page.subscribe("absences");
        page.establish();
        let request = page.expect_subscribe().request;
        page.receive(refusal(request, code));
        assert_eq!(page.app_sees(), ["not subscribed: UNKNOWN"]);
        let mut sender = Sender::new(2);
        let (_, publish) = sender.publish("1");
        sender.page.receive(refusal(publish.request, code));
        assert_eq!(sender.page.app_sees(), ["not published: UNKNOWN"]);
    }
}

#[test]
fn a_message_without_an_answer_that_is_sent_again_is_delivered_once_and_never_withheld() {
    let mut scene = Scene::new();
    let (_, first) = scene.sender.publish("sent twice");
    scene.sender.page.cut(None);
    scene.sender.page.advance_to_attempt();
    scene.sender.page.establish();
    scene.sender.page.confirm("absences", START);
    let again = scene.sender.page.expect_publish();
    assert_eq!(first.sealed, again.sealed);
    scene.sender.acknowledge(&again);
    let next = scene.sender.send("next");
    // The relay stores both attempts, or none.
    scene.relay(&[6]);
    scene.deliver(&first.sealed);
    scene.deliver(&again.sealed);
    scene.deliver(&next);
    scene.app_sees(&["6", "sent twice", "next"]);
    let mut scene_without = Scene { page: Harness::seeded(9).joined("absences").0, offset: START, ..scene };
    scene_without.relay(&[6]);
    scene_without.deliver(&next);
    scene_without.app_sees(&["6", "next"]);
}
