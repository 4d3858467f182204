//! An app with blind names: the relay gets tags, the app gets names.

use crate::support::*;
use sealwire_client::{Draft, FetchId, GrantKey, Notice, SessionGrant, SessionReason};
use sealwire_protocol::{
    ChannelAddress, ChannelId, Code, NameKind, NameTagKey, RoutingKey, Scope, UnixSeconds, limits, seal,
    wire::{Publication, Subscribed, ToClient},
};

fn routing() -> RoutingKey {
    RoutingKey::new([9; 32])
}

fn names() -> NameTagKey {
    routing().name_tag_key(APP, INSTALLATION)
}

fn tag(kind: NameKind<'_>, name: &str) -> String {
    names().tag(kind, name).unwrap()
}

/// Returns the context with the tags of its values.
fn tagged_context() -> Scope {
    let key = routing().value_tag_key(APP, INSTALLATION);
    let mut tagged = Scope::default();
    for (property, value) in context().iter() {
        tagged.insert(property, &key.tag(NameKind::Value(property), value).unwrap()).unwrap();
    }
    tagged
}

fn blind_grant(now_ms: u64) -> SessionGrant {
    let context = tagged_context();
    let keys = key(1).scope_keys(APP, INSTALLATION, &context);
    let expires_at = UnixSeconds((UNIX_START + now_ms) / 1000 + SESSION_SECONDS);
    SessionGrant {
        keys: vec![GrantKey::new(&keys, String::new())],
        context,
        name_tag_key: Some(names().to_text()),
        ..grant(&[1], expires_at)
    }
}

fn provide_blind(harness: &mut Harness, fetch: FetchId) {
    harness.client.handle_session(harness.now(), fetch, blind_grant(harness.now_ms));
    harness.drain();
}

/// Connects with a session of blind names.
fn establish(harness: &mut Harness) {
    let fetch = harness.expect_session_request(SessionReason::Connect);
    provide_blind(harness, fetch);
    harness.open();
    harness.welcome();
}

fn tagged_id(name: &str) -> ChannelId {
    let (scope, name) = (tagged_context(), tag(NameKind::Channel, name));
    ChannelAddress { app: APP, installation: INSTALLATION, scope: &scope, claims_tag: None, name: &name }.id()
}

fn confirm(harness: &mut Harness, name: &str, offset: u64) {
    let subscribe = harness.expect_subscribe();
    assert_eq!(subscribe.channel.unwrap().name, tag(NameKind::Channel, name));
    harness.receive(ToClient::Subscribed(Subscribed {
        request: subscribe.request,
        channel_id: tagged_id(name).into(),
        position: Some(position(offset)),
        recovered: true,
        replay_end: 0,
    }));
}

/// Returns a message of another member of the channel, published under `event` as the relay sees it.
fn publication_as(name: &str, event: &str, offset: u64) -> ToClient {
    let (id, scope) = (tagged_id(name), tagged_context());
    let key = key(1).scope_key(APP, INSTALLATION, &scope).channel_key(None, &tag(NameKind::Channel, name));
    let message = sealwire_protocol::Message { event, ..message(next_stamp(), "1") };
    ToClient::Publication(Publication {
        channel_id: id.into(),
        offset,
        previous_offset: offset - 1,
        time_ms: UNIX_START + offset,
        event: event.into(),
        sealed: seal(&key, [4; 12], id, &message).unwrap().into(),
    })
}

/// Returns a connected client with a confirmed subscription to `absences`.
fn subscribed() -> (Harness, sealwire_client::SubscriptionId) {
    let mut harness = Harness::default();
    let subscription = harness.subscribe("absences");
    establish(&mut harness);
    confirm(&mut harness, "absences", 10);
    harness.expect_subscribed(subscription);
    harness.forget_states();
    (harness, subscription)
}

fn publish_as(harness: &mut Harness, event: &str) -> sealwire_client::PublishId {
    let draft = Draft { event: event.into(), ..draft("absences", "1", None, None) };
    let publish = harness.client.publish_draft(harness.now(), draft);
    harness.drain();
    publish
}

