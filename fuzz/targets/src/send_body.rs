//! Fuzz target of `POST /v1/send`.

use sealwire_relay::fuzzing;

/// Reads the body of `POST /v1/send`.
pub fn send_body(data: &[u8]) {
    let Some((_, messages)) = fuzzing::send_body(data) else { return };
    assert!(messages.len() <= 1000, "the body has more messages than the limit");
    let bytes: usize = messages.iter().map(|message| message.len()).sum();
    assert!(bytes <= data.len(), "the messages are longer than the body");
}
