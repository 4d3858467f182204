//! The relay accepts exactly the bodies that the description allows.

use super::{JSON, batch, bearer, message};
use crate::support::{App, Description, RelayProcess, now, request};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use sealwire_protocol::{limits, tokens};
use serde_json::{Value, json};

const BATCH: &str = "/paths/~1v1~1publish/post/requestBody/content/application~1json/schema";
const REVOCATION: &str = "/paths/~1v1~1disconnect/post/requestBody/content/application~1json/schema";

fn with(changes: Value) -> Value {
    let mut message = message();
    message.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    message
}

/// Returns an object with this many properties.
fn properties(count: usize) -> Value {
    (0..count).map(|n| (format!("p{n}"), json!("v"))).collect()
}

fn sealed_of(length: usize) -> String {
    STANDARD.encode(vec![1; length])
}

fn allowed_messages(token: &str) -> [Value; 10] {
    [
        message(),
        with(json!({ "scope": {}, "event": "", "token": null })),
        with(json!({ "token": token, "event": "e".repeat(limits::MAX_EVENT_NAME) })),
        with(json!({ "channel": "ü", "scope": properties(limits::MAX_PROPERTIES) })),
        with(
            json!({ "scope": { "p".repeat(limits::MAX_PROPERTY_NAME): "v".repeat(limits::MAX_PROPERTY_VALUE) } }),
        ),
        with(json!({ "channel": "c".repeat(limits::MAX_CHANNEL_NAME) })),
        with(json!({ "sealed": sealed_of(69), "id": "AgICAgICAgICAgICAgICAg" })),
        with(json!({ "sealed": sealed_of(limits::MAX_SEALED), "id": "AwMDAwMDAwMDAwMDAwMDAw" })),
        with(json!({ "id": "BwcHBwcHBwcHBwcHBwcHBw", "content": "BQUFBQUFBQUFBQUFBQUFBQ" })),
        with(json!({ "id": "CAgICAgICAgICAgICAgICA", "content": null })),
    ]
}

fn forbidden_messages() -> [Value; 26] {
    [
        with(json!({ "content": "BQUFBQUFBQUFBQUFBQUF" })),
        with(json!({ "content": 5 })),
        json!(1),
        json!({}),
        with(json!({ "chanel": "x" })),
        with(json!({ "channel": "" })),
        with(json!({ "channel": 5 })),
        with(json!({ "channel": "c".repeat(limits::MAX_CHANNEL_NAME + 1) })),
        with(json!({ "event": "e".repeat(limits::MAX_EVENT_NAME + 1) })),
        with(json!({ "event": null })),
        with(json!({ "scope": null })),
        with(json!({ "scope": { "a b": "1" } })),
        with(json!({ "scope": { "a": "" } })),
        with(json!({ "scope": { "a": 1 } })),
        with(json!({ "scope": { "p".repeat(limits::MAX_PROPERTY_NAME + 1): "1" } })),
        with(json!({ "scope": { "a": "v".repeat(limits::MAX_PROPERTY_VALUE + 1) } })),
        with(json!({ "scope": properties(limits::MAX_PROPERTIES + 1) })),
        with(json!({ "token": "t".repeat(limits::MAX_TOKEN + 1) })),
        with(json!({ "sealed": sealed_of(66) })),
        with(json!({ "sealed": sealed_of(limits::MAX_SEALED + 3) })),
        with(json!({ "sealed": "=".repeat(80) })),
        with(json!({ "sealed": "-_".repeat(40) })),
        with(json!({ "id": "AQEBAQEBAQEBAQEBAQEBAR" })),
        with(json!({ "id": "AQEBAQEBAQEBAQEBAQEBAQ==" })),
        with(json!({ "id": "AQEBAQEBAQEBAQEBAQEB" })),
        with(json!({ "id": "+QEBAQEBAQEBAQEBAQEBAQ" })),
    ]
}

