//! The rules of a session about presence in virtual time.

use super::session::{HEARTBEAT, Session};
use crate::support::{channel, member, presence_enter};
use sealwire_protocol::{
    ChannelId, Code,
    tokens::Permissions,
    wire::{Pong, PresenceLeave, PresenceUnwatch, PresenceWatch, ToClient, ToRelay},
};
use sealwire_relay::{BrokerError, EndReason, MemberId, PresenceAction};
use std::time::Duration;

/// Returns the interval in which a member is pinged.
fn interval() -> Duration {
    HEARTBEAT * 9 / 20
}

/// Ends a session.
type End = fn(&mut Session);

fn id(number: u64) -> MemberId {
    member(number).as_ref().try_into().unwrap()
}

/// Enters, and completes the request.
fn enter(session: &mut Session, name: &str, number: u64) -> ChannelId {
    let request = session.next_request();
    session.send(presence_enter(request, channel(name), number, 1, 60));
    let Some(PresenceAction::Enter { request, channel, entry, .. }) = session.presence.pop() else {
        panic!()
    };
    assert_eq!((entry.member, entry.number), (id(number), 1));
    session.rules.handle_entered(request, channel, id(number), Ok(()));
    session.act();
    assert!(matches!(session.answer(), ToClient::PresenceAccepted(_)));
    channel
}

fn watch(session: &mut Session, name: &str) -> ChannelId {
    let request = session.next_request();
    session.send(ToRelay::PresenceWatch(PresenceWatch { request, channel: Some(channel(name)) }));
    // The answer precedes the state, which the driver sends.
    assert!(matches!(session.answer(), ToClient::PresenceAccepted(_)));
    let Some(PresenceAction::Watch(channel)) = session.presence.pop() else { panic!() };
    channel
}

#[test]
fn a_session_that_ends_for_good_removes_its_members_and_one_that_may_return_does_not() {
    let ends: [(Code, End); 4] = [
        (Code::TokenExpired, |session| {
            for _ in 0..60 {
                session.pass(interval());
                session.send(ToRelay::Pong(Pong {}));
            }
        }),
        (Code::TextFrame, |session| session.rules.handle_end(EndReason::TextFrame)),
        (Code::SlowConsumer, |session| session.rules.handle_end(EndReason::SlowConsumer)),
        (Code::ShuttingDown, |session| session.rules.handle_end(EndReason::ShuttingDown)),
    ];
    for (code, end) in ends {
        let mut session = Session::open();
        let entered = enter(&mut session, "absences", 1);
        end(&mut session);
        session.act();
        session.must_end(code);
        let left: Vec<_> = session
            .presence
            .iter()
            .filter_map(|action| match action {
                PresenceAction::Leave { request: None, channel, member, .. } => Some((*channel, *member)),
                _ => None,
            })
            .collect();
        let expected =
            if code.retryable() && code != Code::TokenExpired { vec![] } else { vec![(entered, id(1))] };
        assert_eq!(left, expected, "{code:?}");
    }
}

#[test]
fn a_member_is_pinged_twice_a_heartbeat_and_disconnected_before_a_whole_one_is_silent() {
    let mut session = Session::open();
    // The member enters late in the interval of the session.
    session.pass(HEARTBEAT - Duration::from_secs(1));
    let entered = enter(&mut session, "absences", 1);
    session.pass(interval());
    assert!(matches!(session.answer(), ToClient::Ping(_)));
    session.send(ToRelay::Pong(Pong {}));
    session.pass(interval());
    assert!(matches!(session.answer(), ToClient::Ping(_)));
    session.pass(interval() - Duration::from_millis(1));
    assert_eq!(session.closed, None);
    session.pass(Duration::from_millis(1));
    session.must_end(Code::HeartbeatTimeout);

    // A session that has left, or only watches, has two heartbeats again.
    let mut session = Session::open();
    watch(&mut session, "absences");
    assert_eq!(enter(&mut session, "absences", 1), entered);
    let request = session.next_request();
    let leave = PresenceLeave { request, channel_id: entered.into(), member: member(1) };
    session.send(ToRelay::PresenceLeave(leave));
    session.pass(2 * HEARTBEAT - Duration::from_millis(1));
    assert_eq!(session.closed, None);
    session.pass(Duration::from_millis(1));
    session.must_end(Code::HeartbeatTimeout);
}

#[test]
fn a_refresh_extends_the_members_of_the_session() {
    let mut session = Session::open_with(Permissions::ALL, 60);
    let entered = enter(&mut session, "absences", 1);
    let token = super::session::session_token("alice", Permissions::ALL, super::session::START + 500);
    let request = session.next_request();
    session.send(ToRelay::Refresh(sealwire_protocol::wire::Refresh { request, token, ..Default::default() }));
    let expires = session.now.monotonic + Duration::from_secs(500);
    assert_eq!(session.presence, [PresenceAction::Extend { channel: entered, member: id(1), expires }]);
}

#[test]
fn a_session_with_a_presence_is_not_idle() {
    let mut session = Session::open_with(Permissions::ALL, 600);
    session
        .limits
        .set(sealwire_relay::Settings { idle_timeout: Duration::from_secs(60), ..Default::default() });
    let watched = watch(&mut session, "absences");
    for _ in 0..8 {
        session.pass(HEARTBEAT);
        session.send(ToRelay::Pong(Pong {}));
    }
    assert_eq!(session.closed, None);
    let request = session.next_request();
    session.sent.clear();
    session.send(ToRelay::PresenceUnwatch(PresenceUnwatch { request, channel_id: watched.into() }));
    assert!(matches!(session.answer(), ToClient::PresenceAccepted(_)));
    for _ in 0..4 {
        session.pass(HEARTBEAT);
        if session.closed.is_none() {
            session.send(ToRelay::Pong(Pong {}));
        }
    }
    session.must_end(Code::IdleTimeout);
}

#[test]
fn a_refused_enter_leaves_no_part_in_the_presence() {
    let mut session = Session::new();
    session.limits.set(sealwire_relay::Settings { max_presence_channels: 1, ..Default::default() });
    session.hello(Permissions::ALL, 600);
    for _ in 0..2 {
        let request = session.next_request();
        session.send(presence_enter(request, channel("absences"), 1, 1, 60));
        let Some(PresenceAction::Enter { request, channel, .. }) = session.presence.pop() else { panic!() };
        let refused = Err(BrokerError::Full.into());
        session.rules.handle_entered(request, channel, id(1), refused);
        session.act();
        session.must_refuse(Code::Overloaded);
        assert_eq!(session.last_audited(), ("presence", Code::Overloaded));
    }
    // The limit of channels counts the ones in use.
    let entered = enter(&mut session, "rotation", 1);
    let request = session.next_request();
    session.send(presence_enter(request, channel("absences"), 1, 1, 60));
    session.must_refuse(Code::TooManyPresences);
    let (request, channel_id) = (session.next_request(), entered.into());
    session.send(ToRelay::PresenceLeave(PresenceLeave { request, channel_id, member: member(1) }));
    assert!(matches!(
        session.presence.pop(),
        Some(PresenceAction::Leave { request: Some(number), .. }) if number == request
    ));
    session.rules.handle_left(request, entered, Ok(()));
    session.act();
    assert!(matches!(session.answer(), ToClient::PresenceAccepted(_)));
    enter(&mut session, "absences", 1);
}
