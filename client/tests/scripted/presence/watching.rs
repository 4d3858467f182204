//! The members that the relay states and changes.

use super::*;
use sealwire_protocol::wire::PresenceEnded;

#[test]
fn a_presence_begins_with_all_members_and_continues_with_each_change() {
    let mut harness = Harness::default();
    let subscription = harness.open_presence();
    harness.establish();
    harness.watched();
    harness.expect_subscribed(subscription);
    harness.state(4, vec![entry(ANNA, 1), entry(BEN, 2)]);
    let (changed, left) = harness.expect_members(&[subscription]);
    assert_eq!((data(&changed), left.len()), (vec!["1", "2"], 0));
    assert_eq!((changed[0].id, changed[0].account.as_str(), changed[0].is_self), (ANNA, "account", false));
    harness.changes(5, vec![entry(ANNA, 3)], &[BEN]);
    let (changed, left) = harness.expect_members(&[subscription]);
    assert_eq!((data(&changed), left), (vec!["3"], vec![BEN]));
    assert_eq!(data(&harness.client.members(subscription)), ["3"]);
    harness.expect_nothing();
}

#[test]
fn an_empty_presence_is_reported_too() {
    let mut harness = Harness::default();
    let subscription = harness.open_presence();
    harness.establish();
    harness.watched();
    harness.expect_subscribed(subscription);
    harness.state(0, vec![]);
    assert_eq!(harness.expect_members(&[subscription]), (vec![], vec![]));
}

#[test]
fn the_pieces_of_a_state_and_of_a_batch_are_one_event_each() {
    let (mut harness, subscription) = Harness::present(vec![]);
    harness.reconnect();
    harness.watched();
    let pieces = [(true, vec![entry(ANNA, 1)]), (false, vec![entry(BEN, 2)])];
    for (more, entries) in pieces {
        harness.receive(ToClient::Presence(Presence { more, ..message(7, true, entries, &[]) }));
    }
    assert_eq!(data(&harness.expect_members(&[subscription]).0), ["1", "2"]);
    harness.receive(ToClient::Presence(Presence { more: true, ..message(8, false, vec![], &[ANNA]) }));
    harness.expect_nothing();
    harness.changes(8, vec![], &[BEN]);
    assert_eq!(harness.expect_members(&[subscription]).1, [ANNA, BEN]);
}

#[test]
fn a_hole_in_the_versions_requests_the_state_once() {
    let (mut harness, subscription) = Harness::present(vec![entry(ANNA, 1), entry(BEN, 1)]);
    harness.changes(3, vec![entry(ANNA, 2)], &[]);
    let request = harness.expect_watch().request;
    harness.changes(4, vec![entry(ANNA, 3)], &[]);
    harness.expect_nothing();
    harness.accept(request);
    harness.state(4, vec![entry(ANNA, 3)]);
    let (changed, left) = harness.expect_members(&[subscription]);
    assert_eq!((data(&changed), left), (vec!["3"], vec![BEN]), "a member that left is gone at once");
    harness.expect_nothing();
}

#[test]
fn a_lower_number_replaces_nothing() {
    let (mut harness, _) = Harness::present(vec![entry(ANNA, 5)]);
    harness.changes(2, vec![entry(ANNA, 4)], &[]);
    harness.changes(3, vec![entry(ANNA, 5)], &[]);
    harness.expect_nothing();
}

#[test]
fn members_do_not_flicker_when_a_relay_that_lost_everything_comes_back() {
    let (mut harness, subscription) = Harness::present(vec![entry(ANNA, 1), entry(BEN, 1)]);
    harness.reconnect();
    harness.watched();
    harness.state(0, vec![]);
    let (changed, left) = harness.expect_members(&[subscription]);
    assert!(changed.iter().all(|member| member.in_grace) && left.is_empty(), "{changed:?}");
    harness.changes(1, vec![entry(ANNA, 1)], &[]);
    let (changed, left) = harness.expect_members(&[subscription]);
    assert_eq!((changed[0].id, changed[0].in_grace, left.len()), (ANNA, false, 0));
    harness.advance(14_000);
    harness.ping();
    harness.sent.clear();
    harness.expect_nothing();
    harness.advance(1_000);
    assert_eq!(harness.expect_members(&[subscription]), (vec![], vec![BEN]));
    assert_eq!(data(&harness.client.members(subscription)), ["1"]);
}

