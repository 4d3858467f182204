//! Entries that do not open, or not yet.

use super::*;
use sealwire_client::SessionReason;

#[test]
fn an_entry_under_an_unknown_key_waits_for_the_session_that_has_it() {
    let (mut harness, subscription) = Harness::present(vec![]);
    harness.changes(2, vec![entry_sealed(2, ANNA, 1, TIME_MS.get()), entry(BEN, 2)], &[]);
    assert_eq!(data(&harness.expect_members(&[subscription]).0), ["2"], "other members do not wait");
    harness.advance(2_000);
    let fetch = harness.expect_session_request(SessionReason::UnknownKey);
    harness.provide(fetch, &[2, 1]);
    assert_eq!(data(&harness.expect_members(&[subscription]).0), ["1"]);
}

#[test]
fn a_member_that_leaves_before_its_key_arrives_does_not_appear() {
    let (mut harness, _) = Harness::present(vec![]);
    harness.changes(2, vec![entry_sealed(2, ANNA, 1, TIME_MS.get())], &[]);
    harness.changes(3, vec![], &[ANNA]);
    harness.advance(2_000);
    let fetch = harness.expect_session_request(SessionReason::UnknownKey);
    harness.provide(fetch, &[2, 1]);
    harness.expect_refresh();
    harness.expect_nothing();
}

#[test]
fn a_member_keeps_its_former_entry_until_the_key_of_the_next_one_arrives() {
    let (mut harness, subscription) = Harness::present(vec![entry(ANNA, 1)]);
    harness.changes(2, vec![entry_sealed(2, ANNA, 2, TIME_MS.get())], &[]);
    assert_eq!(data(&harness.client.members(subscription)), ["1"]);
    harness.advance(2_000);
    let fetch = harness.expect_session_request(SessionReason::UnknownKey);
    harness.provide(fetch, &[2, 1]);
    assert_eq!(data(&harness.expect_members(&[subscription]).0), ["2"]);
}

#[test]
fn an_entry_that_is_not_sealed_again_disappears_when_it_is_too_old() {
    let (mut harness, subscription) = Harness::present(vec![entry(ANNA, 1)]);
    harness.pass_healthy(14 * MINUTE_MS);
    harness.changes(2, vec![entry(BEN, 1)], &[]);
    assert_eq!(data(&harness.expect_members(&[subscription]).0), ["1"]);
    harness.pass_healthy(MINUTE_MS);
    assert_eq!(harness.expect_members(&[subscription]), (vec![], vec![ANNA]));
}

#[test]
fn an_entry_of_an_uncertain_age_waits_for_the_time() {
    let (mut harness, subscription) = Harness::present(vec![]);
    harness.pass_healthy(20_000);
    harness.changes(2, vec![entry_sealed(1, ANNA, 1, TIME_MS.get() + 2 * MINUTE_MS)], &[]);
    let fetch = harness.expect_session_request(SessionReason::Refresh);
    harness.provide(fetch, &[1]);
    assert_eq!(harness.expect_refusal(subscription), "MESSAGE_STALE");
}
