//! The console for operators: what it shows, to whom, and what it changes.

use crate::support::{
    APP, App, Client, ConsoleStream, INSTALLATION, RelayProcess, bad_session_tokens_now, channel,
    console_post, console_request, request, request_bytes,
};
use sealwire_protocol::{Code, wire::Channel};
use serde_json::{Value, json};
use std::{fs, os::unix::fs::PermissionsExt as _, time::Duration};
use tokio::time::{Instant, sleep};

const ADMIN: &[&str] = &["--admin-listen", "127.0.0.1:0"];
const TOKEN: &str = "an-operator-token-of-the-tests-0123456789";

/// Starts a relay whose operators may change things with [`TOKEN`].
fn relay_with_token(flags: &[&str]) -> RelayProcess {
    let (directory, app) = (tempfile::tempdir().unwrap(), App::one());
    write_token(directory.path(), TOKEN);
    let config = format!(
        "listen = \"127.0.0.1:0\"\nadmin_token_file = \"token\"\n[[app]]\nid = \"{}\"\nsigning_keys = [\"{}\"]\n",
        app.id, app.key_text
    );
    RelayProcess::start_in(directory, &config, &[ADMIN, flags].concat())
}

fn write_token(directory: &std::path::Path, token: &str) {
    let path = directory.join("token");
    fs::write(&path, token).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
}

fn party(account: &str) -> Value {
    json!({ "app": APP, "installation": INSTALLATION, "account": account })
}

async fn refuse_scope(client: &mut Client) {
    client.refused_subscribe(Channel { properties: vec!["board".into()], ..channel("absences") }).await;
}

#[tokio::test]
async fn the_console_is_on_the_listener_for_operators_only_and_its_policy_permits_nothing_else() {
    let relay = RelayProcess::start(ADMIN);
    for path in ["/console", "/console/events", "/console/lookup", "/console/disconnect"] {
        assert_eq!(request(relay.address, "GET", path, "", "").await.status, 404);
        assert_eq!(request(relay.address, "POST", path, "", "{}").await.status, 404);
    }
    let page = console_request(&relay, "GET /console", "", "").await;
    assert_eq!(page.status, 200);
    let linked = page.text.split(['"', ' ']).filter(|text| text.starts_with("/console/"));
    let mut files: Vec<String> = linked.map(str::to_owned).collect();
    assert!(files.len() >= 4, "{files:?}");
    for module in ["stream", "panels", "element", "lookup", "disconnect", "request"] {
        files.push(format!("/console/{module}.mjs"));
    }
    for file in &files {
        let answer = console_request(&relay, &format!("GET {file}"), "", "").await;
        assert_eq!(answer.status, 200, "{file}");
        assert!(!answer.text.is_empty());
        let named = "content-security-policy: default-src 'none'; script-src 'self'; style-src 'self';";
        assert!(answer.head.contains(named) && answer.head.contains("frame-ancestors 'none'"), "{answer:?}");
        for header in ["x-content-type-options: nosniff", "cache-control: no-store", "x-frame-options: deny"]
        {
            assert!(answer.head.contains(header), "{answer:?}");
        }
        // Nothing comes from elsewhere, and no script or style is in the markup.
        for inline in ["<style", " style=", " onclick=", "<script>", "https://"] {
            assert!(!answer.text.contains(inline), "{file} {inline}");
        }
    }
    assert_eq!(console_request(&relay, "GET /console/Cargo.toml", "", "").await.status, 404);
    assert_eq!(console_request(&relay, "POST /console", "", "").await.status, 403);
}

