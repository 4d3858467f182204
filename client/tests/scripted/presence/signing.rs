//! Entries that the page signs with a key of its own, which its session certifies.

use super::*;
use sealwire_client::{FetchId, SessionReason, SigningId};
use sealwire_protocol::{AuthorSignature, Signature};

const SIGNATURE: Signature = Signature([7; Signature::LEN]);

/// Returns a connected client with an open presence, whose session certifies the page if `is_certified`.
fn present(is_certified: bool) -> (Harness, SubscriptionId) {
    let mut harness = Harness::default();
    let subscription = harness.open_presence();
    let fetch = harness.expect_session_request(SessionReason::Connect);
    match is_certified {
        true => harness.provide_certified(fetch, &[1]),
        false => harness.provide(fetch, &[1]),
    }
    harness.establish();
    harness.watched();
    harness.expect_subscribed(subscription);
    harness.state(1, vec![]);
    harness.expect_members(&[subscription]);
    (harness, subscription)
}

fn enter_signed(harness: &mut Harness, subscription: SubscriptionId, data: &str) -> EnterId {
    let enter = harness.client.enter(harness.now(), subscription, data.into(), true);
    harness.drain();
    enter
}

/// Takes the request for a signature.
fn requested(harness: &mut Harness) -> (SigningId, Vec<u8>) {
    match harness.next_event() {
        Event::SignRequested { signing, text } => (signing, text),
        other => panic!("{other:?}"),
    }
}

fn sign(harness: &mut Harness, signing: SigningId, signature: Option<Signature>) {
    harness.client.handle_signed(harness.now(), signing, signature);
    harness.drain();
}

/// Enters, and returns the signed entry that the relay accepted.
fn entered(harness: &mut Harness, subscription: SubscriptionId, data: &str) -> PresenceEnter {
    let call = enter_signed(harness, subscription, data);
    let signing = requested(harness).0;
    sign(harness, signing, Some(SIGNATURE));
    let enter = harness.expect_enter();
    harness.accept(enter.request);
    harness.expect_entered(call);
    enter
}

fn signed_place(enter: &PresenceEnter) -> EntryPlace {
    place(MemberId::try_from(&enter.member[..]).unwrap(), enter.number)
}

#[test]
fn the_host_signs_an_entry_with_the_certificate_and_account_of_the_session() {
    let (mut harness, subscription) = present(true);
    let call = enter_signed(&mut harness, subscription, "1");
    let (signing, text) = requested(&mut harness);
    harness.expect_nothing();
    sign(&mut harness, signing, Some(SIGNATURE));
    let enter = harness.expect_enter();
    let entry = content(&enter);
    assert_eq!((entry.account.as_str(), entry.data.as_str()), ("anna", "1"));
    assert_eq!(text, signed_place(&enter).signed_text(&entry));
    let AuthorSignature { certificate, signature } = entry.signature.unwrap();
    assert_eq!((certificate.unwrap().account(), signature), ("anna", SIGNATURE));
    harness.accept(enter.request);
    harness.expect_entered(call);
    harness.expect_nothing();
}

#[test]
fn a_reconnect_sends_the_same_signed_entry_again() {
    let (mut harness, subscription) = present(true);
    let enter = entered(&mut harness, subscription, "1");
    harness.reconnect();
    harness.watched();
    let again = harness.expect_enter();
    assert_eq!((again.number, again.sealed), (enter.number, enter.sealed));
    harness.expect_nothing();
}

#[test]
fn an_entry_that_is_sealed_again_is_signed_again() {
    let (mut harness, subscription) = present(true);
    let enter = entered(&mut harness, subscription, "1");
    let mut passed = 0;
    while !harness.events.iter().any(|event| matches!(event, Event::SignRequested { .. })) {
        harness.advance(1_000);
        harness.ping();
        harness.sent.clear();
        passed += 1;
        assert!(passed <= 600, "the entry is older than ten minutes");
        if let Some(Event::SessionRequested { fetch, certify, .. }) = harness.events.front().cloned() {
            assert!(certify, "later sessions certify the page as well");
            harness.events.pop_front();
            harness.provide_certified(fetch, &[1]);
            let refresh = harness.expect_refresh();
            harness.refreshed(refresh.request);
        }
    }
    let signing = requested(&mut harness).0;
    sign(&mut harness, signing, Some(SIGNATURE));
    let again = harness.expect_enter();
    assert!(again.number > enter.number && content(&again).signature.is_some());
}

#[test]
fn data_that_changes_during_a_signature_is_signed_after_the_earlier_entry_is_sent() {
    let (mut harness, subscription) = present(true);
    let first = enter_signed(&mut harness, subscription, "1");
    let signing = requested(&mut harness).0;
    let calls = ["2", "3"].map(|data| enter_signed(&mut harness, subscription, data));
    harness.expect_nothing();
    sign(&mut harness, signing, Some(SIGNATURE));
    let enter = harness.expect_enter();
    assert_eq!(content(&enter).data, "1");
    harness.accept(enter.request);
    let signing = requested(&mut harness).0;
    sign(&mut harness, signing, Some(SIGNATURE));
    let last = harness.expect_enter();
    assert_eq!((content(&last).data.as_str(), last.number > enter.number), ("3", true));
    harness.accept(last.request);
    [first, calls[0], calls[1]].into_iter().for_each(|call| harness.expect_entered(call));
}

