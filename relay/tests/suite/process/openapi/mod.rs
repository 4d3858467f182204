//! Checks that the relay conforms to its description in `protocol/openapi/relay.json`.

mod answers;
mod bodies;
mod numbers;

use crate::support::{RelayProcess, request, sealed};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use sealwire_protocol::encode_base64url;
use serde_json::{Value, json};

const JSON: &str = "content-type: application/json\r\n";

fn message() -> Value {
    json!({
        "channel": "absences",
        "scope": { "dashboard": "10001" },
        "sealed": STANDARD.encode(sealed("x")),
        "id": encode_base64url([4; 16]),
    })
}

fn batch(messages: &[Value]) -> String {
    json!({ "messages": messages }).to_string()
}

fn bearer(token: &str) -> String {
    format!("authorization: Bearer {token}\r\n")
}

#[tokio::test]
async fn the_relay_serves_its_description() {
    let relay = RelayProcess::start(&[]);
    let answer = request(relay.address, "GET", "/v1/openapi.json", "", "").await;
    let document: Value = serde_json::from_str(sealwire_protocol::OPENAPI).unwrap();
    assert_eq!((answer.status, answer.body), (200, document));
    assert!(answer.head.contains("cache-control: public"), "{}", answer.head);
}
