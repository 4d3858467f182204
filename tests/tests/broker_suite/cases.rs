//! The cases. Each publishes through the first relay or the last, which is the same one with the embedded broker.

use crate::stage::{Stage, channel, publish, publish_as, receive, sealed, subscribe, text, texts};
use sealwire_protocol::{
    Code,
    wire::{Position, Since, ToClient},
};
use std::time::Duration;

/// The time in which a message that must not come would have come.
const SILENCE: Duration = Duration::from_millis(300);

pub(crate) fn publications_arrive_once_and_in_order_and_form_a_chain(stage: &Stage) {
    let mut socket = stage.first(0);
    let mut previous = subscribe(&mut socket, "c", None).position.unwrap().offset;
    let mut publisher = stage.first(0);
    for number in 0..50 {
        let published = publish(&mut publisher, "c", &number.to_string());
        let received = receive(&mut socket);
        assert_eq!(text(&received), number.to_string());
        assert_eq!(received.offset, published.position.unwrap().offset);
        assert_eq!(received.time_ms, published.time_ms);
        // The subscription may begin at a later position than that of the channel's last message.
        assert!(received.previous_offset == previous || number == 0 && received.previous_offset < previous);
        previous = received.offset;
    }
    assert!(socket.is_quiet(SILENCE));
}

pub(crate) fn a_subscriber_of_another_relay_receives_everything(stage: &Stage) {
    let (mut first, mut last) = (stage.first(0), stage.last(0));
    for socket in [&mut first, &mut last] {
        subscribe(socket, "c", None);
    }
    let (mut one, mut other) = (stage.first(0), stage.last(0));
    let mut sent = Vec::new();
    for number in 0..20 {
        let publisher = if number % 2 == 0 { &mut one } else { &mut other };
        publish(publisher, "c", &number.to_string());
        sent.push(number.to_string());
    }
    assert_eq!(texts(&mut first, 20), sent);
    assert_eq!(texts(&mut last, 20), sent);
}

pub(crate) fn a_replay_by_seconds_has_the_earlier_publications(stage: &Stage) {
    let mut publisher = stage.first(0);
    for number in 0..5 {
        publish(&mut publisher, "c", &number.to_string());
    }
    let mut late = stage.last(0);
    // `recovered` says nothing here: the broker is younger than the requested time.
    subscribe(&mut late, "c", Some(Since::ReplaySeconds(60)));
    assert_eq!(texts(&mut late, 5), ["0", "1", "2", "3", "4"]);
    publish(&mut publisher, "c", "next");
    assert_eq!(texts(&mut late, 1), ["next"]);
}

pub(crate) fn a_resume_from_a_position_has_everything_after_it_and_is_recovered(stage: &Stage) {
    let mut publisher = stage.first(0);
    let positions: Vec<_> =
        (0..5).map(|number| publish(&mut publisher, "c", &number.to_string()).position.unwrap()).collect();
    for (number, position) in positions.iter().enumerate() {
        let mut socket = stage.last(0);
        let subscribed = subscribe(&mut socket, "c", Some(Since::Position(*position)));
        assert!(subscribed.recovered, "{subscribed:?}");
        let rest: Vec<_> = (number + 1..5).map(|number| number.to_string()).collect();
        assert_eq!(texts(&mut socket, rest.len()), rest);
        assert!(socket.is_quiet(SILENCE));
    }
}

pub(crate) fn a_resume_on_a_silent_channel_is_recovered(stage: &Stage) {
    let position = subscribe(&mut stage.first(0), "silent", None).position.unwrap();
    let mut publisher = stage.first(0);
    for number in 0..5 {
        publish(&mut publisher, "busy", &number.to_string());
    }
    let mut socket = stage.last(0);
    let subscribed = subscribe(&mut socket, "silent", Some(Since::Position(position)));
    assert!(subscribed.recovered, "{subscribed:?}");
    publish(&mut publisher, "silent", "first");
    assert_eq!(texts(&mut socket, 1), ["first"]);
}

pub(crate) fn a_resume_from_the_future_or_of_another_epoch_is_not_recovered(stage: &Stage) {
    let mut socket = stage.first(0);
    let position = publish(&mut socket, "c", "now").position.unwrap();
    let future = Position { offset: position.offset + 1_000_000, ..position };
    let other = Position { epoch: position.epoch ^ 1, ..position };
    for since in [future, other] {
        let mut socket = stage.last(0);
        let subscribed = subscribe(&mut socket, "c", Some(Since::Position(since)));
        assert!(!subscribed.recovered, "{subscribed:?}");
    }
}

pub(crate) fn a_repeat_under_its_id_has_the_first_answer_and_is_not_published_again(stage: &Stage) {
    let mut subscriber = stage.last(0);
    subscribe(&mut subscriber, "c", None);
    let first = publish_as(&mut stage.first(0), "c", "once", [7; 16]);
    for mut publisher in [stage.first(0), stage.last(0)] {
        let repeat = publish_as(&mut publisher, "c", "once", [7; 16]);
        assert_eq!((repeat.position, repeat.time_ms), (first.position, first.time_ms));
    }
    // The same id on another channel is another message.
    publish_as(&mut stage.first(0), "d", "once", [7; 16]);
    assert_eq!(texts(&mut subscriber, 1), ["once"]);
    assert!(subscriber.is_quiet(SILENCE));
}

pub(crate) fn another_message_under_a_used_id_is_refused(stage: &Stage) {
    let mut subscriber = stage.last(0);
    subscribe(&mut subscriber, "c", None);
    publish_as(&mut stage.first(0), "c", "first", [7; 16]);
    for mut publisher in [stage.first(0), stage.last(0)] {
        match publisher.publish(channel("c"), sealed("second"), [7; 16]) {
            ToClient::Failed(failed) => {
                assert_eq!((failed.code, failed.retry_after_ms), (Code::IdReused as u32, 0));
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(texts(&mut subscriber, 1), ["first"]);
    assert!(subscriber.is_quiet(SILENCE));
}

pub(crate) fn channels_of_the_same_name_in_two_installations_are_separate(stage: &Stage) {
    let (mut mine, mut theirs) = (stage.last(0), stage.last(1));
    for socket in [&mut mine, &mut theirs] {
        subscribe(socket, "c", None);
    }
    publish(&mut stage.first(0), "c", "mine");
    assert_eq!(texts(&mut mine, 1), ["mine"]);
    assert!(theirs.is_quiet(SILENCE));
    let mut late = stage.first(1);
    subscribe(&mut late, "c", Some(Since::ReplaySeconds(60)));
    assert!(late.is_quiet(SILENCE));
}

pub(crate) fn a_message_for_others_is_not_heard(stage: &Stage) {
    let mut subscriber = stage.last(0);
    subscribe(&mut subscriber, "mine", None);
    publish(&mut stage.first(0), "other", "not for you");
    publish(&mut stage.first(0), "mine", "for you");
    assert_eq!(texts(&mut subscriber, 1), ["for you"]);
}

pub(crate) fn after_a_loss_of_everything_an_old_position_is_not_recovered(stage: &Stage) {
    let mut publisher = stage.first(0);
    let old: Vec<_> = (0..3).map(|_| publish(&mut publisher, "c", "old").position.unwrap()).collect();
    stage.lose_everything();
    let mut publisher = stage.first(0);
    let new = publish(&mut publisher, "c", "new").position.unwrap();
    assert_ne!(new.epoch, old[0].epoch);
    for position in old {
        let mut socket = stage.last(0);
        let subscribed = subscribe(&mut socket, "c", Some(Since::Position(position)));
        assert!(!subscribed.recovered, "{subscribed:?}");
    }
}
