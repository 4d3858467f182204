//! Tests of the messages of presence.

use super::{bytes, channel, refused};
use crate::{
    ChannelId,
    wire::{
        Channel, FrameError, Presence, PresenceAccepted, PresenceEnded, PresenceEnter, PresenceEntry,
        PresenceLeave, PresenceUnwatch, PresenceWatch, ToClient, ToRelay,
    },
};
use alloc::{string::ToString, vec, vec::Vec};
use bytes::Bytes;
use proptest::{collection, prelude::*};

pub(super) fn to_relay() -> impl Strategy<Value = ToRelay> {
    prop_oneof![
        (1u32.., channel(), bytes(16), any::<u64>(), bytes(0..200)).prop_map(
            |(request, channel, member, number, sealed)| {
                let channel = Some(channel);
                ToRelay::PresenceEnter(PresenceEnter { request, channel, member, number, sealed })
            }
        ),
        (1u32.., bytes(16), bytes(16)).prop_map(|(request, channel_id, member)| {
            ToRelay::PresenceLeave(PresenceLeave { request, channel_id, member })
        }),
        (1u32.., channel()).prop_map(|(request, channel)| {
            ToRelay::PresenceWatch(PresenceWatch { request, channel: Some(channel) })
        }),
        (1u32.., bytes(16)).prop_map(|(request, channel_id)| {
            ToRelay::PresenceUnwatch(PresenceUnwatch { request, channel_id })
        }),
    ]
}

fn entry() -> impl Strategy<Value = PresenceEntry> {
    (bytes(16), any::<u64>(), bytes(0..60), any::<bool>())
        .prop_map(|(member, number, sealed, in_grace)| PresenceEntry { member, number, sealed, in_grace })
}

pub(super) fn to_client() -> impl Strategy<Value = ToClient> {
    let (entries, left) = (collection::vec(entry(), 0..4), collection::vec(bytes(16), 0..4));
    prop_oneof![
        (any::<u32>(), bytes(16)).prop_map(|(request, channel_id)| {
            ToClient::PresenceAccepted(PresenceAccepted { request, channel_id })
        }),
        (bytes(16), any::<u64>(), any::<(bool, bool)>(), entries, left).prop_map(
            |(channel_id, version, (is_state, more), entries, left)| {
                ToClient::Presence(Presence { channel_id, version, is_state, more, entries, left })
            }
        ),
        (bytes(16), any::<u32>()).prop_map(|(channel_id, code)| {
            ToClient::PresenceEnded(PresenceEnded { channel_id, code, message: "why".to_string() })
        }),
    ]
}

#[test]
fn requests_about_presence_without_a_channel_a_member_or_a_number_are_refused() {
    let member = Bytes::from_static(&[1; 16]);
    let enter =
        PresenceEnter { request: 1, channel: Some(Channel::default()), member, ..PresenceEnter::default() };
    let short = Bytes::from_static(&[1; 15]);
    for (enter, field) in [
        (PresenceEnter { channel: None, ..enter.clone() }, "channel"),
        (PresenceEnter { member: short.clone(), ..enter.clone() }, "member"),
        (PresenceEnter { request: 0, ..enter.clone() }, "request"),
    ] {
        assert_eq!(refused(ToRelay::PresenceEnter(enter)), FrameError::Field(field));
    }
    let (channel_id, member) = (enter.member.clone(), short.clone());
    let leave = PresenceLeave { request: 1, channel_id: channel_id.clone(), member };
    assert_eq!(refused(ToRelay::PresenceLeave(leave)), FrameError::Field("member"));
    let leave = PresenceLeave { request: 1, channel_id: short.clone(), member: channel_id };
    assert_eq!(refused(ToRelay::PresenceLeave(leave)), FrameError::Field("channel_id"));
    let watch = PresenceWatch { request: 1, channel: None };
    assert_eq!(refused(ToRelay::PresenceWatch(watch)), FrameError::Field("channel"));
    let unwatch = PresenceUnwatch { request: 1, channel_id: short };
    assert_eq!(refused(ToRelay::PresenceUnwatch(unwatch)), FrameError::Field("channel_id"));
}

#[test]
fn a_presence_has_its_golden_bytes() {
    let (id, member) = (ChannelId([0xaa; 16]), Bytes::from_static(&[0xbb; 16]));
    let sealed = Bytes::from_static(&[0xff]);
    let entry = PresenceEntry { member: member.clone(), number: 300, sealed, in_grace: true };
    let presence = Presence {
        channel_id: id.into(),
        version: 7,
        is_state: true,
        more: true,
        entries: vec![entry],
        left: vec![member],
    };
    let mut golden: Vec<u8> = vec![0x72, 0, 0x0a, 16];
    golden.extend([0xaa; 16]);
    golden.extend([0x10, 7, 0x18, 1, 0x20, 1, 0x2a, 26, 0x0a, 16]);
    golden.extend([0xbb; 16]);
    golden.extend([0x10, 0xac, 0x02, 0x1a, 1, 0xff, 0x20, 1, 0x32, 16]);
    golden.extend([0xbb; 16]);
    golden[1] = u8::try_from(golden.len() - 2).unwrap();
    assert_eq!(ToClient::Presence(presence).to_bytes(), golden);
}

#[test]
fn debug_output_shows_no_member_and_no_entry() {
    let secret = Bytes::from_static(b"sixteen secrets!");
    let enter = PresenceEnter { member: secret.clone(), sealed: secret.clone(), ..PresenceEnter::default() };
    let entry = PresenceEntry { member: secret.clone(), number: 1, sealed: secret, in_grace: false };
    assert!(!alloc::format!("{enter:?} {entry:?}").contains("secret"));
}
