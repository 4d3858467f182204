//! Entries with the signature of a page, which the host verifies.

use super::*;
use sealwire_client::{Config, SignedText, VerificationId};
use sealwire_protocol::{Signature, encode_base64url};

const SIGNATURE: Signature = Signature([7; Signature::LEN]);

/// Returns a client whose host verifies signatures, with an open presence of version 1.
fn present(members: Vec<PresenceEntry>) -> (Harness, SubscriptionId) {
    let mut harness = Harness::with(Config { verifies_signatures: true, ..Config::default() });
    let subscription = harness.open_presence();
    harness.establish();
    harness.watched();
    harness.expect_subscribed(subscription);
    harness.state(1, members);
    (harness, subscription)
}

/// Takes the request for a verification.
fn requested(harness: &mut Harness) -> VerificationId {
    match harness.next_event() {
        Event::VerifyRequested { verification, .. } => verification,
        other => panic!("{other:?}"),
    }
}

fn answer(harness: &mut Harness, verification: VerificationId, is_valid: bool) {
    harness.client.handle_verified(harness.now(), verification, is_valid);
    harness.drain();
}

/// Takes an event with members, and returns their data, their accounts and whether the host verified them.
fn shown(harness: &mut Harness, subscription: SubscriptionId) -> Vec<(String, String, bool)> {
    let (changed, left) = harness.expect_members(&[subscription]);
    assert_eq!(left, [[0; 16]; 0]);
    changed.into_iter().map(|member| (member.data, member.account, member.is_verified)).collect()
}

fn verified(data: &str) -> (String, String, bool) {
    (data.into(), "anna".into(), true)
}

fn claimed(data: &str) -> (String, String, bool) {
    (data.into(), "account".into(), false)
}

#[test]
fn a_verified_signature_proves_the_account_and_other_entries_do_not_wait_for_it() {
    let (mut harness, subscription) = present(vec![]);
    assert_eq!(shown(&mut harness, subscription), []);
    harness.changes(2, vec![signed_entry("anna", ANNA, 1), entry(BEN, 2)], &[]);
    let Event::VerifyRequested { verification, signed, certificate } = harness.next_event() else {
        panic!("no request")
    };
    let content = signed_content("anna", "anna", 1, LATER_MS);
    let (text, signer) = (place(ANNA, 1).signed_text(&content), encode_base64url([5; 65]));
    assert_eq!(*signed, SignedText { signer, text, signature: SIGNATURE });
    let certificate = *certificate.unwrap();
    assert_eq!((certificate.signer.as_str(), certificate.signature), ("signer 1", Signature([6; 64])));
    assert_eq!(shown(&mut harness, subscription), [claimed("2")]);
    answer(&mut harness, verification, true);
    assert_eq!(shown(&mut harness, subscription), [verified("1")]);
    answer(&mut harness, verification, false);
    harness.expect_nothing();
}

#[test]
fn the_first_state_is_complete_once_its_signatures_are_verified() {
    let (mut harness, subscription) = present(vec![signed_entry("anna", ANNA, 1), entry(BEN, 2)]);
    let verification = requested(&mut harness);
    harness.expect_nothing();
    let second = harness.open_presence();
    harness.expect_subscribed(second);
    harness.expect_nothing();
    answer(&mut harness, verification, true);
    let (changed, _) = harness.expect_members(&[subscription, second]);
    assert_eq!(data(&changed), ["1", "2"]);
    // Later ones do not wait.
    harness.reconnect();
    harness.watched();
    harness.state(1, vec![signed_entry("anna", ANNA, 3), entry(BEN, 4)]);
    let verification = requested(&mut harness);
    let (changed, _) = harness.expect_members(&[subscription, second]);
    assert_eq!(data(&changed), ["4"]);
    assert_eq!(data(&harness.client.members(subscription)), ["1", "4"], "the former entry stays meanwhile");
    answer(&mut harness, verification, true);
    assert_eq!(data(&harness.expect_members(&[subscription, second]).0), ["3"]);
}

#[test]
fn a_false_signature_is_refused_and_never_shown_as_unsigned() {
    let (mut harness, subscription) = present(vec![]);
    harness.expect_members(&[subscription]);
    harness.changes(2, vec![signed_entry("anna", ANNA, 1)], &[]);
    let verification = requested(&mut harness);
    answer(&mut harness, verification, false);
    assert_eq!(harness.expect_refusal(subscription), "SENDER_UNVERIFIED");
    harness.expect_nothing();
    assert!(harness.client.members(subscription).is_empty());
}

