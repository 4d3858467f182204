//! The hot paths of a client: sealing and opening a message.

use crate::session::context;
use sealwire_protocol::{
    ChannelId, ChannelKey, EncryptionKey, SealedMessage, UnixMillis, seal as seal_message,
};
use std::hint::black_box;

const CHANNEL: ChannelId = ChannelId([7; 16]);
const NONCE: [u8; 24] = [9; 24];

fn key() -> ChannelKey {
    EncryptionKey::new([1; 32]).scope_key("app", "site", &context()).channel_key(None, "absences")
}

fn payload() -> String {
    format!("\"{}\"", "x".repeat(126))
}

pub(crate) fn seal() -> impl FnMut() {
    let (key, payload) = (key(), payload());
    move || {
        black_box(seal_message(&key, NONCE, CHANNEL, "", UnixMillis(1), black_box(&payload)).is_ok());
    }
}

pub(crate) fn open() -> impl FnMut() {
    let key = key();
    let sealed = seal_message(&key, NONCE, CHANNEL, "", UnixMillis(1), &payload())
        .expect("the payload is within the limit");
    move || {
        let message = SealedMessage::parse(black_box(&sealed)).expect("the message was just sealed");
        black_box(message.open(&key, CHANNEL, "").is_ok());
    }
}
