//! The channels and messages that a session may subscribe to and publish.

use super::session::{START, Session, channel_token};
use crate::support::{App, INSTALLATION, channel, sealed};
use bytes::Bytes;
use sealwire_protocol::{
    Code, limits,
    tokens::Permissions,
    wire::{Channel, Publish, Since, Subscribe, ToClient, ToRelay, Unsubscribe},
};
use sealwire_relay::{BrokerError, SessionAction};

const SUBSCRIBE_ONLY: Permissions = Permissions { subscribe: true, publish: false, presence: false };
const PUBLISH_ONLY: Permissions = Permissions { subscribe: false, publish: true, presence: false };

fn publish(session: &mut Session, channel: Channel, event: &str, sealed: Bytes) {
    let request = session.next_request();
    let id = vec![1; 16].into();
    session.send(ToRelay::Publish(Publish {
        request,
        channel: Some(channel),
        event: event.into(),
        sealed,
        id,
        follows: 0,
        content: Default::default(),
    }));
}

fn scoped(properties: &[&str]) -> Channel {
    let properties = properties.iter().map(|property| (*property).to_owned()).collect();
    Channel { properties, ..channel("absences") }
}

/// Returns channels that no session of app one may use, with the code of the refusal.
fn foreign_channels(can: Permissions) -> Vec<(Channel, Code)> {
    let one = App::one();
    let two = App::new("ari:cloud:ecosystem::app/two", "two", 2);
    let forged = App::new(&one.id, "one", 9);
    let until = START + 60;
    let with = |token| Channel { token, ..channel("absences") };
    vec![
        (scoped(&["board"]), Code::ScopeRefused),
        (scoped(&["module", "module"]), Code::ScopeRefused),
        (scoped(&["no such thing"]), Code::ScopeRefused),
        (scoped(&["x"; 17]), Code::ScopeRefused),
        (Channel { name: String::new(), ..channel("") }, Code::NameInvalid),
        (channel(&"n".repeat(256)), Code::NameInvalid),
        (with(channel_token(&one, INSTALLATION, "rotation", 1, can, until)), Code::TokenChannel),
        (
            with(channel_token(&one, "ari:cloud:jira::site/two", "absences", 1, can, until)),
            Code::TokenInstallation,
        ),
        (with(channel_token(&two, INSTALLATION, "absences", 1, can, until)), Code::TokenApp),
        (with(channel_token(&forged, INSTALLATION, "absences", 1, can, until)), Code::TokenSignature),
        (with(channel_token(&one, INSTALLATION, "absences", 1, can, START)), Code::TokenExpired),
        (with(one.session("alice")), Code::TokenAudience),
        (with("garbage".into()), Code::TokenMalformed),
    ]
}

#[test]
fn a_session_subscribes_only_within_its_namespace() {
    for (channel, code) in foreign_channels(Permissions::ALL) {
        let mut session = Session::open();
        let request = session.next_request();
        session.send(ToRelay::Subscribe(Subscribe {
            request,
            channel: Some(channel),
            since: None,
            events: vec![],
        }));
        session.must_refuse(code);
        assert_eq!(session.last_audited(), ("subscribe", code));
        let identity = session.audited[0].identity.clone().unwrap();
        assert_eq!(identity.account.as_deref(), Some("alice"));
        assert_eq!((&*identity.app, &*identity.installation), (&*App::one().id, INSTALLATION));
        // The session still works.
        session.subscribed("absences");
    }
}

#[test]
fn a_session_publishes_only_within_its_namespace() {
    for (channel, code) in foreign_channels(Permissions::ALL) {
        let mut session = Session::open();
        publish(&mut session, channel, "", sealed("x"));
        session.must_refuse(code);
        assert_eq!(session.last_audited(), ("publish", code));
    }
}

