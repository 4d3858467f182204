//! Encryption keys: messages under a key that the session lacks, and messages that cannot be decrypted.

use crate::support::*;
use sealwire_client::{ClientError, Event, FetchId, SessionReason};
use sealwire_protocol::{
    Code,
    wire::{Publication, ToClient},
};

/// Advances the clock until the client requests a session.
fn requested(harness: &mut Harness, within_ms: u64) -> FetchId {
    for _ in 0..within_ms {
        if harness.events.iter().any(|event| matches!(event, Event::SessionRequested { .. })) {
            break;
        }
        harness.advance(1);
    }
    harness.expect_session_request(SessionReason::UnknownKey)
}

fn fail(harness: &mut Harness, fetch: FetchId) {
    let error = ClientError::new(Code::SessionUnavailable, "offline");
    harness.client.handle_session_failed(harness.now(), fetch, error);
    harness.drain();
}

#[test]
fn an_unknown_key_requests_one_session_and_keeps_the_order() {
    let (mut harness, subscription) = Harness::subscribed("absences");
    harness.receive(publication_under(2, "absences", 10, 11, "first"));
    let fetch = requested(&mut harness, 2_000);
    harness.receive(publication("absences", 11, 12, "second"));
    harness.receive(publication_under(2, "absences", 12, 13, "third"));
    harness.expect_nothing();
    harness.provide(fetch, &[2, 1]);
    for payload in ["first", "second", "third"] {
        harness.expect_payload(&[subscription], payload);
    }
    let request = harness.expect_refresh().request;
    harness.refreshed(request);
    harness.advance(20_000);
    harness.expect_nothing();
}

#[test]
fn many_clients_request_a_rotated_key_spread_over_two_seconds() {
    let mut moments: Vec<u64> = (0..200)
        .map(|seed| {
            let mut harness = Harness::seeded(seed);
            harness.subscribe("absences");
            harness.establish();
            harness.confirm("absences", 10);
            harness.receive(publication_under(2, "absences", 10, 11, "1"));
            let start = harness.now_ms;
            requested(&mut harness, 2_000);
            harness.now_ms - start
        })
        .collect();
    moments.sort_unstable();
    // About 20 of the 200 requests fall within each fifth of a second.
    assert!(moments.windows(45).all(|window| window[44] - window[0] > 200), "{moments:?}");
}

#[test]
fn other_channels_do_not_wait_for_the_key_of_one_channel() {
    let (mut harness, first) = Harness::subscribed("absences");
    let other = harness.subscribe("other");
    harness.confirm("other", 10);
    harness.expect_subscribed(other);
    harness.receive(publication_under(2, "absences", 10, 11, "held"));
    harness.receive(publication("other", 10, 12, "not held"));
    harness.expect_payload(&[other], "not held");
    let fetch = requested(&mut harness, 2_000);
    harness.provide(fetch, &[2, 1]);
    harness.expect_payload(&[first], "held");
}

#[test]
fn a_global_channel_gets_a_missing_key_the_same_way() {
    let mut harness = Harness::default();
    let spec = sealwire_client::ChannelSpec { scope: Some(Vec::new()), ..channel("news") };
    let subscription = harness.subscribe_with(spec, None);
    harness.establish();
    let scope = sealwire_protocol::Scope::default();
    let address = sealwire_protocol::ChannelAddress {
        app: APP,
        installation: INSTALLATION,
        scope: &scope,
        claims_tag: None,
        name: "news",
    };
    let id = address.id();
    let request = harness.expect_subscribe().request;
    harness.receive(ToClient::Subscribed(sealwire_protocol::wire::Subscribed {
        request,
        channel_id: id.into(),
        position: Some(position(10)),
        recovered: true,
        replay_end: 0,
    }));
    harness.expect_subscribed(subscription);
    let key = key(2).scope_key(APP, INSTALLATION, &scope).channel_key(None, "news");
    let sealed = sealwire_protocol::seal(&key, [3; 12], id, &message(next_stamp(), "1"));
    harness.receive(ToClient::Publication(Publication {
        channel_id: id.into(),
        offset: 11,
        previous_offset: 10,
        time_ms: 1,
        event: String::new(),
        sealed: sealed.unwrap().into(),
    }));
    let fetch = requested(&mut harness, 2_000);
    harness.provide(fetch, &[2, 1]);
    harness.expect_payload(&[subscription], "1");
}

#[test]
fn a_failed_key_request_is_retried_within_seconds_and_nothing_is_unreadable() {
    let (mut harness, subscription) = Harness::subscribed("absences");
    harness.receive(publication_under(2, "absences", 10, 11, "first"));
    let fetch = requested(&mut harness, 2_000);
    fail(&mut harness, fetch);
    harness.receive(publication_under(2, "absences", 11, 12, "second"));
    let fetch = requested(&mut harness, 1_500);
    fail(&mut harness, fetch);
    let fetch = requested(&mut harness, 3_000);
    harness.provide(fetch, &[2, 1]);
    harness.expect_payload(&[subscription], "first");
    harness.expect_payload(&[subscription], "second");
}

