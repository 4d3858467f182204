//! Encodes WebSocket frames as server-sent events (HTML Living Standard, section 9.2).

use crate::websocket::Outgoing;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use std::io::Write as _;

/// Appends a frame as an event: a message with its bytes, a close with its code. The control frames of RFC 6455 have no
/// counterpart and are omitted.
pub(super) fn encode_event(frame: &Outgoing<'_>, body: &mut Vec<u8>) {
    match frame {
        Outgoing::Message(message) => {
            body.extend_from_slice(b"data: ");
            let start = body.len();
            let len = base64::encoded_len(message.len(), true).unwrap_or_default();
            body.resize(start + len, 0);
            let written = STANDARD.encode_slice(message, &mut body[start..]);
            debug_assert_eq!(written, Ok(len), "the body was resized for it");
            body.extend_from_slice(b"\n\n");
        }
        Outgoing::Close(code) => {
            let _ = write!(body, "event: close\ndata: {code}\n\n");
        }
        Outgoing::Control => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_messages_and_closes_become_events() {
        let mut body = Vec::new();
        encode_event(&Outgoing::Message(&[0x52, 0]), &mut body);
        encode_event(&Outgoing::Control, &mut body);
        encode_event(&Outgoing::Close(4401), &mut body);
        assert_eq!(String::from_utf8(body).unwrap(), "data: UgA=\n\nevent: close\ndata: 4401\n\n");
    }
}
