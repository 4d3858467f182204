//! The expiry and the refresh of tokens.

use super::session::{START, Session, channel_token, session_token};
use crate::support::{App, INSTALLATION, channel};
use sealwire_protocol::{
    ChannelId, Code,
    tokens::{self, Permissions},
    wire::{Channel, Pong, Refresh, ToClient, ToRelay},
};
use std::time::Duration;

const SUBSCRIBE_ONLY: Permissions = Permissions { subscribe: true, publish: false, presence: false };
const PUBLISH_ONLY: Permissions = Permissions { subscribe: false, publish: true, presence: false };

fn refresh(session: &mut Session, channel: Option<ChannelId>, token: String) {
    let request = session.next_request();
    let channel_id = channel.map(Into::into).unwrap_or_default();
    session.send(ToRelay::Refresh(Refresh { request, channel_id, token }));
}

fn must_refresh(session: &mut Session, channel: Option<ChannelId>, token: String, until: u64) {
    refresh(session, channel, token);
    match session.answer() {
        ToClient::Refreshed(refreshed) => assert_eq!(refreshed.expires_at, until),
        other => panic!("{other:?}"),
    }
}

fn with_token(name: &str, tag: u8, exp: u64) -> Channel {
    let token = channel_token(&App::one(), INSTALLATION, name, tag, Permissions::ALL, exp);
    Channel { token, ..channel(name) }
}

#[test]
fn a_session_ends_exactly_when_its_token_expires() {
    let mut session = Session::open_with(Permissions::ALL, 30);
    session.pass(Duration::from_millis(29_999));
    assert_eq!(session.closed, None);
    session.pass(Duration::from_millis(1));
    assert_eq!(session.must_end(Code::TokenExpired).reconnect_after_ms, 0);
}

#[test]
fn a_request_after_expiry_is_refused_even_if_the_timer_is_late() {
    let mut session = Session::open_with(Permissions::ALL, 30);
    session.now.monotonic += Duration::from_secs(30);
    session.now.wall.0 += 30_000;
    session.send(ToRelay::Pong(Pong {}));
    session.must_end(Code::TokenExpired);
}

#[test]
fn a_refreshed_session_keeps_its_subscriptions() {
    let mut session = Session::open_with(Permissions::ALL, 20);
    let id = session.subscribed("absences").channel_id();
    session.pass(Duration::from_secs(15));
    must_refresh(&mut session, None, session_token("alice", Permissions::ALL, START + 35), START + 35);
    session.pass(Duration::from_millis(19_999));
    assert_eq!(session.closed, None);
    assert!(session.rules.accepts(id, ""));
    session.pass(Duration::from_millis(1));
    session.must_end(Code::TokenExpired);
}

#[test]
fn a_refresh_with_a_token_of_another_identity_is_refused_and_changes_nothing() {
    let mut claims = App::one().claims("alice", Permissions::ALL, (START, START + 600));
    claims.ins = "ari:cloud:jira::site/two".into();
    let other_installation = tokens::sign(&claims, &App::one().key).unwrap();
    let mut claims = App::one().claims("alice", Permissions::ALL, (START, START + 600));
    claims.ctx = claims.ctx.keep(&["module"]).unwrap();
    let other_context = tokens::sign(&claims, &App::one().key).unwrap();
    let two = App::new("ari:cloud:ecosystem::app/two", "two", 2);
    let other_app = two.claims("alice", Permissions::ALL, (START, START + 600));
    let other_app = tokens::sign(&other_app, &two.key).unwrap();
    for (token, code) in [
        (session_token("bob", Permissions::ALL, START + 600), Code::TokenIdentity),
        (other_installation, Code::TokenIdentity),
        (other_context, Code::TokenIdentity),
        (other_app, Code::TokenIdentity),
        (session_token("alice", Permissions::ALL, START), Code::TokenExpired),
        ("garbage".into(), Code::TokenMalformed),
    ] {
        let mut session = Session::open_with(Permissions::ALL, 20);
        refresh(&mut session, None, token);
        session.must_refuse(code);
        assert_eq!(session.last_audited(), ("refresh", code));
        session.pass(Duration::from_secs(20));
        session.must_end(Code::TokenExpired);
    }
}

