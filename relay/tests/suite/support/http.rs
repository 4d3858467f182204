//! Raw HTTP requests and their responses.

use super::{rand_id, sealed};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use sealwire_protocol::encode_base64url;
use serde_json::Value;
use std::{net::SocketAddr, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    /// The body as text.
    pub text: String,
    /// The body as JSON, or `null` if it is not JSON.
    pub body: Value,
}

impl Answer {
    /// Returns the error code of a refused request.
    pub fn code(&self) -> &str {
        self.body["error"]["code"].as_str().unwrap_or_else(|| panic!("{self:?}"))
    }
}

pub async fn post(address: SocketAddr, token: &str, body: &str) -> Answer {
    let headers = format!("authorization: Bearer {token}\r\ncontent-type: application/json\r\n");
    request(address, "POST", "/v1/publish", &headers, body).await
}

pub async fn request(address: SocketAddr, method: &str, path: &str, headers: &str, body: &str) -> Answer {
    let length = body.len();
    let text = format!(
        "{method} {path} HTTP/1.1\r\nhost: relay\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n{body}"
    );
    request_bytes(address, text.as_bytes()).await
}

/// Sends a request and returns the head of the response in lower case. The connection may stay open.
pub async fn request_head(address: SocketAddr, method: &str, path: &str, headers: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let text = format!("{method} {path} HTTP/1.1\r\nhost: relay\r\n{headers}\r\n");
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    String::from_utf8(head).unwrap().to_ascii_lowercase()
}

/// Sends bytes unchanged and reads one response.
pub async fn request_bytes(address: SocketAddr, bytes: &[u8]) -> Answer {
    request_over(TcpStream::connect(address).await.unwrap(), bytes).await
}

/// Like [`request_bytes`], over an open stream.
pub async fn request_over(mut stream: impl AsyncRead + AsyncWrite + Unpin, bytes: &[u8]) -> Answer {
    // The relay may respond and close before it has read everything.
    let _ = stream.write_all(bytes).await;
    let mut answer = Vec::new();
    timeout(Duration::from_secs(30), stream.read_to_end(&mut answer)).await.expect("no answer").unwrap();
    let text = String::from_utf8(answer).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{text:?}"));
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer {
        status,
        head: head.to_ascii_lowercase(),
        text: body.to_owned(),
        body: serde_json::from_str(body).unwrap_or(Value::Null),
    }
}

/// Returns a body for `POST /v1/publish` with `count` messages.
pub fn batch(count: usize) -> String {
    let messages: Vec<_> = (0..count)
        .map(|_| {
            serde_json::json!({
                "channel": "absences",
                "scope": { "dashboard": "10001", "module": "absences" },
                "sealed": STANDARD.encode(sealed("x")),
                "id": encode_base64url(rand_id()),
            })
        })
        .collect();
    serde_json::json!({ "messages": messages }).to_string()
}
