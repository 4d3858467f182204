//! Sessions that their app ends.

use super::bystanders::Bystanders;
use crate::support::{APP, App, Client, INSTALLATION, RelayProcess, Scrape, now, request};
use sealwire_protocol::{
    Code, UnixSeconds,
    tokens::{self, BackendClaims, Permissions},
    wire::{Hello, Refresh, ToClient, ToRelay},
};
use serde_json::{Value, json};

async fn disconnect(relay: &RelayProcess, token: &str, body: &Value) -> crate::support::Answer {
    let headers = format!("authorization: Bearer {token}\r\ncontent-type: application/json\r\n");
    request(relay.address, "POST", "/v1/disconnect", &headers, &body.to_string()).await
}

/// Made after everything that a test revokes.
fn later_session(account: &str) -> String {
    let claims = App::one().claims(account, Permissions::ALL, (now() + 30, now() + 600));
    tokens::sign(&claims, &App::one().key).unwrap()
}

/// Whether the relay lets somebody in with this token.
async fn is_let_in(relay: &RelayProcess, token: &str) -> bool {
    let mut client = Client::connect(relay.address).await;
    client.send(ToRelay::Hello(Hello { token: token.into() })).await;
    match client.next().await {
        ToClient::Welcome(_) => true,
        ToClient::Goodbye(goodbye) => {
            assert_eq!(Code::from_number(goodbye.code), Some(Code::Revoked));
            false
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_revoked_account_is_disconnected_and_its_tokens_are_refused_until_they_expire() {
    let relay = RelayProcess::start(&["--admin-listen", "127.0.0.1:0"]);
    let mut bystanders = Bystanders::on(&relay).await;
    let token = App::one().session("mallory");
    let mut sessions =
        [Client::open_with(&relay, token.clone()).await, Client::open_with(&relay, token.clone()).await];
    sessions[0].subscribe("absences").await;

    let answer = disconnect(&relay, &App::one().backend(), &json!({ "account": "mallory" })).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let before = answer.body["before"].as_u64().unwrap();
    assert!((now()..=now() + 1).contains(&before));
    for session in &mut sessions {
        let goodbye = session.must_end_with(Code::Revoked).await.goodbye.unwrap();
        // A token that is made within this second is revoked as well.
        assert!((3000..6000).contains(&goodbye.reconnect_after_ms));
    }
    assert!(!is_let_in(&relay, &token).await);
    assert!(is_let_in(&relay, &later_session("mallory")).await);
    bystanders.must_be_untouched().await;

    // Nor does a session that lives get an old token past the relay.
    let mut client = Client::open_with(&relay, later_session("mallory")).await;
    let request = client.request();
    client.send(ToRelay::Refresh(Refresh { request, token, ..Refresh::default() })).await;
    match client.next().await {
        ToClient::Failed(failed) => assert_eq!(failed.code, Code::Revoked.number()),
        other => panic!("{other:?}"),
    }
    let scrape = Scrape::of(&relay).await;
    assert_eq!(scrape.value("sealwire_revocations"), 1.0);
    assert_eq!(scrape.value("sealwire_goodbyes_total{code=\"REVOKED\"}"), 3.0);
}

#[tokio::test]
async fn a_revocation_ends_the_sessions_that_it_names_and_no_others() {
    let app = App::one();
    let elsewhere = BackendClaims::new(
        app.id.clone(),
        "another installation".into(),
        (UnixSeconds(now() - 5), UnixSeconds(now() + 120)),
    );
    let elsewhere = tokens::sign(&elsewhere, &app.key).unwrap();
    for (token, body, ends) in [
        (app.backend(), json!({ "context": { "dashboard": "10001" } }), true),
        (app.backend(), json!({ "context": { "dashboard": "10002" } }), false),
        (app.backend(), json!({ "context": { "dashboard": "10001" }, "account": "alice" }), true),
        (app.backend(), json!({ "context": { "dashboard": "10001" }, "account": "bob" }), false),
        (app.backend(), json!({ "installation": true }), true),
        (app.backend(), json!({ "installation": true, "before": now() - 60 }), false),
        (elsewhere, json!({ "installation": true }), false),
    ] {
        let relay = RelayProcess::start(&[]);
        let mut alice = Client::open(&relay, "alice").await;
        alice.subscribe("absences").await;
        assert_eq!(disconnect(&relay, &token, &body).await.status, 200, "{body}");
        if ends {
            alice.must_end_with(Code::Revoked).await;
        } else {
            alice.publish("other", "still here").await;
        }
        assert_eq!(is_let_in(&relay, &App::one().session("alice")).await, !ends, "{body}");
    }
}

#[tokio::test]
async fn a_revocation_that_names_nobody_or_comes_from_a_stranger_is_refused_and_ends_nothing() {
    let relay = RelayProcess::start(&[]);
    let mut bystanders = Bystanders::on(&relay).await;
    let backend = App::one().backend();
    for body in [
        json!({}),
        json!({ "installation": false }),
        json!({ "account": "" }),
        json!({ "account": "a".repeat(257) }),
        json!({ "account": 7 }),
        json!({ "context": {} }),
        json!({ "context": { "a b": "1" } }),
        json!({ "installation": true, "account": "alice" }),
        json!({ "installation": true, "before": now() + 120 }),
        json!({ "account": "alice", "before": -1 }),
        json!({ "acount": "alice" }),
        json!([]),
    ] {
        let answer = disconnect(&relay, &backend, &body).await;
        assert_eq!((answer.status, answer.code()), (400, "MALFORMED_REQUEST"), "{body}");
    }
    let everybody = json!({ "installation": true });
    for (token, code) in [
        (App::one().session("alice"), "TOKEN_AUDIENCE"),
        (App::new(APP, "one", 9).backend(), "TOKEN_SIGNATURE"),
        (App::new("other", "one", 1).backend(), "TOKEN_APP"),
    ] {
        let answer = disconnect(&relay, &token, &everybody).await;
        assert_eq!((answer.status, answer.code()), (401, code));
    }
    let log = relay.log_with("TOKEN_APP").await;
    assert!(log.contains("attempt=\"disconnect\""), "{log}");
    bystanders.must_be_untouched().await;
}

#[tokio::test]
async fn a_revocation_is_written_to_the_audit_log() {
    let relay = RelayProcess::start(&["--log-format", "json", "--log", "error,audit=info"]);
    disconnect(&relay, &App::one().backend(), &json!({ "account": "mallory", "before": 5 })).await;
    let log = relay.log_with("sessions revoked").await;
    let line: Value = serde_json::from_str(log.lines().last().unwrap()).unwrap();
    for (field, value) in [
        ("target", json!("audit")),
        ("app", json!(APP)),
        ("installation", json!(INSTALLATION)),
        ("account", json!("mallory")),
        ("before", json!(5)),
        ("remote", json!("127.0.0.1")),
    ] {
        assert_eq!(line[field], value, "{log}");
    }
}
