//! Revocations in virtual time.

use super::session::{START, Session};
use crate::support::{APP, App, INSTALLATION};
use sealwire_protocol::{
    CloseCode, Code, Scope, UnixSeconds, limits,
    tokens::{self, Permissions},
    wire::{Hello, ToClient, ToRelay},
};
use sealwire_relay::Selector;
use std::time::Duration;

fn revoke(session: &Session, account: &str, before: u64) {
    let selector = Selector { account: Some(account.to_owned()), context: Scope::default() };
    session.revocations.add(APP, INSTALLATION, &selector, UnixSeconds(before), session.now).unwrap();
}

#[test]
fn a_revoked_session_ends_once_with_a_reconnect_delay() {
    let mut session = Session::open();
    revoke(&session, "bob", START + 1);
    session.rules.handle_revocations(session.now);
    session.act();
    assert_eq!(session.closed, None);
    revoke(&session, "alice", START + 1);
    session.rules.handle_revocations(session.now);
    session.rules.handle_revocations(session.now);
    session.act();
    let Some(ToClient::Goodbye(goodbye)) = session.sent.pop_front() else { panic!() };
    assert_eq!(
        (Code::from_number(goodbye.code), session.closed),
        (Some(Code::Revoked), Some(CloseCode::Forbidden))
    );
    assert!(goodbye.reconnect_after_ms >= 1000, "{goodbye:?}");
    // A revocation is not a refused attempt, so it is not audited as one.
    assert!(session.sent.is_empty() && session.audited.is_empty());
    assert_eq!(session.rules.poll_timeout(), None);
}

#[test]
fn a_revoked_token_of_the_longest_lifetime_is_refused_until_its_last_second() {
    let mut session = Session::new();
    revoke(&session, "alice", START + 1);
    let claims = App::one().claims("alice", Permissions::ALL, (START, START + limits::MAX_TOKEN_LIFETIME));
    let token = tokens::sign(&claims, &App::one().key).unwrap();
    session.now.wall.0 += (limits::MAX_TOKEN_LIFETIME - 1) * 1000;
    session.now.monotonic += Duration::from_secs(1);
    // A later revocation must not discard one that still applies to a token.
    revoke(&session, "bob", session.now.wall.seconds().0);
    session.send(ToRelay::Hello(Hello { token }));
    assert_eq!(session.closed, Some(CloseCode::Forbidden));
    let refused = &session.audited[0];
    let account = refused.identity.as_ref().and_then(|identity| identity.account.as_deref());
    assert_eq!((refused.attempt, refused.code, account), ("hello", Code::Revoked, Some("alice")));
}