#[test]
fn a_request_without_the_permission_of_both_tokens_is_refused() {
    let with = |can| Channel {
        token: channel_token(&App::one(), INSTALLATION, "absences", 1, can, START + 60),
        ..channel("absences")
    };
    for (session_can, channel) in [
        (PUBLISH_ONLY, channel("absences")),
        (PUBLISH_ONLY, with(Permissions::ALL)),
        (Permissions::ALL, with(PUBLISH_ONLY)),
    ] {
        let mut session = Session::open_with(session_can, 600);
        let request = session.next_request();
        session.send(ToRelay::Subscribe(Subscribe {
            request,
            channel: Some(channel),
            since: None,
            events: vec![],
        }));
        session.must_refuse(Code::PermissionMissing);
    }
    for (session_can, channel) in [
        (SUBSCRIBE_ONLY, channel("absences")),
        (SUBSCRIBE_ONLY, with(Permissions::ALL)),
        (Permissions::ALL, with(SUBSCRIBE_ONLY)),
    ] {
        let mut session = Session::open_with(session_can, 600);
        publish(&mut session, channel, "", sealed("x"));
        session.must_refuse(Code::PermissionMissing);
    }
}

#[test]
fn messages_outside_the_limits_are_refused() {
    for (event, sealed, code) in [
        ("", Bytes::new(), Code::MessageSize),
        ("", Bytes::from(vec![1; 56]), Code::MessageSize),
        ("", Bytes::from(vec![1; limits::MAX_SEALED + 1]), Code::MessageSize),
        (&*"e".repeat(256), sealed("x"), Code::NameInvalid),
    ] {
        let mut session = Session::open();
        publish(&mut session, channel("absences"), event, sealed);
        session.must_refuse(code);
    }
    let mut session = Session::open();
    publish(&mut session, channel("absences"), &"e".repeat(255), Bytes::from(vec![1; limits::MAX_SEALED]));
    assert!(matches!(session.answer(), ToClient::Published(_)));
}

#[test]
fn a_replay_longer_than_the_window_is_refused() {
    let mut session = Session::open();
    let request = session.next_request();
    let since = Some(Since::ReplaySeconds(121));
    let channel = Some(channel("absences"));
    session.send(ToRelay::Subscribe(Subscribe { request, channel: channel.clone(), since, events: vec![] }));
    session.must_refuse(Code::ReplayTooLong);
    let since = Some(Since::ReplaySeconds(120));
    session.send(ToRelay::Subscribe(Subscribe { request, channel, since, events: vec![] }));
    assert!(matches!(session.answer(), ToClient::Subscribed(_)));
}

