//! Invalid HTTP requests and their error responses.

use super::bystanders::Bystanders;
use crate::support::{App, RelayProcess, post, request, request_bytes, sealed};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use sealwire_protocol::{UnixSeconds, encode_base64url, limits, tokens};
use serde_json::{Value, json};

fn message(changes: Value) -> Value {
    let mut message = json!({
        "channel": "absences",
        "scope": { "dashboard": "10001" },
        "event": "",
        "sealed": STANDARD.encode(sealed("x")),
        "id": encode_base64url([1; 16]),
    });
    let object = message.as_object_mut().unwrap();
    for (key, value) in changes.as_object().unwrap() {
        if value.is_null() {
            object.remove(key);
        } else {
            object.insert(key.clone(), value.clone());
        }
    }
    message
}

/// Returns a request with a body above the maximum. A chunked body has no length that could be refused in advance.
fn too_large_in_chunks(headers: &str) -> String {
    let mut chunked = format!(
        "POST /v1/publish HTTP/1.1\r\nhost: relay\r\nconnection: close\r\ntransfer-encoding: chunked\r\n{headers}\r\n"
    );
    for _ in 0..33 {
        chunked.push_str(&format!("10000\r\n{}\r\n", " ".repeat(0x10000)));
    }
    chunked.push_str("0\r\n\r\n");
    chunked
}

#[tokio::test]
async fn a_request_refused_as_a_whole_gets_a_reason_and_affects_no_others() {
    let relay = RelayProcess::start(&[]);
    let mut bystanders = Bystanders::on(&relay).await;
    let (app, address) = (App::one(), relay.address);
    let good = json!({ "messages": [message(json!({}))] }).to_string();
    let backend = app.backend();
    let bearer = format!("authorization: Bearer {backend}\r\n");
    let json_type = "content-type: application/json\r\n";
    let authorized = format!("{bearer}{json_type}");
    let too_many = json!({ "messages": vec![message(json!({})); limits::MAX_BATCH + 1] }).to_string();
    let too_large = " ".repeat(limits::MAX_BODY + 1);
    for (method, path, headers, body, status, code) in [
        ("POST", "/nowhere", &*bearer, &*good, 404, "MALFORMED_REQUEST"),
        ("GET", "/v1/publish", &bearer, "", 405, "MALFORMED_REQUEST"),
        ("PUT", "/v1/publish", &bearer, &good, 405, "MALFORMED_REQUEST"),
        ("DELETE", "/healthz", "", "", 405, "MALFORMED_REQUEST"),
        ("POST", "/v1/publish", json_type, &good, 401, "TOKEN_MALFORMED"),
        ("POST", "/v1/publish", &bearer, &good, 415, "MALFORMED_REQUEST"),
        ("POST", "/v1/publish", &authorized, "", 400, "MALFORMED_REQUEST"),
        ("POST", "/v1/publish", &authorized, "{\"messages\": [", 400, "MALFORMED_REQUEST"),
        ("POST", "/v1/publish", &authorized, "{\"messages\": []}", 400, "MALFORMED_REQUEST"),
        ("POST", "/v1/publish", &authorized, "{\"message\": []}", 400, "MALFORMED_REQUEST"),
        ("POST", "/v1/publish", &authorized, "[]", 400, "MALFORMED_REQUEST"),
        ("POST", "/v1/publish", &authorized, &too_many, 400, "MALFORMED_REQUEST"),
        ("POST", "/v1/publish", &authorized, &too_large, 413, "REQUEST_TOO_LARGE"),
    ] {
        let answer = request(address, method, path, headers, body).await;
        assert_eq!((answer.status, answer.code()), (status, code), "{method} {path} {answer:?}");
        assert!(answer.body["error"]["message"].as_str().unwrap().len() > 10);
        assert!(answer.head.contains("content-type: application/json"));
    }
    let answer = request_bytes(address, too_large_in_chunks(&authorized).as_bytes()).await;
    assert_eq!((answer.status, answer.code()), (413, "REQUEST_TOO_LARGE"));
    assert_eq!(request(address, "GET", "/healthz", "", "").await.body, json!({ "status": "ok" }));
    bystanders.must_be_untouched().await;
}

