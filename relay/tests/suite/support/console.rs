//! The console of a relay, as its page uses it.

use super::{Answer, RelayProcess, request_bytes};
use serde_json::Value;
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

/// The longest wait for a snapshot.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Sends a request to the console with the given headers after `Host`.
pub async fn console_request(relay: &RelayProcess, line: &str, headers: &str, body: &str) -> Answer {
    let (address, length) = (relay.admin(), body.len());
    let text = format!(
        "{line} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n{body}"
    );
    request_bytes(address, text.as_bytes()).await
}

/// Sends a request as the console's page does.
pub async fn console_post(relay: &RelayProcess, path: &str, token: Option<&str>, body: &Value) -> Answer {
    let authorization = token.map(|token| format!("authorization: Bearer {token}\r\n")).unwrap_or_default();
    let headers = format!(
        "origin: http://{}\r\nsealwire-console: 1\r\ncontent-type: application/json\r\n{authorization}",
        relay.admin()
    );
    console_request(relay, &format!("POST /console/{path}"), &headers, &body.to_string()).await
}

/// An open stream of snapshots.
pub struct ConsoleStream {
    socket: TcpStream,
    unread: String,
}

impl ConsoleStream {
    pub async fn open(relay: &RelayProcess) -> Self {
        Self::try_open(relay).await.unwrap_or_else(|head| panic!("{head}"))
    }

    /// The error is the head of the response that refuses the stream.
    pub async fn try_open(relay: &RelayProcess) -> Result<Self, String> {
        let mut socket = TcpStream::connect(relay.admin()).await.unwrap();
        let request = format!("GET /console/events HTTP/1.1\r\nhost: {}\r\n\r\n", relay.admin());
        socket.write_all(request.as_bytes()).await.unwrap();
        let mut stream = Self { socket, unread: String::new() };
        let head = stream.read_until("\r\n\r\n").await.expect("no response");
        if head.starts_with("HTTP/1.1 200 ") && head.contains("text/event-stream") {
            Ok(stream)
        } else {
            Err(head)
        }
    }

    /// Returns the next snapshot, or `None` at the end of the stream.
    pub async fn next(&mut self) -> Option<Value> {
        let event = self.read_until("\n\n").await?;
        let data = event.lines().find_map(|line| line.strip_prefix("data: "));
        assert!(event.contains("event: snapshot\n"), "{event}");
        Some(serde_json::from_str(data.unwrap_or_else(|| panic!("{event}"))).unwrap())
    }

    /// Returns the first snapshot that matches.
    pub async fn find(&mut self, matches: impl Fn(&Value) -> bool) -> Value {
        for _ in 0..10 {
            let snapshot = self.next().await.expect("the stream ended");
            if matches(&snapshot) {
                return snapshot;
            }
        }
        panic!("no snapshot matches");
    }

    async fn read_until(&mut self, end: &str) -> Option<String> {
        loop {
            if let Some((text, rest)) = self.unread.split_once(end) {
                let (text, rest) = (format!("{text}\n"), rest.to_owned());
                self.unread = rest;
                return Some(text);
            }
            let mut bytes = [0; 16 * 1024];
            let read = timeout(TIMEOUT, self.socket.read(&mut bytes)).await.expect("no snapshot");
            let count = read.unwrap_or(0);
            if count == 0 {
                return None;
            }
            self.unread.push_str(str::from_utf8(&bytes[..count]).unwrap());
        }
    }
}
