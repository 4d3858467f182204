//! Stamps: repeated, old and left-out messages, and the numbers of the client's own publications.

use crate::support::*;
use sealwire_client::{Gap, GapReason, Notice, SessionReason, SubscriptionId};
use sealwire_protocol::{
    Code, OpenedMessage, SealedMessage, Stamp, UnixSeconds, limits,
    wire::{Position, Publication, Publish, ToClient},
};

const MAX_AGE_MS: u64 = limits::MAX_MESSAGE_AGE * 1000;

fn opened(frame: &Publish) -> OpenedMessage {
    let mut key = key(1).scope_key(APP, INSTALLATION, &context()).channel_key(None, "absences");
    SealedMessage::parse(&frame.sealed).unwrap().open(&mut key, channel_id("absences"), "").unwrap()
}

/// Returns a publication of sealed bytes at an offset.
fn at(offset: u64, sealed: &[u8]) -> ToClient {
    ToClient::Publication(Publication {
        channel_id: channel_id("absences").into(),
        offset,
        previous_offset: offset - 1,
        time_ms: UNIX_START + offset,
        event: String::new(),
        sealed: sealed.to_vec().into(),
    })
}

/// Returns a message of a sender that knows that all its earlier ones were acknowledged.
fn numbered(number: u32) -> Vec<u8> {
    let stamp = Stamp { number, confirmed: u64::MAX };
    sealed(1, "absences", stamp, &number.to_string())
}

fn expect_stale(harness: &mut Harness, subscription: SubscriptionId) {
    match harness.expect_notice(&[subscription]) {
        Notice::Error(error) => assert_eq!(error.code.name(), Code::MessageStale.name()),
        other => panic!("{other:?}"),
    }
}