#[test]
fn an_account_that_contradicts_its_certificate_and_an_expired_certificate_are_refused_unseen() {
    for verifies_signatures in [true, false] {
        let mut harness = Harness::with(Config { verifies_signatures, ..Config::default() });
        let subscription = harness.open_presence();
        harness.establish();
        harness.watched();
        harness.expect_subscribed(subscription);
        harness.state(1, vec![]);
        harness.expect_members(&[subscription]);
        for (version, entry) in (2..).zip([
            sealed_entry(ANNA, 1, &signed_content("anna", "mary", 1, LATER_MS)),
            sealed_entry(ANNA, 1, &signed_content("", "mary", 1, LATER_MS)),
            sealed_entry(ANNA, 1, &signed_content("anna", "anna", 1, TIME_MS.get() - 1)),
        ]) {
            harness.changes(version, vec![entry], &[]);
            assert_eq!(harness.expect_refusal(subscription), "SENDER_UNVERIFIED");
            harness.expect_nothing();
        }
        assert!(harness.client.members(subscription).is_empty());
    }
}

#[test]
fn a_host_that_does_not_verify_gets_the_account_as_a_claim() {
    let (harness, subscription) = Harness::present(vec![signed_entry("anna", ANNA, 1)]);
    let members = harness.client.members(subscription);
    assert_eq!((members[0].account.as_str(), members[0].is_verified), ("anna", false));
}

#[test]
fn the_entries_of_a_member_keep_their_order_whatever_the_order_of_the_answers() {
    let (mut harness, subscription) = present(vec![]);
    harness.expect_members(&[subscription]);
    harness.changes(2, vec![signed_entry("anna", ANNA, 1)], &[]);
    let first = requested(&mut harness);
    harness.changes(3, vec![signed_entry("anna", ANNA, 2)], &[]);
    let second = requested(&mut harness);
    answer(&mut harness, second, true);
    assert_eq!(shown(&mut harness, subscription), [verified("2")]);
    answer(&mut harness, first, true);
    harness.expect_nothing();
    assert_eq!(data(&harness.client.members(subscription)), ["2"]);
}

#[test]
fn a_member_that_changes_during_each_verification_is_shown_nevertheless() {
    let (mut harness, subscription) = present(vec![]);
    harness.expect_members(&[subscription]);
    let mut former = None;
    for number in 1..10 {
        harness.changes(1 + number, vec![signed_entry("anna", ANNA, number)], &[]);
        let next = requested(&mut harness);
        if let Some(verification) = former.replace(next) {
            answer(&mut harness, verification, true);
            assert_eq!(shown(&mut harness, subscription), [verified(&(number - 1).to_string())]);
        }
    }
}

#[test]
fn a_member_that_leaves_during_the_verification_does_not_appear() {
    let (mut harness, subscription) = present(vec![]);
    harness.expect_members(&[subscription]);
    harness.changes(2, vec![signed_entry("anna", ANNA, 1)], &[]);
    let verification = requested(&mut harness);
    harness.changes(3, vec![], &[ANNA]);
    answer(&mut harness, verification, true);
    harness.expect_nothing();
}

#[test]
fn an_unsigned_entry_of_a_verified_member_is_a_claim_again() {
    let (mut harness, subscription) = present(vec![]);
    harness.expect_members(&[subscription]);
    harness.changes(2, vec![signed_entry("anna", ANNA, 1)], &[]);
    let verification = requested(&mut harness);
    answer(&mut harness, verification, true);
    assert_eq!(shown(&mut harness, subscription), [verified("1")]);
    harness.changes(3, vec![entry(ANNA, 2)], &[]);
    assert_eq!(shown(&mut harness, subscription), [claimed("2")]);
}

#[test]
fn a_flood_of_entries_that_await_verification_is_bounded() {
    let (mut harness, subscription) = present(vec![]);
    harness.expect_members(&[subscription]);
    let mut content = signed_content("anna", "anna", 1, LATER_MS);
    content.data = "1".repeat(8_000);
    let entries = (1..=1_100).map(|number| sealed_entry(ANNA, number, &content));
    harness.changes(2, entries.collect(), &[]);
    let requests =
        harness.events.iter().filter(|event| matches!(event, Event::VerifyRequested { .. })).count();
    assert_eq!(requests, 1_100);
    harness.events.retain(|event| matches!(event, Event::Notice { .. }));
    assert_eq!(harness.expect_refusal(subscription), "TOO_MANY_MEMBERS");
}
