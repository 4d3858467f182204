//! Frames to clients: whole, final and unmasked (RFC 6455 section 5.1).

use super::{MAX_CONTROL, opcode};
use bytes::{BufMut, Bytes, BytesMut};
use sealwire_protocol::{CloseCode, wire::ToClient};

const FINAL: u8 = 0x80;
const MAX_HEADER: usize = 10;
const MASKED: u8 = 0x80;
/// Changes nothing.
const MASK: [u8; 4] = [0; 4];

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
    let mut frame = BytesMut::with_capacity(MAX_HEADER + len);
    put_header(&mut frame, opcode::BINARY, len);
    let start = frame.len();
    message.encode(&mut frame);
    (frame.freeze(), start)
}

/// What goes before so many bytes of whole frames, so that they are one message.
#[must_use]
pub(crate) fn encode_batch_header(len: usize) -> Bytes {
    let mut header = BytesMut::with_capacity(MAX_HEADER);
    put_header(&mut header, opcode::BINARY, len);
    header.freeze()
}

/// Whether a frame that was encoded here holds a message of the protocol.
#[must_use]
pub(crate) fn is_message(frame: &[u8]) -> bool {
    frame.first() == Some(&(FINAL | opcode::BINARY))
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

/// A client's message that came without a WebSocket, as the frame it would have been.
pub(crate) fn encode_as_client(message: &[u8], frames: &mut BytesMut) {
    frames.reserve(MAX_HEADER + MASK.len() + message.len());
    put_masked_header(frames, opcode::BINARY, message.len(), MASKED);
    frames.put_slice(&MASK);
    frames.put_slice(message);
}

/// What a frame to a client holds, for a client without a WebSocket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outgoing<'a> {
    /// A message.
    Message(&'a [u8]),
    /// The number of the close code.
    Close(u16),
    /// A frame of RFC 6455 itself.
    Control,
}

/// Reads a whole frame that was encoded here.
#[must_use]
pub(crate) fn read_back(frame: &[u8]) -> Outgoing<'_> {
    let header = match frame.get(1) {
        Some(126) => 4,
        Some(127) => MAX_HEADER,
        _ => 2,
    };
    let payload = frame.get(header..).unwrap_or_default();
    match frame.first().map(|first| first & !FINAL) {
        Some(opcode::BINARY) => Outgoing::Message(payload),
        Some(opcode::CLOSE) => {
            let number = payload.try_into().map_or(CloseStatus::Normal.number(), u16::from_be_bytes);
            Outgoing::Close(number)
        }
        _ => Outgoing::Control,
    }
}

fn put_header(frame: &mut BytesMut, opcode: u8, len: usize) {
    put_masked_header(frame, opcode, len, 0);
}

fn put_masked_header(frame: &mut BytesMut, opcode: u8, len: usize, masked: u8) {
    frame.put_u8(FINAL | opcode);
    match (u8::try_from(len), u16::try_from(len)) {
        (Ok(short @ 0..=125), _) => frame.put_u8(masked | short),
        (_, Ok(medium)) => {
            frame.put_u8(masked | 126);
            frame.put_u16(medium);
        }
        _ => {
            frame.put_u8(masked | 127);
            frame.put_u64(len as u64);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::websocket::{Decoder, Incoming};
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
            assert_eq!(read_back(&frame), Outgoing::Message(&message.to_bytes()));
        }
    }

    #[test]
    fn what_is_no_message_is_read_back_for_what_it_is() {
        assert_eq!(
            read_back(&encode_close(CloseStatus::Sealwire(CloseCode::Unauthorized))),
            Outgoing::Close(4401)
        );
        assert_eq!(read_back(&encode_pong(b"ab")), Outgoing::Control);
    }

    #[test]
    fn a_message_without_a_websocket_is_decoded_like_one_with() {
        let mut frames = BytesMut::new();
        let messages = [0, 1, 125, 126, 65_535, 65_536].map(|len| Bytes::from(vec![7; len]));
        messages.iter().for_each(|message| encode_as_client(message, &mut frames));
        let mut decoder = Decoder::new(&frames);
        decoder.session_opened();
        for message in messages {
            assert_eq!(decoder.decode(), Ok(Some(Incoming::Message(message))));
        }
        assert_eq!(decoder.decode(), Ok(None));
    }
}
