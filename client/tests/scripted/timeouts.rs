//! Timeouts of calls, and the errors that they end with.

use crate::support::*;
use sealwire_client::{ClientError, Event, SessionReason, State};
use sealwire_protocol::Code;

#[test]
fn a_subscribe_without_a_limit_waits_until_the_relay_is_reachable() {
    let mut harness = Harness::default();
    let subscription = harness.subscribe("absences");
    for _ in 0..40 {
        if let Some(index) =
            harness.events.iter().position(|event| matches!(event, Event::SessionRequested { .. }))
        {
            let Some(Event::SessionRequested { fetch, .. }) = harness.events.remove(index) else { panic!() };
            let error = ClientError::new(Code::SessionUnavailable, "a cold start");
            harness.client.handle_session_failed(harness.now(), fetch, error);
            harness.drain();
        }
        harness.advance(30_000);
    }
    assert!(harness.events.iter().all(|event| !matches!(event, Event::SubscribeDone { .. })));
    harness.advance_to_attempt();
    let fetch = harness.expect_session_request(SessionReason::Connect);
    harness.provide(fetch, &[1]);
    for _ in 0..40 {
        harness.cut(None);
        harness.advance_to_attempt();
        if harness.connection.is_none() {
            let fetch = harness.expect_session_request(SessionReason::Connect);
            harness.provide(fetch, &[1]);
        }
    }
    harness.establish();
    harness.confirm("absences", 10);
    harness.expect_subscribed(subscription);
}

#[test]
fn a_subscribe_with_a_limit_times_out_and_leaves_nothing_behind() {
    let mut harness = Harness::default();
    let subscription =
        harness.client.subscribe_within(harness.now(), channel("absences"), None, Some(10_000));
    harness.drain();
    harness.establish();
    harness.expect_subscribe();
    harness.advance(9_999);
    assert!(harness.events.iter().all(|event| !matches!(event, Event::SubscribeDone { .. })));
    harness.advance(1);
    assert_eq!(harness.expect_subscribe_error(subscription).code.name(), "UNREACHABLE");
    harness.advance(60_000);
    assert_eq!(harness.client.state(), State::Idle, "nothing needs a connection any longer");
}

#[test]
fn a_timeout_names_the_side_that_was_slow() {
    let limit = |harness: &mut Harness| {
        let id = harness.client.subscribe_within(harness.now(), channel("absences"), None, Some(5_000));
        harness.drain();
        id
    };
    let mut harness = Harness::default();
    let id = limit(&mut harness);
    let publish = harness.client.publish_draft(harness.now(), draft("absences", "1", None, Some(5_000)));
    harness.drain();
    harness.expect_session_request(SessionReason::Connect);
    harness.advance(5_000);
    let error = harness.expect_subscribe_error(id);
    assert_eq!(error.code.name(), "SESSION_UNAVAILABLE");
    assert!(error.message.contains("session function has not answered"), "{error}");
    let error = harness.expect_publish_error(publish);
    assert_eq!((error.code.name(), error.may_have_arrived), ("SESSION_UNAVAILABLE", Some(false)));
    assert!(error.message.ends_with("the message was not sent"), "{error}");

    let mut harness = Harness::default();
    let id = limit(&mut harness);
    let fetch = harness.expect_session_request(SessionReason::Connect);
    harness.provide(fetch, &[1]);
    harness.advance(5_000);
    assert_eq!(harness.expect_subscribe_error(id).code.name(), "UNREACHABLE");
}

#[test]
fn a_publish_that_times_out_says_whether_the_message_may_have_arrived() {
    let (mut harness, _) = Harness::subscribed("absences");
    let sent = harness.publish("absences", "1");
    harness.expect_publish();
    harness.cut(None);
    let unsent = harness.publish("absences", "2");
    harness.advance(120_000);
    let mut errors = Vec::new();
    while let Some(event) = harness.events.pop_front() {
        if let Event::PublishDone { publish, result: Err(error) } = event {
            errors.push((publish, error.code.name(), error.may_have_arrived));
            let end =
                if publish == sent { "the message may have arrived" } else { "the message was not sent" };
            assert!(error.message.ends_with(&format!("; {end} (relay: wss://relay.example)")), "{error}");
        }
    }
    assert_eq!(errors, [(sent, "UNREACHABLE", Some(true)), (unsent, "UNREACHABLE", Some(false))]);
}

#[test]
fn a_withdrawn_publish_is_not_sent_and_says_so() {
    let mut harness = Harness::default();
    let publish = harness.publish("absences", "1");
    harness.client.withdraw_publish(harness.now(), publish);
    harness.client.withdraw_publish(harness.now(), publish);
    harness.drain();
    harness.establish();
    assert_eq!(harness.sent, []);
    assert_eq!(harness.expect_publish_error(publish).may_have_arrived, Some(false));
    harness.expect_nothing();
}

#[test]
fn a_refusal_after_a_lost_connection_does_not_hide_that_the_message_may_have_arrived() {
    let (mut harness, _) = Harness::subscribed("absences");
    let publish = harness.publish("absences", "1");
    harness.expect_publish();
    harness.cut(None);
    harness.advance_to_attempt();
    harness.establish();
    harness.confirm("absences", 10);
    let request = harness.expect_publish().request;
    harness.refuse(request, Code::PermissionMissing, 0);
    let error = harness.expect_publish_error(publish);
    assert_eq!((error.code.name(), error.may_have_arrived), ("PERMISSION_MISSING", Some(true)));
}
