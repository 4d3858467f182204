//! Fuzz targets of the protocol messages, in both directions.

use bytes::Bytes;
use sealwire_protocol::{
    limits,
    wire::{Messages, ToClient, ToRelay},
};

/// Decodes a message from a client.
pub fn wire_to_relay(data: &[u8]) {
    let _ = ToRelay::is_about_sessions(data);
    let Ok(message) = ToRelay::from_bytes(Bytes::copy_from_slice(data)) else { return };
    // The Debug output, which a log would contain, must not panic.
    let _ = format!("{message:?}");
    match &message {
        ToRelay::Subscribe(subscribe) => {
            assert!(subscribe.channel.is_some() && subscribe.request != 0);
            assert!(subscribe.events.len() <= limits::MAX_EVENT_FILTERS);
        }
        ToRelay::Publish(publish) => {
            assert!(publish.channel.is_some() && publish.request != 0);
            assert_eq!(publish.id.len(), limits::IDEMPOTENCY_ID);
        }
        _ => {}
    }
    assert_eq!(ToRelay::from_bytes(message.to_bytes().into()), Ok(message));
}

/// Decodes a WebSocket message from a relay, which is a message or a batch.
pub fn wire_to_client(data: &[u8]) {
    let mut bytes = 0;
    let mut failed = false;
    for message in Messages::of(Bytes::copy_from_slice(data)) {
        assert!(!failed, "a message follows an error");
        failed = message.is_err();
        if let Ok(message) = message {
            bytes += message.len();
            message_to_client(message);
        }
    }
    assert!(bytes <= data.len(), "the messages are longer than the batch");
}

fn message_to_client(message: Bytes) {
    let Ok(message) = ToClient::from_bytes(message) else { return };
    let _ = format!("{message:?}");
    assert_eq!(ToClient::from_bytes(message.to_bytes().into()), Ok(message));
}