/// Returns batches that the relay refuses as a whole.
fn forbidden_batches() -> [Value; 6] {
    [
        json!([]),
        json!({}),
        json!({ "messages": [] }),
        json!({ "messages": {} }),
        json!({ "messages": [message()], "more": 1 }),
        json!({ "messages": vec![message(); limits::MAX_BATCH + 1] }),
    ]
}

#[tokio::test]
async fn the_relay_publishes_exactly_the_messages_that_the_description_allows() {
    let (description, app) = (Description::read(), App::one());
    let relay = RelayProcess::start(&[]);
    let all = tokens::Permissions::ALL;
    let token = app.channel_token("absences", 1, all, now() + 60);
    let (good, forbidden) = (allowed_messages(&token), forbidden_messages());
    let headers = format!("{}{JSON}", bearer(&app.backend()));
    let messages = [&good[..], &forbidden].concat();
    let answer = request(relay.address, "POST", "/v1/publish", &headers, &batch(&messages)).await;
    description.check("POST", "/v1/publish", &answer);
    let results = answer.body["results"].as_array().unwrap();
    assert_eq!(results.len(), messages.len());
    for (index, (message, result)) in messages.iter().zip(results).enumerate() {
        let faults = description.faults(BATCH, &json!({ "messages": [message] }));
        let is_good = index < good.len();
        assert_eq!(faults.is_empty(), is_good, "{message} {faults:?}");
        assert_eq!(result["eventId"].is_string(), is_good, "{message} {result}");
    }

    for body in forbidden_batches() {
        assert!(!description.faults(BATCH, &body).is_empty(), "{body}");
        let answer = request(relay.address, "POST", "/v1/publish", &headers, &body.to_string()).await;
        assert_eq!(answer.status, 400, "{body} {answer:?}");
        description.check("POST", "/v1/publish", &answer);
    }
    let example = description.at("/components/schemas/Batch/examples/0").clone();
    assert_eq!(description.faults(BATCH, &example), [""; 0]);
    let answer = request(relay.address, "POST", "/v1/publish", &headers, &example.to_string()).await;
    assert!(answer.body["results"][0]["eventId"].is_string(), "{answer:?}");
}

#[tokio::test]
async fn the_relay_accepts_exactly_the_revocations_that_the_description_allows() {
    let (description, relay) = (Description::read(), RelayProcess::start(&[]));
    let headers = format!("{}{JSON}", bearer(&App::one().backend()));
    let good = [
        json!({ "account": "a".repeat(limits::MAX_ACCOUNT) }),
        json!({ "context": { "dashboard": "10001" }, "before": now() }),
        json!({ "account": "alice", "context": { "dashboard": "10001" }, "installation": false }),
        json!({ "installation": true }),
    ];
    let forbidden = [
        json!([]),
        json!({}),
        json!({ "installation": false }),
        json!({ "installation": true, "account": "alice" }),
        json!({ "installation": 1 }),
        json!({ "account": "" }),
        json!({ "account": "a".repeat(limits::MAX_ACCOUNT + 1) }),
        json!({ "context": {} }),
        json!({ "context": { "a b": "1" } }),
        json!({ "account": "alice", "before": -1 }),
        json!({ "account": "alice", "before": "now" }),
        json!({ "acount": "alice" }),
    ];
    for (bodies, allowed) in [(&good[..], true), (&forbidden, false)] {
        for body in bodies {
            let faults = description.faults(REVOCATION, body);
            assert_eq!(faults.is_empty(), allowed, "{body} {faults:?}");
            let answer = request(relay.address, "POST", "/v1/disconnect", &headers, &body.to_string()).await;
            assert_eq!(answer.status, if allowed { 200 } else { 400 }, "{body} {answer:?}");
            description.check("POST", "/v1/disconnect", &answer);
        }
    }
    for example in description.at("/components/schemas/Revocation/examples").as_array().unwrap() {
        assert_eq!(description.faults(REVOCATION, example), [""; 0]);
    }
}
