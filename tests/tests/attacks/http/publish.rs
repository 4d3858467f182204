//! Requests to `POST /v1/publish` and `POST /v1/send` with invalid content.

use super::*;

pub(super) const CASES: &[Case] = &[
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
    case("http-json-nested", |target| {
        for body in [
            "[".repeat(500_000),
            "{\"messages\":".to_owned() + &"[".repeat(500_000),
            "{\"a\":".repeat(100_000),
        ] {
            assert_eq!(status(&target.publish(&body)), "400");
        }
        let message = format!("{{\"messages\":[{}{}]}}", "[".repeat(100), "]".repeat(100));
        must_refuse_each(target, &message, "MALFORMED_REQUEST");
        let scope = format!(
            "{{\"messages\":[{{\"channel\":\"a\",\"scope\":{}{}}}]}}",
            "{\"a\":".repeat(100),
            "1".to_owned() + &"}".repeat(100)
        );
        must_refuse_each(target, &scope, "SCOPE_REFUSED");
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
            must_refuse_each(target, &format!("{{\"messages\":[{twice}]}}"), "");
        }
        let twice = format!("{{\"messages\":[{good}],\"messages\":[]}}");
        assert_eq!(status(&target.publish(&twice)), "400");
    }),
    case("http-json-unknown-keys", |target| {
        for extra in ["app", "installation", "iss", "account", "__proto__", "offset"] {
            must_refuse_each(target, &batch(&[message(json!({ extra: "x" }))]), "MALFORMED_REQUEST");
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
            must_refuse_each(target, &batch(&[message(changes)]), "");
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
        must_refuse_each(target, &good.replace("CHANNEL", "\\ud800"), "MALFORMED_REQUEST");
    }),
    case("http-base64", |target| {
        for text in ["%", "AAA", "AAAA=", "AA==\n", "-_-_", "AAAA AAAA", "A\u{0}AA"] {
            must_refuse_each(target, &batch(&[message(json!({ "sealed": text }))]), "MALFORMED_REQUEST");
        }
        for text in [
            "",
            "AAAA",
            &format!("{}B", "A".repeat(21)),
            &encode_base64url([1; 17]),
            &(encode_base64url([1; 16]) + "=="),
        ] {
            must_refuse_each(target, &batch(&[message(json!({ "id": text }))]), "MALFORMED_REQUEST");
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
            must_refuse_each(target, &batch(&[message(json!({ "sealed": sealed }))]), "MESSAGE_SIZE");
        }
        for (key, text) in
            [("channel", String::new()), ("channel", "c".repeat(256)), ("event", "e".repeat(256))]
        {
            must_refuse_each(target, &batch(&[message(json!({ key: text }))]), "NAME_INVALID");
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
        // This relay has no trusted proxy.
        let answer = target.post("x-forwarded-for: 203.0.113.77\r\nforwarded: for=203.0.113.77\r\nx-real-ip: 203.0.113.77\r\nauthorization: Bearer x\r\n", "{}");
        assert_eq!(status(&answer), "401");
        assert!(!target.relay.log().contains("203.0.113.77"));
    }),
    case("http-send-to-a-foreign-stream", |target| {
        let mut owner = RawSocket::connect(target.port);
        owner.send(b"POST /v1/stream HTTP/1.1\r\nhost: relay\r\ncontent-length: 0\r\n\r\n");
        let head = owner.response_head();
        assert_eq!(status(&head), "200", "{head}");
        for body in ["", "AAAAAAAAAAAAAAAAAAAAAA 0\nUgA=", "0", "* 0\nUgA=", "../ 0", &"A".repeat(100_000)] {
            let answer = target.exchange(send(body).as_bytes());
            assert!(matches!(status(&answer), "400" | "404" | "413"), "{body}: {answer}");
        }
    }),
    case("http-send-of-nothing", |target| {
        // A naive decoder would hold thirty times the size of these 290,000 empty messages.
        let body = format!("{} 0{}", encode_base64url([0; 16]), "\n".repeat(290_000));
        let answer = target.exchange(send(&body).as_bytes());
        assert!(matches!(status(&answer), "400" | "404"), "{answer}");
    }),
];

fn send(body: &str) -> String {
    let length = body.len();
    format!(
        "POST /v1/send HTTP/1.1\r\nhost: relay\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
    )
}
