//! The report that a subscription continues: its place among states, gaps and messages, and whether everything was
//! recovered.

use crate::support::*;
use sealwire_client::{Config, Event, GapReason, Notice, Standing, SubscriptionId};
use sealwire_protocol::{
    Code,
    wire::{Ended, Position, ToClient},
};

/// Returns the news of a subscription since the last call, in their order.
fn news(harness: &mut Harness, of: SubscriptionId) -> Vec<String> {
    let line = |event: Event| match event {
        Event::Standing { subscription, standing } if subscription == of => match standing {
            Standing::Subscribing => Some("subscribing".into()),
            Standing::Subscribed => Some("subscribed".into()),
            Standing::Resuming => Some("resuming".into()),
        },
        Event::SubscribeDone { subscription, result: Ok(()) } if subscription == of => {
            Some("confirmed".into())
        }
        Event::Message { subscriptions, message } if subscriptions.contains(&of) => Some(message.payload),
        Event::Notice { subscriptions, notice } if subscriptions.contains(&of) => match notice {
            Notice::Resumed { recovered } => Some(format!("resumed, recovered: {recovered}")),
            Notice::Gap(gap) => Some(match gap.reason {
                GapReason::Evicted => "gap: evicted".into(),
                GapReason::Epoch => "gap: epoch".into(),
                GapReason::Skipped => "gap: skipped".into(),
                GapReason::Withheld => "gap: withheld".into(),
            }),
            Notice::Error(error) | Notice::Ended(error) => Some(error.code.name().into()),
        },
        _ => None,
    };
    std::mem::take(&mut harness.events).into_iter().filter_map(line).collect()
}

fn reconnect(harness: &mut Harness) {
    harness.cut(None);
    harness.advance_to_attempt();
    harness.establish();
}

#[test]
fn a_recovered_resume_is_reported_after_the_state_and_before_the_missed_messages() {
    let (mut harness, subscription) = Harness::subscribed("absences");
    reconnect(&mut harness);
    assert_eq!(news(&mut harness, subscription), ["resuming"]);
    harness.confirm("absences", 10);
    harness.receive(publication("absences", 10, 11, "missed"));
    let expected = ["subscribed", "resumed, recovered: true", "missed"];
    assert_eq!(news(&mut harness, subscription), expected);
}

#[test]
fn a_resume_with_a_gap_is_reported_after_the_gap_and_before_later_messages() {
    let elsewhere = Position { epoch: EPOCH + 1, ..position(3) };
    for (answer, gap) in [(position(40), "gap: evicted"), (elsewhere, "gap: epoch")] {
        let (mut harness, subscription) = Harness::subscribed("absences");
        reconnect(&mut harness);
        harness.confirm_at("absences", answer, false);
        harness.receive(publication("absences", answer.offset, answer.offset + 1, "after"));
        let expected = ["resuming", "subscribed", gap, "resumed, recovered: false", "after"];
        assert_eq!(news(&mut harness, subscription), expected);
    }
}

#[test]
fn a_relay_that_claims_a_recovery_which_its_numbers_contradict_has_recovered_nothing() {
    let (mut harness, subscription) = Harness::subscribed("absences");
    reconnect(&mut harness);
    harness.confirm_at("absences", position(12), true);
    let expected = ["resuming", "subscribed", "gap: evicted", "resumed, recovered: false"];
    assert_eq!(news(&mut harness, subscription), expected);
}

#[test]
fn a_subscription_that_the_relay_ended_temporarily_reports_its_resume() {
    let (mut harness, subscription) = Harness::subscribed("absences");
    let (code, channel_id) = (Code::BrokerUnavailable.number(), channel_id("absences").into());
    harness.receive(ToClient::Ended(Ended { channel_id, code, message: "why".into() }));
    harness.advance(2_001);
    harness.confirm("absences", 10);
    let expected = ["resuming", "subscribed", "resumed, recovered: true"];
    assert_eq!(news(&mut harness, subscription), expected);
}