#[test]
fn a_signature_that_the_host_makes_while_the_connection_is_lost_is_requested_again() {
    let (mut harness, subscription) = present(true);
    let call = enter_signed(&mut harness, subscription, "1");
    let former = requested(&mut harness).0;
    harness.cut(None);
    sign(&mut harness, former, Some(SIGNATURE));
    harness.advance_to_attempt();
    harness.establish();
    harness.watched();
    harness.forget_states();
    let signing = requested(&mut harness).0;
    assert_ne!(signing, former);
    sign(&mut harness, signing, Some(SIGNATURE));
    let enter = harness.expect_enter();
    assert!(content(&enter).signature.is_some());
    harness.accept(enter.request);
    harness.expect_entered(call);
}

#[test]
fn a_member_stays_signed_if_another_presence_of_the_page_enters_without_a_signature() {
    let (mut harness, subscription) = present(true);
    entered(&mut harness, subscription, "1");
    harness.enter(subscription, "2");
    let signing = requested(&mut harness).0;
    sign(&mut harness, signing, Some(SIGNATURE));
    let update = harness.expect_enter();
    assert!(content(&update).signature.is_some());
    harness.accept(update.request);
    harness.events.clear();
    harness.leave(subscription);
    let request = harness.expect_leave().request;
    harness.accept(request);
    harness.events.clear();
    harness.entered(subscription, "3");
}

#[test]
fn a_session_without_a_certificate_is_replaced_before_the_page_enters() {
    let (mut harness, subscription) = present(false);
    let call = enter_signed(&mut harness, subscription, "1");
    assert_eq!(harness.sent, []);
    let fetch = harness.expect_session_request(SessionReason::Refresh);
    harness.provide_certified(fetch, &[1]);
    let refresh = harness.expect_refresh();
    harness.refreshed(refresh.request);
    let signing = requested(&mut harness).0;
    sign(&mut harness, signing, Some(SIGNATURE));
    let request = harness.expect_enter().request;
    harness.accept(request);
    harness.expect_entered(call);
}

/// Enters with a session that has no certificate, and answers the request for one by `answer`. Returns the error.
fn refused(answer: impl FnOnce(&mut Harness, FetchId)) -> ClientError {
    let (mut harness, subscription) = present(false);
    let call = enter_signed(&mut harness, subscription, "1");
    let fetch = harness.expect_session_request(SessionReason::Refresh);
    answer(&mut harness, fetch);
    harness.drain();
    let error = harness.expect_enter_error(call);
    harness.advance(3_000);
    harness.sent.retain(|sent| matches!(sent, ToRelay::PresenceEnter(_)));
    assert_eq!(harness.sent, []);
    error
}

#[test]
fn a_page_without_a_certificate_does_not_enter_unsigned() {
    let error = refused(|harness, fetch| harness.provide(fetch, &[1]));
    assert_eq!(error.code.name(), "SIGNING_UNAVAILABLE");
    let error = refused(|harness, fetch| {
        let error = ClientError::new(Code::PermissionMissing, "why");
        harness.client.handle_session_failed(harness.now(), fetch, error);
    });
    assert_eq!(error.code.name(), "PERMISSION_MISSING");
}

#[test]
fn a_host_that_cannot_sign_an_update_fails_the_call_and_the_member_leaves() {
    let (mut harness, subscription) = present(true);
    let enter = entered(&mut harness, subscription, "1");
    let call = enter_signed(&mut harness, subscription, "2");
    let signing = requested(&mut harness).0;
    sign(&mut harness, signing, None);
    assert_eq!(harness.expect_enter_error(call).code.name(), "SIGNING_UNAVAILABLE");
    assert_eq!(harness.expect_leave().member, enter.member);
    sign(&mut harness, signing, Some(SIGNATURE));
    harness.expect_nothing();
}

#[test]
fn a_function_that_fails_for_now_is_asked_again_and_the_call_waits() {
    let (mut harness, subscription) = present(false);
    let call = enter_signed(&mut harness, subscription, "1");
    for _ in 0..3 {
        let fetch = loop {
            match harness.events.pop_front() {
                Some(Event::SessionRequested { fetch, certify: true, .. }) => break fetch,
                Some(_) => {}
                None => {
                    harness.advance(1_000);
                    harness.ping();
                }
            }
        };
        let error = ClientError::new(Code::SessionUnavailable, "why");
        harness.client.handle_session_failed(harness.now(), fetch, error);
        harness.drain();
    }
    harness.advance_to_refresh();
    harness.events.retain(|event| !matches!(event, Event::State { .. }));
    let fetch = harness.expect_session_request(SessionReason::Refresh);
    harness.provide_certified(fetch, &[1]);
    harness.sent.clear();
    let signing = requested(&mut harness).0;
    sign(&mut harness, signing, Some(SIGNATURE));
    let request = harness.expect_enter().request;
    harness.accept(request);
    harness.expect_entered(call);
}
