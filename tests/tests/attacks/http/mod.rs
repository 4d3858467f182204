//! Attacks by HTTP requests (`http-`).

mod framing;
mod incomplete;
mod publish;
mod upgrade;

use crate::{
    case::{Case, case, slow},
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
    [upgrade::CASES, incomplete::CASES, publish::CASES, framing::CASES].concat()
}

/// Returns the status code of a response.
fn status(response: &str) -> &str {
    response.split(' ').nth(1).unwrap_or_default()
}

/// Returns a publish request with these headers and no token.
fn request(headers: &str, body: &str) -> Vec<u8> {
    format!("POST /v1/publish HTTP/1.1\r\nhost: relay\r\nconnection: close\r\n{headers}\r\n\r\n{body}")
        .into_bytes()
}

/// Returns the head of a publish request with a valid token.
fn head(target: &Target, header: &str) -> String {
    let token = target.victim.backend();
    format!(
        "POST /v1/publish HTTP/1.1\r\nhost: relay\r\nconnection: close\r\nauthorization: Bearer {token}\r\n\
         content-type: application/json\r\n{header}\r\n\r\n"
    )
}

/// Asserts that the relay sends one response with one of these statuses, and closes the connection.
fn must_be_refused(target: &Target, request: &[u8], statuses: &[&str]) {
    let answer = target.exchange(request);
    let shown = String::from_utf8_lossy(&request[..request.len().min(200)]);
    assert!(statuses.contains(&status(&answer)), "{shown}\n{answer}");
    assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{shown}\n{answer}");
}

/// Asserts that the relay refuses a request whose end is ambiguous and closes the connection, without treating the bytes
/// behind it as a second request.
fn must_not_smuggle(target: &Target, headers: &str, body: &str) {
    let smuggled = "GET /healthz HTTP/1.1\r\nhost: relay\r\n\r\n";
    let text = format!("POST /v1/publish HTTP/1.1\r\nhost: relay\r\n{headers}\r\n\r\n{body}{smuggled}");
    let mut socket = RawSocket::connect(target.port);
    socket.send(text.as_bytes());
    let (answer, _) = socket.response();
    assert!(status(&answer).starts_with('4'), "{headers}: {answer}");
    let start = Instant::now();
    let rest = socket.text();
    assert!(rest.is_empty(), "{headers}: the smuggled request was answered: {rest}");
    assert!(start.elapsed() < Duration::from_secs(5), "{headers}: the connection stayed open");
}

/// Asserts that the relay refuses each message of the body with this code, or with any code if `code` is empty.
fn must_refuse_each(target: &Target, body: &str, code: &str) {
    let answer = target.publish(body);
    assert_eq!(status(&answer), "200", "{answer}");
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    let body: Value = serde_json::from_str(body).unwrap();
    for result in body["results"].as_array().unwrap() {
        let named = result["error"]["code"].as_str().unwrap_or_else(|| panic!("{result}"));
        assert!(code.is_empty() || named == code, "{result}");
    }
}

/// Returns a valid message of a batch in which these keys are changed.
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
