//! Publishing: acknowledgement, retries under one idempotency id, refusals and limits.

use crate::support::*;
use sealwire_client::{ChannelSpec, Config, Event, SessionReason};
use sealwire_protocol::{
    ChannelAddress, Code, Scope, SealedMessage, limits,
    wire::{Ping, Pong, Publish, ToClient, ToRelay},
};
use std::collections::VecDeque;

/// The payload of a publication under the first key.
fn opened(frame: &Publish) -> String {
    let scope = context();
    let key = key(1).scope_key(APP, INSTALLATION, &scope).channel_key(None, "absences");
    let opened = SealedMessage::parse(&frame.sealed).unwrap().open(&key, channel_id("absences"), "").unwrap();
    assert!(opened.published_at.0 >= UNIX_START);
    opened.payload
}

#[test]
fn a_publish_alone_connects_seals_and_is_acknowledged() {
    let mut harness = Harness::default();
    let publish = harness.publish("absences", r#"{"day":1}"#);
    harness.establish();
    let frame = harness.expect_publish();
    assert_eq!(opened(&frame), r#"{"day":1}"#);
    assert_eq!(frame.id.len(), limits::IDEMPOTENCY_ID);
    harness.acknowledge(&frame, 12);
    let receipt = harness.expect_published(publish);
    assert_eq!((receipt.position, receipt.time_ms), (position(12), 99));
    harness.advance(5_000);
    assert_eq!(harness.disconnects, [1000], "nothing needs the connection any more");
}

#[test]
fn a_global_channel_is_sealed_for_the_empty_scope() {
    let mut harness = Harness::default();
    let spec = ChannelSpec { scope: Some(Vec::new()), ..channel("absences") };
    harness.client.publish(harness.now(), spec, "added".into(), "1".into());
    harness.drain();
    harness.establish();
    let frame = harness.expect_publish();
    let scope = Scope::default();
    let id = ChannelAddress {
        app: APP,
        installation: INSTALLATION,
        scope: &scope,
        claims_tag: None,
        name: "absences",
    };
    let key = key(1).scope_key(APP, INSTALLATION, &scope).channel_key(None, "absences");
    assert!(SealedMessage::parse(&frame.sealed).unwrap().open(&key, id.id(), "added").is_ok());
    assert_eq!(frame.channel.unwrap().properties, Vec::<String>::new());
}

#[test]
fn a_publish_in_flight_when_the_connection_is_lost_is_sent_again_unchanged() {
    let (mut harness, _) = Harness::subscribed("absences");
    let publish = harness.publish("absences", "1");
    let first = harness.expect_publish();
    harness.cut(None);
    harness.advance_to_attempt();
    harness.establish();
    harness.confirm("absences", 10);
    let second = harness.expect_publish();
    assert_eq!((&second.id, &second.sealed, &second.channel), (&first.id, &first.sealed, &first.channel));
    harness.acknowledge(&second, 11);
    harness.expect_published(publish);
    harness.expect_nothing();
}

#[test]
fn a_publish_that_is_sent_again_after_a_rotation_is_the_same_message() {
    let (mut harness, _) = Harness::subscribed("absences");
    let publish = harness.publish("absences", "1");
    let first = harness.expect_publish();
    // The next session has a newer key, which the relay must not see under the id of this message.
    harness.goodbye(Code::TokenExpired, 0);
    let fetch = harness.expect_need(SessionReason::Connect);
    harness.provide(fetch, &[2, 1]);
    harness.open();
    harness.welcome();
    harness.confirm("absences", 10);
    let second = harness.expect_publish();
    assert_eq!((&second.id, &second.sealed, &second.event), (&first.id, &first.sealed, &first.event));
    harness.acknowledge(&second, 11);
    harness.expect_published(publish);
}

#[test]
fn publishes_are_sent_in_the_order_of_the_calls_with_an_id_each() {
    let mut harness = Harness::default();
    let publishes: Vec<_> = (0..3).map(|_| harness.publish("absences", "1")).collect();
    harness.establish();
    let frames: Vec<_> = (0..3).map(|_| harness.expect_publish()).collect();
    assert!(frames[0].id != frames[1].id && frames[1].id != frames[2].id);
    assert!(frames[0].sealed != frames[1].sealed, "nonces differ");
    for (offset, (publish, frame)) in (11..).zip(publishes.iter().zip(&frames)) {
        harness.acknowledge(frame, offset);
        assert_eq!(harness.expect_published(*publish).position, position(offset));
    }
}

#[test]
fn a_publish_without_acknowledgement_is_rejected_after_its_time_and_not_sent_again() {
    let (mut harness, _) = Harness::subscribed("absences");
    let publish = harness.publish("absences", "1");
    let frame = harness.expect_publish();
    for _ in 0..40 {
        harness.advance(3_000);
        harness.receive(ToClient::Pong(Pong {}));
    }
    assert_eq!(harness.expect_publish_error(publish).code.name(), "UNREACHABLE");
    harness.sent.clear();
    harness.acknowledge(&frame, 11);
    harness.cut(None);
    harness.advance_to_attempt();
    harness.establish();
    harness.confirm("absences", 10);
    harness.expect_nothing();
}

#[test]
fn what_the_relay_refuses_for_good_is_rejected_with_its_code() {
    let (mut harness, _) = Harness::subscribed("absences");
    let publish = harness.publish("absences", "1");
    let request = harness.expect_publish().request;
    harness.refuse(request, Code::PermissionMissing, 0);
    let error = harness.expect_publish_error(publish);
    assert_eq!((error.code.name(), error.message.as_str()), ("PERMISSION_MISSING", "why"));
}

#[test]
fn what_the_relay_refuses_for_a_moment_is_sent_again_then() {
    let (mut harness, _) = Harness::subscribed("absences");
    let publish = harness.publish("absences", "1");
    let first = harness.expect_publish();
    harness.refuse(first.request, Code::RateLimited, 2_000);
    harness.advance(1_999);
    harness.expect_nothing();
    harness.advance(1);
    let second = harness.expect_publish();
    assert_eq!(second.id, first.id);
    harness.refuse(second.request, Code::RateLimited, 120_000);
    let error = harness.expect_publish_error(publish);
    assert_eq!((error.code.name(), error.retry_after_ms), ("RATE_LIMITED", Some(120_000)));
}

#[test]
fn payloads_and_names_past_the_limits_are_refused_before_anything_is_sent() {
    let mut harness = Harness::default();
    let long = "x".repeat(256);
    let payload = "1".repeat(limits::MAX_PAYLOAD + 1);
    for (spec, event, payload, code) in [
        (channel(""), String::new(), "1".into(), "NAME_INVALID"),
        (channel(&long), String::new(), "1".into(), "NAME_INVALID"),
        (channel("absences"), long.clone(), "1".into(), "NAME_INVALID"),
        (channel("absences"), String::new(), payload, "MESSAGE_SIZE"),
        (
            ChannelSpec { token: Some("a.b.c".into()), ..channel("a") },
            String::new(),
            "1".into(),
            "TOKEN_MALFORMED",
        ),
    ] {
        let publish = harness.client.publish(harness.now(), spec, event, payload);
        harness.drain();
        assert_eq!(harness.expect_publish_error(publish).code.name(), code);
    }
    assert_eq!(harness.connects, 0);
}

#[test]
fn the_longest_payload_fits_the_relays_frame() {
    let mut harness = Harness::default();
    harness.publish("absences", &"1".repeat(limits::MAX_PAYLOAD));
    harness.establish();
    harness.expect_publish();
}

#[test]
fn more_than_the_queue_holds_is_refused_and_room_is_made_by_acknowledgements() {
    let mut harness =
        Harness::with(Config { max_pending_publishes: 2, max_pending_bytes: 10, ..Config::default() });
    harness.publish("absences", "12345");
    harness.publish("absences", "12345");
    let third = harness.publish("absences", "");
    harness.expect_need(SessionReason::Connect);
    assert_eq!(harness.expect_publish_error(third).code.name(), "RATE_LIMITED");

    let mut harness = Harness::with(Config { max_pending_bytes: 10, ..Config::default() });
    let kept = harness.publish("absences", "12345");
    let large = harness.publish("absences", "123456");
    harness.establish();
    assert_eq!(harness.expect_publish_error(large).code.name(), "RATE_LIMITED");
    let frame = harness.expect_publish();
    harness.acknowledge(&frame, 11);
    harness.expect_published(kept);
    harness.publish("absences", "1234567890");
    harness.expect_publish();
}

/// A relay that takes so many publications at once and so many a second, as the rules of `Publish.follows` say. Returns
/// the order in which it took them, how many frames came, and how many seconds that took.
fn publish_at_a_rate(
    count: usize,
    per_second: u64,
    burst: u64,
    round_trip_ms: u64,
) -> (Vec<usize>, usize, f64) {
    let (mut harness, _) = Harness::subscribed("absences");
    let (mut taken, mut frames, mut offset) = (Vec::new(), 0, 10);
    let (mut tokens, mut last_ms, mut put_off) = (burst * 1_000, harness.now_ms, 0);
    let mut calls: VecDeque<usize> = (0..count).collect();
    let start_ms = harness.now_ms;
    let mut under_way = VecDeque::new();
    let mut answers = VecDeque::new();
    for _ in 0..120_000 {
        while let Some(call) = calls.front()
            && call - taken.len() < 80
        {
            harness.publish("absences", &call.to_string());
            calls.pop_front();
        }
        while let Some(message) = harness.sent.pop_front() {
            if let ToRelay::Publish(publish) = message {
                under_way.push_back((harness.now_ms + round_trip_ms / 2, publish));
            }
        }
        while under_way.front().is_some_and(|(at, _)| *at <= harness.now_ms) {
            let (_, publish) = under_way.pop_front().unwrap();
            frames += 1;
            tokens = (tokens + (harness.now_ms - last_ms) * per_second).min(burst * 1_000);
            last_ms = harness.now_ms;
            let follows_put_off = put_off != 0 && publish.follows == put_off;
            let admitted = !follows_put_off && tokens >= 1_000;
            if admitted {
                tokens -= 1_000;
                put_off = 0;
                taken.push(opened(&publish).parse().unwrap());
            } else {
                put_off = publish.request;
            }
            answers.push_back((harness.now_ms + round_trip_ms / 2, publish, admitted));
        }
        while answers.front().is_some_and(|(at, ..)| *at <= harness.now_ms) {
            let (_, publish, admitted) = answers.pop_front().unwrap();
            if admitted {
                offset += 1;
                harness.acknowledge(&publish, offset);
            } else {
                let wait = ((1_000u64.saturating_sub(tokens)) / per_second).max(1);
                harness.refuse(publish.request, Code::RateLimited, u32::try_from(wait).unwrap());
            }
        }
        if taken.len() == count && answers.is_empty() {
            break;
        }
        harness.advance(1);
        if harness.now_ms.is_multiple_of(20_000) {
            harness.ping();
        }
    }
    let failed = |event: &Event| matches!(event, Event::PublishDone { result: Err(_), .. });
    let failed: Vec<_> = harness.events.iter().filter(|event| failed(event)).collect();
    assert!(failed.is_empty(), "none fails: {failed:?}");
    (taken, frames, (harness.now_ms - start_ms) as f64 / 1_000.0)
}

#[test]
fn publications_keep_the_order_of_their_calls_whatever_a_rate_limit_refuses_in_between() {
    // With a long round trip, what a quiet relay admits at once is the most of each.
    for (round_trip_ms, most_seconds) in [(0, 2.5), (10, 2.5), (100, 2.5), (400, 6.0)] {
        let (taken, frames, seconds) = publish_at_a_rate(360, 200, 40, round_trip_ms);
        assert_eq!(taken, (0..360).collect::<Vec<_>>(), "{round_trip_ms}");
        assert!(frames < 360 * 9 / 4, "{frames} frames for 360 publications at {round_trip_ms} ms");
        assert!(seconds < most_seconds, "{seconds} s for what takes 1.6 s at best, at {round_trip_ms} ms");
    }
}

#[test]
fn many_are_under_way_at_once_again_after_a_refusal() {
    let (mut harness, _) = Harness::subscribed("absences");
    for _ in 0..100 {
        harness.publish("absences", "1");
    }
    let frames: Vec<_> = (0..100).map(|_| harness.expect_publish()).collect();
    assert_eq!(frames[0].follows, 0);
    assert!(frames.windows(2).all(|pair| pair[1].follows == pair[0].request));
    for (frame, offset) in frames[..60].iter().zip(11..) {
        harness.acknowledge(frame, offset);
    }
    // The relay refuses what follows the one that it refused, and every answer of it is spent.
    for frame in &frames[60..] {
        harness.refuse(frame.request, Code::RateLimited, 500);
    }
    harness.advance(499);
    assert_eq!(harness.sent, []);
    harness.advance(1);
    let again: Vec<_> = (0..30).map(|_| harness.expect_publish()).collect();
    assert_eq!(harness.sent, []);
    assert_eq!(again[0].follows, 0, "it follows nothing that was refused");
    let ids = |frames: &[Publish]| frames.iter().map(|frame| frame.id.clone()).collect::<Vec<_>>();
    assert_eq!(ids(&again), ids(&frames[60..90]));
    harness.acknowledge(&again[0], 71);
    harness.acknowledge(&again[1], 72);
    let more: Vec<_> = (0..3).map(|_| harness.expect_publish()).collect();
    assert_eq!((harness.sent.len(), more[0].follows), (0, again[29].request));
}

#[test]
fn one_that_is_refused_past_its_deadline_fails_and_those_behind_it_wait_their_turn() {
    let (mut harness, _) = Harness::subscribed("absences");
    let first = harness.publish_within("absences", "1", 8_000);
    harness.publish("absences", "2");
    let request = harness.expect_publish().request;
    let second = harness.expect_publish();
    harness.refuse(request, Code::RateLimited, 8_000);
    assert_eq!(harness.expect_publish_error(first).code.name(), "RATE_LIMITED");
    harness.refuse(second.request, Code::RateLimited, 8_000);
    harness.advance(7_999);
    harness.expect_nothing();
    harness.advance(1);
    assert_eq!(harness.expect_publish().id, second.id);
}

#[test]
fn a_new_connection_starts_an_order_of_its_own() {
    let (mut harness, _) = Harness::subscribed("absences");
    harness.publish("absences", "1");
    harness.publish("absences", "2");
    harness.sent.clear();
    harness.cut(None);
    harness.advance_to_attempt();
    harness.establish();
    harness.confirm("absences", 10);
    let first = harness.expect_publish();
    assert_eq!((first.follows, harness.expect_publish().follows), (0, first.request));
}

#[test]
fn after_a_quiet_while_a_refusal_is_forgotten() {
    let (mut harness, _) = Harness::subscribed("absences");
    harness.publish("absences", "1");
    let request = harness.expect_publish().request;
    harness.refuse(request, Code::RateLimited, 100);
    harness.advance(100);
    let again = harness.expect_publish();
    harness.publish("absences", "2");
    assert_eq!(harness.sent, [], "one at a time");
    harness.acknowledge(&again, 11);
    let second = harness.expect_publish();
    harness.acknowledge(&second, 12);
    harness.advance(1_000);
    for _ in 0..50 {
        harness.publish("absences", "3");
        harness.expect_publish();
    }
}

#[test]
fn a_publication_follows_none_that_was_given_up() {
    let (mut harness, _) = Harness::subscribed("absences");
    harness.publish_within("absences", "1", 2_000);
    harness.expect_publish();
    harness.advance(2_000);
    assert_eq!(harness.sent.pop_front(), Some(ToRelay::Ping(Ping {})));
    harness.publish("absences", "2");
    assert_eq!(harness.expect_publish().follows, 0);
}
