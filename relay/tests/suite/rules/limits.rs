//! The limits for replays, subscriptions and publications, in virtual time.

use super::session::Session;
use crate::support::{channel, rand_id, sealed};
use sealwire_protocol::{
    Code,
    wire::{Failed, Publish, Since, Subscribed, ToClient, ToRelay, Unsubscribe},
};
use sealwire_relay::Settings;
use std::time::Duration;

/// Returns a session and the start of a channel with a hundred messages of about 1,100 bytes.
fn with_history(name: &str) -> (Session, Option<Since>) {
    let mut session = Session::open();
    let start = session.subscribed(name).position.unwrap();
    for _ in 0..100 {
        let (request, id) = (session.next_request(), rand_id().to_vec().into());
        let sealed = [&sealed("")[..], &[0; 1000]].concat().into();
        let channel = Some(channel(name));
        session.send(ToRelay::Publish(Publish { request, channel, sealed, id, ..Publish::default() }));
        assert!(matches!(session.answer(), ToClient::Published(_)));
    }
    (session, Some(Since::Position(start)))
}

fn failed(answer: ToClient) -> Failed {
    match answer {
        ToClient::Failed(failed) => failed,
        other => panic!("{other:?}"),
    }
}

fn subscribed(answer: ToClient) -> Subscribed {
    match answer {
        ToClient::Subscribed(subscribed) => subscribed,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_replay_rate_of_a_session_refuses_replays_with_a_retry_time_and_loses_nothing() {
    let (mut session, since) = with_history("absences");
    session.limits.set(Settings {
        replay_rate_per_session: 100_000,
        replay_burst_per_session: 300_000,
        max_subscriptions: 3,
        ..Settings::default()
    });
    let ask = |session: &mut Session| {
        match session.subscribe(channel("rotation"), since) {
            ToClient::Subscribed(_) => {}
            other => panic!("an empty replay must not count: {other:?}"),
        }
        let request = session.next_request();
        session.send(ToRelay::Subscribe(sealwire_protocol::wire::Subscribe {
            request,
            channel: Some(channel("absences")),
            since,
            events: vec![],
        }));
        match session.sent.pop_front().unwrap() {
            ToClient::Subscribed(_) => None,
            // The request replaced an existing subscription, which therefore ended too.
            ToClient::Ended(ended) => {
                assert_eq!(ended.code, Code::RateLimited.number());
                Some(failed(session.answer()))
            }
            other => panic!("{other:?}"),
        }
    };
    let refused = (0..20).find_map(|_| ask(&mut session)).expect("twenty replays must exceed the rate");
    assert_eq!(refused.code, Code::RateLimited.number());
    assert!((1..=1200).contains(&refused.retry_after_ms), "{refused:?}");
    assert!(refused.message.contains("replay rate limit"), "{refused:?}");
    assert_eq!(session.last_audited(), ("subscribe", Code::RateLimited));
    // The session is no longer subscribed to the channel, and continues.
    let absences = subscribed(session.subscribe(channel("absences"), None)).channel_id;
    let request = session.next_request();
    session.send(ToRelay::Unsubscribe(Unsubscribe { request, channel_id: absences }));
    assert!(matches!(session.answer(), ToClient::Unsubscribed(_)));
    // After the retry time, the session gets the replay.
    session.pass(Duration::from_millis(refused.retry_after_ms.into()));
    let answer = subscribed(session.subscribe(channel("absences"), since));
    assert!(answer.recovered);
}

#[test]
fn a_refused_replay_leaves_no_subscription_behind() {
    let (mut session, since) = with_history("absences");
    session.limits.set(Settings {
        replay_rate: 1,
        replay_burst: 1,
        max_subscriptions: 1,
        ..Settings::default()
    });
    // A single replay is accepted, however long it is.
    assert!(subscribed(session.subscribe(channel("absences"), since)).recovered);
    let request = session.next_request();
    let absences = subscribed(session.subscribe(channel("absences"), None)).channel_id;
    session.send(ToRelay::Unsubscribe(Unsubscribe { request, channel_id: absences }));
    session.answer();
    let refused = failed(session.subscribe(channel("absences"), since));
    assert!(
        refused.message.contains("installation") && (50_000..62_000).contains(&refused.retry_after_ms),
        "{refused:?}"
    );
    // The refused subscription does not count.
    subscribed(session.subscribe(channel("rotation"), None));
}

#[test]
fn resuming_after_a_network_failure_exceeds_no_limit() {
    // With default settings, a session resumes 200 channels from the beginning, five times within a minute.
    let (mut session, since) = with_history("absences");
    session.limits.set(Settings::default());
    for _ in 0..5 {
        for number in 0..200 {
            let name = if number % 10 == 0 { "absences".to_owned() } else { format!("channel-{number}") };
            let answer = subscribed(session.subscribe(channel(&name), since));
            assert!(answer.position.is_some());
        }
        session.pass(Duration::from_secs(10));
        session.sent.clear();
    }
}

#[test]
fn subscriptions_above_the_limit_of_an_app_are_refused_with_a_retry_time() {
    let mut session = Session::open();
    session.limits.set(Settings { max_subscriptions_per_app: 2, ..Settings::default() });
    let first = session.subscribed("absences").channel_id;
    session.subscribed("rotation");
    // A repeated subscription does not count again.
    session.subscribed("absences");
    let refused = failed(session.subscribe(channel("third"), None));
    assert_eq!(refused.code, Code::TooManySubscriptions.number());
    assert!(refused.retry_after_ms > 0 && refused.message.contains("the app"), "{refused:?}");
    let request = session.next_request();
    session.send(ToRelay::Unsubscribe(Unsubscribe { request, channel_id: first }));
    session.answer();
    session.subscribed("third");
}

#[test]
fn every_subscription_permit_is_released_whatever_ends_its_session() {
    use sealwire_relay::SessionAction;
    for step in 0..6 {
        let mut session = Session::open();
        session.limits.set(Settings { max_subscriptions_per_app: 2, ..Settings::default() });
        let limits = session.limits.clone();
        let joins = |session: &mut Session| {
            let request = session.next_request();
            let subscribe = sealwire_protocol::wire::Subscribe {
                request,
                channel: Some(channel("absences")),
                since: None,
                events: vec![],
            };
            let frame = ToRelay::Subscribe(subscribe).to_bytes().into();
            // At this point the broker has not answered.
            session.rules.handle_frame(frame, session.now);
            assert!(matches!(session.rules.poll_action(), Some(SessionAction::Subscribe { .. })));
        };
        match step {
            0 => drop(session.subscribed("absences")),
            1 => joins(&mut session),
            2 => {
                session.subscribed("absences");
                joins(&mut session);
            }
            3 => {
                joins(&mut session);
                let error = sealwire_relay::BrokerError::Unavailable.into();
                session.rules.handle_subscribed(Err(error), session.now);
            }
            4 => {
                session.subscribed("absences");
                joins(&mut session);
                session.rules.handle_subscribed(Err(sealwire_relay::BrokerError::Full.into()), session.now);
            }
            _ => {
                session.subscribed("absences");
                session.subscribed("rotation");
                session.rules.handle_end(sealwire_relay::EndReason::ShuttingDown);
            }
        }
        drop(session);
        // Both permits are available to another session with the same limits.
        let mut after = Session::open_in(limits);
        after.subscribed("absences");
        after.subscribed("rotation");
        let refused = failed(after.subscribe(channel("third"), None));
        assert_eq!(refused.code, Code::TooManySubscriptions.number(), "{step}");
    }
}

#[test]
fn publications_after_a_temporarily_refused_one_are_refused_until_it_is_retried() {
    let mut session = Session::open();
    session.limits.set(Settings { publish_rate: 10, publish_burst: 2, ..Settings::default() });
    // Publishes with a new request number. The same id means the same message.
    let publish = |session: &mut Session, id: u8, follows: u32| {
        let request = session.next_request();
        session.send(ToRelay::Publish(Publish {
            request,
            channel: Some(channel("absences")),
            event: String::new(),
            sealed: sealed(""),
            id: vec![id; 16].into(),
            follows,
            content: Default::default(),
        }));
        (request, session.answer())
    };
    let is_taken = |answer: &ToClient| matches!(answer, ToClient::Published(_));
    let (first, answer) = publish(&mut session, 1, 0);
    assert!(is_taken(&answer));
    let (second, answer) = publish(&mut session, 2, first);
    assert!(is_taken(&answer));
    let (third, answer) = publish(&mut session, 3, second);
    let refused = failed(answer);
    assert_eq!((refused.code, refused.retry_after_ms), (Code::RateLimited.number(), 100));
    let audited = session.audited.len();
    // The rate would permit the following publications by now.
    session.pass(Duration::from_millis(300));
    let (fourth, answer) = publish(&mut session, 4, third);
    let follower = failed(answer);
    assert_eq!((follower.code, follower.retry_after_ms), (Code::RateLimited.number(), 100));
    assert!(follower.message.contains("an earlier publication"), "{follower:?}");
    let (_, answer) = publish(&mut session, 5, fourth);
    assert_eq!(failed(answer).code, Code::RateLimited.number());
    assert_eq!(session.audited.len(), audited, "a refused follower must not be audited");
    // The refused followers did not count, so two publications are accepted now, in order.
    let (third, answer) = publish(&mut session, 3, 0);
    assert!(is_taken(&answer));
    let (_, answer) = publish(&mut session, 4, third);
    assert!(is_taken(&answer));
}

#[test]
fn a_publication_after_none_or_after_a_permanent_refusal_is_checked_on_its_own() {
    let mut session = Session::open();
    session.limits.set(Settings { publish_rate: 1, publish_burst: 1, ..Settings::default() });
    let publish = |session: &mut Session, event: &str, follows: u32| {
        let (request, id) = (session.next_request(), rand_id().to_vec().into());
        let (channel, event, sealed) = (Some(channel("absences")), event.to_owned(), sealed(""));
        let publish = Publish { request, channel, event, sealed, id, follows, ..Publish::default() };
        session.send(ToRelay::Publish(publish));
        (request, session.answer())
    };
    let (first, _) = publish(&mut session, "", 0);
    let (second, answer) = publish(&mut session, "", first);
    assert_eq!(failed(answer).code, Code::RateLimited.number());
    session.pass(Duration::from_secs(1));
    // A publication without a predecessor is accepted.
    let (_, answer) = publish(&mut session, "", 0);
    assert!(matches!(answer, ToClient::Published(_)));
    session.pass(Duration::from_secs(1));
    let (_, answer) = publish(&mut session, "", second);
    assert!(
        matches!(answer, ToClient::Published(_)),
        "the refused publication must no longer block its followers"
    );
    session.pass(Duration::from_secs(1));
    let (wrong, answer) = publish(&mut session, &"e".repeat(300), 0);
    assert_eq!(failed(answer).code, Code::NameInvalid.number());
    session.pass(Duration::from_secs(1));
    let (_, answer) = publish(&mut session, "", wrong);
    assert!(matches!(answer, ToClient::Published(_)));
}
