//! Tests of the format: what is read is what was written, and nothing else is read.

use super::*;
use proptest::prelude::*;
use sealwire_protocol::tokens::{Keyring, SigningKey};

fn record(len: usize) -> Record {
    let owner = OwnerDigests {
        installation: IdDigest::installation("app", "site"),
        account: IdDigest::account("app", "site", "alice"),
    };
    let (id, sealed) = ([3; 16], (len > 0).then(|| vec![7; len].into()));
    let expires_in = Duration::from_millis(900_001);
    Record { id, number: u64::MAX, stamp: 1, sealed, owner, in_grace: true, expires_in, gone: None }
}

fn orphan() -> Record {
    Record { expires_in: Duration::from_secs(15), gone: Some(u64::MAX), ..record(60) }
}

fn message() -> LinkMessage {
    let channel = |need, records| ChannelNews {
        need,
        begins: true,
        ends: true,
        records,
        left: vec![([9; 16], 4), ([8; 16], u64::MAX)],
        ..ChannelNews::of(ChannelId([1; 16]))
    };
    let channels =
        vec![channel(Need::Begins, vec![record(0), record(60), orphan()]), channel(Need::Ends, Vec::new())];
    LinkMessage {
        from: u64::MAX,
        to: 2,
        stream: 3,
        sequence: 4,
        own_stream: 5,
        acknowledged: 6,
        is_complete: true,
        channels,
    }
}

fn encoded() -> Bytes {
    message()
        .encode("app", &SigningKeys::of_kids(&[("app", "old"), ("app", "new"), ("other", "third")]))
        .into()
}

#[test]
fn a_relay_with_any_key_of_the_app_reads_the_message() {
    for kid in ["old", "new"] {
        assert_eq!(
            LinkMessage::decode(encoded(), &SigningKeys::of_kids(&[("app", kid)])),
            Ok((message(), "app".to_owned()))
        );
    }
    let unauthenticated = Err(MessageError::Unauthenticated);
    assert_eq!(LinkMessage::decode(encoded(), &SigningKeys::of_kids(&[("other", "third")])), unauthenticated);
    // The key of another app with the same kid is another key.
    let mut keyring = Keyring::default();
    keyring.insert("app", SigningKey::new("old", vec![9; 64]).unwrap()).unwrap();
    assert_eq!(LinkMessage::decode(encoded(), &SigningKeys::new(keyring)), unauthenticated);
}

#[test]
fn a_message_contains_no_name() {
    let text = String::from_utf8_lossy(&encoded()).into_owned();
    assert!(["app", "site", "alice"].iter().all(|name| !text.contains(name)));
}

#[test]
fn content_outside_the_limits_is_refused_as_a_whole() {
    let keys = SigningKeys::of_kids(&[("app", "old")]);
    let refused = |change: fn(&mut WireMessage)| {
        let envelope = WireEnvelope::decode(encoded()).unwrap();
        let mut wire = WireMessage::decode(envelope.message).unwrap();
        change(&mut wire);
        let message = wire.encode_to_vec();
        let (kid, tag) = keys.tags("app", PURPOSE, &message, 1).remove(0);
        let tags = vec![WireTag { kid, tag: tag.to_vec().into() }];
        let envelope = WireEnvelope { version: VERSION, message: message.into(), tags };
        LinkMessage::decode(envelope.encode_to_vec().into(), &keys).map(|_| ())
    };
    assert_eq!(refused(|_| ()), Ok(()));
    for change in [
        (|wire| wire.channels[0].channel = Bytes::from_static(&[1; 15])) as fn(&mut WireMessage),
        |wire| wire.channels[0].need = 3,
        |wire| wire.channels[0].left[0].member = Bytes::from_static(&[1; 17]),
        |wire| wire.channels[0].records[0].account = Bytes::new(),
        |wire| wire.channels[0].records[0].sealed = vec![0; limits::MAX_PRESENCE_ENTRY + 1].into(),
    ] {
        assert_eq!(refused(change), Err(MessageError::Malformed));
    }
    let mut other = WireEnvelope::decode(encoded()).unwrap();
    other.version = 2;
    assert_eq!(LinkMessage::decode(other.encode_to_vec().into(), &keys), Err(MessageError::Version));
    (other.version, other.tags) = (VERSION, vec![WireTag::default(); MAX_TAGS + 1]);
    assert_eq!(LinkMessage::decode(other.encode_to_vec().into(), &keys), Err(MessageError::Malformed));
    assert_eq!(LinkMessage::decode(vec![0; MAX_MESSAGE + 1].into(), &keys), Err(MessageError::Malformed));
}

#[test]
fn every_message_of_a_sender_is_within_the_limit() {
    let mut parts = super::super::parts::Parts::default();
    let most = || record(limits::MAX_PRESENCE_ENTRY);
    parts.members(ChannelId([1; 16]), (0..40).map(|_| most()));
    (0..20_000).for_each(|_| parts.left(ChannelId([2; 16]), ([9; 16], u64::MAX)));
    (0..=255).for_each(|channel| parts.need(ChannelId([channel; 16]), Need::Begins));
    (0..5_000).for_each(|_| parts.record(ChannelId([3; 16]), record(45)));
    let kids: Vec<String> = (0..9).map(|number: u8| format!("{number}").repeat(limits::MAX_KEY_ID)).collect();
    let known: Vec<(&str, &str)> = kids.iter().map(|kid| ("app", &**kid)).collect();
    let all = parts.take();
    assert!(all.len() > 3);
    for channels in all {
        let bytes = LinkMessage { channels, ..message() }.encode("app", &SigningKeys::of_kids(&known));
        assert!(bytes.len() <= MAX_MESSAGE, "{}", bytes.len());
    }
}

proptest! {
    #[test]
    fn mangled_messages_never_panic_and_are_refused(position in any::<prop::sample::Index>(), flip in 1..=255_u8) {
        let keys = SigningKeys::of_kids(&[("app", "old")]);
        let mut bytes = encoded().to_vec();
        let position = position.index(bytes.len());
        let _ = LinkMessage::decode(bytes[..position].to_vec().into(), &keys);
        bytes[position] ^= flip;
        let read = LinkMessage::decode(bytes.into(), &keys);
        prop_assert!(read.is_err() || read == Ok((message(), "app".to_owned())));
    }
}
