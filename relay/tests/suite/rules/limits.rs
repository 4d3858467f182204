//! The limits on a session's replays and an app's subscriptions, in virtual time.

use super::session::Session;
use crate::support::{channel, rand_id, sealed};
use sealwire_protocol::{
    Code,
    wire::{Failed, Publish, Since, Subscribed, ToClient, ToRelay, Unsubscribe},
};
use sealwire_relay::Settings;
use std::time::Duration;

/// A session whose channel has a hundred messages of some 1,100 bytes.
fn with_history(name: &str) -> (Session, Option<Since>) {
    let mut session = Session::open();
    let start = session.subscribed(name).position.unwrap();
    for _ in 0..100 {
        let (request, id) = (session.next_request(), rand_id().to_vec().into());
        let sealed = [&sealed("")[..], &[0; 1000]].concat().into();
        let (channel, event) = (Some(channel(name)), String::new());
        session.send(ToRelay::Publish(Publish { request, channel, event, sealed, id, follows: 0 }));
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
fn a_session_that_asks_for_replays_without_end_is_told_to_wait_and_loses_nothing() {
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
            other => panic!("a replay of nothing costs nothing: {other:?}"),
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
            // The subscription that was there was joined anew, and is over as well.
            ToClient::Ended(ended) => {
                assert_eq!(ended.code, Code::RateLimited.number());
                Some(failed(session.answer()))
            }
            other => panic!("{other:?}"),
        }
    };
    let refused = (0..20).find_map(|_| ask(&mut session)).expect("twenty replays are more than it may have");
    assert_eq!(refused.code, Code::RateLimited.number());
    assert!((1..=1200).contains(&refused.retry_after_ms), "{refused:?}");
    assert!(refused.message.contains("replay rate limit"), "{refused:?}");
    assert_eq!(session.last_audited(), ("subscribe", Code::RateLimited));
    // It has left the channel, and the session goes on.
    let absences = subscribed(session.subscribe(channel("absences"), None)).channel_id;
    let request = session.next_request();
    session.send(ToRelay::Unsubscribe(Unsubscribe { request, channel_id: absences }));
    assert!(matches!(session.answer(), ToClient::Unsubscribed(_)));
    // After the time that it was told, it gets what it asked for.
    session.pass(Duration::from_millis(refused.retry_after_ms.into()));
    let answer = subscribed(session.subscribe(channel("absences"), since));
    assert!(answer.recovered);
}

#[test]
fn a_replay_that_is_refused_leaves_no_subscription_behind() {
    let (mut session, since) = with_history("absences");
    session.limits.set(Settings {
        replay_rate: 1,
        replay_burst: 1,
        max_subscriptions: 1,
        ..Settings::default()
    });
    // A single one comes through, however long it is.
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
    // There is room for another one.
    subscribed(session.subscribe(channel("rotation"), None));
}

#[test]
fn a_resume_after_a_network_cut_meets_no_limit() {
    // Five times in a minute, each from the beginning, of all channels that a session may have at the usual settings.
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
fn an_app_has_so_many_subscriptions_and_is_told_when_to_ask_again() {
    let mut session = Session::open();
    session.limits.set(Settings { max_subscriptions_per_app: 2, ..Settings::default() });
    let first = session.subscribed("absences").channel_id;
    session.subscribed("rotation");
    // The same again is no further one.
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
fn every_place_among_an_apps_subscriptions_is_given_back_however_its_session_ends() {
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
            // The broker has not answered yet.
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
        // Both places are there for another session that shares the limits.
        let mut after = Session::open_in(limits);
        after.subscribed("absences");
        after.subscribed("rotation");
        let refused = failed(after.subscribe(channel("third"), None));
        assert_eq!(refused.code, Code::TooManySubscriptions.number(), "{step}");
    }
}

#[test]
fn what_follows_a_publication_that_was_refused_for_a_while_is_refused_until_that_one_comes_again() {
    let mut session = Session::open();
    session.limits.set(Settings { publish_rate: 10, publish_burst: 2, ..Settings::default() });
    // Numbers each request; the same number of an id is the same message.
    let publish = |session: &mut Session, id: u8, follows: u32| {
        let request = session.next_request();
        session.send(ToRelay::Publish(Publish {
            request,
            channel: Some(channel("absences")),
            event: String::new(),
            sealed: sealed(""),
            id: vec![id; 16].into(),
            follows,
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
    // By now there would be room for these.
    session.pass(Duration::from_millis(300));
    let (fourth, answer) = publish(&mut session, 4, third);
    let follower = failed(answer);
    assert_eq!((follower.code, follower.retry_after_ms), (Code::RateLimited.number(), 100));
    assert!(follower.message.contains("an earlier publication"), "{follower:?}");
    let (_, answer) = publish(&mut session, 5, fourth);
    assert_eq!(failed(answer).code, Code::RateLimited.number());
    assert_eq!(session.audited.len(), audited, "whoever follows did nothing wrong");
    // They cost nothing: two come through now, in order.
    let (third, answer) = publish(&mut session, 3, 0);
    assert!(is_taken(&answer));
    let (_, answer) = publish(&mut session, 4, third);
    assert!(is_taken(&answer));
}

#[test]
fn a_publication_that_follows_none_or_a_refusal_for_good_is_judged_by_itself() {
    let mut session = Session::open();
    session.limits.set(Settings { publish_rate: 1, publish_burst: 1, ..Settings::default() });
    let publish = |session: &mut Session, event: &str, follows: u32| {
        let (request, id) = (session.next_request(), rand_id().to_vec().into());
        let (channel, event, sealed) = (Some(channel("absences")), event.to_owned(), sealed(""));
        session.send(ToRelay::Publish(Publish { request, channel, event, sealed, id, follows }));
        (request, session.answer())
    };
    let (first, _) = publish(&mut session, "", 0);
    let (second, answer) = publish(&mut session, "", first);
    assert_eq!(failed(answer).code, Code::RateLimited.number());
    session.pass(Duration::from_secs(1));
    // A client that does not name what it follows is served as it comes.
    let (_, answer) = publish(&mut session, "", 0);
    assert!(matches!(answer, ToClient::Published(_)));
    session.pass(Duration::from_secs(1));
    let (_, answer) = publish(&mut session, "", second);
    assert!(matches!(answer, ToClient::Published(_)), "what was put off has come, or nobody waits for it");
    session.pass(Duration::from_secs(1));
    let (wrong, answer) = publish(&mut session, &"e".repeat(300), 0);
    assert_eq!(failed(answer).code, Code::NameInvalid.number());
    session.pass(Duration::from_secs(1));
    let (_, answer) = publish(&mut session, "", wrong);
    assert!(matches!(answer, ToClient::Published(_)));
}
