//! Tests of the codec: round trips, golden bytes and malformed input.

mod presence;

use super::*;
use crate::Code;
use alloc::{string::ToString, vec, vec::Vec};
use proptest::{collection, prelude::*};
use prost::Message as _;

fn channel() -> impl Strategy<Value = Channel> {
    (".{0,20}", collection::vec("[a-z]{1,8}", 0..4), ".{0,20}")
        .prop_map(|(name, properties, token)| Channel { name, properties, token })
}

fn bytes(length: impl Into<collection::SizeRange>) -> impl Strategy<Value = Bytes> {
    collection::vec(any::<u8>(), length).prop_map(Bytes::from)
}

fn position() -> impl Strategy<Value = Position> {
    any::<(u64, u64, u64)>().prop_map(|(epoch, offset, time_ms)| Position { epoch, offset, time_ms })
}

fn ping(max_marks: usize) -> impl Strategy<Value = Ping> {
    collection::vec(position(), 0..=max_marks).prop_map(|marks| Ping { marks })
}

fn to_relay() -> impl Strategy<Value = ToRelay> {
    let since =
        prop_oneof![any::<u32>().prop_map(Since::ReplaySeconds), position().prop_map(Since::Position)];
    prop_oneof![
        ".{0,40}".prop_map(|token| ToRelay::Hello(Hello { token })),
        (1u32.., prop_oneof![bytes(0), bytes(16)], ".{0,40}").prop_map(|(request, channel_id, token)| {
            ToRelay::Refresh(Refresh { request, channel_id, token })
        }),
        (1u32.., channel(), proptest::option::of(since), collection::vec(".{0,9}", 0..4)).prop_map(
            |(request, channel, since, events)| {
                ToRelay::Subscribe(Subscribe { request, channel: Some(channel), since, events })
            }
        ),
        (1u32.., bytes(16))
            .prop_map(|(request, id)| ToRelay::Unsubscribe(Unsubscribe { request, channel_id: id })),
        (
            1u32..,
            channel(),
            ".{0,9}",
            bytes(0..200),
            bytes(16),
            any::<u32>(),
            prop_oneof![bytes(0), bytes(16)]
        )
            .prop_map(|(request, channel, event, sealed, id, follows, content)| {
                let channel = Some(channel);
                ToRelay::Publish(Publish { request, channel, event, sealed, id, follows, content })
            }),
        Just(ToRelay::Pong(Pong {})),
        ping(3).prop_map(ToRelay::Ping),
        any::<u32>().prop_map(|number| ToRelay::Session(Session { number })),
        Just(ToRelay::End(End {})),
        presence::to_relay(),
    ]
}

fn to_client() -> impl Strategy<Value = ToClient> {
    prop_oneof![
        any::<([u32; 4], u64, u64)>().prop_map(|([a, b, c, d], expires_at, now_ms)| {
            ToClient::Welcome(Welcome {
                max_frame: a,
                max_subscriptions: b,
                heartbeat_ms: c,
                replay_window_ms: d,
                expires_at,
                now_ms,
            })
        }),
        any::<(u32, u64)>()
            .prop_map(|(request, expires_at)| ToClient::Refreshed(Refreshed { request, expires_at })),
        (any::<u32>(), bytes(16), position(), any::<bool>(), any::<u64>()).prop_map(
            |(request, channel_id, position, recovered, replay_end)| {
                let position = Some(position);
                ToClient::Subscribed(Subscribed { request, channel_id, position, recovered, replay_end })
            }
        ),
        any::<u32>().prop_map(|request| ToClient::Unsubscribed(Unsubscribed { request })),
        (bytes(16), any::<[u64; 3]>(), ".{0,9}", bytes(0..200)).prop_map(
            |(channel_id, [a, b, c], event, sealed)| {
                ToClient::Publication(Publication {
                    channel_id,
                    offset: a,
                    previous_offset: b,
                    time_ms: c,
                    event,
                    sealed,
                })
            }
        ),
        (any::<u32>(), position(), any::<u64>()).prop_map(|(request, position, time_ms)| {
            ToClient::Published(Published { request, position: Some(position), time_ms })
        }),
        any::<(u32, u32, u32)>().prop_map(|(request, code, retry_after_ms)| {
            ToClient::Failed(Failed { request, code, message: "why".to_string(), retry_after_ms })
        }),
        (bytes(16), any::<u32>()).prop_map(|(channel_id, code)| ToClient::Ended(Ended {
            channel_id,
            code,
            message: "why".to_string()
        })),
        any::<(u32, u32)>().prop_map(|(code, reconnect_after_ms)| {
            ToClient::Goodbye(Goodbye { code, message: "why".to_string(), reconnect_after_ms })
        }),
        ping(limits::MAX_MARKS).prop_map(ToClient::Ping),
        Just(ToClient::Pong(Pong {})),
        any::<u32>().prop_map(|number| ToClient::Session(Session { number })),
        presence::to_client(),
    ]
}

