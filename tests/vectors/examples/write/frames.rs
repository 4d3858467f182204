//! Messages on the WebSocket, alone and in batches.

use super::{NOW, counting};
use sealwire_protocol::{
    ChannelId, Code,
    wire::{
        Channel, End, Ended, Failed, Goodbye, Hello, Ping, Pong, Position, Presence, PresenceAccepted,
        PresenceEnded, PresenceEnter, PresenceEntry, PresenceLeave, PresenceUnwatch, PresenceWatch,
        Publication, Publish, Published, Refresh, Refreshed, Session, Since, Subscribe, Subscribed, ToClient,
        ToRelay, Unsubscribe, Unsubscribed, Welcome,
    },
};
use sealwire_vectors::{BatchCase, FrameCase, to_hex};

const POSITION: Position = Position { epoch: 0x0123_4567_89ab_cdef, offset: 300, time_ms: 1_800_000_000_123 };

pub(super) fn frames() -> Vec<FrameCase> {
    let case = |direction: &str, message: String, bytes: Vec<u8>| FrameCase {
        direction: direction.into(),
        message: message.split('(').next().unwrap_or_default().into(),
        bytes: to_hex(&bytes),
    };
    let mut cases: Vec<_> = [to_relay(), presence_to_relay()]
        .iter()
        .flatten()
        .map(|message| case("to-relay", format!("{message:?}"), message.to_bytes()))
        .collect();
    cases.extend(
        [to_client(), presence_to_client()]
            .iter()
            .flatten()
            .map(|message| case("to-client", format!("{message:?}"), message.to_bytes())),
    );
    cases
}

fn id() -> bytes::Bytes {
    ChannelId(counting(0)).into()
}

fn channel() -> Option<Channel> {
    let properties = vec!["dashboard".into(), "gadget".into()];
    Some(Channel { name: "absences".into(), properties, token: "a.b.c".into() })
}

fn to_relay() -> Vec<ToRelay> {
    vec![
        ToRelay::Hello(Hello { token: "a.b.c".into() }),
        ToRelay::Refresh(Refresh { request: 1, channel_id: bytes::Bytes::new(), token: "a.b.c".into() }),
        ToRelay::Refresh(Refresh { request: 2, channel_id: id(), token: "a.b.c".into() }),
        ToRelay::Subscribe(Subscribe { request: 3, channel: channel(), since: None, events: vec![] }),
        ToRelay::Subscribe(Subscribe {
            request: 4,
            channel: channel(),
            since: Some(Since::ReplaySeconds(60)),
            events: vec!["added".into(), "removed".into()],
        }),
        ToRelay::Subscribe(Subscribe {
            request: 5,
            channel: channel(),
            since: Some(Since::Position(POSITION)),
            events: vec![],
        }),
        ToRelay::Unsubscribe(Unsubscribe { request: 6, channel_id: id() }),
        ToRelay::Publish(Publish {
            request: 70_000,
            channel: channel(),
            event: "added".into(),
            sealed: counting::<60>(7).to_vec().into(),
            id: counting::<16>(200).to_vec().into(),
            follows: 69_999,
            content: bytes::Bytes::new(),
        }),
        ToRelay::Publish(Publish {
            request: 70_001,
            channel: channel(),
            event: "added".into(),
            sealed: counting::<60>(7).to_vec().into(),
            id: counting::<16>(200).to_vec().into(),
            follows: 70_000,
            content: counting::<16>(216).to_vec().into(),
        }),
        ToRelay::Pong(Pong {}),
        ToRelay::Ping(Ping::default()),
        ToRelay::Session(Session { number: 300 }),
        ToRelay::End(End {}),
    ]
}

