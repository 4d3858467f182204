//! Frames to clients: whole, final and unmasked (RFC 6455 section 5.1).

use super::{MAX_CONTROL, opcode};
use bytes::{BufMut, Bytes, BytesMut};
use sealwire_protocol::{CloseCode, wire::ToClient};

const FINAL: u8 = 0x80;
const LONGEST_HEADER: usize = 10;

/// The number in a close frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CloseStatus {
    /// Answers the client's own close.
    Normal,
    /// The client broke RFC 6455 itself.
    ProtocolError,
    /// As the Sealwire protocol says.
    Sealwire(CloseCode),
}

impl CloseStatus {
    /// The number on the wire.
    #[must_use]
    pub(crate) fn number(self) -> u16 {
        match self {
            Self::Normal => 1000,
            Self::ProtocolError => 1002,
            Self::Sealwire(code) => code as u16,
        }
    }
}

/// A message as one complete binary frame, and where in it the message starts.
#[must_use]
pub(crate) fn encode_message(message: &ToClient) -> (Bytes, usize) {
    let len = message.encoded_len();
    let mut frame = BytesMut::with_capacity(LONGEST_HEADER + len);
    put_header(&mut frame, opcode::BINARY, len);
    let start = frame.len();
    message.encode(&mut frame);
    (frame.freeze(), start)
}

/// A close frame without a reason: the reason was in `Goodbye`.
#[must_use]
pub(crate) fn encode_close(status: CloseStatus) -> Bytes {
    let mut frame = BytesMut::with_capacity(4);
    put_header(&mut frame, opcode::CLOSE, 2);
    frame.put_u16(status.number());
    frame.freeze()
}

/// The answer to a ping of RFC 6455; `payload` is the ping's.
#[must_use]
pub(crate) fn encode_pong(payload: &[u8]) -> Bytes {
    let payload = &payload[..payload.len().min(MAX_CONTROL)];
    let mut frame = BytesMut::with_capacity(2 + payload.len());
    put_header(&mut frame, opcode::PONG, payload.len());
    frame.put_slice(payload);
    frame.freeze()
}

fn put_header(frame: &mut BytesMut, opcode: u8, len: usize) {
    frame.put_u8(FINAL | opcode);
    match (u8::try_from(len), u16::try_from(len)) {
        (Ok(short @ 0..=125), _) => frame.put_u8(short),
        (_, Ok(medium)) => {
            frame.put_u8(126);
            frame.put_u16(medium);
        }
        _ => {
            frame.put_u8(127);
            frame.put_u64(len as u64);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sealwire_protocol::wire::{Ping, Publication};

    #[test]
    fn the_bytes_of_frames_are_those_of_the_standard() {
        let (ping, start) = encode_message(&ToClient::Ping(Ping {}));
        assert_eq!(&ping[..], [0x82, 2, 0x52, 0]);
        assert_eq!(start, 2);
        assert_eq!(&encode_pong(b"ab")[..], [0x8a, 2, b'a', b'b']);
        assert_eq!(&encode_close(CloseStatus::Sealwire(CloseCode::Unauthorized))[..], [0x88, 2, 0x11, 0x31]);
        assert_eq!(&encode_close(CloseStatus::ProtocolError)[..], [0x88, 2, 0x03, 0xea]);
    }

    #[test]
    fn every_length_form_is_the_shortest_one() {
        for sealed in [0, 80, 125, 126, 200, 65_000, 65_535, 65_536, 130_000] {
            let message = ToClient::Publication(Publication {
                sealed: vec![7; sealed].into(),
                ..Publication::default()
            });
            let (frame, start) = encode_message(&message);
            let len = frame.len() - start;
            let (marker, header) = match len {
                0..=125 => (u8::try_from(len).unwrap(), 2),
                126..=65_535 => (126, 4),
                _ => (127, 10),
            };
            assert_eq!((frame[1], start), (marker, header));
            assert_eq!(frame[start..], message.to_bytes());
        }
    }
}
