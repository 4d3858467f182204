//! Keys: messages under a key that the session lacks, and messages that cannot be opened at all.

use crate::support::*;
use sealwire_client::{ClientError, Event, FetchId, Notice, SessionReason};
use sealwire_protocol::{
    Code,
    wire::{Publication, ToClient},
};

/// Lets time pass until a session is asked for.
fn asked(harness: &mut Harness, within_ms: u64) -> FetchId {
    for _ in 0..within_ms {
        if harness.events.iter().any(|event| matches!(event, Event::SessionRequested { .. })) {
            break;
        }
        harness.advance(1);
    }
    harness.expect_need(SessionReason::UnknownKey)
}

fn fail(harness: &mut Harness, fetch: FetchId) {
    let error = ClientError::new(Code::SessionUnavailable, "offline");
    harness.client.handle_session_failed(harness.now(), fetch, error);
    harness.drain();
}

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
    let fetch = asked(&mut harness, 2_000);
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
fn a_fleet_that_hears_of_one_rotation_asks_over_two_seconds() {
    let mut moments: Vec<u64> = (0..200)
        .map(|seed| {
            let mut harness = Harness::seeded(seed);
            harness.subscribe("absences");
            harness.establish();
            harness.confirm("absences", 10);
            harness.receive(publication_under(2, "absences", 10, 11, "1"));
            let start = harness.now_ms;
            asked(&mut harness, 2_000);
            harness.now_ms - start
        })
        .collect();
    moments.sort_unstable();
    // Of 200, about 20 come within each fifth of a second.
    assert!(moments.windows(45).all(|window| window[44] - window[0] > 200), "{moments:?}");
}

#[test]
fn other_channels_do_not_wait_for_the_key_of_one() {
    let (mut harness, first) = Harness::subscribed("absences");
    let other = harness.subscribe("other");
    harness.confirm("other", 10);
    harness.expect_subscribed(other);
    harness.receive(publication_under(2, "absences", 10, 11, "held"));
    harness.receive(publication("other", 10, 12, "not held"));
    harness.expect_payload(&[other], "not held");
    let fetch = asked(&mut harness, 2_000);
    harness.provide(fetch, &[2, 1]);
    harness.expect_payload(&[first], "held");
}

#[test]
fn a_global_channel_gets_its_key_in_the_same_way() {
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
    }));
    harness.expect_subscribed(subscription);
    let key = key(2).scope_key(APP, INSTALLATION, &scope).channel_key(None, "news");
    let sealed = sealwire_protocol::seal(&key, [3; 24], id, "", sealwire_protocol::UnixMillis(5), "1");
    harness.receive(ToClient::Publication(Publication {
        channel_id: id.into(),
        offset: 11,
        previous_offset: 10,
        time_ms: 1,
        event: String::new(),
        sealed: sealed.unwrap().into(),
    }));
    let fetch = asked(&mut harness, 2_000);
    harness.provide(fetch, &[2, 1]);
    harness.expect_payload(&[subscription], "1");
}

#[test]
fn a_failed_fetch_is_repeated_within_seconds_and_nothing_is_unreadable() {
    let (mut harness, subscription) = Harness::subscribed("absences");
    harness.receive(publication_under(2, "absences", 10, 11, "first"));
    let fetch = asked(&mut harness, 2_000);
    fail(&mut harness, fetch);
    harness.receive(publication_under(2, "absences", 11, 12, "second"));
    let fetch = asked(&mut harness, 1_500);
    fail(&mut harness, fetch);
    let fetch = asked(&mut harness, 3_000);
    harness.provide(fetch, &[2, 1]);
    harness.expect_payload(&[subscription], "first");
    harness.expect_payload(&[subscription], "second");
}

#[test]
fn messages_wait_for_thirty_seconds_at_most_and_the_key_is_taken_whenever_it_comes() {
    let (mut harness, subscription) = Harness::subscribed("absences");
    harness.receive(publication_under(2, "absences", 10, 11, "1"));
    let start = harness.now_ms;
    while !harness.events.iter().any(|event| matches!(event, Event::Notice { .. })) {
        harness.advance(100);
        harness.sent.clear();
        if harness.events.iter().any(|event| matches!(event, Event::SessionRequested { .. })) {
            let fetch = harness.expect_need(SessionReason::UnknownKey);
            fail(&mut harness, fetch);
        }
        harness.ping();
        harness.forget_states();
    }
    assert!((30_000..=30_100).contains(&(harness.now_ms - start)));
    unreadable(&mut harness, subscription);
    harness.sent.clear();
    // The next one does not wait, and the key is still asked for.
    harness.receive(publication_under(2, "absences", 11, 12, "2"));
    unreadable(&mut harness, subscription);
    let fetch = asked(&mut harness, 45_000);
    harness.provide(fetch, &[2, 1]);
    harness.receive(publication_under(2, "absences", 12, 13, "3"));
    harness.expect_payload(&[subscription], "3");
}

