//! Frames that break the protocol, come at the wrong time, or come in a flood.

use super::*;
use sealwire_protocol::{
    CloseCode,
    wire::{Ended, Ping, Pong, Refreshed, ToRelay, Welcome},
};

#[test]
fn a_publication_of_a_channel_without_a_subscription_is_dropped() {
    let mut scene = Scene::new();
    let ToClient::Publication(publication) = publication_of(START + 1, START, &scene.message(1)) else {
        panic!("a publication")
    };
    for channel_id in [channel_id("rotation").into(), sealwire_protocol::ChannelId([9; 16]).into()] {
        scene.page.receive(ToClient::Publication(Publication { channel_id, ..publication.clone() }));
    }
    scene.page.unsubscribe(scene.subscription);
    scene.relay(&[1]);
    scene.page.sent.clear();
    scene.app_sees(&[]);
}

#[test]
fn a_publication_before_the_confirmation_of_its_channel_is_dropped() {
    let scene = Scene::new();
    let (mut page, subscription) = greeted();
    page.receive(ToClient::Welcome(honest_welcome()));
    page.receive(publication_of(START + 1, START, &scene.message(1)));
    page.confirm("absences", START);
    page.expect_subscribed(subscription);
    page.receive(publication_of(START + 1, START, &scene.message(2)));
    assert_eq!(page.app_sees(), ["2"]);
}

#[test]
fn an_answer_or_a_publication_before_the_welcome_closes_the_connection() {
    let scene = Scene::new();
    let early = [
        publication_of(START + 1, START, &scene.message(1)),
        ToClient::Refreshed(Refreshed { request: 1, expires_at: u64::MAX }),
        ToClient::Ended(Ended { channel_id: channel_id("absences").into(), code: 0, message: String::new() }),
    ];
    for frame in early {
        let (mut page, _) = greeted();
        page.receive(frame);
        assert_eq!(page.disconnects, [CloseCode::BadRequest as u16]);
        assert_eq!(page.app_sees(), [""; 0]);
    }
}

#[test]
fn garbage_closes_the_connection_and_the_subscription_resumes_without_a_loss() {
    let garbage: [Option<&[u8]>; 5] =
        [None, Some(&[]), Some(&[0xff; 40]), Some(&[0x0a, 0x7f, 1, 2]), Some(&[0x82, 0x7e, 0xff, 0xff, 1])];
    for frame in garbage {
        let mut scene = Scene::new();
        scene.relay(&[1]);
        let (now, connection) = (scene.page.now(), scene.page.connection.unwrap());
        scene.page.client.handle_frame(now, connection, frame.map(|bytes| bytes.to_vec().into()));
        scene.page.drain();
        assert_eq!(std::mem::take(&mut scene.page.disconnects), [CloseCode::BadRequest as u16], "{frame:?}");
        scene.page.advance_to_attempt();
        scene.page.establish();
        scene.page.confirm("absences", scene.offset);
        scene.relay(&[1, 2]);
        scene.app_sees(&["1", "2"]);
    }
}

#[test]
fn a_second_welcome_closes_the_connection() {
    let mut scene = Scene::new();
    scene.page.receive(ToClient::Welcome(honest_welcome()));
    assert_eq!(scene.page.disconnects, [CloseCode::BadRequest as u16]);
}

#[test]
fn a_flood_of_heartbeats_is_answered_and_reaches_no_app() {
    let mut scene = Scene::new();
    let marks = vec![position(0); 50];
    for _ in 0..10_000 {
        scene.page.receive(ToClient::Ping(Ping { marks: marks.clone() }));
        scene.page.receive(ToClient::Pong(Pong {}));
        assert!(matches!(scene.page.sent.pop_front(), Some(ToRelay::Pong(_))));
        assert!(scene.page.sent.is_empty());
    }
    scene.relay(&[1]);
    scene.app_sees(&["1"]);
}

#[test]
fn a_frame_limit_that_no_message_fits_is_an_error_for_the_publisher() {
    let (mut page, subscription) = greeted();
    page.receive(ToClient::Welcome(Welcome { max_frame: 1, ..honest_welcome() }));
    page.confirm("absences", START);
    page.expect_subscribed(subscription);
    page.publish("absences", "1");
    assert_eq!(page.app_sees(), ["not published: FRAME_TOO_LARGE"]);
}

#[test]
fn an_end_of_a_channel_with_an_unknown_code_is_told_once() {
    let mut scene = Scene::new();
    for _ in 0..2 {
        let channel_id = channel_id("absences").into();
        scene.page.receive(ToClient::Ended(Ended { channel_id, code: 9_999, message: "why".into() }));
    }
    scene.relay(&[1]);
    scene.app_sees(&["ended: UNKNOWN"]);
}

#[test]
fn a_goodbye_with_an_unknown_code_is_a_reconnect() {
    let mut scene = Scene::new();
    scene.relay(&[1]);
    scene.page.receive(ToClient::Goodbye(sealwire_protocol::wire::Goodbye {
        code: 9_999,
        message: "why".into(),
        reconnect_after_ms: 0,
    }));
    scene.page.disconnects.clear();
    scene.page.advance_to_attempt();
    scene.page.establish();
    scene.page.confirm("absences", scene.offset);
    scene.relay(&[2]);
    scene.app_sees(&["1", "2"]);
}
