//! The end of subscriptions to channels of which the broker lost track.

use super::session::{HEARTBEAT, START, Session, channel_token};
use crate::support::{App, INSTALLATION, channel};
use sealwire_protocol::{
    ChannelId, Code,
    tokens::Permissions,
    wire::{Channel, Ended, Position, Subscribe, ToClient, ToRelay},
};
use sealwire_relay::{SessionAction, SubscriptionStart};
use std::time::Duration;

/// Takes the messages that tell the end of a subscription to each of these channels.
fn must_have_ended(session: &mut Session, channels: &[ChannelId]) {
    let mut ended = Vec::new();
    for message in session.sent.drain(..) {
        let ToClient::Ended(Ended { code, .. }) = &message else { panic!("{message:?}") };
        assert_eq!(*code, Code::BrokerUnavailable.number());
        let ToClient::Ended(end) = message else { continue };
        ended.push(end.channel_id());
    }
    let mut expected = channels.to_vec();
    expected.sort_unstable();
    ended.sort_unstable();
    assert_eq!(ended, expected);
}

#[test]
fn a_reset_ends_the_subscriptions_to_the_lost_channels_and_no_others() {
    let mut session = Session::open();
    let [a, b, c] = ["a", "b", "c"].map(|name| session.subscribed(name).channel_id());
    session.rules.handle_broker_reset(&mut |channel| channel != b);
    session.act();
    must_have_ended(&mut session, &[a, c]);
    assert_eq!([a, b, c].map(|channel| session.rules.accepts(channel, "")), [false, true, false]);
    assert_eq!(session.closed, None);
    // The limit of three subscriptions has room again.
    for name in ["a", "c"] {
        session.subscribed(name);
    }
}

#[test]
fn a_reset_tells_the_broker_to_unsubscribe_before_it_tells_the_client() {
    let mut session = Session::open();
    let id = session.subscribed("a").channel_id();
    session.rules.handle_broker_reset(&mut |_| true);
    assert_eq!(session.rules.poll_action(), Some(SessionAction::Unsubscribe(id)));
    assert!(matches!(session.rules.poll_action(), Some(SessionAction::Send(ToClient::Ended(_)))));
    assert_eq!(session.rules.poll_action(), None);
    // A session without subscriptions, or before its token, is not affected.
    session.rules.handle_broker_reset(&mut |_| true);
    Session::new().rules.handle_broker_reset(&mut |_| true);
    assert_eq!(session.rules.poll_action(), None);
}

#[test]
fn a_lost_subscription_leaves_no_timer_of_its_token() {
    let mut session = Session::open();
    let token = channel_token(&App::one(), INSTALLATION, "a", 1, Permissions::ALL, START + 20);
    let id = session.subscribed_to(Channel { token, ..channel("a") }).channel_id();
    session.rules.handle_broker_reset(&mut |_| true);
    session.act();
    must_have_ended(&mut session, &[id]);
    assert_eq!(session.rules.poll_timeout(), Some(session.now.monotonic + HEARTBEAT));
}

/// Sends a subscribe request whose answer the broker owes.
fn start_subscribing(session: &mut Session, channel: Channel) {
    let request = session.next_request();
    let subscribe = Subscribe { request, channel: Some(channel), since: None, events: vec![] };
    session.rules.handle_frame(ToRelay::Subscribe(subscribe).to_bytes().into(), session.now);
    assert!(matches!(session.rules.poll_action(), Some(SessionAction::Subscribe { .. })));
}

fn complete(session: &mut Session) {
    let position = Position { epoch: 1, offset: 0, time_ms: 0 };
    let start = SubscriptionStart { position, recovered: true, replayed: 0, replay_end: 0 };
    session.rules.handle_subscribed(Ok(start), session.now);
    session.act();
}

#[test]
fn a_subscribe_that_waits_for_the_broker_survives_a_reset() {
    let mut session = Session::open();
    start_subscribing(&mut session, channel("a"));
    session.rules.handle_broker_reset(&mut |_| true);
    assert_eq!(session.rules.poll_action(), None);
    complete(&mut session);
    let ToClient::Subscribed(subscribed) = session.answer() else { panic!("no confirmation") };
    assert!(session.rules.accepts(subscribed.channel_id(), ""));
}

#[test]
fn a_request_that_replaces_an_ended_subscription_keeps_its_entry_at_the_driver() {
    let token = |exp| Channel {
        token: channel_token(&App::one(), INSTALLATION, "a", 1, Permissions::ALL, START + exp),
        ..channel("a")
    };
    for ends_by_reset in [true, false] {
        let mut session = Session::open();
        let id = session.subscribed_to(token(10)).channel_id();
        start_subscribing(&mut session, token(60));
        if ends_by_reset {
            session.rules.handle_broker_reset(&mut |_| true);
        } else {
            session.now.monotonic += Duration::from_secs(10);
            session.now.wall.0 += 10_000;
            session.rules.handle_timeout(session.now);
        }
        // `Unsubscribe` would also remove the subscription that the broker is about to confirm.
        let Some(SessionAction::Send(ToClient::Ended(ended))) = session.rules.poll_action() else {
            panic!("the subscription has not ended")
        };
        assert_eq!((ended.channel_id(), session.rules.poll_action()), (id, None));
        complete(&mut session);
        assert!(matches!(session.answer(), ToClient::Subscribed(_)));
        assert!(session.rules.accepts(id, ""));
    }
}