#[tokio::test]
async fn only_a_backend_token_publishes_over_http() {
    let relay = RelayProcess::start(&[]);
    let (app, body) = (App::one(), json!({ "messages": [message(json!({}))] }).to_string());
    let times = (UnixSeconds(crate::support::now() - 200), UnixSeconds(crate::support::now() - 1));
    let claims = tokens::BackendClaims::new(app.id.clone(), "i".into(), times);
    let expired = tokens::sign(&claims, &app.key).unwrap();
    let stranger = App::new(&app.id, "stranger", 5).backend();
    let forged = App::new(&app.id, "one", 5).backend();
    let other_app = App::new("other", "one", 1).backend();
    for (token, code) in [
        (app.session("alice"), "TOKEN_AUDIENCE"),
        (expired, "TOKEN_EXPIRED"),
        (stranger, "TOKEN_UNKNOWN_KEY"),
        (forged, "TOKEN_SIGNATURE"),
        (other_app, "TOKEN_APP"),
        ("nonsense".into(), "TOKEN_MALFORMED"),
    ] {
        let answer = post(relay.address, &token, &body).await;
        assert_eq!((answer.status, answer.code()), (401, code));
        assert!(answer.head.contains("www-authenticate: bearer"));
        relay.log_with(code).await;
    }
}

#[tokio::test]
async fn an_invalid_message_of_a_batch_is_refused_alone() {
    let relay = RelayProcess::start(&[]);
    let app = App::one();
    let soon = crate::support::now() + 60;
    let all = tokens::Permissions::ALL;
    let subscribe_only = tokens::Permissions { publish: false, ..all };
    let cases = [
        (message(json!({ "channel": null })), "MALFORMED_REQUEST"),
        (message(json!({ "sealed": null })), "MALFORMED_REQUEST"),
        (message(json!({ "id": null })), "MALFORMED_REQUEST"),
        (message(json!({ "id": "AAAA" })), "MALFORMED_REQUEST"),
        (message(json!({ "sealed": "%" })), "MALFORMED_REQUEST"),
        (message(json!({ "chanel": "x" })), "MALFORMED_REQUEST"),
        (json!("no object"), "MALFORMED_REQUEST"),
        (message(json!({ "scope": { "a b": "1" } })), "SCOPE_REFUSED"),
        (message(json!({ "scope": { "a": "" } })), "SCOPE_REFUSED"),
        (message(json!({ "channel": "" })), "NAME_INVALID"),
        (message(json!({ "event": "e".repeat(256) })), "NAME_INVALID"),
        (message(json!({ "sealed": STANDARD.encode([1; 56]) })), "MESSAGE_SIZE"),
        (message(json!({ "sealed": STANDARD.encode(vec![1; limits::MAX_SEALED + 1]) })), "MESSAGE_SIZE"),
        (message(json!({ "token": app.channel_token("rotation", 1, all, soon) })), "TOKEN_CHANNEL"),
        (
            message(json!({ "token": app.channel_token_in("two", "absences", 1, all, soon) })),
            "TOKEN_INSTALLATION",
        ),
        (
            message(json!({ "token": app.channel_token("absences", 1, subscribe_only, soon) })),
            "PERMISSION_MISSING",
        ),
        (message(json!({ "token": app.backend() })), "TOKEN_AUDIENCE"),
    ];
    let mut messages: Vec<Value> = cases.iter().map(|(message, _)| message.clone()).collect();
    messages.push(message(json!({ "token": app.channel_token("absences", 1, all, soon) })));
    let answer = post(relay.address, &app.backend(), &json!({ "messages": messages }).to_string()).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let results = answer.body["results"].as_array().unwrap();
    for ((message, code), result) in cases.iter().zip(results) {
        assert_eq!(result["error"]["code"], *code, "{message} {result}");
    }
    assert!(results.last().unwrap()["eventId"].is_string());
}

#[tokio::test]
async fn a_request_with_an_endless_head_is_dropped() {
    let relay = RelayProcess::start(&[]);
    let long = format!("GET /healthz HTTP/1.1\r\nx: {}\r\n\r\n", "y".repeat(20_000));
    let mut stream = tokio::net::TcpStream::connect(relay.address).await.unwrap();
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let _ = stream.write_all(long.as_bytes()).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 431"), "{}", String::from_utf8_lossy(&answer));
}

#[tokio::test]
async fn an_idle_keep_alive_connection_outlives_the_head_timeout() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let relay = RelayProcess::start(&["--header-timeout", "300ms"]);
    let mut stream = tokio::net::TcpStream::connect(relay.address).await.unwrap();
    for _ in 0..2 {
        stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: relay\r\n\r\n").await.unwrap();
        let mut answer = [0; 1024];
        let count = stream.read(&mut answer).await.unwrap();
        assert!(
            answer[..count].starts_with(b"HTTP/1.1 200"),
            "{}",
            String::from_utf8_lossy(&answer[..count])
        );
        tokio::time::sleep(std::time::Duration::from_millis(900)).await;
    }
    // The head timeout still applies to a head that has begun.
    stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: re").await.unwrap();
    let mut rest = Vec::new();
    let ended = tokio::time::timeout(std::time::Duration::from_secs(10), stream.read_to_end(&mut rest)).await;
    ended.expect("the relay did not close the connection").unwrap_or_default();
    assert!(!rest.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&rest));
}