proptest! {
    #[test]
    fn messages_to_the_relay_round_trip(message in to_relay()) {
        prop_assert_eq!(ToRelay::from_bytes(message.to_bytes().into()), Ok(message));
    }

    #[test]
    fn frames_that_control_sessions_are_recognised_by_their_first_byte(message in to_relay()) {
        let about = matches!(message, ToRelay::Session(_) | ToRelay::End(_));
        prop_assert_eq!(ToRelay::is_about_sessions(&message.to_bytes()), about);
    }

    #[test]
    fn messages_to_a_client_round_trip(message in to_client()) {
        prop_assert_eq!(ToClient::from_bytes(message.to_bytes().into()), Ok(message));
    }

    #[test]
    fn a_client_reads_a_message_as_prost_does(message in to_client()) {
        let envelope = to_client::Envelope::decode(Bytes::from(message.to_bytes())).unwrap();
        prop_assert_eq!(envelope.message, Some(message));
    }

    #[test]
    fn a_client_accepts_a_mangled_message_only_as_prost_reads_it(message in to_client(), at: prop::sample::Index, byte: u8) {
        let mut frame = message.to_bytes();
        let index = at.index(frame.len());
        frame[index] = byte;
        let frame = Bytes::from(frame);
        if let (Ok(message), Ok(envelope)) = (ToClient::from_bytes(frame.clone()), to_client::Envelope::decode(frame)) {
            prop_assert_eq!(envelope.message, Some(message));
        }
    }

    #[test]
    fn mangled_frames_never_panic(message in to_relay(), answer in to_client(), at: prop::sample::Index, byte: u8, cut: prop::sample::Index) {
        for mut frame in [message.to_bytes(), answer.to_bytes()] {
            let index = at.index(frame.len());
            frame[index] = byte;
            frame.truncate(cut.index(frame.len()) + 1);
            let _ = ToRelay::from_bytes(frame.clone().into());
            let _ = ToClient::from_bytes(frame.into());
        }
    }

    #[test]
    fn random_bytes_never_panic(frame in collection::vec(any::<u8>(), 0..400)) {
        let _ = ToRelay::from_bytes(frame.clone().into());
        let _ = ToClient::from_bytes(frame.into());
    }
}

fn refused(message: ToRelay) -> FrameError {
    ToRelay::from_bytes(message.to_bytes().into()).unwrap_err()
}

#[test]
fn empty_unknown_and_incomplete_messages_are_refused() {
    assert_eq!(ToRelay::from_bytes(Bytes::new()), Err(FrameError::Unknown));
    assert_eq!(ToRelay::from_bytes(Bytes::from_static(&[0xfa, 0x07, 0])), Err(FrameError::Unknown));
    let id = Bytes::from_static(&[1; 15]);
    let unsubscribe = Unsubscribe { request: 1, channel_id: id.clone() };
    assert_eq!(refused(ToRelay::Unsubscribe(unsubscribe)), FrameError::Field("channel_id"));
    let refresh = Refresh { request: 1, channel_id: id.clone(), token: "t".to_string() };
    assert_eq!(refused(ToRelay::Refresh(refresh)), FrameError::Field("channel_id"));
    let subscribe = Subscribe { request: 1, channel: None, since: None, events: vec![] };
    assert_eq!(refused(ToRelay::Subscribe(subscribe.clone())), FrameError::Field("channel"));
    let subscribe = Subscribe { request: 0, channel: Some(Channel::default()), ..subscribe };
    assert_eq!(refused(ToRelay::Subscribe(subscribe)), FrameError::Field("request"));
    let publish = Publish { request: 1, channel: Some(Channel::default()), id, ..Publish::default() };
    assert_eq!(refused(ToRelay::Publish(publish)), FrameError::Field("id"));
}

