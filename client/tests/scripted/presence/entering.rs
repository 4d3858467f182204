//! The page's own member.

use super::*;

#[test]
fn a_page_enters_updates_and_leaves() {
    let (mut harness, subscription) = Harness::present(vec![]);
    let enter = harness.entered(subscription, "{\"name\":\"Anna\"}");
    let sealed = content(&enter);
    assert_eq!(sealed.data, "{\"name\":\"Anna\"}");
    assert_eq!((sealed.sealed_at, sealed.entered_at.0), (UnixMillis(enter.number), sealed.sealed_at.0));
    harness.changes(2, vec![reported(&enter)], &[]);
    assert!(harness.expect_members(&[subscription]).0[0].is_self);
    harness.advance(1_000);
    let update = harness.entered(subscription, "2");
    assert_eq!((update.member.clone(), update.number > enter.number), (enter.member.clone(), true));
    assert_eq!(content(&update).entered_at, sealed.entered_at);
    let call = harness.leave(subscription);
    let leave = harness.expect_leave();
    assert_eq!((leave.member, leave.channel_id.len()), (enter.member, 16));
    harness.accept(leave.request);
    harness.expect_entered(call);
    harness.expect_nothing();
}

#[test]
fn data_that_changes_while_a_request_is_under_way_is_sent_once_and_completes_every_call() {
    let (mut harness, subscription) = Harness::present(vec![]);
    let calls: Vec<EnterId> = ["1", "2", "3"].map(|data| harness.enter(subscription, data)).into();
    let first = harness.expect_enter();
    assert_eq!((content(&first).data.as_str(), harness.sent.len()), ("1", 0));
    harness.accept(first.request);
    let last = harness.expect_enter();
    assert_eq!(content(&last).data, "3");
    harness.expect_nothing();
    harness.accept(last.request);
    calls.into_iter().for_each(|call| harness.expect_entered(call));
}

#[test]
fn a_reconnect_sends_the_same_entry_again() {
    let (mut harness, subscription) = Harness::present(vec![]);
    let enter = harness.entered(subscription, "1");
    harness.reconnect();
    harness.watched();
    let again = harness.expect_enter();
    assert_eq!((again.member, again.number, again.sealed), (enter.member, enter.number, enter.sealed));
}

#[test]
fn a_call_without_a_connection_completes_after_the_reconnect() {
    let (mut harness, subscription) = Harness::present(vec![]);
    harness.cut(None);
    let call = harness.enter(subscription, "1");
    harness.advance_to_attempt();
    harness.establish();
    harness.watched();
    let enter = harness.expect_enter();
    harness.accept(enter.request);
    harness.expect_entered(call);
}

#[test]
fn an_entry_is_sealed_again_within_ten_minutes() {
    let (mut harness, subscription) = Harness::present(vec![]);
    let enter = harness.entered(subscription, "1");
    let mut passed = 0;
    while harness.sent.is_empty() {
        harness.pass_healthy(1_000);
        passed += 1;
        assert!(passed <= 600, "the entry is older than ten minutes");
    }
    let again = harness.expect_enter();
    assert!(again.number > enter.number && again.member == enter.member);
    let age = content(&again).sealed_at.0 - content(&enter).sealed_at.0;
    assert!((7 * MINUTE_MS..=10 * MINUTE_MS).contains(&age), "{age}");
    harness.accept(again.request);
    harness.forget_states();
    harness.expect_nothing();
}

#[test]
fn an_entry_is_sealed_again_under_a_newer_key() {
    let (mut harness, subscription) = Harness::present(vec![]);
    let enter = harness.entered(subscription, "1");
    harness.changes(2, vec![entry_sealed(2, ANNA, 1, TIME_MS.get())], &[]);
    harness.advance(2_000);
    let fetch = harness.expect_session_request(sealwire_client::SessionReason::UnknownKey);
    harness.provide(fetch, &[2, 1]);
    harness.expect_refresh();
    let again = harness.expect_enter();
    assert_eq!((&again.sealed[1..5], again.number > enter.number), (&key(2).id().0[..], true));
}