#[tokio::test]
async fn a_snapshot_counts_what_happens_and_names_nobody() {
    let relay = RelayProcess::start(ADMIN);
    let mut stream = ConsoleStream::open(&relay).await;
    let first = stream.next().await.unwrap();
    assert_eq!((&first["connections"]["open"], &first["recent"]), (&json!(0), &json!([])));
    assert_eq!((&first["permitsChanges"], &first["cluster"]), (&json!(false), &Value::Null));
    let (mut alice, mut bob) =
        (Client::open(&relay, "alice-5b10").await, Client::open(&relay, "bob-5b10").await);
    bob.subscribe("absences").await;
    alice.publish("absences", "a payload").await;
    bob.text().await;
    refuse_scope(&mut alice).await;
    let expired = bad_session_tokens_now().into_iter().find(|(kind, ..)| *kind == "expired").unwrap();
    let mut refused = Client::connect(relay.address).await;
    refused.refused_hello(expired.1, expired.2).await;
    drop(refused);
    let snapshot = stream.find(|snapshot| snapshot["recent"].as_array().unwrap().len() == 2).await;
    let snapshot = match &snapshot["connections"]["open"] {
        open if open == 2 => snapshot,
        _ => stream.find(|snapshot| snapshot["connections"]["open"] == 2).await,
    };
    for (part, expected) in [
        ("/connections/sessions", json!(2)),
        ("/connections/subscriptions", json!(1)),
        ("/latency/publications", json!(1)),
        ("/installations/0/count", json!(2)),
        ("/channels/0/count", json!(1)),
        ("/slow/clients", json!(0)),
        ("/state/ready", json!(true)),
    ] {
        assert_eq!(snapshot.pointer(part), Some(&expected), "{part} {snapshot:#}");
    }
    let code = |code: &str| {
        let all = snapshot["refusals"].as_array().unwrap();
        all.iter().find(|count| count["code"] == code).unwrap_or_else(|| panic!("{snapshot:#}")).clone()
    };
    for expected in ["SCOPE_REFUSED", "TOKEN_EXPIRED"] {
        let count = code(expected);
        assert_eq!((&count["total"], &count["lastMinute"]), (&json!(1), &json!(1)));
        assert!(count["advice"].as_str().unwrap().len() > 20);
    }
    let event = |code: &str| {
        let all = snapshot["recent"].as_array().unwrap();
        all.iter().find(|event| event["code"] == code).unwrap().clone()
    };
    // Nobody verified the expired token, so it is about nobody.
    assert_eq!(event("TOKEN_EXPIRED")["account"], Value::Null);
    assert_eq!(event("SCOPE_REFUSED")["account"].as_str().unwrap().len(), 16);
    assert_eq!(event("SCOPE_REFUSED")["installation"], snapshot["installations"][0]["hash"]);
    let text = snapshot.to_string();
    for secret in [APP, INSTALLATION, "alice-5b10", "bob-5b10", "absences", "10001", "a payload", "127.0.0.1"]
    {
        assert!(!text.contains(secret), "{secret} {text}");
    }
}

#[tokio::test]
async fn a_lookup_finds_an_account_by_its_ids_and_tells_why_it_was_refused() {
    let relay = RelayProcess::start(ADMIN);
    let (mut alice, _second) = (Client::open(&relay, "alice").await, Client::open(&relay, "alice").await);
    let _bob = Client::open(&relay, "bob").await;
    refuse_scope(&mut alice).await;
    let found = console_post(&relay, "lookup", None, &party("alice")).await;
    assert_eq!(found.status, 200, "{found:?}");
    assert_eq!((&found.body["sessions"], &found.body["connections"]), (&json!(2), &json!(2)));
    assert_eq!(found.body["sessionsElsewhere"], Value::Null);
    assert_eq!(found.body["revokedBefore"], Value::Null);
    let events = found.body["events"].as_array().unwrap();
    assert_eq!(events.len(), 1);
    assert_eq!((&events[0]["code"], &events[0]["attempt"]), (&json!("SCOPE_REFUSED"), &json!("subscribe")));
    let log = relay.log_with("SCOPE_REFUSED").await;
    assert!(log.contains(&format!("trace={}", events[0]["trace"].as_str().unwrap())), "{log}");
    assert!(!found.text.contains("alice"));
    // With one app, its id may be left out; the whole installation must be meant explicitly.
    let everyone = json!({ "installation": INSTALLATION, "everyone": true });
    assert_eq!(console_post(&relay, "lookup", None, &everyone).await.body["sessions"], 3);
    let stranger = console_post(&relay, "lookup", None, &party("nobody")).await;
    assert_eq!((&stranger.body["sessions"], &stranger.body["events"]), (&json!(0), &json!([])));
    for (body, text) in [
        (json!({ "app": "other", "installation": "i", "account": "a" }), "no app with this id"),
        (json!({ "installation": "i" }), "everyone"),
        (json!({ "installation": "i", "account": "a", "everyone": true }), "everyone"),
        (json!({ "installation": "", "account": "a" }), "1 to 256 bytes"),
        (json!({ "installation": "i", "account": "a".repeat(257) }), "1 to 256 bytes"),
        (json!({ "account": "a" }), "the body must have"),
        (json!({ "installation": "i", "account": "a", "more": 1 }), "the body must have"),
    ] {
        let answer = console_post(&relay, "lookup", None, &body).await;
        assert_eq!(answer.status, 400, "{answer:?}");
        assert!(answer.text.contains(text), "{answer:?}");
    }
    let large = console_post(&relay, "lookup", None, &json!("x".repeat(17_000))).await;
    assert_eq!(large.status, 413);
}

