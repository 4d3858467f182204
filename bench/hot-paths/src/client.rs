//! The hot paths of a client: sealing and opening a message.

use crate::session::context;
use sealwire_protocol::{
    ChannelId, ChannelKey, EncryptionKey, Message, RANDOM_LEN, SealedMessage, SenderId, Stamp, UnixMillis,
    seal as seal_message,
};
use std::hint::black_box;

const CHANNEL: ChannelId = ChannelId([7; 16]);
const RANDOM: [u8; RANDOM_LEN] = [9; RANDOM_LEN];

fn key() -> ChannelKey {
    EncryptionKey::new([1; 32]).scope_key("app", "site", &context()).channel_key(None, "absences")
}

fn payload() -> String {
    format!("\"{}\"", "x".repeat(126))
}

fn message(payload: &str) -> Message<'_> {
    let stamp = Stamp { number: 2, confirmed: 1 };
    Message {
        sender: SenderId([8; 12]),
        stamp,
        published_at: UnixMillis(1),
        event: "",
        payload,
        signature: None,
    }
}

pub(crate) fn seal() -> impl FnMut() {
    let (key, payload) = (key(), payload());
    move || {
        black_box(seal_message(&key, RANDOM, CHANNEL, &message(black_box(&payload))).is_ok());
    }
}

pub(crate) fn open() -> impl FnMut() {
    let mut key = key();
    let sealed = seal_message(&key, RANDOM, CHANNEL, &message(&payload()));
    let sealed = sealed.expect("the payload is within the limit");
    move || {
        let message = SealedMessage::parse(black_box(&sealed)).expect("the message was just sealed");
        black_box(message.open(&mut key, CHANNEL, "").is_ok());
    }
}
