//! Fuzz target of the WebSocket decoder.

use sealwire_protocol::limits;
use sealwire_relay::{Decoder, Incoming, Violation};

/// Decodes WebSocket frames. The first byte is the size of the pieces in which the remaining bytes arrive. The result
/// must be the same as if all bytes arrived at once.
pub fn websocket(data: &[u8]) {
    let Some((size, bytes)) = data.split_first() else { return };
    let whole = decode(bytes, bytes.len().max(1));
    for one in &whole.0 {
        match one {
            Incoming::Message(message) => {
                assert!(message.len() <= limits::MAX_FRAME, "a message is longer than the limit")
            }
            Incoming::Fragment(len) => {
                assert!(*len <= limits::MAX_FRAME, "a message is longer than the limit")
            }
            Incoming::Ping(payload) => {
                assert!(payload.len() <= 125, "a control frame is longer than 125 bytes")
            }
            Incoming::Pong | Incoming::Close => {}
        }
    }
    assert_eq!(whole, decode(bytes, usize::from(*size).max(1)), "the size of the pieces changes the result");
}

fn decode(mut bytes: &[u8], size: usize) -> (Vec<Incoming>, Option<Violation>) {
    let (mut decoder, mut incoming) = (Decoder::default(), Vec::new());
    while !bytes.is_empty() {
        let space = decoder.space();
        let free = space.capacity() - space.len();
        assert!(free <= 4 * limits::MAX_FRAME, "the decoder reserves memory for an announced length");
        let len = size.min(bytes.len()).min(free);
        let (piece, rest) = bytes.split_at(len);
        space.extend_from_slice(piece);
        bytes = rest;
        loop {
            match decoder.decode() {
                Ok(Some(one)) => incoming.push(one),
                Ok(None) => break,
                Err(violation) => return (incoming, Some(violation)),
            }
        }
    }
    (incoming, None)
}