#[tokio::test]
async fn an_operator_ends_sessions_with_the_token_and_not_without_it() {
    let relay = relay_with_token(&[]);
    let token = App::one().session("alice");
    let (mut alice, mut bob) =
        (Client::open_with(&relay, token.clone()).await, Client::open(&relay, "bob").await);
    for shown in [None, Some("another-token-that-has-32-characters-0000"), Some("")] {
        let answer = console_post(&relay, "disconnect", shown, &party("alice")).await;
        assert_eq!(answer.status, 401, "{answer:?}");
    }
    let log = relay.log_with("attempt=\"console\"").await;
    assert!(log.contains("PERMISSION_MISSING") && !log.contains("another-token"), "{log}");
    bob.subscribe("absences").await;
    alice.subscribe("absences").await;
    let answer = console_post(&relay, "disconnect", Some(TOKEN), &party("alice")).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    alice.must_end_with(Code::Revoked).await;
    let mut again = Client::connect(relay.address).await;
    again.refused_hello(token, Code::Revoked).await;
    bob.publish("absences", "x").await;
    let log = relay.log_with("sessions revoked").await;
    assert!(log.contains("by=\"operator\"") && log.contains("account=\"alice\""), "{log}");
    let found = console_post(&relay, "lookup", None, &party("alice")).await;
    assert_eq!((&found.body["sessions"], &found.body["revokedBefore"]), (&json!(0), &answer.body["before"]));
    let mut events: Vec<_> = found.body["events"].as_array().unwrap().iter().collect();
    events.sort_by_key(|event| event["attempt"].to_string());
    let shown: Vec<_> =
        events.iter().map(|event| (&event["attempt"], &event["code"], &event["count"])).collect();
    let (hello, session, revoked, one) = (json!("hello"), json!("session"), json!("REVOKED"), json!(1));
    assert_eq!(shown, [(&hello, &revoked, &one), (&session, &revoked, &one)]);
}

#[tokio::test]
async fn without_a_token_in_the_configuration_nothing_can_be_changed_and_a_reload_replaces_it() {
    let relay = relay_with_token(&[]);
    let config = fs::read_to_string(relay.directory().join("relay.toml")).unwrap();
    let status =
        async |token: &str| console_post(&relay, "disconnect", Some(token), &party("nobody")).await.status;
    assert_eq!(status(TOKEN).await, 200);
    let replaced = "a-new-token-of-the-operators-0123456789";
    write_token(relay.directory(), replaced);
    assert_eq!(status(replaced).await, 401);
    relay.reload(&config).await;
    assert_eq!((status(TOKEN).await, status(replaced).await), (401, 200));
    // A token that is too short is refused as a whole, and the former one stays.
    write_token(relay.directory(), "short");
    assert!(relay.reload(&config).await.contains("was not reloaded"));
    assert_eq!(status(replaced).await, 200);
    relay.reload(&config.replace("admin_token_file = \"token\"\n", "")).await;
    assert_eq!(status(replaced).await, 403);
}

