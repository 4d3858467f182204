//! Subscriptions: sharing, races, replays, refusals, and standings.

use crate::support::*;
use sealwire_client::{
    ChannelSpec, Event, Gap, GapReason, Notice, SessionReason, Standing, State, SubscriptionId,
};
use sealwire_protocol::{
    Code,
    wire::{Ended, Since, Subscribed, ToClient, ToRelay},
};

#[test]
fn nothing_connects_before_the_first_call() {
    let mut harness = Harness::default();
    harness.advance(60_000);
    harness.expect_nothing();
    assert_eq!((harness.connects, harness.client.poll_timeout()), (0, None));
}

#[test]
fn the_first_subscribe_requests_a_session_connects_and_subscribes() {
    let mut harness = Harness::default();
    let subscription = harness.subscribe("absences");
    let fetch = harness.expect_session_request(SessionReason::Connect);
    assert_eq!(harness.connects, 0);
    harness.provide(fetch, &[1]);
    assert_eq!(harness.connects, 1);
    harness.open();
    harness.welcome();
    assert_eq!(harness.states(), [State::Connecting, State::Connected]);
    let subscribe = harness.confirm("absences", 10);
    let wire = subscribe.channel.unwrap();
    assert_eq!(
        (wire.name.as_str(), wire.properties, subscribe.since),
        ("absences", vec!["dashboard".to_owned(), "module".to_owned()], None)
    );
    harness.expect_subscribed(subscription);
    harness.receive(publication("absences", 10, 11, r#"{"a":1}"#));
    let message = harness.expect_message(&[subscription]);
    assert_eq!(message.payload, r#"{"a":1}"#);
    assert_eq!(
        (message.position, message.time_ms, message.published_at_ms),
        (position(11), UNIX_START + 11, TIME_MS.get())
    );
    assert_eq!(message.channel, "absences");
}

#[test]
fn a_second_subscription_shares_the_channel_and_is_confirmed_at_once() {
    let (mut harness, first) = Harness::subscribed("absences");
    let second = harness.subscribe("absences");
    harness.expect_subscribed(second);
    assert_eq!(harness.sent, []);
    harness.receive(publication("absences", 10, 11, "1"));
    harness.expect_payload(&[first, second], "1");
}

#[test]
fn the_channel_is_unsubscribed_after_its_last_subscription() {
    let (mut harness, first) = Harness::subscribed("absences");
    let second = harness.subscribe("absences");
    harness.expect_subscribed(second);
    harness.unsubscribe(first);
    assert_eq!(harness.next_event(), Event::UnsubscribeDone { subscription: first });
    assert_eq!(harness.sent, []);
    harness.receive(publication("absences", 10, 11, "1"));
    harness.expect_payload(&[second], "1");

    harness.unsubscribe(second);
    let request = harness.expect_unsubscribe().request;
    harness.expect_nothing();
    harness.unsubscribed(request);
    assert_eq!(harness.next_event(), Event::UnsubscribeDone { subscription: second });
}

#[test]
fn nothing_is_delivered_after_unsubscribe() {
    let (mut harness, first) = Harness::subscribed("absences");
    let connection = harness.connection.unwrap();
    let frame = publication("absences", 10, 11, "1").to_bytes();
    harness.client.handle_frame(harness.now(), connection, Some(frame.into()));
    harness.unsubscribe(first);
    harness.receive(publication("absences", 11, 12, "2"));
    let request = harness.expect_unsubscribe().request;
    harness.expect_nothing();
    harness.unsubscribed(request);
    assert_eq!(harness.next_event(), Event::UnsubscribeDone { subscription: first });
}

#[test]
fn unsubscribing_before_the_confirmation_leaves_no_subscription_behind() {
    let mut harness = Harness::default();
    let keeper = harness.subscribe("keeper");
    let early = harness.subscribe("absences");
    harness.establish();
    let (one, two) = (harness.expect_subscribe(), harness.expect_subscribe());
    let absences = if one.channel.as_ref().unwrap().name == "absences" { one } else { two };
    harness.unsubscribe(early);
    assert_eq!(harness.expect_subscribe_error(early).code.name(), "CLOSED");
    let unsubscribe = harness.expect_unsubscribe();
    assert_eq!(unsubscribe.channel_id(), channel_id("absences"));
    harness.receive(ToClient::Subscribed(Subscribed {
        request: absences.request,
        channel_id: channel_id("absences").into(),
        position: Some(position(3)),
        recovered: false,
        replay_end: 0,
    }));
    harness.receive(publication("absences", 3, 4, "1"));
    harness.expect_nothing();
    harness.unsubscribed(unsubscribe.request);
    assert_eq!(harness.next_event(), Event::UnsubscribeDone { subscription: early });
    let _ = keeper;
}

#[test]
fn the_refusal_of_a_cancelled_subscribe_does_not_end_the_next_one() {
    let (mut harness, _) = Harness::subscribed("keeper");
    let early = harness.subscribe("absences");
    let refused = harness.expect_subscribe();
    harness.unsubscribe(early);
    assert_eq!(harness.expect_subscribe_error(early).code.name(), "CLOSED");
    let unsubscribe = harness.expect_unsubscribe();
    let late = harness.subscribe("absences");
    let subscribe = harness.expect_subscribe();
    harness.refuse(refused.request, Code::PermissionMissing, 0);
    harness.refuse(unsubscribe.request, Code::NotSubscribed, 0);
    assert_eq!(harness.next_event(), Event::UnsubscribeDone { subscription: early });
    harness.expect_nothing();
    harness.sent.push_front(ToRelay::Subscribe(subscribe));
    harness.confirm("absences", 3);
    harness.expect_subscribed(late);
}

#[test]
fn a_subscribe_during_an_unsubscribe_subscribes_the_channel_again() {
    let (mut harness, first) = Harness::subscribed("absences");
    harness.unsubscribe(first);
    let unsubscribe = harness.expect_unsubscribe();
    let second = harness.subscribe("absences");
    let subscribe = harness.expect_subscribe();
    assert_eq!(subscribe.since, None);
    // This publication belongs to the first subscription.
    harness.receive(publication("absences", 10, 11, "old"));
    harness.unsubscribed(unsubscribe.request);
    assert_eq!(harness.next_event(), Event::UnsubscribeDone { subscription: first });
    harness.sent.push_front(ToRelay::Subscribe(subscribe));
    harness.confirm("absences", 11);
    harness.expect_subscribed(second);
    harness.receive(publication("absences", 11, 12, "new"));
    harness.expect_payload(&[second], "new");
}

#[test]
fn an_incomplete_replay_is_reported_before_its_messages() {
    let mut harness = Harness::default();
    let subscription = harness.subscribe_with(channel("absences"), Some(60));
    harness.establish();
    let subscribe = harness.confirm_at("absences", position(10), false);
    assert_eq!(subscribe.since, Some(Since::ReplaySeconds(60)));
    harness.expect_subscribed(subscription);
    let gap = Gap { from: None, to: position(10), reason: GapReason::Evicted };
    assert_eq!(harness.expect_notice(&[subscription]), Notice::Gap(gap));
    harness.receive(publication("absences", 10, 11, "1"));
    harness.expect_payload(&[subscription], "1");
}

#[test]
fn a_later_subscription_gets_its_replay_and_the_others_receive_nothing_twice() {
    let (mut harness, first) = Harness::subscribed("absences");
    harness.receive(publication("absences", 10, 11, "1"));
    harness.expect_payload(&[first], "1");
    let second = harness.subscribe_with(channel("absences"), Some(60));
    harness.expect_unsubscribe();
    // This publication arrives while the client subscribes again.
    harness.receive(publication("absences", 11, 12, "2"));
    harness.expect_payload(&[first], "2");
    let subscribe = harness.confirm("absences", 9);
    assert_eq!(subscribe.since, Some(Since::ReplaySeconds(60)));
    harness.expect_subscribed(second);
    for (previous, offset, payload) in [(9, 10, "0"), (10, 11, "1"), (11, 12, "2")] {
        harness.receive(publication("absences", previous, offset, payload));
        harness.expect_payload(&[second], payload);
    }
    harness.receive(publication("absences", 12, 13, "3"));
    harness.expect_payload(&[first, second], "3");
    harness.expect_nothing();
}

#[test]
fn subscriptions_confirmed_together_each_get_their_own_replay() {
    let mut harness = Harness { now_ms: 100_000, ..Harness::default() };
    let live = harness.subscribe("absences");
    let replayed = harness.subscribe_with(channel("absences"), Some(50));
    harness.establish();
    harness.confirm_replay("absences", 10, 100_000);
    harness.expect_subscribed(live);
    harness.expect_subscribed(replayed);
    // The fixtures' publications bear a time shortly after the start of the clock.
    harness.receive(publication("absences", 10, 11, "too old for both"));
    harness.receive(publication("absences", 11, 60_000, "old"));
    harness.expect_payload(&[replayed], "too old for both");
    harness.expect_payload(&[replayed], "old");
    harness.receive(publication("absences", 60_000, 100_000, "new"));
    harness.expect_payload(&[live, replayed], "new");
}

#[test]
fn a_replay_beyond_the_protocols_maximum_is_refused_at_once() {
    let mut harness = Harness::default();
    let subscription = harness.subscribe_with(channel("absences"), Some(121));
    assert_eq!(harness.expect_subscribe_error(subscription).code.name(), "REPLAY_TOO_LONG");
    assert_eq!(harness.connects, 0);
}

#[test]
fn a_scope_that_the_context_lacks_is_refused_once_the_context_is_known() {
    let mut harness = Harness::default();
    let spec = ChannelSpec { scope: Some(vec!["board".into()]), ..channel("absences") };
    let subscription = harness.subscribe_with(spec, None);
    let fetch = harness.expect_session_request(SessionReason::Connect);
    harness.provide(fetch, &[1]);
    let error = harness.expect_subscribe_error(subscription);
    assert_eq!(error.code.name(), "SCOPE_REFUSED");
    assert!(error.message.contains("'board'"), "{}", error.message);
}

#[test]
fn a_permanent_refusal_fails_the_subscribe_and_removes_the_subscription() {
    let mut harness = Harness::default();
    let subscription = harness.subscribe("absences");
    harness.establish();
    let request = harness.expect_subscribe().request;
    harness.refuse(request, Code::PermissionMissing, 0);
    assert_eq!(harness.expect_subscribe_error(subscription).code.name(), "PERMISSION_MISSING");
    harness.cut(None);
    harness.advance(120_000);
    assert_eq!(harness.connects, 1, "nothing needs a connection any longer");
}

#[test]
fn a_temporary_refusal_of_a_subscribe_is_retried() {
    let mut harness = Harness::default();
    let subscription = harness.subscribe("absences");
    harness.establish();
    let request = harness.expect_subscribe().request;
    harness.refuse(request, Code::RateLimited, 2_000);
    harness.advance(1_999);
    harness.expect_nothing();
    harness.advance(2_100);
    harness.confirm("absences", 4);
    harness.expect_subscribed(subscription);
}

#[test]
fn a_confirmation_of_another_channel_fails_the_subscribe() {
    let mut harness = Harness::default();
    let subscription = harness.subscribe("absences");
    harness.establish();
    harness.confirm("other", 4);
    assert_eq!(harness.expect_subscribe_error(subscription).code.name(), "TOKEN_IDENTITY");
    assert_eq!(harness.expect_unsubscribe().channel_id(), channel_id("other"));
}

#[test]
fn a_subscription_ended_by_the_relay_is_reported_and_removed() {
    let (mut harness, subscription) = Harness::subscribed("absences");
    harness.receive(ToClient::Ended(Ended {
        channel_id: channel_id("absences").into(),
        code: Code::TokenExpired.number(),
        message: "expired".into(),
    }));
    match harness.expect_notice(&[subscription]) {
        Notice::Ended(error) => assert_eq!(error.code.name(), "TOKEN_EXPIRED"),
        other => panic!("{other:?}"),
    }
    harness.receive(publication("absences", 10, 11, "1"));
    harness.expect_nothing();
    harness.unsubscribe(subscription);
    assert_eq!(harness.next_event(), Event::UnsubscribeDone { subscription });
    assert_eq!(harness.sent, []);
}

fn standings(harness: &mut Harness, of: SubscriptionId) -> Vec<Standing> {
    let events = std::mem::take(&mut harness.events);
    let standing = |event: Event| match event {
        Event::Standing { subscription, standing } if subscription == of => Some(standing),
        _ => None,
    };
    events.into_iter().filter_map(standing).collect()
}

#[test]
fn changes_of_a_subscriptions_standing_are_reported() {
    let mut harness = Harness::default();
    let subscription = harness.subscribe("absences");
    harness.establish();
    harness.confirm("absences", 10);
    assert_eq!(standings(&mut harness, subscription), [Standing::Subscribed]);
    harness.cut(None);
    assert_eq!(standings(&mut harness, subscription), [Standing::Resuming]);
    harness.advance_to_attempt();
    harness.establish();
    harness.confirm("absences", 10);
    assert_eq!(standings(&mut harness, subscription), [Standing::Subscribed]);
    harness.unsubscribe(subscription);
    assert_eq!(standings(&mut harness, subscription), []);
}
