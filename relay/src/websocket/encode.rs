//! Encodes frames to clients. They are whole, final and unmasked (RFC 6455 section 5.1).

use super::{MAX_CONTROL, opcode};
use bytes::{BufMut, Bytes, BytesMut};
use sealwire_protocol::{CloseCode, wire::ToClient};

const FINAL: u8 = 0x80;
const MAX_HEADER: usize = 10;
const MASKED: u8 = 0x80;
/// A mask that changes no byte.
const MASK: [u8; 4] = [0; 4];

/// The status of a close frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CloseStatus {
    /// The response to the client's close frame.
    Normal,
    /// The client violated RFC 6455.
    ProtocolError,
    /// A close code of the Sealwire protocol.
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

/// Encodes a message as one complete binary frame. Also returns the offset of the message in the frame.
#[must_use]
pub(crate) fn encode_message(message: &ToClient) -> (Bytes, usize) {
    let len = message.encoded_len();
    let mut frame = BytesMut::with_capacity(MAX_HEADER + len);
    put_header(&mut frame, opcode::BINARY, len);
    let start = frame.len();
    message.encode(&mut frame);
    (frame.freeze(), start)
}

/// Encodes the header of a batch: a binary frame around `len` bytes of whole frames.
#[must_use]
pub(crate) fn encode_batch_header(len: usize) -> Bytes {
    let mut header = BytesMut::with_capacity(MAX_HEADER);
    put_header(&mut header, opcode::BINARY, len);
    header.freeze()
}

/// True if a frame that this module encoded holds a message of the protocol.
#[must_use]
pub(crate) fn is_message(frame: &[u8]) -> bool {
    frame.first() == Some(&(FINAL | opcode::BINARY))
}

/// Encodes a close frame without a reason. The `Goodbye` before it states the reason.
#[must_use]
pub(crate) fn encode_close(status: CloseStatus) -> Bytes {
    let mut frame = BytesMut::with_capacity(4);
    put_header(&mut frame, opcode::CLOSE, 2);
    frame.put_u16(status.number());
    frame.freeze()
}

/// Encodes the pong for a ping of RFC 6455 with this payload.
#[must_use]
pub(crate) fn encode_pong(payload: &[u8]) -> Bytes {
    let payload = &payload[..payload.len().min(MAX_CONTROL)];
    let mut frame = BytesMut::with_capacity(2 + payload.len());
    put_header(&mut frame, opcode::PONG, payload.len());
    frame.put_slice(payload);
    frame.freeze()
}

/// Appends the frame in which a WebSocket client would have sent the message. Clients without a WebSocket need it.
pub(crate) fn encode_as_client(message: &[u8], frames: &mut BytesMut) {
    frames.reserve(MAX_HEADER + MASK.len() + message.len());
    put_masked_header(frames, opcode::BINARY, message.len(), MASKED);
    frames.put_slice(&MASK);
    frames.put_slice(message);
}

/// The content of a frame to a client, for a client without a WebSocket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outgoing<'a> {
    /// A message.
    Message(&'a [u8]),
    /// The number of a close code.
    Close(u16),
    /// A control frame of RFC 6455 other than a close.
    Control,
}

/// Decodes a whole frame that this module encoded.
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
    fn frames_are_encoded_as_rfc_6455_specifies() {
        let (ping, start) = encode_message(&ToClient::Ping(Ping::default()));
        assert_eq!(&ping[..], [0x82, 2, 0x52, 0]);
        assert_eq!(start, 2);
        assert_eq!(&encode_pong(b"ab")[..], [0x8a, 2, b'a', b'b']);
        assert_eq!(&encode_close(CloseStatus::Sealwire(CloseCode::Unauthorized))[..], [0x88, 2, 0x11, 0x31]);
        assert_eq!(&encode_close(CloseStatus::ProtocolError)[..], [0x88, 2, 0x03, 0xea]);
    }

    #[test]
    fn every_length_is_encoded_in_its_shortest_form() {
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
    fn close_and_control_frames_are_read_back_as_such() {
        assert_eq!(
            read_back(&encode_close(CloseStatus::Sealwire(CloseCode::Unauthorized))),
            Outgoing::Close(4401)
        );
        assert_eq!(read_back(&encode_pong(b"ab")), Outgoing::Control);
    }

    #[test]
    fn a_message_sent_without_a_websocket_is_decoded_like_one_sent_with_it() {
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