#[tokio::test]
async fn other_pages_and_names_of_other_sites_are_refused_and_change_nothing() {
    let relay = relay_with_token(&[]);
    let own = format!("origin: http://{}\r\n", relay.admin());
    let rest =
        format!("sealwire-console: 1\r\ncontent-type: application/json\r\nauthorization: Bearer {TOKEN}\r\n");
    let body = party("alice").to_string();
    let mut alice = Client::open(&relay, "alice").await;
    for headers in [
        rest.clone(),
        format!("origin: https://evil.example\r\n{rest}"),
        format!("origin: null\r\n{rest}"),
        format!("{own}origin: https://evil.example\r\n{rest}"),
        format!("{own}sec-fetch-site: cross-site\r\n{rest}"),
        format!("{own}content-type: application/json\r\nauthorization: Bearer {TOKEN}\r\n"),
    ] {
        let answer = console_request(&relay, "POST /console/disconnect", &headers, &body).await;
        assert_eq!(answer.status, 403, "{headers} {answer:?}");
    }
    for line in ["GET /console", "GET /console/events", "GET /console/console.mjs"] {
        let answer = console_request(&relay, line, "origin: https://evil.example\r\n", "").await;
        assert_eq!(answer.status, 403, "{line}");
        let request = format!("{line} HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\n\r\n");
        let answer = request_bytes(relay.admin(), request.as_bytes()).await;
        assert_eq!(answer.status, 403, "{line}");
        assert!(!answer.head.contains("access-control-allow-origin"));
    }
    let preflight = "origin: https://evil.example\r\naccess-control-request-method: POST\r\n";
    let answer = console_request(&relay, "OPTIONS /console/disconnect", preflight, "").await;
    assert!(answer.status == 403 && !answer.head.contains("access-control"), "{answer:?}");
    alice.subscribe("absences").await;
}

#[tokio::test]
async fn streams_are_bounded_in_number_and_neither_end_for_scrapes_nor_lock_them_out() {
    let relay = RelayProcess::start(ADMIN);
    let mut streams = Vec::new();
    for _ in 0..8 {
        streams.push(ConsoleStream::open(&relay).await);
    }
    let refused = console_request(&relay, "GET /console/events", "", "").await;
    assert_eq!(refused.status, 503, "{refused:?}");
    assert!(refused.text.contains("close one"));
    // More connections than the listener keeps, without a request: the oldest of them end, and no stream does.
    let mut silent = Vec::new();
    for _ in 0..64 {
        silent.push(tokio::net::TcpStream::connect(relay.admin()).await.unwrap());
        assert_eq!(request(relay.admin(), "GET", "/healthz", "", "").await.status, 200);
    }
    for stream in &mut streams {
        stream.next().await.unwrap();
    }
    // A stream outlives the limit of other connections, which is 10 s.
    let (mut stream, start) = (streams.remove(0), Instant::now());
    while start.elapsed() < Duration::from_secs(12) {
        stream.next().await.expect("the stream ended");
    }
    // A place is free again once a stream has ended.
    drop(streams);
    let deadline = Instant::now() + Duration::from_secs(10);
    let mut next = loop {
        match ConsoleStream::try_open(&relay).await {
            Ok(next) => break next,
            Err(head) => assert!(Instant::now() < deadline, "no place became free: {head}"),
        }
        sleep(Duration::from_millis(20)).await;
    };
    next.next().await.unwrap();
}

#[tokio::test]
async fn the_console_shows_presence_by_the_hash_of_the_channel() {
    let relay = RelayProcess::start(&[ADMIN, &["--max-presence-members", "2"]].concat());
    let mut alice = Client::open(&relay, "alice").await;
    alice.enter("absences", 1, 1).await;
    alice.watch("absences").await;
    let mut bob = Client::open(&relay, "bob").await;
    bob.enter("absences", 2, 1).await;
    bob.enter("rotation", 2, 1).await;
    let mut carol = Client::open(&relay, "carol").await;
    carol.refused_enter(channel("absences"), 3, 1, 60, Code::TooManyMembers).await;
    let mut stream = ConsoleStream::open(&relay).await;
    let snapshot = stream.find(|snapshot| snapshot["rates"]["presenceChanges"].is_number()).await;
    let presence = &snapshot["presence"];
    for (part, expected) in [
        ("/members", json!(3)),
        ("/inGrace", json!(0)),
        ("/remoteMembers", json!(0)),
        ("/watchers", json!(1)),
        ("/refusals", json!(1)),
        ("/messagesRefused", json!(0)),
        ("/channels/0/members", json!(2)),
        ("/channels/0/watchers", json!(1)),
        ("/channels/1/members", json!(1)),
    ] {
        assert_eq!(presence.pointer(part), Some(&expected), "{part} {presence:#}");
    }
    assert_eq!(presence["channels"][0]["hash"].as_str().unwrap().len(), 16);
    // A rate needs two looks at a channel.
    let has_rate = |snapshot: &Value| snapshot["presence"]["channels"][0]["changesPerSecond"].is_number();
    stream.find(has_rate).await;
}