#[test]
fn a_refresh_without_a_permission_ends_the_subscriptions_that_need_it() {
    let mut session = Session::open();
    let id = session.subscribed("absences").channel_id();
    refresh(&mut session, None, session_token("alice", PUBLISH_ONLY, START + 600));
    assert!(matches!(session.sent.pop_front(), Some(ToClient::Refreshed(_))));
    let ToClient::Ended(ended) = session.answer() else { panic!() };
    assert_eq!((ended.channel_id(), ended.code), (id, Code::PermissionMissing.number()));
    assert!(!session.rules.accepts(id, ""));
    session.subscribe(channel("absences"), None);
    assert_eq!(session.last_audited(), ("subscribe", Code::PermissionMissing));
}

#[test]
fn a_subscription_ends_exactly_when_its_channel_token_expires_and_the_session_continues() {
    let mut session = Session::open();
    let plain = session.subscribed("absences").channel_id();
    let id = session.subscribed_to(with_token("absences", 1, START + 10)).channel_id();
    assert_ne!(plain, id);
    session.pass(Duration::from_millis(9_999));
    assert!(session.rules.accepts(id, ""));
    session.pass(Duration::from_millis(1));
    let ToClient::Ended(ended) = session.answer() else { panic!() };
    assert_eq!((ended.channel_id(), ended.code), (id, Code::TokenExpired.number()));
    assert!(!session.rules.accepts(id, ""));
    assert!(session.rules.accepts(plain, ""));
    assert_eq!(session.closed, None);
}

#[test]
fn a_refreshed_channel_token_keeps_its_subscription() {
    let mut session = Session::open();
    let id = session.subscribed_to(with_token("absences", 1, START + 10)).channel_id();
    must_refresh(&mut session, Some(id), with_token("absences", 1, START + 20).token, START + 20);
    session.pass(Duration::from_millis(19_999));
    assert!(session.sent.is_empty());
    session.pass(Duration::from_millis(1));
    assert!(matches!(session.answer(), ToClient::Ended(_)));
}

#[test]
fn a_channel_token_is_refreshed_only_with_one_that_permits_to_subscribe_to_the_same_channel_and_claims() {
    let mut session = Session::open();
    let plain = session.subscribed("rotation").channel_id();
    let id = session.subscribed_to(with_token("absences", 1, START + 10)).channel_id();
    let two = App::new("ari:cloud:ecosystem::app/two", "two", 2);
    for (id, token, code) in [
        (id, with_token("absences", 2, START + 60).token, Code::TokenIdentity),
        (id, with_token("rotation", 1, START + 60).token, Code::TokenChannel),
        (
            id,
            channel_token(&App::one(), "elsewhere", "absences", 1, SUBSCRIBE_ONLY, START + 60),
            Code::TokenInstallation,
        ),
        (id, channel_token(&two, INSTALLATION, "absences", 1, SUBSCRIBE_ONLY, START + 60), Code::TokenApp),
        (id, with_token("absences", 1, START).token, Code::TokenExpired),
        (
            id,
            channel_token(&App::one(), INSTALLATION, "absences", 1, PUBLISH_ONLY, START + 60),
            Code::PermissionMissing,
        ),
        (plain, with_token("rotation", 1, START + 60).token, Code::TokenIdentity),
        (ChannelId([9; 16]), with_token("absences", 1, START + 60).token, Code::NotSubscribed),
    ] {
        refresh(&mut session, Some(id), token);
        session.must_refuse(code);
        assert_eq!(session.last_audited(), ("refresh", code));
    }
    // The old token still determines the expiry.
    session.pass(Duration::from_secs(10));
    assert!(matches!(session.answer(), ToClient::Ended(_)));
}

#[test]
fn unsubscribing_from_a_channel_discards_its_token() {
    let mut session = Session::open();
    let id = session.subscribed_to(with_token("absences", 1, START + 10)).channel_id();
    let request = session.next_request();
    let message = sealwire_protocol::wire::Unsubscribe { request, channel_id: id.into() };
    session.send(ToRelay::Unsubscribe(message));
    assert!(matches!(session.answer(), ToClient::Unsubscribed(_)));
    session.pass(Duration::from_secs(11));
    assert!(session.sent.is_empty());
}