fn expect_gap(harness: &mut Harness, subscription: SubscriptionId) -> Gap {
    match harness.expect_notice(&[subscription]) {
        Notice::Gap(gap) => gap,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_message_that_the_relay_gives_twice_under_two_offsets_is_delivered_once_and_counted() {
    let (mut harness, subscription) = Harness::subscribed("absences");
    let message = numbered(1);
    harness.receive(at(11, &message));
    harness.receive(at(12, &message));
    harness.receive(at(13, &numbered(2)));
    harness.receive(at(14, &message));
    harness.expect_payload(&[subscription], "1");
    harness.expect_payload(&[subscription], "2");
    harness.expect_nothing();
    assert_eq!(harness.client.repeated_messages(), 2);
}

#[test]
fn a_repetition_after_a_restart_of_the_relay_is_dropped() {
    let (mut harness, subscription) = Harness::subscribed("absences");
    harness.receive(at(11, &numbered(1)));
    harness.expect_payload(&[subscription], "1");
    harness.cut(None);
    harness.advance_to_attempt();
    harness.establish();
    let restarted = Position { epoch: EPOCH + 1, ..position(0) };
    harness.confirm_at("absences", restarted, false);
    harness.receive(at(1, &numbered(1)));
    harness.receive(at(2, &numbered(2)));
    harness.forget_states();
    assert_eq!(expect_gap(&mut harness, subscription).reason, GapReason::Epoch);
    harness.expect_payload(&[subscription], "2");
    harness.expect_nothing();
}

#[test]
fn a_message_of_yesterday_is_refused_once_a_new_session_told_the_time() {
    let (mut harness, subscription) = Harness::subscribed("absences");
    let old = numbered(1);
    // A healthy connection for as long as a day would take too many heartbeats: the session renews on the way.
    harness.advance_to_refresh();
    let fetch = harness.expect_session_request(SessionReason::Refresh);
    harness.provide(fetch, &[1]);
    let refresh = harness.expect_refresh().request;
    harness.refreshed(refresh);
    harness.receive(at(11, &old));
    expect_stale(&mut harness, subscription);
    harness.receive(at(12, &numbered(3)));
    harness.expect_payload(&[subscription], "3");
    harness.expect_nothing();
}

#[test]
fn a_message_that_looks_old_or_early_waits_for_a_new_session_before_it_is_judged() {
    for lead_ms in [MAX_AGE_MS + 1_000, 0] {
        let (mut harness, subscription) = Harness::subscribed("absences");
        harness.advance(15_000);
        // The machine's wall clock is set forward, which looks like a sleep.
        harness.asleep_ms += lead_ms;
        let now = UNIX_START + harness.now_ms;
        let stamp = Stamp { number: 1, confirmed: 0 };
        let early = if lead_ms == 0 { 61_000 } else { 0 };
        harness.now();
        harness.receive(at(11, &sealed_at(now + early, 1, "absences", stamp, "timely")));
        harness.receive(at(12, &sealed_at(now, 1, "absences", Stamp { number: 2, ..stamp }, "next")));
        let fetch = harness.expect_session_request(SessionReason::Refresh);
        harness.expect_nothing();
        let expires_at = UnixSeconds((now + early) / 1000 + SESSION_SECONDS);
        let received_at = harness.now();
        TIME_MS.set(now + early);
        harness.client.handle_session(received_at, fetch, grant(&[1], expires_at));
        harness.drain();
        harness.expect_payload(&[subscription], "timely");
        harness.expect_payload(&[subscription], "next");
    }
}

#[test]
fn a_message_that_waits_for_the_time_was_opened_before_its_key_was_replaced() {
    let (mut harness, subscription) = Harness::subscribed("absences");
    harness.advance(15_000);
    let published_at = UNIX_START + harness.now_ms + 61_000;
    let stamp = Stamp { number: 1, confirmed: 0 };
    harness.receive(at(11, &sealed_at(published_at, 1, "absences", stamp, "early")));
    let fetch = harness.expect_session_request(SessionReason::Refresh);
    let received_at = harness.now();
    TIME_MS.set(published_at);
    let expires_at = UnixSeconds(published_at / 1000 + SESSION_SECONDS);
    harness.client.handle_session(received_at, fetch, grant(&[2], expires_at));
    harness.drain();
    harness.expect_payload(&[subscription], "early");
}

#[test]
fn a_message_that_the_relay_leaves_out_is_a_gap_before_the_next_of_its_sender() {
    let (mut harness, subscription) = Harness::subscribed("absences");
    harness.receive(at(11, &numbered(1)));
    harness.receive(at(12, &numbered(3)));
    harness.receive(at(13, &numbered(4)));
    harness.expect_payload(&[subscription], "1");
    let gap = expect_gap(&mut harness, subscription);
    assert_eq!((gap.from, gap.to.offset, gap.reason), (None, 11, GapReason::Withheld));
    harness.expect_payload(&[subscription], "3");
    harness.expect_payload(&[subscription], "4");
    harness.expect_nothing();
}

#[test]
fn a_gap_that_the_relay_admits_is_not_reported_as_left_out_as_well() {
    let (mut harness, subscription) = Harness::subscribed("absences");
    harness.receive(at(11, &numbered(1)));
    let ToClient::Publication(behind) = at(15, &numbered(3)) else { panic!("a publication") };
    harness.receive(ToClient::Publication(Publication { previous_offset: 14, ..behind }));
    harness.expect_payload(&[subscription], "1");
    assert_eq!(expect_gap(&mut harness, subscription).reason, GapReason::Skipped);
    harness.expect_payload(&[subscription], "3");
    harness.expect_nothing();
}

#[test]
fn only_first_attempts_under_a_random_id_are_named_as_acknowledged() {
    let (mut harness, _) = Harness::subscribed("absences");
    let send = |harness: &mut Harness, id: Option<&str>| {
        harness.client.publish_draft(harness.now(), draft("absences", "1", id, None));
        harness.drain();
        harness.expect_publish()
    };
    let acknowledged = send(&mut harness, None);
    harness.acknowledge(&acknowledged, 11);
    let refused = send(&mut harness, None);
    harness.refuse(refused.request, Code::PermissionMissing, 0);
    let repeatable = send(&mut harness, Some("note-1"));
    harness.acknowledge(&repeatable, 12);
    send(&mut harness, None);
    harness.cut(None);
    harness.advance_to_attempt();
    harness.establish();
    harness.confirm("absences", 10);
    let repeated = harness.expect_publish();
    assert_eq!(opened(&repeated).stamp.number, 4);
    harness.acknowledge(&repeated, 13);
    let last = opened(&send(&mut harness, None));
    assert_eq!((last.stamp.number, last.stamp.confirmed), (5, 0b1000));
    assert_eq!(last.sender, opened(&acknowledged).sender);
}

#[test]
fn a_publication_is_dated_when_it_is_sent_and_not_when_it_is_called() {
    let (mut harness, _) = Harness::subscribed("absences");
    harness.cut(None);
    harness.publish_within("absences", "1", 3_600_000);
    // The network stays away for ten minutes.
    for _ in 0..20 {
        harness.advance(30_000);
        if harness.connection.is_some() {
            harness.cut(None);
        }
    }
    harness.advance_to_attempt();
    harness.establish();
    harness.confirm("absences", 10);
    let published_at = opened(&harness.expect_publish()).published_at.0;
    assert!(published_at + 5_000 > UNIX_START + harness.now_ms, "{published_at}");
}

#[test]
fn a_publication_waits_for_the_time_after_a_sleep() {
    let (mut harness, _) = Harness::subscribed("absences");
    harness.asleep_ms += 3_600_000;
    harness.publish("absences", "1");
    let fetch = harness.expect_session_request(SessionReason::Refresh);
    assert!(harness.sent.is_empty());
    harness.provide(fetch, &[1]);
    harness.expect_refresh();
    let published_at = opened(&harness.expect_publish()).published_at.0;
    assert_eq!(published_at, UNIX_START + harness.asleep_ms + harness.now_ms);
}

#[test]
fn a_publication_that_waits_is_sealed_under_the_newest_key_of_the_next_session() {
    let (mut harness, _) = Harness::subscribed("absences");
    harness.asleep_ms += 3_600_000;
    harness.publish("absences", "1");
    let fetch = harness.expect_session_request(SessionReason::Refresh);
    harness.provide(fetch, &[2, 1]);
    harness.expect_refresh();
    let frame = harness.expect_publish();
    assert_eq!(SealedMessage::parse(&frame.sealed).unwrap().key_id(), key(2).id());
}
