//! Messages that the relay alters or labels falsely.

use super::*;
use sealwire_protocol::{KeyId, Scope, SealedMessage, seal};

const UNREADABLE: &str = Code::MessageUnreadable.name();

/// Lets the page judge a message that may be sealed under a key that nobody has, then a genuine one.
fn must_be_unreadable(altered: ToClient, what: &str) {
    let mut scene = Scene::new();
    scene.offset += 1;
    scene.page.receive(altered);
    scene.page.pass(40_000);
    scene.relay(&[1]);
    assert_eq!(scene.page.app_sees(), [UNREADABLE, "1"], "{what}");
    assert_eq!(scene.page.disconnects, [0; 0], "{what}");
}

#[test]
fn a_message_with_a_flipped_bit_in_any_of_its_bytes_is_unreadable() {
    let genuine = Scene::new().message(2);
    for at in 0..genuine.len() {
        let mut altered = genuine.clone();
        altered[at] ^= 1 << (at % 8);
        must_be_unreadable(publication_of(START + 1, START, &altered), &format!("byte {at}"));
    }
}

#[test]
fn a_message_that_is_cut_short_or_extended_is_unreadable() {
    let genuine = Scene::new().message(2);
    for length in 0..genuine.len() {
        must_be_unreadable(publication_of(START + 1, START, &genuine[..length]), &format!("{length} bytes"));
    }
    let extended = [&genuine[..], &[0]].concat();
    must_be_unreadable(publication_of(START + 1, START, &extended), "extended");
}

#[test]
fn the_header_of_one_message_on_the_ciphertext_of_another_is_unreadable() {
    let scene = Scene::new();
    let (one, other) = (scene.message(1), scene.message(2));
    let header = 1 + KeyId::LEN + 24;
    let mixed = [&one[..header], &other[header..]].concat();
    assert!(mixed != one && mixed != other);
    must_be_unreadable(publication_of(START + 1, START, &mixed), "mixed");
}

#[test]
fn a_message_under_the_id_of_another_sender_is_unreadable() {
    let (genuine, other) = (Scene::new().message(2), Sender::new(3).send("other"));
    let sender = |sealed: &[u8]| SealedMessage::parse(sealed).unwrap().sender();
    let mut altered = genuine.clone();
    altered[1 + KeyId::LEN..][..12].copy_from_slice(&sender(&other).0);
    assert_eq!(sender(&altered), sender(&other));
    must_be_unreadable(publication_of(START + 1, START, &altered), "sender");
}

#[test]
fn a_message_under_the_id_of_another_key_is_unreadable() {
    let (mut scene, mut altered) = (Scene::new(), Scene::new().message(1));
    scene.page.advance_to_refresh();
    let fetch = scene.page.expect_session_request(SessionReason::Refresh);
    scene.page.provide(fetch, &[2, 1]);
    altered[1..][..KeyId::LEN].copy_from_slice(&key(2).id().0);
    scene.deliver(&altered);
    scene.app_sees(&[UNREADABLE]);
}

#[test]
fn a_message_of_another_channel_is_unreadable() {
    let mut scene = Scene::new();
    let other = scene.page.subscribe("rotation");
    scene.page.confirm("rotation", START);
    scene.page.expect_subscribed(other);
    let ToClient::Publication(publication) = publication_of(START + 1, START, &scene.message(1)) else {
        panic!("a publication")
    };
    let moved = Publication { channel_id: channel_id("rotation").into(), ..publication };
    scene.page.receive(ToClient::Publication(moved));
    scene.app_sees(&[UNREADABLE]);
    scene.relay(&[1]);
    scene.app_sees(&["1"]);
}

#[test]
fn a_message_under_another_event_name_is_unreadable() {
    let genuine = Scene::new().message(1);
    let ToClient::Publication(publication) = publication_of(START + 1, START, &genuine) else {
        panic!("a publication")
    };
    let renamed = Publication { event: "deleted".into(), ..publication };
    must_be_unreadable(ToClient::Publication(renamed), "event");
}

#[test]
fn a_message_of_another_installation_app_or_context_is_unreadable() {
    let issue: Scope = serde_json::from_str(r#"{"module":"gadget","dashboard":"10002"}"#).unwrap();
    let places = [
        (APP, "ari:cloud:jira::site/2", context()),
        ("other-app", INSTALLATION, context()),
        (APP, INSTALLATION, issue),
    ];
    for (app, installation, scope) in places {
        let foreign = key(1).scope_key(app, installation, &scope).channel_key(None, "absences");
        let sealed = seal(&foreign, [4; 12], channel_id("absences"), &message(next_stamp(), "foreign"));
        must_be_unreadable(publication_of(START + 1, START, &sealed.unwrap()), installation);
    }
}

#[test]
fn a_false_time_of_the_relay_changes_neither_the_time_of_sealing_nor_the_judgement() {
    for time_ms in [0, u64::MAX] {
        let mut scene = Scene::new();
        for number in 1..=2 {
            let offset = START + number as u64;
            let ToClient::Publication(publication) =
                publication_of(offset, offset - 1, &scene.message(number))
            else {
                panic!("a publication")
            };
            scene.page.receive(ToClient::Publication(Publication { time_ms, ..publication }));
            let message = scene.page.expect_message(&[scene.subscription]);
            assert_eq!((message.time_ms, message.payload), (time_ms, number.to_string()));
            assert!(message.published_at_ms.abs_diff(UNIX_START) < 10_000);
        }
        scene.page.expect_nothing();
    }
}

#[test]
fn a_message_that_does_not_open_hides_what_was_withheld_before_it() {
    let mut scene = Scene::new();
    scene.relay(&[1]);
    let mut altered = scene.message(3);
    *altered.last_mut().unwrap() ^= 1;
    scene.deliver(&altered);
    scene.relay(&[4, 6]);
    scene.app_sees(&["1", UNREADABLE, "4", "GAP Withheld", "6"]);
}
