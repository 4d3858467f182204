//! What `protocol/openapi/relay.json` says, the relay does.

use crate::support::{
    App, Described, Description, INSTALLATION, RelayProcess, Streamed, forge, now, request, request_bytes,
    request_head, sealed,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use sealwire_protocol::{Code, encode_base64url, limits, tokens};
use serde_json::{Value, json};
use std::collections::BTreeSet;

const REQUEST: &str = "/paths/~1v1~1publish/post/requestBody/content/application~1json/schema";
const JSON: &str = "content-type: application/json\r\n";
const HANDSHAKE: &str = "connection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
    sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-protocol: sealwire.v1\r\n";

fn message() -> Value {
    json!({
        "channel": "absences",
        "scope": { "dashboard": "10001" },
        "sealed": STANDARD.encode(sealed("x")),
        "id": encode_base64url([1; 16]),
    })
}

fn with(changes: Value) -> Value {
    let mut message = message();
    message.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    message
}

fn batch(messages: &[Value]) -> String {
    json!({ "messages": messages }).to_string()
}

fn bearer(token: &str) -> String {
    format!("authorization: Bearer {token}\r\n")
}

/// A backend token with changed claims or header.
fn backend(header: Value, claims: Value) -> String {
    let mut good_header = json!({ "alg": "HS512", "kid": "one" });
    let (iat, exp) = (now() - 5, now() + 120);
    let mut good_claims = json!({ "aud": "sealwire:backend", "iss": App::one().id, "ins": INSTALLATION, "iat": iat, "exp": exp });
    good_header.as_object_mut().unwrap().extend(header.as_object().unwrap().clone());
    good_claims.as_object_mut().unwrap().extend(claims.as_object().unwrap().clone());
    forge(&App::one(), &good_header, &good_claims)
}

#[tokio::test]
async fn the_relay_serves_its_description() {
    let relay = RelayProcess::start(&[]);
    let answer = request(relay.address, "GET", "/v1/openapi.json", "", "").await;
    let document: Value = serde_json::from_str(sealwire_protocol::OPENAPI).unwrap();
    assert_eq!((answer.status, answer.body), (200, document));
    assert!(answer.head.contains("cache-control: public"), "{}", answer.head);
}

#[tokio::test]
async fn every_answer_is_one_of_the_description_and_every_one_of_these_is_given() {
    let (description, app) = (Description::read(), App::one());
    let relay = RelayProcess::start(&["--body-timeout", "500ms"]);
    let (good, authorized) = (batch(&[message()]), format!("{}{JSON}", bearer(&app.backend())));
    let too_large = " ".repeat(limits::MAX_BODY + 1);
    let mut requests: Vec<(&str, &str, String, &str, u16)> = vec![
        ("POST", "/v1/publish", authorized.clone(), &good, 200),
        ("POST", "/v1/publish", authorized.clone(), "{}", 400),
        ("POST", "/v1/publish", authorized.clone(), &too_large, 413),
        ("POST", "/v1/publish", bearer(&app.backend()), &good, 415),
        ("POST", "/v1/publish", JSON.into(), &good, 401),
        ("PUT", "/v1/publish", authorized.clone(), &good, 405),
        ("GET", "/v1/realtime", String::new(), "", 426),
        ("GET", "/v1/realtime", HANDSHAKE.replace(".v1", ".v9"), "", 400),
        ("POST", "/v1/realtime", HANDSHAKE.into(), "", 405),
        ("GET", "/v1/stream", String::new(), "", 405),
        ("POST", "/v1/send", String::new(), "{}", 400),
        ("POST", "/v1/send", String::new(), "AAECAwQFBgcICQoLDA0ODw 0", 404),
        ("PUT", "/v1/send", String::new(), "", 405),
        ("GET", "/v1/openapi.json", String::new(), "", 200),
        ("DELETE", "/v1/openapi.json", String::new(), "", 405),
        ("GET", "/healthz", String::new(), "", 200),
        ("GET", "/readyz", String::new(), "", 200),
        ("POST", "/healthz", String::new(), "", 405),
        ("GET", "/v1", String::new(), "", 404),
        ("GET", "/v2/realtime", String::new(), "", 404),
    ];
    for token in [
        "nonsense".into(),
        backend(json!({ "alg": "HS256" }), json!({})),
        backend(json!({ "kid": "nobody" }), json!({})),
        App::new(&app.id, "one", 9).backend(),
        backend(json!({}), json!({ "exp": now() - 1 })),
        backend(json!({}), json!({ "iat": now() + 100, "exp": now() + 200 })),
        backend(json!({}), json!({ "exp": now() + 600 })),
        app.session("alice"),
        backend(json!({}), json!({ "iss": "another app" })),
    ] {
        requests.push(("POST", "/v1/publish", format!("{}{JSON}", bearer(&token)), &good, 401));
    }
    let mut given = BTreeSet::new();
    let mut codes = BTreeSet::new();
    for (method, path, headers, body, status) in requests {
        let answer = request(relay.address, method, path, &headers, body).await;
        assert_eq!(answer.status, status, "{method} {path} {answer:?}");
        codes.extend(answer.body["error"]["code"].as_str().filter(|_| status == 401).map(str::to_owned));
        given.extend(description.check(method, path, &answer));
    }
    given.extend(without_a_place(&description).await);
    given.extend(streamed(&relay, &description).await);

    let opened = request_head(relay.address, "GET", "/v1/realtime", HANDSHAKE).await;
    let expected = description.at("/paths/~1v1~1realtime/get/responses/101/headers").as_object().unwrap();
    for (name, header) in expected {
        let value = header["schema"]["const"].as_str().unwrap_or_default();
        let line = format!("\r\n{name}: {value}").to_ascii_lowercase();
        assert!(opened.contains("101 switching") && opened.contains(&line), "{line}: {opened}");
    }
    given.insert(("get".into(), "/v1/realtime".into(), 101));

    // The relay waits for a body as long as it says.
    let never_ends = |path: &str, headers: &str| {
        format!(
            "POST {path} HTTP/1.1\r\nhost: relay\r\nconnection: close\r\ncontent-length: 9\r\n{headers}\r\n{{"
        )
    };
    let (publish, send) = (never_ends("/v1/publish", &authorized), never_ends("/v1/send", ""));
    let (publish, send) = tokio::join!(
        request_bytes(relay.address, publish.as_bytes()),
        request_bytes(relay.address, send.as_bytes())
    );
    given.extend(description.check("POST", "/v1/publish", &publish));
    given.extend(description.check("POST", "/v1/send", &send));

    assert_eq!(given, description.answers());
    let listed =
        description.at("/paths/~1v1~1publish/post/responses/401/content/application~1json/schema/allOf/1");
    let listed: BTreeSet<String> =
        serde_json::from_value(listed["properties"]["error"]["properties"]["code"]["enum"].clone()).unwrap();
    assert_eq!(codes, listed);
}

/// What everybody is told whose connection is past a limit, whatever the request.
async fn without_a_place(description: &Description) -> BTreeSet<Described> {
    let full = RelayProcess::start(&["--max-connections", "0"]);
    let crowded = RelayProcess::start(&["--max-connections-per-address", "0"]);
    let mut given = BTreeSet::new();
    for (method, path, _) in description.answers() {
        for relay in [&full, &crowded] {
            let answer = request(relay.address, &method.to_ascii_uppercase(), &path, "", "").await;
            assert!([429, 503].contains(&answer.status), "{method} {path} {answer:?}");
            given.extend(description.check(&method, &path, &answer));
        }
    }
    given
}

/// The answers that need a stream, and the stream's own.
async fn streamed(relay: &RelayProcess, description: &Description) -> BTreeSet<Described> {
    let mut given = BTreeSet::new();
    let mut streamed = Streamed::open(relay, "alice").await;
    assert!(streamed.head.contains("cache-control: no-store, no-transform"), "{}", streamed.head);
    given.insert(("post".into(), "/v1/stream".into(), 200));
    let too_large = " ".repeat(2 * limits::MAX_FRAME + 1);
    let too_large = format!("{} 1\n{too_large}", streamed.id);
    for answer in [
        streamed.post(streamed.next, &[]).await,
        streamed.post(9, &[]).await,
        request(relay.address, "POST", "/v1/send", "", &too_large).await,
    ] {
        given.extend(description.check("POST", "/v1/send", &answer));
    }
    for path in ["/v1/stream", "/v1/send"] {
        let preflight = request(relay.address, "OPTIONS", path, "", "").await;
        let headers =
            description.at(&format!("/paths/{}/options/responses/204/headers", path.replace('/', "~1")));
        for (name, header) in headers.as_object().unwrap() {
            let line = format!("\r\n{name}: {}", header["schema"]["const"].as_str().unwrap());
            assert!(preflight.head.contains(&line.to_ascii_lowercase()), "{line}: {preflight:?}");
        }
        given.insert(("options".into(), path.into(), preflight.status));
    }
    // Its own messages come back, nobody reads them, and at last it is not asked for more.
    streamed.subscribe_since("absences", None).await;
    let large = "x".repeat(100 * 1024);
    for _ in 0..500 {
        let publishing = streamed.publishing("absences", &large).to_bytes();
        let answer = streamed.post(streamed.next, &[&publishing]).await;
        given.extend(description.check("POST", "/v1/send", &answer));
        if answer.status == 503 {
            break;
        }
        streamed.next += 1;
    }
    given
}

#[tokio::test]
async fn what_the_description_forbids_the_relay_refuses_and_what_is_good_it_takes() {
    let (description, app) = (Description::read(), App::one());
    let relay = RelayProcess::start(&[]);
    let all = tokens::Permissions::ALL;
    let token = app.channel_token("absences", 1, all, now() + 60);
    let properties = |count: usize| (0..count).map(|n| (format!("p{n}"), json!("v"))).collect::<Value>();
    let sealed_of = |length: usize| STANDARD.encode(vec![1; length]);
    let good = [
        message(),
        with(json!({ "scope": {}, "event": "", "token": null })),
        with(json!({ "token": token, "event": "e".repeat(limits::MAX_EVENT_NAME) })),
        with(json!({ "channel": "ü", "scope": properties(limits::MAX_PROPERTIES) })),
        with(
            json!({ "scope": { "p".repeat(limits::MAX_PROPERTY_NAME): "v".repeat(limits::MAX_PROPERTY_VALUE) } }),
        ),
        with(json!({ "channel": "c".repeat(limits::MAX_CHANNEL_NAME) })),
        with(json!({ "sealed": sealed_of(57) })),
        with(json!({ "sealed": sealed_of(limits::MAX_SEALED) })),
    ];
    let forbidden = [
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
        with(json!({ "sealed": sealed_of(54) })),
        with(json!({ "sealed": sealed_of(limits::MAX_SEALED + 3) })),
        with(json!({ "sealed": "=".repeat(80) })),
        with(json!({ "sealed": "-_".repeat(40) })),
        with(json!({ "id": "AQEBAQEBAQEBAQEBAQEBAR" })),
        with(json!({ "id": "AQEBAQEBAQEBAQEBAQEBAQ==" })),
        with(json!({ "id": "AQEBAQEBAQEBAQEBAQEB" })),
        with(json!({ "id": "+QEBAQEBAQEBAQEBAQEBAQ" })),
    ];
    let headers = format!("{}{JSON}", bearer(&app.backend()));
    let messages = [&good[..], &forbidden].concat();
    let answer = request(relay.address, "POST", "/v1/publish", &headers, &batch(&messages)).await;
    description.check("POST", "/v1/publish", &answer);
    let results = answer.body["results"].as_array().unwrap();
    assert_eq!(results.len(), messages.len());
    for (index, (message, result)) in messages.iter().zip(results).enumerate() {
        let faults = description.faults(REQUEST, &json!({ "messages": [message] }));
        let is_good = index < good.len();
        assert_eq!(faults.is_empty(), is_good, "{message} {faults:?}");
        assert_eq!(result["eventId"].is_string(), is_good, "{message} {result}");
    }

    let whole = [
        json!([]),
        json!({}),
        json!({ "messages": [] }),
        json!({ "messages": {} }),
        json!({ "messages": [message()], "more": 1 }),
        json!({ "messages": vec![message(); limits::MAX_BATCH + 1] }),
    ];
    for body in whole {
        assert!(!description.faults(REQUEST, &body).is_empty(), "{body}");
        let answer = request(relay.address, "POST", "/v1/publish", &headers, &body.to_string()).await;
        assert_eq!(answer.status, 400, "{body} {answer:?}");
        description.check("POST", "/v1/publish", &answer);
    }
    let example = description.at("/components/schemas/Batch/examples/0").clone();
    assert_eq!(description.faults(REQUEST, &example), [""; 0]);
    let answer = request(relay.address, "POST", "/v1/publish", &headers, &example.to_string()).await;
    assert!(answer.body["results"][0]["eventId"].is_string(), "{answer:?}");
}

#[test]
fn the_description_has_every_code_with_the_status_that_it_means() {
    let description = Description::read();
    // Codes from 80 on are the clients' own.
    let codes: Vec<&str> =
        Code::ALL.iter().filter(|code| code.number() < 80).map(|code| code.name()).collect();
    assert_eq!(*description.at("/components/schemas/Code/enum"), json!(codes));
    for (method, path, status) in description.answers() {
        let at = format!("/paths/{}/{method}/responses/{status}", path.replace('/', "~1"));
        let mut schema = &description.at(&at)["content"]["application/json"]["schema"];
        // The one answer past 400 that may be no failure: a relay that drains.
        if path == "/readyz" && status == 503 {
            assert_eq!(schema["oneOf"][0]["$ref"], "#/components/schemas/Draining");
            schema = &schema["oneOf"][1];
        }
        let listed = schema["allOf"][1]["properties"]["error"]["properties"]["code"]["enum"].as_array();
        assert_eq!(listed.is_some(), status >= 400, "{at}");
        for name in listed.into_iter().flatten() {
            let code = Code::ALL.iter().find(|code| code.name() == name).unwrap();
            let meant = code.close_code().http_status();
            // Where HTTP has a word of its own for what is wrong with a request.
            let is_own = *code == Code::MalformedRequest && [404, 408, 409, 415, 426].contains(&status);
            assert!(meant == status || is_own, "{at}: {name} means {meant}");
        }
    }
}

#[test]
fn the_description_has_the_limits_of_the_protocol() {
    let description = Description::read();
    let (schemas, base64) = ("/components/schemas", |bytes: usize| bytes.div_ceil(3) * 4);
    for (pointer, limit) in [
        ("Batch/properties/messages/maxItems", limits::MAX_BATCH),
        ("Results/properties/results/maxItems", limits::MAX_BATCH),
        ("Message/properties/channel/maxLength", limits::MAX_CHANNEL_NAME),
        ("Message/properties/event/maxLength", limits::MAX_EVENT_NAME),
        ("Message/properties/token/maxLength", limits::MAX_TOKEN),
        ("Message/properties/sealed/maxLength", base64(limits::MAX_SEALED)),
        ("Scope/maxProperties", limits::MAX_PROPERTIES),
        ("Scope/additionalProperties/maxLength", limits::MAX_PROPERTY_VALUE),
    ] {
        assert_eq!(*description.at(&format!("{schemas}/{pointer}")), json!(limit), "{pointer}");
    }
    let name = format!("^[A-Za-z0-9_-]{{1,{}}}$", limits::MAX_PROPERTY_NAME);
    assert_eq!(*description.at(&format!("{schemas}/Scope/propertyNames/pattern")), json!(name));
    assert_eq!(limits::IDEMPOTENCY_ID, 16);
    let grouped = |number: usize| {
        let digits = number.to_string();
        let groups: Vec<_> =
            digits.as_bytes().rchunks(3).rev().map(|group| str::from_utf8(group).unwrap()).collect();
        groups.join(",")
    };
    for (pointer, words) in [
        (
            "/paths/~1v1~1publish/post/requestBody/description",
            format!("At most {} bytes", grouped(limits::MAX_BODY)),
        ),
        (
            "/components/schemas/Message/properties/sealed/description",
            format!("57 to {} bytes", grouped(limits::MAX_SEALED)),
        ),
        (
            "/components/schemas/Message/properties/id/description",
            format!("{} random bytes", limits::IDEMPOTENCY_ID),
        ),
        (
            "/components/securitySchemes/backendToken/description",
            format!(
                "at most {} apart. At most {} bytes",
                limits::MAX_BACKEND_TOKEN_LIFETIME,
                grouped(limits::MAX_TOKEN)
            ),
        ),
    ] {
        let text = description.at(pointer).as_str().unwrap();
        assert!(text.contains(&words), "{pointer} does not say '{words}': {text}");
    }
    assert_eq!(*description.at("/info/version"), json!(env!("CARGO_PKG_VERSION")));
}
