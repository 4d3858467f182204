//! A WebSocket client of raw bytes, with which tests can violate the protocol.

use super::RelayProcess;
use std::net::SocketAddr;
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::TcpStream,
};

/// Connects and performs the opening handshake.
pub async fn handshake(relay: &RelayProcess) -> TcpStream {
    handshake_at(relay.address).await
}

/// Like [`handshake`], at an address.
pub async fn handshake_at(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    handshake_over(stream).await
}

/// Performs the opening handshake over an open connection.
pub async fn handshake_over<S: AsyncRead + AsyncWrite + Unpin>(stream: S) -> S {
    handshake_for(stream, "sealwire.v1").await
}

/// Connects and performs the opening handshake. The error is the status with which the relay refused the handshake, or
/// 0 if it closed the connection without a response.
pub async fn try_handshake(address: SocketAddr) -> Result<TcpStream, u16> {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = upgrade_request("sealwire.v1");
    let mut head = Vec::new();
    if stream.write_all(request.as_bytes()).await.is_ok() {
        while !head.windows(4).any(|end| end == b"\r\n\r\n") {
            if !matches!(stream.read_buf(&mut head).await, Ok(1..)) {
                return Err(0);
            }
        }
    }
    if head.starts_with(b"HTTP/1.1 101 ") {
        return Ok(stream);
    }
    let _ = stream.read_to_end(&mut head).await;
    let answer = String::from_utf8_lossy(&head);
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
    if status == Some(503) {
        assert!(answer.contains("retry-after: ") && answer.contains("OVERLOADED"), "{answer}");
    }
    Err(status.unwrap_or(0))
}

fn upgrade_request(subprotocol: &str) -> String {
    format!(
        "GET /v1/realtime HTTP/1.1\r\nhost: relay\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\
        sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
        sec-websocket-protocol: {subprotocol}\r\n\r\n"
    )
}

/// Performs the opening handshake with a subprotocol, which the relay must accept.
pub async fn handshake_for<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S, subprotocol: &str) -> S {
    stream.write_all(upgrade_request(subprotocol).as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        // No bytes follow the head before the client has sent a frame.
        assert!(stream.read_buf(&mut head).await.unwrap() > 0, "no answer");
    }
    let head = String::from_utf8(head).unwrap().to_ascii_lowercase();
    assert!(head.starts_with("http/1.1 101"), "{head}");
    assert!(head.contains("sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo="), "{head}");
    assert!(head.contains(&format!("sec-websocket-protocol: {subprotocol}\r\n")), "{head}");
    stream
}

/// Encodes a masked frame, whose first byte is `first`.
pub fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
    let mask = [7, 77, 177, 250];
    let mut frame = vec![first];
    match u8::try_from(payload.len()) {
        Ok(len @ 0..=125) => frame.push(0x80 | len),
        _ => {
            frame.push(0xfe);
            frame.extend(u16::try_from(payload.len()).unwrap().to_be_bytes());
        }
    }
    frame.extend(mask);
    frame.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    frame
}

/// Reads a frame of any length. Returns its first byte and its payload, or `None` at the end of the connection.
pub async fn read_any_frame(stream: &mut TcpStream) -> Option<(u8, Vec<u8>)> {
    let mut header = [0; 2];
    stream.read_exact(&mut header).await.ok()?;
    let len = match header[1] {
        126 => stream.read_u16().await.ok()?.into(),
        127 => usize::try_from(stream.read_u64().await.ok()?).unwrap(),
        short => short.into(),
    };
    let mut payload = vec![0; len];
    stream.read_exact(&mut payload).await.ok()?;
    Some((header[0], payload))
}

/// Reads the payload of a frame of at most 125 bytes.
pub async fn read_frame(stream: &mut (impl AsyncRead + Unpin)) -> Vec<u8> {
    let mut header = [0; 2];
    stream.read_exact(&mut header).await.unwrap();
    assert!(header[1] <= 125, "{header:x?}");
    let mut payload = vec![0; header[1].into()];
    stream.read_exact(&mut payload).await.unwrap();
    payload
}