fn to_client() -> Vec<ToClient> {
    vec![
        ToClient::Welcome(Welcome {
            max_frame: 147_456,
            max_subscriptions: 256,
            heartbeat_ms: 25_000,
            replay_window_ms: 120_000,
            expires_at: NOW + 900,
            now_ms: NOW * 1000,
        }),
        ToClient::Refreshed(Refreshed { request: 1, expires_at: NOW + 900 }),
        ToClient::Subscribed(Subscribed {
            request: 3,
            channel_id: id(),
            position: Some(POSITION),
            recovered: true,
            replay_end: 305,
        }),
        ToClient::Unsubscribed(Unsubscribed { request: 6 }),
        ToClient::Publication(Publication {
            channel_id: id(),
            offset: 301,
            previous_offset: 300,
            time_ms: NOW * 1000 + 5,
            event: "added".into(),
            sealed: counting::<60>(7).to_vec().into(),
        }),
        ToClient::Published(Published { request: 7, position: Some(POSITION), time_ms: NOW * 1000 }),
        ToClient::Failed(Failed::new(8, Code::ScopeRefused, "why".into())),
        ToClient::Ended(Ended { channel_id: id(), code: Code::TokenExpired.number(), message: "why".into() }),
        ToClient::Goodbye(Goodbye {
            code: Code::ShuttingDown.number(),
            message: "why".into(),
            reconnect_after_ms: 1500,
        }),
        ToClient::Ping(Ping::default()),
        ToClient::Ping(Ping { marks: vec![POSITION, Position { epoch: 2, offset: 1, time_ms: NOW * 1000 }] }),
        ToClient::Pong(Pong {}),
        ToClient::Session(Session { number: 300 }),
    ]
}

fn presence_to_relay() -> Vec<ToRelay> {
    vec![
        ToRelay::PresenceEnter(PresenceEnter {
            request: 70_002,
            channel: channel(),
            member: counting::<16>(100).to_vec().into(),
            number: 3,
            sealed: counting::<60>(7).to_vec().into(),
        }),
        ToRelay::PresenceLeave(PresenceLeave {
            request: 70_003,
            channel_id: id(),
            member: counting::<16>(100).to_vec().into(),
        }),
        ToRelay::PresenceWatch(PresenceWatch { request: 70_004, channel: channel() }),
        ToRelay::PresenceUnwatch(PresenceUnwatch { request: 70_005, channel_id: id() }),
    ]
}

fn presence_to_client() -> Vec<ToClient> {
    vec![
        ToClient::PresenceAccepted(PresenceAccepted { request: 70_002, channel_id: id() }),
        ToClient::Presence(Presence {
            channel_id: id(),
            version: 4,
            is_state: true,
            more: false,
            entries: vec![PresenceEntry {
                member: counting::<16>(100).to_vec().into(),
                number: 3,
                sealed: counting::<60>(7).to_vec().into(),
                in_grace: true,
            }],
            left: vec![],
        }),
        ToClient::Presence(Presence {
            channel_id: id(),
            version: 5,
            is_state: false,
            more: true,
            entries: vec![],
            left: vec![counting::<16>(100).to_vec().into()],
        }),
        ToClient::PresenceEnded(PresenceEnded {
            channel_id: id(),
            code: Code::TokenExpired.number(),
            message: "why".into(),
        }),
    ]
}

/// Frames of RFC 6455 in one message, with each of their three forms of length.
pub(super) fn batches() -> Vec<BatchCase> {
    let case = |what: &str, bytes: &[u8], messages: &[&[u8]], broken: bool| BatchCase {
        what: what.into(),
        bytes: to_hex(bytes),
        messages: messages.iter().map(|message| to_hex(message)).collect(),
        broken,
    };
    let pong: &[u8] = &[0x5a, 0];
    let framed = [&[0x82, 2], pong].concat();
    let (medium, long) = ([7; 200], [8; 3]);
    let of_all_lengths = [
        framed.as_slice(),
        &[0x82, 0],
        &[0x82, 126, 0, 200],
        &medium,
        &[0x82, 127, 0, 0, 0, 0, 0, 0, 0, 3],
        &long,
    ];
    let broken = |what: &str, rest: &[u8]| case(what, &[framed.as_slice(), rest].concat(), &[pong], true);
    vec![
        case("a message alone", pong, &[pong], false),
        case("an empty message", &[], &[&[]], false),
        case("a batch of one", &framed, &[pong], false),
        case(
            "every form of length, also where a shorter one would do",
            &of_all_lengths.concat(),
            &[pong, &[], &medium, &long],
            false,
        ),
        broken("a frame without a length", &[0x82]),
        broken("a frame that is cut", &[0x82, 2, 1]),
        broken("a length that is cut", &[0x82, 126, 0]),
        broken("a length past everything", &[0x82, 127, 255, 255, 255, 255, 255, 255, 255, 255, 1]),
        broken("a masked frame", &[0x82, 0x81, 0, 0, 0, 0, 1]),
        broken("a close frame", &[0x88, 2, 3, 0xe8]),
        broken("a fragment", &[0x02, 0]),
    ]
}
