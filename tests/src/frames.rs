//! The bytes that a client writes: the opening handshake and masked frames.

/// Returns the request that opens a WebSocket. `headers` are further header lines, each with its line end.
#[must_use]
pub fn upgrade_request(headers: &str) -> Vec<u8> {
    format!(
        "GET /v1/realtime HTTP/1.1\r\nhost: relay\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\
         sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         sec-websocket-protocol: sealwire.v1\r\n{headers}\r\n"
    )
    .into_bytes()
}

/// Returns a masked frame whose first byte is `first`, with its length in the shortest form.
#[must_use]
pub fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mask = [0x37, 0xfa, 0x21, 0x3d];
    let mut frame = vec![first];
    match payload.len() {
        len @ 0..=125 => frame.push(0x80 | len as u8),
        len @ 126..=65_535 => {
            frame.push(0xfe);
            frame.extend((len as u16).to_be_bytes());
        }
        len => {
            frame.push(0xff);
            frame.extend((len as u64).to_be_bytes());
        }
    }
    frame.extend(mask);
    frame.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    frame
}

/// Splits a message into at most `pieces` masked frames of equal size. `first` is the first byte of the first frame; only
/// the last frame has FIN set.
#[must_use]
pub fn fragments(first: u8, message: &[u8], pieces: usize) -> Vec<Vec<u8>> {
    let size = message.len().div_ceil(pieces.max(1)).max(1);
    let parts: Vec<&[u8]> = message.chunks(size).collect();
    let last = parts.len().saturating_sub(1);
    let opcode = |index| if index == 0 { first & 0x7f } else { 0 } | if index == last { 0x80 } else { 0 };
    parts.into_iter().enumerate().map(|(index, part)| frame(opcode(index), part)).collect()
}