#[test]
fn a_member_id_that_the_relay_refuses_is_replaced() {
    for code in [Code::MemberConflict, Code::EntryOutdated] {
        let (mut harness, subscription) = Harness::present(vec![]);
        let call = harness.enter(subscription, "1");
        let refused = harness.expect_enter();
        harness.refuse(refused.request, code, 0);
        let again = harness.expect_enter();
        assert_ne!(again.member, refused.member);
        harness.accept(again.request);
        harness.expect_entered(call);
    }
}

#[test]
fn a_relay_that_refuses_every_member_id_fails_the_call() {
    let (mut harness, subscription) = Harness::present(vec![]);
    let call = harness.enter(subscription, "1");
    for _ in 0..4 {
        let refused = harness.expect_enter();
        harness.refuse(refused.request, Code::MemberConflict, 0);
    }
    assert_eq!(harness.expect_enter_error(call).code.name(), "MEMBER_CONFLICT");
    harness.expect_nothing();
}

#[test]
fn a_temporary_refusal_is_retried_and_a_full_presence_fails_the_call() {
    let (mut harness, subscription) = Harness::present(vec![]);
    let call = harness.enter(subscription, "1");
    let request = harness.expect_enter().request;
    harness.refuse(request, Code::RateLimited, 500);
    harness.expect_nothing();
    harness.advance(1_001);
    let request = harness.expect_enter().request;
    harness.refuse(request, Code::TooManyMembers, 0);
    assert_eq!(harness.expect_enter_error(call).code.name(), "TOO_MANY_MEMBERS");
    harness.advance(5_000);
    harness.expect_nothing();
}

#[test]
fn too_much_data_is_refused_before_it_is_sent() {
    let (mut harness, subscription) = Harness::present(vec![]);
    let call = harness.enter(subscription, &"1".repeat(3_073));
    assert_eq!(harness.expect_enter_error(call).code.name(), "INVALID_ARGUMENT");
    harness.expect_nothing();
    let call = harness.enter(subscription, &"1".repeat(3_072));
    let request = harness.expect_enter().request;
    harness.accept(request);
    harness.expect_entered(call);
}

#[test]
fn the_member_leaves_with_the_last_presence_that_entered() {
    let (mut harness, first) = Harness::present(vec![]);
    let second = harness.open_presence();
    harness.expect_subscribed(second);
    harness.expect_members(&[second]);
    let enter = harness.entered(first, "1");
    let update = harness.entered(second, "2");
    assert_eq!(update.member, enter.member, "a session has one member on a channel");
    harness.unsubscribe(first);
    assert_eq!(harness.next_event(), Event::UnsubscribeDone { subscription: first });
    harness.expect_nothing();
    harness.unsubscribe(second);
    assert_eq!(harness.expect_leave().member, enter.member);
    harness.expect_unwatch();
}

#[test]
fn a_page_that_is_loaded_again_stays_the_same_member() {
    let mut harness = Harness::default();
    let former = Some((ANNA, UNIX_START - 5_000));
    let subscription = harness.client.subscribe_presence(harness.now(), channel(NAME), former, None);
    harness.drain();
    harness.establish();
    harness.watched();
    harness.expect_subscribed(subscription);
    let enter = harness.entered(subscription, "1");
    assert_eq!(enter.member[..], ANNA);
    assert_eq!(content(&enter).entered_at.0, UNIX_START - 5_000);
}

#[test]
fn a_member_that_the_relay_removed_returns() {
    let (mut harness, subscription) = Harness::present(vec![]);
    let enter = harness.entered(subscription, "1");
    harness.changes(2, vec![reported(&enter)], &[]);
    harness.changes(3, vec![], &[MemberId::try_from(&enter.member[..]).unwrap()]);
    harness.advance(1_000);
    assert_eq!(harness.expect_enter().number, enter.number);
}

#[test]
fn calls_that_wait_end_with_the_client() {
    let (mut harness, subscription) = Harness::present(vec![]);
    let call = harness.enter(subscription, "1");
    harness.client.close();
    harness.drain();
    harness.forget_states();
    assert_eq!(harness.expect_enter_error(call).code.name(), "CLOSED");
}