#[test]
fn each_loss_of_the_connection_is_reported_once_per_subscription() {
    let (mut harness, first) = Harness::subscribed("absences");
    let second = harness.subscribe("absences");
    harness.forget_states();
    for _ in 0..2 {
        harness.events.clear();
        reconnect(&mut harness);
        harness.confirm("absences", 10);
        let mut seen = harness.events.clone();
        seen.retain(|event| matches!(event, Event::Notice { .. }));
        let resumed = |subscription| Event::Notice {
            subscriptions: vec![subscription],
            notice: Notice::Resumed { recovered: true },
        };
        assert_eq!(seen, [resumed(first), resumed(second)]);
    }
}

#[test]
fn a_resume_of_which_the_relay_never_heard_is_not_reported() {
    let (mut harness, subscription) = Harness::subscribed("absences");
    reconnect(&mut harness);
    // The connection is lost again before the relay has answered.
    let _ = harness.expect_subscribe();
    reconnect(&mut harness);
    assert_eq!(news(&mut harness, subscription), ["resuming"]);
    harness.confirm("absences", 10);
    assert_eq!(news(&mut harness, subscription), ["subscribed", "resumed, recovered: true"]);
}

#[test]
fn a_subscription_made_without_a_connection_is_confirmed_and_not_resumed() {
    let (mut harness, _) = Harness::subscribed("absences");
    harness.cut(None);
    let second = harness.subscribe("absences");
    harness.advance_to_attempt();
    harness.establish();
    harness.confirm("absences", 10);
    assert_eq!(news(&mut harness, second), ["confirmed", "subscribed"]);
}

#[test]
fn a_channel_that_is_subscribed_again_for_the_replay_of_another_member_is_not_resumed() {
    let (mut harness, first) = Harness::subscribed("absences");
    let second = harness.subscribe_with(channel("absences"), Some(60));
    harness.expect_unsubscribe();
    harness.confirm("absences", 9);
    assert_eq!(news(&mut harness, first), [""; 0]);
    harness.unsubscribe(second);
}

#[test]
fn messages_from_before_the_loss_that_the_host_still_decrypts_precede_gap_and_resume() {
    let config = Config { host_decrypt_threshold: Some(100), ..Config::default() };
    let mut harness = Harness::with(config);
    let subscription = harness.subscribe("absences");
    harness.establish();
    harness.confirm("absences", 10);
    let large = "a".repeat(100);
    harness.receive(publication("absences", 10, 11, &large));
    let requested = harness.events.iter().find_map(|event| match event {
        Event::DecryptRequested { decryption, .. } => Some(*decryption),
        _ => None,
    });
    harness.events.clear();
    reconnect(&mut harness);
    harness.confirm_at("absences", position(40), false);
    assert_eq!(news(&mut harness, subscription), ["resuming", "subscribed"]);
    // Without a plaintext of the host, the client decrypts the message itself.
    harness.client.handle_decrypted(harness.now(), requested.unwrap(), None);
    harness.drain();
    let expected = [&large, "gap: evicted", "resumed, recovered: false"];
    assert_eq!(news(&mut harness, subscription), expected);
}

#[test]
fn nothing_is_reported_after_an_unsubscribe_or_a_close() {
    let (mut harness, subscription) = Harness::subscribed("absences");
    reconnect(&mut harness);
    harness.events.clear();
    harness.unsubscribe(subscription);
    assert_eq!(news(&mut harness, subscription), [""; 0]);
    let (mut harness, subscription) = Harness::subscribed("absences");
    reconnect(&mut harness);
    let subscribe = harness.expect_subscribe();
    harness.events.clear();
    let answer = ToClient::Subscribed(sealwire_protocol::wire::Subscribed {
        request: subscribe.request,
        channel_id: channel_id("absences").into(),
        position: Some(position(10)),
        recovered: true,
        replay_end: 0,
    });
    let bytes = answer.to_bytes();
    harness.client.handle_frame(harness.now(), harness.connection.unwrap(), Some(bytes.into()));
    // The app closes the client before it has taken the events.
    harness.client.close();
    harness.drain();
    assert_eq!(news(&mut harness, subscription), [""; 0]);
}