#[test]
fn the_length_of_a_filter_is_limited() {
    let mut session = Session::open();
    let mut subscribe = |lens: &[usize]| {
        let request = session.next_request();
        let events = lens.iter().map(|len| "e".repeat(*len)).collect();
        let channel = Some(channel("absences"));
        session.send(ToRelay::Subscribe(Subscribe { request, channel, since: None, events }));
        match session.answer() {
            ToClient::Subscribed(_) => None,
            ToClient::Failed(failed) => Code::from_number(failed.code),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(limits::MAX_FILTER_BYTES, 1024);
    for (lens, refused) in [
        (&[255, 255, 255, 255, 4][..], None),
        (&[255, 255, 255, 255, 5], Some(Code::FilterTooLarge)),
        (&[33; 32], Some(Code::FilterTooLarge)),
        (&[32; 32], None),
        // A name that is too long for any event has another code.
        (&[256], Some(Code::NameInvalid)),
    ] {
        assert_eq!(subscribe(lens), refused, "{lens:?}");
    }
    // Each filter replaces the previous one of the subscription, so they do not add up.
    for _ in 0..2 * limits::MAX_SESSION_FILTER_BYTES / limits::MAX_FILTER_BYTES {
        assert_eq!(subscribe(&[32; 32]), None);
    }
}

#[test]
fn the_number_of_subscriptions_of_a_session_is_limited() {
    let mut session = Session::open();
    let first = session.subscribed("1").channel_id();
    session.subscribed("2");
    session.subscribed("3");
    let request = session.next_request();
    let fourth = Subscribe { request, channel: Some(channel("4")), since: None, events: vec![] };
    session.send(ToRelay::Subscribe(fourth.clone()));
    session.must_refuse(Code::TooManySubscriptions);
    // A repeated subscription does not count again.
    assert_eq!(session.subscribed("1").channel_id(), first);
    session.send(ToRelay::Unsubscribe(Unsubscribe { request, channel_id: first.into() }));
    assert!(matches!(session.answer(), ToClient::Unsubscribed(_)));
    session.send(ToRelay::Subscribe(fourth));
    assert!(matches!(session.answer(), ToClient::Subscribed(_)));
}

#[test]
fn unsubscribing_from_a_channel_without_a_subscription_is_refused() {
    let mut session = Session::open();
    session.send(ToRelay::Unsubscribe(Unsubscribe { request: 1, channel_id: vec![7; 16].into() }));
    session.must_refuse(Code::NotSubscribed);
}

#[test]
fn a_subscription_accepts_only_the_events_of_its_filter() {
    let mut session = Session::open();
    let events = vec!["added".to_owned(), String::new()];
    session.send(ToRelay::Subscribe(Subscribe {
        request: 1,
        channel: Some(channel("absences")),
        since: None,
        events,
    }));
    let ToClient::Subscribed(subscribed) = session.answer() else { panic!() };
    let accepts = |event| session.rules.accepts(subscribed.channel_id(), event);
    assert!(accepts("added") && accepts("") && !accepts("removed"));
}

#[test]
fn different_claims_make_different_channels() {
    let mut session = Session::open();
    let with = |tag| Channel {
        token: channel_token(&App::one(), INSTALLATION, "absences", tag, Permissions::ALL, START + 60),
        ..channel("absences")
    };
    let plain = session.subscribed("absences").channel_id();
    let one = session.subscribed_to(with(1)).channel_id();
    let two = session.subscribed_to(with(2)).channel_id();
    assert!(plain != one && one != two && plain != two);
}

#[test]
fn an_unreachable_broker_fails_the_request_with_a_retry_time() {
    let mut session = Session::open();
    let earlier = session.subscribed("absences").channel_id();
    let subscribe = Subscribe { request: 9, channel: Some(channel("absences")), since: None, events: vec![] };
    session.rules.handle_frame(ToRelay::Subscribe(subscribe).to_bytes().into(), session.now);
    assert!(matches!(session.rules.poll_action(), Some(SessionAction::Subscribe { .. })));
    assert!(session.rules.is_waiting());
    session.rules.handle_subscribed(Err(BrokerError::Unavailable.into()), session.now);
    session.act();
    // The request replaced the earlier subscription, whose end is reported.
    assert!(matches!(session.sent.pop_front(), Some(ToClient::Ended(_))));
    let ToClient::Failed(failed) = session.answer() else { panic!() };
    assert_eq!((failed.request, failed.code), (9, Code::BrokerUnavailable.number()));
    assert!(failed.retry_after_ms > 0);
    assert!(!session.rules.accepts(earlier, ""));
}

#[test]
fn an_observed_session_names_each_channel_that_it_may_use_and_no_other() {
    let mut session = Session::observed();
    let channel_id = session.subscribed("absences").channel_id();
    let token = channel_token(&App::one(), INSTALLATION, "absences", 1, Permissions::ALL, START + 60);
    publish(&mut session, Channel { token, ..scoped(&[]) }, "", sealed("x"));
    session.sent.clear();
    let [subscribed, published] = &session.named[..] else { panic!("{:?}", session.named) };
    assert_eq!(
        (&*subscribed.name, subscribed.channel, subscribed.has_token),
        ("absences", channel_id, false)
    );
    // The values are those of the token: the client only named the properties.
    assert_eq!(subscribed.scope, App::context());
    assert!(published.has_token && published.scope.iter().count() == 0 && published.channel != channel_id);

    for (channel, code) in foreign_channels(Permissions::ALL) {
        session.subscribe(channel, None);
        assert_eq!(session.last_audited(), ("subscribe", code));
    }
    assert_eq!(session.named.len(), 2);
}
