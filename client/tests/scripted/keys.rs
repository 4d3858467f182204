//! Keys: messages under a key that the session lacks, and messages that cannot be opened at all.

use crate::support::*;
use sealwire_client::{ClientError, Notice, SessionReason};
use sealwire_protocol::{
    Code,
    wire::{Publication, ToClient},
};

fn unreadable(harness: &mut Harness, subscription: sealwire_client::SubscriptionId) {
    match harness.expect_notice(&[subscription]) {
        Notice::Error(error) => assert_eq!(error.code.name(), "MESSAGE_UNREADABLE"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_unknown_key_fetches_a_fresh_session_once_and_keeps_the_order() {
    let (mut harness, subscription) = Harness::subscribed("absences");
    harness.receive(publication_under(2, "absences", 10, 11, "first"));
    let fetch = harness.expect_need(SessionReason::UnknownKey);
    harness.receive(publication("absences", 11, 12, "second"));
    harness.receive(publication_under(2, "absences", 12, 13, "third"));
    harness.expect_nothing();
    harness.provide(fetch, &[2, 1]);
    for payload in ["first", "second", "third"] {
        harness.expect_payload(&[subscription], payload);
    }
    let request = harness.expect_refresh().request;
    harness.refreshed(request);
    harness.expect_nothing();
}

#[test]
fn other_channels_do_not_wait_for_the_key_of_one() {
    let (mut harness, first) = Harness::subscribed("absences");
    let other = harness.subscribe("other");
    harness.confirm("other", 10);
    harness.expect_subscribed(other);
    harness.receive(publication_under(2, "absences", 10, 11, "held"));
    harness.receive(publication("other", 10, 12, "not held"));
    let fetch = harness.expect_need(SessionReason::UnknownKey);
    harness.expect_payload(&[other], "not held");
    harness.provide(fetch, &[2, 1]);
    harness.expect_payload(&[first], "held");
}

#[test]
fn a_key_that_a_fresh_session_does_not_bring_is_not_asked_for_again() {
    let (mut harness, subscription) = Harness::subscribed("absences");
    harness.receive(publication_under(9, "absences", 10, 11, "1"));
    harness.receive(publication("absences", 11, 12, "2"));
    let fetch = harness.expect_need(SessionReason::UnknownKey);
    harness.provide(fetch, &[1]);
    unreadable(&mut harness, subscription);
    harness.expect_payload(&[subscription], "2");
    let request = harness.expect_refresh().request;
    harness.refreshed(request);
    harness.advance(20_000);
    harness.receive(publication_under(9, "absences", 12, 13, "3"));
    unreadable(&mut harness, subscription);
    harness.expect_nothing();
}

#[test]
fn a_failed_fetch_gives_up_on_the_key() {
    let (mut harness, subscription) = Harness::subscribed("absences");
    harness.receive(publication_under(9, "absences", 10, 11, "1"));
    let fetch = harness.expect_need(SessionReason::UnknownKey);
    let error = ClientError::new(Code::SessionUnavailable, "offline");
    harness.client.handle_session_failed(harness.now(), fetch, error);
    harness.drain();
    unreadable(&mut harness, subscription);
}

#[test]
fn a_relay_that_makes_up_keys_cannot_make_the_client_fetch_sessions_all_the_time() {
    let (mut harness, subscription) = Harness::subscribed("absences");
    let mut fetches = 0;
    for (offset, key) in (11..).zip(2..102) {
        harness.receive(publication_under(key, "absences", offset - 1, offset, "1"));
        if harness.events.iter().any(|event| matches!(event, sealwire_client::Event::NeedSession { .. })) {
            fetches += 1;
            let fetch = harness.expect_need(SessionReason::UnknownKey);
            harness.provide(fetch, &[1]);
            let request = harness.expect_refresh().request;
            harness.refreshed(request);
        }
        unreadable(&mut harness, subscription);
        harness.advance(200);
    }
    assert_eq!(fetches, 2, "100 keys in 20 seconds");
}

#[test]
fn what_is_held_is_bounded() {
    let (mut harness, subscription) = Harness::subscribed("absences");
    for offset in 11..=11 + 256 {
        harness.receive(publication_under(2, "absences", offset - 1, offset, "1"));
    }
    let fetch = harness.expect_need(SessionReason::UnknownKey);
    unreadable(&mut harness, subscription);
    harness.expect_nothing();
    harness.provide(fetch, &[2, 1]);
    for _ in 0..256 {
        harness.expect_payload(&[subscription], "1");
    }
}

#[test]
fn held_messages_survive_a_loss_of_the_connection_and_come_once() {
    let (mut harness, subscription) = Harness::subscribed("absences");
    harness.receive(publication_under(2, "absences", 10, 11, "held"));
    let fetch = harness.expect_need(SessionReason::UnknownKey);
    harness.cut(None);
    harness.advance_to_attempt();
    harness.establish();
    harness.confirm("absences", 11);
    harness.provide(fetch, &[2, 1]);
    harness.sent.clear();
    harness.receive(publication("absences", 11, 12, "next"));
    harness.expect_payload(&[subscription], "held");
    harness.expect_payload(&[subscription], "next");
    harness.expect_nothing();
}

#[test]
fn what_cannot_be_opened_is_one_error_each_and_the_position_goes_on() {
    let (mut harness, subscription) = Harness::subscribed("absences");
    let good = sealed(1, "absences", "", "1");
    let altered = |index: usize| {
        let mut bytes = good.clone();
        bytes[index] ^= 1;
        bytes
    };
    let bad: Vec<(&str, Vec<u8>)> = vec![
        ("", Vec::new()),
        ("", good[..good.len() - 1].to_vec()),
        ("", altered(0)),
        ("", altered(10)),
        ("", altered(good.len() - 1)),
        ("relabelled", good.clone()),
        ("", sealed(1, "other", "", "1")),
    ];
    let mut offset = 10;
    for (event, bytes) in bad {
        harness.receive(ToClient::Publication(Publication {
            channel_id: channel_id("absences").into(),
            offset: offset + 1,
            previous_offset: offset,
            time_ms: 0,
            event: event.into(),
            sealed: bytes.into(),
        }));
        offset += 1;
        unreadable(&mut harness, subscription);
    }
    harness.receive(publication("absences", offset, offset + 1, "good"));
    harness.expect_payload(&[subscription], "good");
    harness.expect_nothing();
}
