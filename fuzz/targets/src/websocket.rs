use sealwire_protocol::limits;
use sealwire_relay::{Decoder, Incoming, Violation};

/// WebSocket framing. The first byte is the size of the pieces in which the rest arrives; the outcome is that of the
/// whole at once.
pub fn websocket(data: &[u8]) {
    let Some((size, bytes)) = data.split_first() else { return };
    let whole = decode(bytes, bytes.len().max(1));
    for one in &whole.0 {
        match one {
            Incoming::Message(message) => assert!(message.len() <= limits::MAX_FRAME, "past the limit"),
            Incoming::Fragment(len) => assert!(*len <= limits::MAX_FRAME, "past the limit"),
            Incoming::Ping(payload) => assert!(payload.len() <= 125, "a long control frame"),
            Incoming::Pong | Incoming::Close => {}
        }
    }
    assert_eq!(whole, decode(bytes, usize::from(*size).max(1)), "cut, it reads otherwise");
}

fn decode(mut bytes: &[u8], size: usize) -> (Vec<Incoming>, Option<Violation>) {
    let (mut decoder, mut incoming) = (Decoder::default(), Vec::new());
    while !bytes.is_empty() {
        let space = decoder.space();
        let room = space.capacity() - space.len();
        assert!(room <= 4 * limits::MAX_FRAME, "memory for what was only announced");
        let len = size.min(bytes.len()).min(room);
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