#[test]
fn a_member_in_grace_is_shown_so_until_the_grace_time_has_passed() {
    let in_grace = PresenceEntry { in_grace: true, ..entry(ANNA, 1) };
    let (mut harness, subscription) = Harness::present(vec![in_grace]);
    assert!(harness.client.members(subscription)[0].in_grace);
    harness.advance(15_000);
    let (changed, left) = harness.expect_members(&[subscription]);
    assert_eq!((changed[0].in_grace, left.len()), (false, 0));
}

#[test]
fn a_second_presence_of_the_channel_shares_the_first_one_and_begins_with_all_members() {
    let (mut harness, first) = Harness::present(vec![entry(ANNA, 1)]);
    let second = harness.open_presence();
    harness.expect_subscribed(second);
    assert_eq!(data(&harness.expect_members(&[second]).0), ["1"]);
    harness.changes(2, vec![entry(BEN, 2)], &[]);
    assert_eq!(data(&harness.expect_members(&[first, second]).0), ["2"]);
    harness.unsubscribe(first);
    assert_eq!(harness.next_event(), Event::UnsubscribeDone { subscription: first });
    harness.unsubscribe(second);
    let unwatch = harness.expect_unwatch();
    assert_eq!(unwatch.channel_id(), channel_id(NAME));
    harness.accept(unwatch.request);
    assert_eq!(harness.next_event(), Event::UnsubscribeDone { subscription: second });
}

#[test]
fn presence_and_messages_of_a_channel_are_independent_of_each_other() {
    let (mut harness, subscription) = Harness::subscribed(NAME);
    let presence = harness.open_presence();
    harness.watched();
    harness.expect_subscribed(presence);
    harness.state(1, vec![entry(ANNA, 1)]);
    harness.expect_members(&[presence]);
    harness.receive(publication(NAME, 10, 11, "1"));
    harness.expect_payload(&[subscription], "1");
    harness.unsubscribe(presence);
    harness.expect_unwatch();
    harness.receive(publication(NAME, 11, 12, "2"));
    assert!(matches!(harness.events.pop_back(), Some(Event::Message { .. })));
}

#[test]
fn a_refused_presence_fails_and_leaves_the_subscriptions_alone() {
    for code in [Code::PermissionMissing, Code::PresenceUnsupported] {
        let (mut harness, subscription) = Harness::subscribed("messages");
        let presence = harness.open_presence();
        let request = harness.expect_watch().request;
        harness.refuse(request, code, 0);
        assert_eq!(harness.expect_subscribe_error(presence).code.name(), code.name());
        harness.receive(publication("messages", 10, 11, "1"));
        harness.expect_payload(&[subscription], "1");
    }
}

#[test]
fn a_relay_of_an_earlier_version_ends_the_presence_and_not_the_subscriptions() {
    let (mut harness, subscription) = Harness::subscribed("messages");
    let presence = harness.open_presence();
    harness.expect_watch();
    harness.goodbye(Code::MalformedFrame, 0);
    assert_eq!(harness.expect_subscribe_error(presence).code.name(), "PRESENCE_UNSUPPORTED");
    harness.connection = None;
    harness.advance_to_attempt();
    harness.establish();
    harness.confirm("messages", 10);
    harness.receive(publication("messages", 10, 11, "1"));
    harness.expect_payload(&[subscription], "1");
}

#[test]
fn a_presence_that_the_relay_ends_for_good_is_over_and_one_ended_for_now_returns() {
    let ended = |code: Code| {
        let channel_id = channel_id(NAME).into();
        ToClient::PresenceEnded(PresenceEnded { channel_id, code: code.number(), message: "why".into() })
    };
    let (mut harness, subscription) = Harness::present(vec![]);
    harness.receive(ended(Code::Overloaded));
    harness.advance(4_000);
    harness.watched();
    harness.forget_states();
    harness.receive(ended(Code::PermissionMissing));
    let notice = harness.expect_notice(&[subscription]);
    assert!(matches!(notice, Notice::Ended(error) if error.code.name() == "PERMISSION_MISSING"));
    let call = harness.enter(subscription, "{}");
    assert_eq!(harness.expect_enter_error(call).code.name(), "NOT_SUBSCRIBED");
}
