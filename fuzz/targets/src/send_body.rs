use sealwire_relay::fuzzing;

/// The body of `POST /v1/send`.
pub fn send_body(data: &[u8]) {
    let Some((_, messages)) = fuzzing::send_body(data) else { return };
    assert!(messages.len() <= 1000, "more messages than allowed");
    let bytes: usize = messages.iter().map(|message| message.len()).sum();
    assert!(bytes <= data.len(), "more came out than went in");
}