#[test]
fn messages_wait_at_most_thirty_seconds_and_a_late_key_is_still_used() {
    let (mut harness, subscription) = Harness::subscribed("absences");
    harness.receive(publication_under(2, "absences", 10, 11, "1"));
    let start = harness.now_ms;
    while !harness.events.iter().any(|event| matches!(event, Event::Notice { .. })) {
        harness.advance(100);
        harness.sent.clear();
        if harness.events.iter().any(|event| matches!(event, Event::SessionRequested { .. })) {
            let fetch = harness.expect_session_request(SessionReason::UnknownKey);
            fail(&mut harness, fetch);
        }
        harness.ping();
        harness.forget_states();
    }
    assert!((30_000..=30_100).contains(&(harness.now_ms - start)));
    harness.expect_unreadable(subscription);
    harness.sent.clear();
    // The next message does not wait, and the client still requests the key.
    harness.receive(publication_under(2, "absences", 11, 12, "2"));
    harness.expect_unreadable(subscription);
    let fetch = requested(&mut harness, 45_000);
    harness.provide(fetch, &[2, 1]);
    harness.receive(publication_under(2, "absences", 12, 13, "3"));
    harness.expect_payload(&[subscription], "3");
}

#[test]
fn a_key_missing_from_four_new_sessions_no_longer_delays_messages() {
    let (mut harness, subscription) = Harness::subscribed("absences");
    harness.receive(publication_under(9, "absences", 10, 11, "1"));
    harness.receive(publication("absences", 11, 12, "2"));
    for _ in 0..4 {
        harness.expect_nothing();
        let fetch = requested(&mut harness, 6_000);
        harness.provide(fetch, &[1]);
        let request = harness.expect_refresh().request;
        harness.refreshed(request);
    }
    harness.expect_unreadable(subscription);
    harness.expect_payload(&[subscription], "2");
    harness.receive(publication_under(9, "absences", 12, 13, "3"));
    harness.expect_unreadable(subscription);
    harness.receive(publication("absences", 13, 14, "4"));
    harness.expect_payload(&[subscription], "4");
}

#[test]
fn a_relay_that_invents_keys_cannot_make_the_client_request_sessions_constantly() {
    let (mut harness, _) = Harness::subscribed("absences");
    let mut requests = 0;
    for (offset, key) in (11..).zip((2..202).cycle()).take(1_000) {
        harness.receive(publication_under(key, "absences", offset - 1, offset, "1"));
        if harness.events.iter().any(|event| matches!(event, Event::SessionRequested { .. })) {
            requests += 1;
            let fetch = harness.expect_session_request(SessionReason::UnknownKey);
            harness.provide(fetch, &[1]);
            let request = harness.expect_refresh().request;
            harness.refreshed(request);
        }
        harness.advance(200);
        // No message waits for an invented key after four sessions without any of them.
        let notices = harness.events.iter().filter(|event| matches!(event, Event::Notice { .. })).count();
        assert_eq!(notices > 0, requests >= 4, "{offset}");
        harness.events.retain(|event| matches!(event, Event::SessionRequested { .. }));
    }
    assert!((5..=12).contains(&requests), "{requests} in 200 seconds");
}

/// Returns a client with subscriptions to two channels.
fn two_channels() -> (Harness, sealwire_client::SubscriptionId) {
    let (mut harness, first) = Harness::subscribed("absences");
    harness.subscribe("other");
    harness.confirm("other", 10);
    harness.events.clear();
    (harness, first)
}

#[test]
fn a_refresh_that_becomes_due_during_a_failed_key_request_follows_it() {
    let refresh_ms = two_channels().0.advance_to_refresh();
    // The second run has a pending key request at the time of the refresh.
    let (mut harness, subscription) = two_channels();
    while harness.now_ms < 1_000 + refresh_ms - 10_000 {
        harness.advance(1_000);
        harness.ping();
    }
    harness.receive(publication_under(2, "absences", 10, 11, "1"));
    let fetch = requested(&mut harness, 2_000);
    harness.advance(12_000);
    fail(&mut harness, fetch);
    harness.sent.clear();
    harness.unsubscribe(subscription);
    let request = harness.expect_unsubscribe().request;
    harness.unsubscribed(request);
    harness.events.clear();
    // The client may request the key once more first.
    for _ in 0..60 {
        harness.advance(1_000);
        harness.ping();
        harness.sent.clear();
        match harness.events.pop_front() {
            Some(Event::SessionRequested { reason: SessionReason::Refresh, .. }) => return,
            Some(Event::SessionRequested { fetch, .. }) => fail(&mut harness, fetch),
            _ => {}
        }
    }
    panic!("the session is not refreshed within a minute");
}

#[test]
fn the_reorder_buffer_is_bounded() {
    let (mut harness, subscription) = Harness::subscribed("absences");
    for offset in 11..=11 + 256 {
        harness.receive(publication_under(2, "absences", offset - 1, offset, "1"));
    }
    harness.expect_unreadable(subscription);
    harness.expect_nothing();
    let fetch = requested(&mut harness, 2_000);
    harness.provide(fetch, &[2, 1]);
    for _ in 0..256 {
        harness.expect_payload(&[subscription], "1");
    }
}

#[test]
fn buffered_messages_survive_a_lost_connection_and_are_delivered_once() {
    let (mut harness, subscription) = Harness::subscribed("absences");
    harness.receive(publication_under(2, "absences", 10, 11, "held"));
    let fetch = requested(&mut harness, 2_000);
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
fn each_unreadable_message_is_one_error_and_the_position_advances() {
    let (mut harness, subscription) = Harness::subscribed("absences");
    let good = sealed(1, "absences", next_stamp(), "1");
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
        ("", sealed(1, "other", next_stamp(), "1")),
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
        harness.expect_unreadable(subscription);
    }
    harness.receive(publication("absences", offset, offset + 1, "good"));
    harness.expect_payload(&[subscription], "good");
    harness.expect_nothing();
}
