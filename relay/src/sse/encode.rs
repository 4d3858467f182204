//! Frames as server-sent events (HTML Living Standard, section 9.2).

use crate::websocket::Outgoing;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use std::io::Write as _;

/// Writes what a frame holds as an event: a message as it is, a close as its code. The control frames of RFC 6455 have no
/// counterpart here.
pub(super) fn encode_event(frame: &Outgoing<'_>, body: &mut Vec<u8>) {
    match frame {
        Outgoing::Message(message) => {
            body.extend_from_slice(b"data: ");
            let start = body.len();
            let len = base64::encoded_len(message.len(), true).unwrap_or_default();
            body.resize(start + len, 0);
            let written = STANDARD.encode_slice(message, &mut body[start..]);
            debug_assert_eq!(written, Ok(len), "the space was made for it");
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
    fn a_message_a_close_and_nothing_else_become_events() {
        let mut body = Vec::new();
        encode_event(&Outgoing::Message(&[0x52, 0]), &mut body);
        encode_event(&Outgoing::Control, &mut body);
        encode_event(&Outgoing::Close(4401), &mut body);
        assert_eq!(String::from_utf8(body).unwrap(), "data: UgA=\n\nevent: close\ndata: 4401\n\n");
    }
}
