//! Requests.

mod framing;
mod publish;
mod slow;
mod upgrade;

use crate::{
    case::{Case, case, patient},
    target::{Target, random, sealed},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use sealwire_protocol::{
    encode_base64url, limits,
    wire::{Hello, ToRelay},
};
use sealwire_tests::{RawSocket, frame, upgrade_request};
use serde_json::{Value, json};
use std::{
    thread::sleep,
    time::{Duration, Instant},
};

pub(crate) fn cases() -> Vec<Case> {
    [upgrade::CASES, slow::CASES, publish::CASES, framing::CASES].concat()
}

/// The status of an answer.
fn status(answer: &str) -> &str {
    answer.split(' ').nth(1).unwrap_or_default()
}

/// A request to publish without a token, with these headers.
fn request(headers: &str, body: &str) -> Vec<u8> {
    format!("POST /v1/publish HTTP/1.1\r\nhost: relay\r\nconnection: close\r\n{headers}\r\n\r\n{body}")
        .into_bytes()
}

/// The head of a request to publish with a good token.
fn head(target: &Target, header: &str) -> String {
    let token = target.victim.backend();
    format!(
        "POST /v1/publish HTTP/1.1\r\nhost: relay\r\nconnection: close\r\nauthorization: Bearer {token}\r\n\
         content-type: application/json\r\n{header}\r\n\r\n"
    )
}

/// One answer with one of these statuses, and the end of the connection.
fn must_be_refused(target: &Target, request: &[u8], statuses: &[&str]) {
    let answer = target.exchange(request);
    let shown = String::from_utf8_lossy(&request[..request.len().min(200)]);
    assert!(statuses.contains(&status(&answer)), "{shown}\n{answer}");
    assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{shown}\n{answer}");
}

/// A request whose end is in dispute may be refused; if it is answered, the connection ends with it, and what is behind it is
/// never taken for another request.
fn must_not_smuggle(target: &Target, headers: &str, body: &str) {
    let smuggled = "GET /healthz HTTP/1.1\r\nhost: relay\r\n\r\n";
    let text = format!("POST /v1/publish HTTP/1.1\r\nhost: relay\r\n{headers}\r\n\r\n{body}{smuggled}");
    let mut socket = RawSocket::connect(target.port);
    socket.send(text.as_bytes());
    let (answer, _) = socket.answer();
    assert!(status(&answer).starts_with('4'), "{headers}: {answer}");
    let start = Instant::now();
    let rest = socket.text();
    assert!(rest.is_empty(), "{headers}: the smuggled request was answered: {rest}");
    assert!(start.elapsed() < Duration::from_secs(5), "{headers}: the connection was kept");
}

/// Each message of the body must be refused with this code, or with any where none is given.
fn refuses_each(target: &Target, body: &str, code: &str) {
    let answer = target.publish(body);
    assert_eq!(status(&answer), "200", "{answer}");
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    let body: Value = serde_json::from_str(body).unwrap();
    for result in body["results"].as_array().unwrap() {
        let named = result["error"]["code"].as_str().unwrap_or_else(|| panic!("{result}"));
        assert!(code.is_empty() || named == code, "{result}");
    }
}

/// A good message of a batch, with these keys changed.
pub(crate) fn message(changes: Value) -> Value {
    let mut message = json!({
        "channel": "absences",
        "scope": { "dashboard": "10001", "module": "absences" },
        "event": "",
        "sealed": STANDARD.encode(sealed("x")),
        "id": encode_base64url(random::<16>()),
    });
    message.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    message
}

pub(crate) fn batch(messages: &[Value]) -> String {
    json!({ "messages": messages }).to_string()
}
