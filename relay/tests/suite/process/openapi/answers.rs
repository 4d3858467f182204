//! The responses of the relay and those of the description are the same.

use super::{JSON, batch, bearer, message};
use crate::support::{
    App, Described, Description, INSTALLATION, RelayProcess, Streamed, forge, now, request, request_bytes,
    request_head,
};
use sealwire_protocol::limits;
use serde_json::{Value, json};
use std::collections::BTreeSet;

const HANDSHAKE: &str = "connection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
    sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-protocol: sealwire.v1\r\n";

/// Returns a backend token with changed claims or a changed header.
fn backend(header: Value, claims: Value) -> String {
    let mut good_header = json!({ "alg": "HS512", "kid": "one" });
    let (iat, exp) = (now() - 5, now() + 120);
    let mut good_claims = json!({ "aud": "sealwire:backend", "iss": App::one().id, "ins": INSTALLATION, "iat": iat, "exp": exp });
    good_header.as_object_mut().unwrap().extend(header.as_object().unwrap().clone());
    good_claims.as_object_mut().unwrap().extend(claims.as_object().unwrap().clone());
    forge(&App::one(), &good_header, &good_claims)
}

/// Returns tokens that the relay refuses, among them one for each code.
fn forbidden_tokens(app: &App) -> [String; 9] {
    [
        "nonsense".into(),
        backend(json!({ "alg": "HS256" }), json!({})),
        backend(json!({ "kid": "nobody" }), json!({})),
        App::new(&app.id, "one", 9).backend(),
        backend(json!({}), json!({ "exp": now() - 1 })),
        backend(json!({}), json!({ "iat": now() + 100, "exp": now() + 200 })),
        backend(json!({}), json!({ "exp": now() + 600 })),
        app.session("alice"),
        backend(json!({}), json!({ "iss": "another app" })),
    ]
}

/// Returns the codes that the description lists for a refused token.
fn codes_of_forbidden_tokens(description: &Description) -> BTreeSet<String> {
    let listed =
        description.at("/paths/~1v1~1publish/post/responses/401/content/application~1json/schema/allOf/1");
    serde_json::from_value(listed["properties"]["error"]["properties"]["code"]["enum"].clone()).unwrap()
}

#[tokio::test]
async fn every_response_is_described_and_every_described_response_occurs() {
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
        ("POST", "/v1/disconnect", authorized.clone(), r#"{"account":"mallory"}"#, 200),
        ("POST", "/v1/disconnect", authorized.clone(), "{}", 400),
        ("POST", "/v1/disconnect", authorized.clone(), &too_large, 413),
        ("POST", "/v1/disconnect", bearer(&app.backend()), "{}", 415),
        ("POST", "/v1/disconnect", bearer(&app.session("alice")), "{}", 401),
        ("GET", "/v1/disconnect", authorized.clone(), "", 405),
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
    for token in forbidden_tokens(&app) {
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
    given.extend(above_the_connection_limits(&description).await);
    given.extend(from_another_origin(&relay, &description).await);
    given.extend(streamed(&relay, &description).await);
    given.insert(opened(&relay, &description).await);
    given.extend(with_unfinished_bodies(&relay, &description, &authorized).await);

    assert_eq!(given, description.answers());
    assert_eq!(codes, codes_of_forbidden_tokens(&description));
}

#[tokio::test]
async fn the_response_to_a_batch_above_the_rate_is_described() {
    let (description, app) = (Description::read(), App::one());
    let relay = RelayProcess::start(&["--publish-rate", "1", "--publish-burst", "100"]);
    let headers = format!("{}{JSON}", bearer(&app.backend()));
    let body = batch(&vec![message(); limits::MAX_BATCH]);
    for status in [200, 429] {
        let answer = request(relay.address, "POST", "/v1/publish", &headers, &body).await;
        assert_eq!(answer.status, status, "{answer:?}");
        description.check("POST", "/v1/publish", &answer);
    }
}

/// The response to an opening handshake, which has the described headers.
async fn opened(relay: &RelayProcess, description: &Description) -> Described {
    let opened = request_head(relay.address, "GET", "/v1/realtime", HANDSHAKE).await;
    let expected = description.at("/paths/~1v1~1realtime/get/responses/101/headers").as_object().unwrap();
    for (name, header) in expected {
        let schema = &header["schema"];
        let value = schema["const"].as_str().or(schema["enum"][0].as_str()).unwrap_or_default();
        let line = format!("\r\n{name}: {value}").to_ascii_lowercase();
        assert!(opened.contains("101 switching") && opened.contains(&line), "{line}: {opened}");
    }
    ("get".into(), "/v1/realtime".into(), 101)
}

/// The responses to requests with an unfinished body, for which the relay waits until the timeout.
async fn with_unfinished_bodies(
    relay: &RelayProcess,
    description: &Description,
    authorized: &str,
) -> BTreeSet<Described> {
    let mut given = BTreeSet::new();
    for (path, headers) in [("/v1/publish", authorized), ("/v1/disconnect", authorized), ("/v1/send", "")] {
        let unfinished = format!(
            "POST {path} HTTP/1.1\r\nhost: relay\r\nconnection: close\r\ncontent-length: 9\r\n{headers}\r\n{{"
        );
        let answer = request_bytes(relay.address, unfinished.as_bytes()).await;
        assert_eq!(answer.status, 408, "{path} {answer:?}");
        given.extend(description.check("POST", path, &answer));
    }
    given
}

/// The responses to connections above a limit, for every request.
async fn above_the_connection_limits(description: &Description) -> BTreeSet<Described> {
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

/// The responses to a page of a forbidden origin.
async fn from_another_origin(relay: &RelayProcess, description: &Description) -> BTreeSet<Described> {
    let mut given = BTreeSet::new();
    for (method, path, _) in description.answers().into_iter().filter(|(.., status)| *status == 403) {
        let origin = "origin: https://evil.example\r\n";
        let answer = request(relay.address, &method.to_ascii_uppercase(), &path, origin, "").await;
        assert_eq!((answer.status, answer.code()), (403, "ORIGIN_REFUSED"), "{method} {path}");
        given.extend(description.check(&method, &path, &answer));
    }
    given
}

/// The responses for streams and for requests that need a stream.
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
    // The client does not read its own publications, so the relay finally responds that the stream is busy.
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
