//! Requests.

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

pub(crate) const CASES: &[Case] = &[
    case("http-smuggling-length-and-chunks", |target| {
        for headers in [
            "content-length: 6\r\ntransfer-encoding: chunked",
            "transfer-encoding: chunked\r\ncontent-length: 6",
            "transfer-encoding: chunked\r\ncontent-length: 60",
        ] {
            // To who counts bytes, another request begins within the body of the first; to who counts chunks, after it.
            must_not_smuggle(target, headers, "0\r\n\r\n");
        }
    }),
    case("http-smuggling-encodings", |target| {
        for headers in [
            "transfer-encoding: xchunked",
            "transfer-encoding: chunked, identity",
            "transfer-encoding: identity",
            "transfer-encoding: chunked\r\ntransfer-encoding: identity",
            "transfer-encoding: \x0bchunked",
            "transfer-encoding: chunked\x00",
            "transfer-encoding\x00: chunked",
        ] {
            must_be_refused(target, &request(headers, "0\r\n\r\n"), &["400", "501"]);
        }
    }),
    case("http-lengths-that-differ", |target| {
        for headers in [
            "content-length: 2\r\ncontent-length: 44",
            "content-length: 2, 44",
            "content-length: 44\r\ncontent-length: 2",
        ] {
            must_be_refused(target, &request(headers, "{}"), &["400"]);
        }
    }),
    case("http-lengths-that-are-none", |target| {
        for length in ["+2", "-2", "0x2", "2 2", "two", "2.0", "99999999999999999999999", ""] {
            must_be_refused(target, &request(&format!("content-length: {length}"), "{}"), &["400"]);
        }
    }),
    case("http-folded-headers", |target| {
        must_be_refused(target, &request("x: one\r\n two\r\ncontent-length: 2", "{}"), &["400"]);
        must_be_refused(target, &request("transfer-encoding:\r\n chunked", "0\r\n\r\n"), &["400"]);
        must_be_refused(target, b"GET /healthz HTTP/1.1\r\n host: relay\r\n\r\n", &["400"]);
    }),
    case("http-space-before-colon", |target| {
        must_be_refused(target, &request("content-length : 2", "{}"), &["400"]);
        must_be_refused(target, &request("transfer-encoding : chunked", "0\r\n\r\n"), &["400"]);
    }),
    case("http-control-bytes-in-headers", |target| {
        for header in ["x: a\x00b", "x: a\rb", "x\x01: a", "x\x7f: a", ": a", "x"] {
            must_be_refused(target, &request(&format!("{header}\r\ncontent-length: 2"), "{}"), &["400"]);
        }
    }),
    case("http-header-huge", |target| {
        let header = format!("x: {}\r\ncontent-length: 2", "y".repeat(100_000));
        must_be_refused(target, &request(&header, "{}"), &["431"]);
    }),
    case("http-headers-too-many", |target| {
        let headers: String = (0..150).map(|n| format!("x{n}: y\r\n")).collect();
        must_be_refused(target, &request(&format!("{headers}content-length: 2"), "{}"), &["431"]);
    }),
    case("http-request-line-huge", |target| {
        let path = "a".repeat(70_000);
        must_be_refused(
            target,
            format!("GET /{path} HTTP/1.1\r\nhost: relay\r\n\r\n").as_bytes(),
            &["414", "431"],
        );
        must_be_refused(target, "G".repeat(100_000).as_bytes(), &["400", "414", "431"]);
    }),
    case("http-methods", |target| {
        for method in ["GET", "PUT", "PATCH", "DELETE", "TRACE", "OPTIONS", "PROPFIND", "post", "X"] {
            let text = format!("{method} /v1/publish HTTP/1.1\r\nhost: relay\r\nconnection: close\r\n\r\n");
            must_be_refused(target, text.as_bytes(), &["400", "405"]);
        }
        must_be_refused(
            target,
            b"CONNECT 127.0.0.1:22 HTTP/1.1\r\nhost: relay\r\nconnection: close\r\n\r\n",
            &["400", "404", "405"],
        );
    }),
    case("http-odd-targets", |target| {
        for path in [
            "//v1/publish",
            "/v1//publish",
            "/v1/publish/",
            "/./v1/publish",
            "/v1/../v1/publish",
            "/v1/%70ublish",
            "/V1/PUBLISH",
            "/v1/publish;a",
            "/v1/publish%00",
        ] {
            let text = format!("GET {path} HTTP/1.1\r\nhost: relay\r\nconnection: close\r\n\r\n");
            let answer = target.exchange(text.as_bytes());
            assert!(status(&answer).starts_with('4'), "{path}: {answer}");
        }
        for path in ["", "v1/publish", "*", "/a b", "/\u{7f}", "/\\", "http://[::1", "/<>"] {
            let text = format!("GET {path} HTTP/1.1\r\nhost: relay\r\nconnection: close\r\n\r\n");
            let answer = target.exchange(text.as_bytes());
            assert!(status(&answer).starts_with('4'), "{path}: {answer}");
        }
    }),
    case("http-absolute-target", |target| {
        // The host that a request names changes nothing: there is one relay and it forwards nowhere.
        let answer = target
            .exchange(b"GET http://127.0.0.1:1/healthz HTTP/1.1\r\nhost: other\r\nconnection: close\r\n\r\n");
        assert!(status(&answer) == "200" && answer.contains("\"ok\""), "{answer}");
        let answer =
            target.exchange(b"GET http://127.0.0.1:1/ HTTP/1.1\r\nhost: other\r\nconnection: close\r\n\r\n");
        assert_eq!(status(&answer), "404", "{answer}");
    }),
    case("http-versions", |target| {
        for version in ["HTTP/0.9", "HTTP/3.0", "HTTP/1.2", "HTTP/11", "http/1.1", "HTCPCP/1.0"] {
            let answer = target.exchange(format!("GET /healthz {version}\r\nhost: relay\r\n\r\n").as_bytes());
            assert!(answer.is_empty() || status(&answer).starts_with(['4', '5']), "{version}: {answer}");
        }
    }),
    case("http-2-preface", |target| {
        let answer = target.exchange(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0");
        assert!(answer.is_empty() || status(&answer).starts_with(['4', '5']), "{answer}");
        let upgrade = b"GET /v1/realtime HTTP/1.1\r\nhost: relay\r\nconnection: Upgrade, HTTP2-Settings, close\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABkAAQAAP__\r\n\r\n";
        assert_eq!(status(&target.exchange(upgrade)), "426");
    }),
    case("http-tls-to-a-plain-port", |target| {
        let hello =
            [&[0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03][..], &random::<64>()]
                .concat();
        let answer = target.exchange(&hello);
        assert!(answer.is_empty() || status(&answer) == "400", "{answer}");
    }),
    case("http-pipelined", |target| {
        let mut socket = RawSocket::connect(target.port);
        socket.send(
            "GET /healthz HTTP/1.1\r\nhost: relay\r\n\r\nGET /nowhere HTTP/1.1\r\nhost: relay\r\n\r\n"
                .repeat(200)
                .as_bytes(),
        );
        for _ in 0..200 {
            assert_eq!(status(&socket.answer().0), "200");
            assert_eq!(status(&socket.answer().0), "404");
        }
    }),
    case("http-pipelined-behind-an-upgrade", |target| {
        // What follows the handshake is frames, never a request.
        let smuggled = b"GET /healthz HTTP/1.1\r\nhost: relay\r\n\r\n";
        let mut socket = RawSocket::connect(target.port);
        socket.send(&[&upgrade_request("")[..], smuggled].concat());
        assert_eq!(status(&socket.head()), "101");
        let farewell = socket.farewell();
        assert_eq!((farewell.close, farewell.before), (Some(1002), vec![]));
    }),
    case("http-upgrade-refused-then-frames", |target| {
        // A handshake that was refused is no tunnel: what follows is read as HTTP.
        let mut socket = RawSocket::connect(target.port);
        let request = String::from_utf8(upgrade_request(""))
            .unwrap()
            .replace("sec-websocket-version: 13", "sec-websocket-version: 777");
        socket.send(request.as_bytes());
        assert_eq!(status(&socket.answer().0), "426");
        socket.send(&frame(0x82, b"hello"));
        let answer = socket.text();
        assert!(answer.is_empty() || status(&answer) == "400", "{answer}");
    }),
    case("http-upgrades-that-are-none", |target| {
        let good = String::from_utf8(upgrade_request(""))
            .unwrap()
            .replace("connection: Upgrade", "connection: Upgrade, close");
        for (from, to, expected) in [
            ("GET /", "POST /", "405"),
            ("connection: Upgrade, close", "connection: close", "426"),
            ("upgrade: websocket", "upgrade: websockets", "426"),
            ("version: 13", "version: 8", "426"),
            ("version: 13", "version: 13, 8", "426"),
            ("key: dGhlIHNhbXBsZSBub25jZQ==", "key: c2hvcnQ=", "400"),
            ("key: dGhlIHNhbXBsZSBub25jZQ==", "key: !!!", "400"),
            ("sealwire.v1", "sealwire.v0", "400"),
            ("sealwire.v1", "", "400"),
        ] {
            let request = good.replacen(from, to, 1);
            assert_eq!(status(&target.exchange(request.as_bytes())), expected, "{to}");
        }
        let old = good.replacen("HTTP/1.1", "HTTP/1.0", 1);
        assert!(status(&target.exchange(old.as_bytes())).starts_with('4'));
    }),
    patient("http-upgrade-with-a-body", |target| {
        // The body of a handshake is no frame: it is thrown away, or breaks RFC 6455.
        let hello = Hello { token: target.token_with(json!({})) };
        let hello = frame(0x82, &ToRelay::Hello(hello).to_bytes());
        let mut socket = RawSocket::connect(target.port);
        socket.send(&[upgrade_request(&format!("content-length: {}\r\n", hello.len())), hello].concat());
        assert_eq!(status(&socket.head()), "101");
        let farewell = socket.farewell();
        assert!(matches!(farewell.close, Some(1002 | 4408)) && farewell.before.is_empty(), "{farewell:?}");
    }),
    case("http-token-in-the-address", |target| {
        let token = target.token_with(json!({}));
        let request = String::from_utf8(upgrade_request(""))
            .unwrap()
            .replace("/v1/realtime", &format!("/v1/realtime?token={token}"));
        let mut socket = RawSocket::connect(target.port);
        socket.send(request.as_bytes());
        if status(&socket.head()) == "101" {
            // It opens nothing there: Hello is still owed.
            socket.send(&frame(0x82, &[0x32, 0x00]));
            assert_eq!(socket.farewell().goodbye, Some(4));
        }
    }),
    case("http-content-types", |target| {
        let bearer = format!("authorization: Bearer {}\r\nconnection: close\r\n", target.victim.backend());
        for kind in [
            "",
            "content-type: text/plain\r\n",
            "content-type: application/x-www-form-urlencoded\r\n",
            "content-type: multipart/form-data; boundary=x\r\n",
            "content-type: application/jsonp\r\n",
            "content-type: text/html, application/json\r\n",
        ] {
            let text = format!(
                "POST /v1/publish HTTP/1.1\r\nhost: relay\r\ncontent-length: 2\r\n{bearer}{kind}\r\n{{}}"
            );
            must_be_refused(target, text.as_bytes(), &["415"]);
        }
    }),
    case("http-authorizations", |target| {
        let token = target.victim.backend();
        for header in [
            String::new(),
            format!("authorization: {token}\r\n"),
            format!("authorization: Basic {token}\r\n"),
            "authorization: Bearer\r\n".into(),
            format!("authorization: Bearer {token},{token}\r\n"),
            format!("cookie: token={token}\r\n"),
            format!("proxy-authorization: Bearer {token}\r\n"),
        ] {
            let answer = target.post(&header, "{}");
            assert_eq!(status(&answer), "401", "{header}: {answer}");
        }
        let answer =
            target.post(&format!("authorization: Bearer {}\r\n", target.token_with(json!({}))), "{}");
        assert!(status(&answer) == "401" && answer.contains("TOKEN_AUDIENCE"), "{answer}");
    }),
    case("http-body-huge", |target| {
        let start = Instant::now();
        let answer = target.post(
            &format!("authorization: Bearer {}\r\n", target.victim.backend()),
            &" ".repeat(limits::MAX_BODY + 1),
        );
        assert_eq!(status(&answer), "413", "{answer}");
        // Announced only: the answer does not wait for what never comes.
        let text = head(target, "content-length: 9999999999");
        let mut socket = RawSocket::connect(target.port);
        socket.send(text.as_bytes());
        socket.finish();
        let answer = socket.text();
        assert!(answer.is_empty() || status(&answer) == "413", "{answer}");
        assert!(start.elapsed() < Duration::from_secs(10));
    }),
    case("http-body-huge-in-chunks", |target| {
        let text = head(target, "transfer-encoding: chunked");
        let mut socket = RawSocket::connect(target.port);
        socket.send(text.as_bytes());
        let chunk = format!("10000\r\n{}\r\n", " ".repeat(0x10000));
        for _ in 0..40 {
            socket.send(chunk.as_bytes());
        }
        socket.send(b"0\r\n\r\n");
        assert_eq!(status(&socket.text()), "413");
    }),
    case("http-chunks-that-are-none", |target| {
        for chunks in [
            "ffffffffffffffffff\r\n{}\r\n0\r\n\r\n",
            "-1\r\n{}\r\n0\r\n\r\n",
            "0x2\r\n{}\r\n0\r\n\r\n",
            "2\r\n{}xx0\r\n\r\n",
            "zz\r\n",
            "2 2\r\n{}\r\n0\r\n\r\n",
        ] {
            let answer =
                target.exchange(format!("{}{chunks}", head(target, "transfer-encoding: chunked")).as_bytes());
            assert!(answer.is_empty() || status(&answer) == "400", "{chunks}: {answer}");
        }
    }),
    case("http-chunk-extensions-and-trailers", |target| {
        let extension = format!("2;{}\r\n{{}}\r\n0\r\n\r\n", "e".repeat(50_000));
        let trailers = format!("2\r\n{{}}\r\n0\r\n{}\r\n", "t: u\r\n".repeat(5_000));
        for chunks in [extension, trailers] {
            let answer =
                target.exchange(format!("{}{chunks}", head(target, "transfer-encoding: chunked")).as_bytes());
            assert!(answer.is_empty() || status(&answer).starts_with('4'), "{answer}");
        }
        // A trailer brings no header: the token was due before.
        let text = "POST /v1/publish HTTP/1.1\r\nhost: relay\r\nconnection: close\r\ntrailer: authorization\r\n\
            content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n";
        let trailer = format!("authorization: Bearer {}\r\n\r\n", target.victim.backend());
        assert_eq!(status(&target.exchange(format!("{text}{trailer}").as_bytes())), "401");
    }),
    case("http-json-nested", |target| {
        for body in [
            "[".repeat(500_000),
            "{\"messages\":".to_owned() + &"[".repeat(500_000),
            "{\"a\":".repeat(100_000),
        ] {
            assert_eq!(status(&target.publish(&body)), "400");
        }
        let message = format!("{{\"messages\":[{}{}]}}", "[".repeat(100), "]".repeat(100));
        refuses_each(target, &message, "MALFORMED_REQUEST");
        let scope = format!(
            "{{\"messages\":[{{\"channel\":\"a\",\"scope\":{}{}}}]}}",
            "{\"a\":".repeat(100),
            "1".to_owned() + &"}".repeat(100)
        );
        refuses_each(target, &scope, "SCOPE_REFUSED");
    }),
    case("http-json-keys-twice", |target| {
        let good = message(json!({})).to_string();
        for extra in [
            "\"channel\":\"other\"",
            "\"scope\":{}",
            "\"sealed\":\"AAAA\"",
            "\"id\":\"AAAA\"",
            "\"event\":\"x\"",
        ] {
            let twice = good.replacen('{', &format!("{{{extra},"), 1);
            refuses_each(target, &format!("{{\"messages\":[{twice}]}}"), "");
        }
        let twice = format!("{{\"messages\":[{good}],\"messages\":[]}}");
        assert_eq!(status(&target.publish(&twice)), "400");
    }),
    case("http-json-unknown-keys", |target| {
        for extra in ["app", "installation", "iss", "account", "__proto__", "offset"] {
            refuses_each(target, &batch(&[message(json!({ extra: "x" }))]), "MALFORMED_REQUEST");
        }
        assert_eq!(status(&target.publish("{\"messages\":[],\"installation\":\"x\"}")), "400");
    }),
    case("http-json-wrong-types", |target| {
        for changes in [
            json!({ "channel": 1 }),
            json!({ "scope": [] }),
            json!({ "scope": { "a": 1 } }),
            json!({ "sealed": [1, 2] }),
            json!({ "id": null }),
            json!({ "token": {} }),
            json!({ "event": 1.5 }),
        ] {
            refuses_each(target, &batch(&[message(changes)]), "");
        }
        for body in [
            "null",
            "1",
            "\"x\"",
            "[]",
            "{\"messages\":{}}",
            "{\"messages\":null}",
            "",
            "\u{feff}{}",
            "NaN",
            "{\"messages\":[1,]}",
        ] {
            assert_eq!(status(&target.publish(body)), "400", "{body}");
        }
    }),
    case("http-json-not-utf-8", |target| {
        let good = batch(&[message(json!({ "channel": "CHANNEL" }))]);
        let (before, after) = good.split_once("CHANNEL").unwrap();
        let body = [before.as_bytes(), &[0xff, 0xfe], after.as_bytes()].concat();
        let answer = target
            .exchange(&[head(target, &format!("content-length: {}", body.len())).as_bytes(), &body].concat());
        assert!(status(&answer) == "400" || answer.contains("MALFORMED_REQUEST"), "{answer}");
        refuses_each(target, &good.replace("CHANNEL", "\\ud800"), "MALFORMED_REQUEST");
    }),
    case("http-base64", |target| {
        for text in ["%", "AAA", "AAAA=", "AA==\n", "-_-_", "AAAA AAAA", "A\u{0}AA"] {
            refuses_each(target, &batch(&[message(json!({ "sealed": text }))]), "MALFORMED_REQUEST");
        }
        for text in [
            "",
            "AAAA",
            &format!("{}B", "A".repeat(21)),
            &encode_base64url([1; 17]),
            &(encode_base64url([1; 16]) + "=="),
        ] {
            refuses_each(target, &batch(&[message(json!({ "id": text }))]), "MALFORMED_REQUEST");
        }
    }),
    case("http-batch-sizes", |target| {
        assert_eq!(status(&target.publish(&batch(&vec![message(json!({})); limits::MAX_BATCH + 1]))), "400");
        assert_eq!(status(&target.publish("{\"messages\":[]}")), "400");
        let many = format!("{{\"messages\":[{}0]}}", "0,".repeat(500_000));
        assert_eq!(status(&target.publish(&many)), "400");
    }),
    case("http-message-sizes", |target| {
        for len in [0, 1, 56, limits::MAX_SEALED + 1] {
            let sealed = STANDARD.encode(vec![1; len]);
            refuses_each(target, &batch(&[message(json!({ "sealed": sealed }))]), "MESSAGE_SIZE");
        }
        for (key, text) in
            [("channel", String::new()), ("channel", "c".repeat(256)), ("event", "e".repeat(256))]
        {
            refuses_each(target, &batch(&[message(json!({ key: text }))]), "NAME_INVALID");
        }
    }),
    case("http-errors-echo-nothing", |target| {
        let marker = "<script>alert(1)</script>";
        for answer in [
            target.publish(&batch(&[message(json!({ "channel": marker, "sealed": marker }))])),
            target.publish(marker),
            target.post(&format!("authorization: Bearer {marker}\r\n"), marker),
            target.exchange(
                format!("GET /{marker} HTTP/1.1\r\nhost: {marker}\r\nconnection: close\r\n\r\n").as_bytes(),
            ),
        ] {
            assert!(!answer.contains("<script"), "{answer}");
        }
    }),
    case("http-forwarded-for-is-not-believed", |target| {
        // There is no proxy in front of this relay.
        let answer = target.post("x-forwarded-for: 203.0.113.77\r\nforwarded: for=203.0.113.77\r\nx-real-ip: 203.0.113.77\r\nauthorization: Bearer x\r\n", "{}");
        assert_eq!(status(&answer), "401");
        assert!(!target.relay.log().contains("203.0.113.77"));
    }),
    patient("http-slow-head", |target| {
        let mut socket = RawSocket::connect(target.port);
        let start = Instant::now();
        socket.send(b"GET /healthz HTTP/1.1\r\n");
        while start.elapsed() < Duration::from_secs(25) && socket.send(b"x: y\r\n") {
            sleep(Duration::from_millis(250));
        }
        assert!(
            start.elapsed() < Duration::from_secs(20),
            "a head that never ends was read to the end of patience"
        );
    }),
    patient("http-slow-body", |target| {
        let mut socket = RawSocket::connect(target.port);
        let start = Instant::now();
        socket.send(head(target, "content-length: 1000").as_bytes());
        while start.elapsed() < Duration::from_secs(40) && socket.send(b" ") {
            sleep(Duration::from_millis(250));
        }
        let answer = socket.text();
        assert!(
            start.elapsed() < Duration::from_secs(30),
            "a body that never ends was read to the end of patience"
        );
        assert!(answer.is_empty() || status(&answer) == "408", "{answer}");
    }),
    patient("http-silent-connection", |target| {
        let mut socket = RawSocket::connect(target.port);
        let start = Instant::now();
        let answer = socket.text();
        assert!(answer.is_empty() || status(&answer) == "408", "{answer}");
        assert!(start.elapsed() < Duration::from_secs(25));
    }),
];

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
