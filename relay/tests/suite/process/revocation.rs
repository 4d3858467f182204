//! Revocations: sessions that an app ends.

use super::bystanders::Bystanders;
use crate::support::{
    APP, App, Client, INSTALLATION, RelayProcess, Scrape, handshake, masked, now, read_frame, request,
};
use sealwire_protocol::{
    Code, UnixSeconds,
    tokens::{self, BackendClaims, Permissions},
    wire::{Hello, Ping, Refresh, Session, ToClient, ToRelay},
};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;

pub(super) async fn disconnect(relay: &RelayProcess, token: &str, body: &Value) -> crate::support::Answer {
    let headers = format!("authorization: Bearer {token}\r\ncontent-type: application/json\r\n");
    request(relay.address, "POST", "/v1/disconnect", &headers, &body.to_string()).await
}

/// Returns a token that is issued after every revocation of the test.
fn later_session(account: &str) -> String {
    let claims = App::one().claims(account, Permissions::ALL, (now() + 30, now() + 600));
    tokens::sign(&claims, &App::one().key).unwrap()
}

/// Returns whether the relay accepts this token.
pub(super) async fn is_let_in(relay: &RelayProcess, token: &str) -> bool {
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
async fn a_revoked_account_is_disconnected_and_its_tokens_are_refused() {
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
        // The delay exceeds the second in which newly issued tokens are still revoked.
        assert!((3000..6000).contains(&goodbye.reconnect_after_ms));
    }
    assert!(!is_let_in(&relay, &token).await);
    assert!(is_let_in(&relay, &later_session("mallory")).await);
    bystanders.must_be_untouched().await;

    // A live session cannot refresh with a revoked token either.
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
async fn a_revocation_ends_exactly_the_sessions_that_it_selects() {
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
async fn a_revocation_covers_tokens_of_a_clock_that_is_ahead_and_no_later_ones() {
    // The request leaves the time to the relay, or names it as a resolver does.
    for names_moment in [false, true] {
        for ahead in [2, 50] {
            let relay = RelayProcess::start(&[]);
            let made = |iat: u64| {
                let claims = App::one().claims("mallory", Permissions::ALL, (iat, iat + 600));
                tokens::sign(&claims, &App::one().key).unwrap()
            };
            let token = made(now() + ahead);
            let mut session = Client::open_with(&relay, token.clone()).await;
            let mut body = json!({ "account": "mallory" });
            if names_moment {
                body["before"] = (now() + 1).into();
            }
            let answer = disconnect(&relay, &App::one().backend(), &body).await;
            let before = answer.body["before"].as_u64().unwrap();
            let goodbye = session.must_end_with(Code::Revoked).await.goodbye.unwrap();
            // After this delay, no signer of the app issues tokens that the revocation covers.
            let wait = u64::from(goodbye.reconnect_after_ms);
            assert!((now() * 1000 + wait).abs_diff(before * 1000 + 3000) < 4000, "{wait} {before}");
            assert!(!is_let_in(&relay, &token).await);
            assert!(!is_let_in(&relay, &made(now())).await);
            assert!(is_let_in(&relay, &made(before)).await);
        }
    }
}

#[tokio::test]
async fn any_token_of_an_app_reveals_how_far_its_clocks_are_ahead() {
    let relay = RelayProcess::start(&[]);
    let ahead = |account| {
        let claims = App::one().claims(account, Permissions::ALL, (now() + 10, now() + 600));
        tokens::sign(&claims, &App::one().key).unwrap()
    };
    // The relay sees the token of mallory only after the revocation.
    let (of_mallory, of_alice) = (ahead("mallory"), ahead("alice"));
    assert!(is_let_in(&relay, &of_alice).await);
    disconnect(&relay, &App::one().backend(), &json!({ "account": "mallory" })).await;
    assert!(!is_let_in(&relay, &of_mallory).await);
    assert!(is_let_in(&relay, &of_alice).await);
}

#[tokio::test]
async fn a_revocation_time_in_the_past_is_not_adjusted_for_clocks() {
    let relay = RelayProcess::start(&[]);
    let mut session = Client::open(&relay, "alice").await;
    let claims = App::one().claims("bob", Permissions::ALL, (now() + 30, now() + 600));
    let _ahead = Client::open_with(&relay, tokens::sign(&claims, &App::one().key).unwrap()).await;
    let body = json!({ "installation": true, "before": now() - 60 });
    let answer = disconnect(&relay, &App::one().backend(), &body).await;
    assert_eq!(answer.body["before"], body["before"]);
    session.publish("absences", "still here").await;
}

#[tokio::test]
async fn the_revocation_rate_limits_one_app_and_no_others() {
    let two = App::new("ari:cloud:ecosystem::app/two", "two", 2);
    let flags = ["--disconnect-rate", "1", "--disconnect-burst", "3", "--admin-listen", "127.0.0.1:0"];
    let relay = RelayProcess::start_for(&[App::one(), two.clone()], &flags);
    let mut bystanders = Bystanders::on(&relay).await;
    let body = json!({ "account": "mallory" });
    for _ in 0..3 {
        assert_eq!(disconnect(&relay, &two.backend(), &body).await.status, 200);
    }
    let refused = disconnect(&relay, &two.backend(), &body).await;
    assert_eq!((refused.status, refused.code()), (429, "RATE_LIMITED"));
    assert!(refused.head.contains("retry-after: 1\r\n"), "{}", refused.head);
    assert!(relay.log_with("RATE_LIMITED").await.contains("attempt=\"disconnect\""));
    assert_eq!(disconnect(&relay, &App::one().backend(), &body).await.status, 200);
    let refusals = "sealwire_limit_refusals_total{limit=\"disconnect_rate\"}";
    assert_eq!(Scrape::of(&relay).await.value(refusals), 1.0);
    bystanders.must_be_untouched().await;
}

#[tokio::test]
async fn a_revocation_ends_only_the_selected_sessions_of_a_shared_connection() {
    let two = App::new("ari:cloud:ecosystem::app/two", "two", 2);
    let relay = RelayProcess::start_for(&[App::one(), two.clone()], &[]);
    let mut stream = handshake(&relay).await;
    let hello = |token| masked(0x82, &ToRelay::Hello(Hello { token }).to_bytes());
    let select = |number| masked(0x82, &ToRelay::Session(Session { number }).to_bytes());
    let ping = masked(0x82, &ToRelay::Ping(Ping::default()).to_bytes());
    let hellos = [hello(App::one().session("alice")), select(1), hello(two.session("alice"))].concat();
    stream.write_all(&hellos).await.unwrap();
    let mut next = async || ToClient::from_bytes(read_frame(&mut stream).await.into()).unwrap();
    assert!(matches!(next().await, ToClient::Welcome(_)));
    assert_eq!(next().await, ToClient::Session(Session { number: 1 }));
    assert!(matches!(next().await, ToClient::Welcome(_)));
    let everybody = json!({ "installation": true });
    assert_eq!(disconnect(&relay, &two.backend(), &everybody).await.status, 200);
    let ToClient::Goodbye(goodbye) = next().await else { panic!() };
    assert_eq!(goodbye.code, Code::Revoked.number());
    stream.write_all(&[select(0), ping].concat()).await.unwrap();
    let mut next = async || ToClient::from_bytes(read_frame(&mut stream).await.into()).unwrap();
    assert_eq!(next().await, ToClient::Session(Session { number: 0 }));
    assert!(matches!(next().await, ToClient::Pong(_)));
}

#[tokio::test]
async fn an_empty_or_unauthorized_revocation_is_refused_and_ends_no_session() {
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
