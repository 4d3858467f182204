//! The metadata of messages, whose texts the shell remembers.

use super::{
    super::outputs::{Remembered, meta},
    page::rust,
};
use sealwire_client::{Author, Message};
use sealwire_protocol::wire::Position;
use serde_json::json;
use wasm_bindgen_test::wasm_bindgen_test;

#[wasm_bindgen_test]
fn each_message_has_its_own_texts_whatever_the_message_before_had() {
    let mut remembered = Remembered::default();
    let messages = [
        (1, 9, "", "chat"),
        (1, 10, "", "chat"),
        (1, 10, "added", "chat"),
        (1, 11, "added", "news"),
        (0x1f, 100, "", "news"),
        (1, (1 << 53) - 1, "é", ""),
        (1, u64::MAX, "é", ""),
        (2, 0, "ad", "chat"),
    ];
    for (epoch, offset, event, channel) in messages {
        let position = Position { epoch, offset, time_ms: 0 };
        let message = Message {
            payload: String::new(),
            position,
            time_ms: 5,
            published_at_ms: 4,
            author: Author::Unverified,
            event: event.into(),
            channel: channel.into(),
        };
        let expected = json!({
            "eventId": position.event_id(), "timestamp": 5, "publishedAt": 4, "event": event, "channel": channel,
        });
        assert_eq!(rust(&meta(&message, &mut remembered)), expected);
    }
}