#[test]
fn a_key_that_four_fresh_sessions_do_not_bring_holds_nothing_up_any_more() {
    let (mut harness, subscription) = Harness::subscribed("absences");
    harness.receive(publication_under(9, "absences", 10, 11, "1"));
    harness.receive(publication("absences", 11, 12, "2"));
    for _ in 0..4 {
        harness.expect_nothing();
        let fetch = asked(&mut harness, 6_000);
        harness.provide(fetch, &[1]);
        let request = harness.expect_refresh().request;
        harness.refreshed(request);
    }
    unreadable(&mut harness, subscription);
    harness.expect_payload(&[subscription], "2");
    harness.receive(publication_under(9, "absences", 12, 13, "3"));
    unreadable(&mut harness, subscription);
    harness.receive(publication("absences", 13, 14, "4"));
    harness.expect_payload(&[subscription], "4");
}

#[test]
fn a_relay_that_makes_up_keys_cannot_make_the_client_fetch_sessions_all_the_time() {
    let (mut harness, _) = Harness::subscribed("absences");
    let mut fetches = 0;
    for (offset, key) in (11..).zip((2..202).cycle()).take(1_000) {
        harness.receive(publication_under(key, "absences", offset - 1, offset, "1"));
        if harness.events.iter().any(|event| matches!(event, Event::SessionRequested { .. })) {
            fetches += 1;
            let fetch = harness.expect_need(SessionReason::UnknownKey);
            harness.provide(fetch, &[1]);
            let request = harness.expect_refresh().request;
            harness.refreshed(request);
        }
        harness.advance(200);
        // Nothing waits for a key that is made up, once four sessions have not brought any.
        let told = harness.events.iter().filter(|event| matches!(event, Event::Notice { .. })).count();
        assert_eq!(told > 0, fetches >= 4, "{offset}");
        harness.events.retain(|event| matches!(event, Event::SessionRequested { .. }));
    }
    assert!((5..=12).contains(&fetches), "{fetches} in 200 seconds");
}

/// A client with subscriptions to two channels.
fn two_channels() -> (Harness, sealwire_client::SubscriptionId) {
    let (mut harness, first) = Harness::subscribed("absences");
    harness.subscribe("other");
    harness.confirm("other", 10);
    harness.events.clear();
    (harness, first)
}

#[test]
fn a_refresh_that_falls_due_while_the_app_fails_to_bring_a_key_is_made_up_for() {
    let refresh_ms = two_channels().0.advance_to_refresh();
    // The same once more, with a key that the app is asked for at that moment.
    let (mut harness, subscription) = two_channels();
    while harness.now_ms < 1_000 + refresh_ms - 10_000 {
        harness.advance(1_000);
        harness.ping();
    }
    harness.receive(publication_under(2, "absences", 10, 11, "1"));
    let fetch = asked(&mut harness, 2_000);
    harness.advance(12_000);
    fail(&mut harness, fetch);
    harness.sent.clear();
    harness.unsubscribe(subscription);
    let request = harness.expect_unsubscribe().request;
    harness.unsubscribed(request);
    harness.events.clear();
    // The app may be asked for the key once more.
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
fn what_is_held_is_bounded() {
    let (mut harness, subscription) = Harness::subscribed("absences");
    for offset in 11..=11 + 256 {
        harness.receive(publication_under(2, "absences", offset - 1, offset, "1"));
    }
    unreadable(&mut harness, subscription);
    harness.expect_nothing();
    let fetch = asked(&mut harness, 2_000);
    harness.provide(fetch, &[2, 1]);
    for _ in 0..256 {
        harness.expect_payload(&[subscription], "1");
    }
}

#[test]
fn held_messages_survive_a_loss_of_the_connection_and_come_once() {
    let (mut harness, subscription) = Harness::subscribed("absences");
    harness.receive(publication_under(2, "absences", 10, 11, "held"));
    let fetch = asked(&mut harness, 2_000);
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