#[test]
fn calls_from_before_the_session_reach_the_relay_with_tags_and_messages_reach_the_app_with_names() {
    let mut harness = Harness::default();
    let subscription = harness.subscribe("absences");
    publish_as(&mut harness, "added");
    publish_as(&mut harness, "");
    establish(&mut harness);
    confirm(&mut harness, "absences", 10);
    harness.expect_subscribed(subscription);
    for event in [tag(NameKind::Event, "added"), String::new()] {
        let publish = harness.expect_publish();
        assert_eq!(
            (publish.channel.unwrap().name, publish.event),
            (tag(NameKind::Channel, "absences"), event)
        );
    }
    harness.forget_states();
    for (offset, event, name) in [(11, tag(NameKind::Event, "added"), "added"), (12, String::new(), "")] {
        harness.receive(publication_as("absences", &event, offset));
        let message = harness.expect_message(&[subscription]);
        assert_eq!((message.channel.as_str(), message.event.as_str()), ("absences", name));
    }
}

#[test]
fn a_name_that_is_too_long_for_a_tag_is_refused_with_its_limit() {
    let (mut harness, _) = subscribed();
    let subscription = harness.subscribe(&"a".repeat(limits::MAX_TAGGED_NAME + 1));
    let error = harness.expect_subscribe_error(subscription);
    assert_eq!(error.code, Code::NameInvalid.into());
    assert!(error.message.contains("longer than 159 bytes, the limit with blindNames"), "{error}");
    let publish = publish_as(&mut harness, &"é".repeat(80));
    let error = harness.expect_publish_error(publish);
    assert!(error.message.starts_with("a name is longer than 159 bytes"), "{error}");
    harness.expect_nothing();
}

#[test]
fn a_message_under_an_event_that_is_no_tag_is_unreadable_and_the_channel_continues() {
    let (mut harness, subscription) = subscribed();
    let foreign = RoutingKey::new([8; 32]).name_tag_key(APP, INSTALLATION);
    let events = [
        "added".to_owned(),
        "~t1.".to_owned(),
        tag(NameKind::Channel, "added"),
        foreign.tag(NameKind::Event, "added").unwrap(),
    ];
    for (event, offset) in events.iter().zip(11..) {
        harness.receive(publication_as("absences", event, offset));
        match harness.expect_notice(&[subscription]) {
            Notice::Error(error) => assert_eq!(error.code, Code::MessageUnreadable.into()),
            other => panic!("{other:?}"),
        }
    }
    harness.receive(publication_as("absences", &tag(NameKind::Event, "added"), 15));
    assert_eq!(harness.expect_message(&[subscription]).event, "added");
}

#[test]
fn a_session_that_turns_blind_names_on_or_off_ends_the_subscriptions_with_the_reason() {
    let ends = |(mut harness, subscription): (Harness, sealwire_client::SubscriptionId), is_blind: bool| {
        harness.goodbye(Code::TokenExpired, 0);
        let fetch = harness.expect_session_request(SessionReason::Connect);
        if is_blind {
            provide_blind(&mut harness, fetch);
        } else {
            harness.provide(fetch, &[1]);
        }
        match harness.expect_notice(&[subscription]) {
            Notice::Ended(error) => {
                assert_eq!(error.code, Code::TokenIdentity.into());
                assert!(error.message.contains("blindNames"), "{error}");
            }
            other => panic!("{other:?}"),
        }
    };
    ends(subscribed(), false);
    ends(Harness::subscribed("absences"), true);
}

#[test]
fn a_publication_that_was_sealed_for_other_names_fails_and_is_not_sent_to_another_channel() {
    let mut harness = Harness::default();
    let publish = harness.publish("absences", "1");
    harness.establish();
    harness.expect_publish();
    harness.goodbye(Code::TokenExpired, 0);
    let fetch = harness.expect_session_request(SessionReason::Connect);
    provide_blind(&mut harness, fetch);
    let error = harness.expect_publish_error(publish);
    assert_eq!((error.code, error.may_have_arrived), (Code::TokenIdentity.into(), Some(true)));
    assert_eq!(harness.connection, None);
}

#[test]
fn a_session_with_a_malformed_key_of_tags_is_refused() {
    let mut harness = Harness::default();
    let subscription = harness.subscribe("absences");
    let fetch = harness.expect_session_request(SessionReason::Connect);
    let grant = SessionGrant { name_tag_key: Some("AAAA".into()), ..blind_grant(harness.now_ms) };
    harness.client.handle_session(harness.now(), fetch, grant);
    harness.drain();
    assert_eq!(harness.expect_subscribe_error(subscription).code, Code::InvalidArgument.into());
}