#[test]
fn a_publication_has_its_golden_bytes() {
    let publication = ToClient::Publication(Publication {
        channel_id: ChannelId([0xaa; 16]).into(),
        offset: 300,
        previous_offset: 1,
        time_ms: 2,
        event: "e".to_string(),
        sealed: Bytes::from_static(&[0xff]),
    });
    let mut golden: Vec<u8> = vec![0x2a, 31, 0x0a, 16];
    golden.extend([0xaa; 16]);
    golden.extend([0x10, 0xac, 0x02, 0x18, 1, 0x20, 2, 0x2a, 1, b'e', 0x32, 1, 0xff]);
    golden[1] = u8::try_from(golden.len() - 2).unwrap();
    assert_eq!(publication.to_bytes(), golden);
}

#[test]
fn an_event_id_consists_of_epoch_and_offset() {
    assert_eq!(Position { epoch: 0xabc, offset: 7, time_ms: 9 }.event_id(), "0000000000000abc-7");
}

#[test]
fn a_heartbeat_without_marks_is_two_bytes_and_one_with_a_mark_has_its_golden_bytes() {
    assert_eq!(ToClient::Ping(Ping::default()).to_bytes(), [0x52, 0]);
    let mark = Position { epoch: 1, offset: 300, time_ms: 2 };
    let golden = [0x52, 9, 0x0a, 7, 0x08, 1, 0x10, 0xac, 0x02, 0x18, 2];
    assert_eq!(ToClient::Ping(Ping { marks: vec![mark] }).to_bytes(), golden);
}

#[test]
fn a_ping_with_more_than_64_marks_is_refused_in_both_directions() {
    let ping = |count| Ping { marks: vec![Position::default(); count] };
    assert!(ToClient::from_bytes(ToClient::Ping(ping(64)).to_bytes().into()).is_ok());
    let refused_by_client = ToClient::from_bytes(ToClient::Ping(ping(65)).to_bytes().into());
    assert_eq!(refused_by_client, Err(FrameError::Field("marks")));
    assert_eq!(refused(ToRelay::Ping(ping(65))), FrameError::Field("marks"));
}

#[test]
fn positions_are_ordered_by_offset_within_one_epoch_and_never_by_time() {
    let at = |epoch, offset, time_ms| Position { epoch, offset, time_ms };
    assert!(at(1, 4, 9).is_behind(at(1, 5, 0)));
    assert!(!at(1, 5, 0).is_behind(at(1, 5, 9)));
    assert!(!at(1, 4, 0).is_behind(at(2, 5, 9)));
    assert!(at(1, 5, 0).is_same_offset(at(1, 5, 9)));
    assert!(!at(1, 5, 0).is_same_offset(at(2, 5, 0)) && !at(1, 5, 0).is_same_offset(at(1, 6, 0)));
}

#[test]
fn debug_output_shows_no_token_and_no_message() {
    let secret = "secret".to_string();
    let channel = Channel { name: secret.clone(), properties: vec![], token: secret.clone() };
    let messages = [
        ToRelay::Hello(Hello { token: secret.clone() }),
        ToRelay::Refresh(Refresh { request: 1, channel_id: Bytes::new(), token: secret }),
        ToRelay::Publish(Publish {
            channel: Some(channel),
            sealed: Bytes::from_static(b"secret"),
            ..Publish::default()
        }),
    ];
    assert!(!alloc::format!("{messages:?}").contains("secret"));
    let failed = Failed::new(1, Code::TokenExpired, "why".to_string());
    assert_eq!(failed.code, Code::TokenExpired.number());
}

/// A lone surrogate in UTF-8, as encoders without validation write it.
const LONE_SURROGATE: [u8; 3] = [0xed, 0xa0, 0x80];

#[test]
fn text_that_is_not_well_formed_unicode_is_refused() {
    let channel = Channel { name: "abc".to_string(), ..Channel::default() };
    let subscribe =
        Subscribe { request: 1, channel: Some(channel), since: None, events: vec!["def".to_string()] };
    let frame = ToRelay::Subscribe(subscribe).to_bytes();
    for text in [b"abc", b"def"] {
        let start = frame.windows(3).position(|part| part == text).unwrap();
        let mut mangled = frame.clone();
        mangled[start..start + 3].copy_from_slice(&LONE_SURROGATE);
        assert_eq!(ToRelay::from_bytes(mangled.into()), Err(FrameError::Unknown));
    }
}
