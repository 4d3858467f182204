//! Reloading the configuration with SIGHUP: the settings that change, and the clients that stay connected.

use crate::support::{APP, App, Client, RelayProcess, channel, now, post, request_bytes};
use sealwire_protocol::{
    Code,
    tokens::Permissions,
    wire::{Channel, Refresh, ToClient, ToRelay},
};
use serde_json::json;

pub(super) fn other_key() -> App {
    App::new(APP, "two", 2)
}

/// Returns a configuration with one app, which has these keys.
pub(super) fn config(settings: &str, keys: &[&App]) -> String {
    let keys: Vec<_> = keys.iter().map(|app| format!("\"{}\"", app.key_text)).collect();
    format!(
        "listen = \"127.0.0.1:0\"\n{settings}\n[[app]]\nid = \"{APP}\"\nsigning_keys = [{}]\n",
        keys.join(", ")
    )
}

async fn refresh(client: &mut Client, token: String) -> ToClient {
    let request = client.request();
    client.send(ToRelay::Refresh(Refresh { request, token, ..Refresh::default() })).await;
    client.next().await
}

#[tokio::test]
async fn removing_a_signing_key_disconnects_exactly_the_sessions_that_it_signed() {
    const EACH: usize = 40;
    let (first, second) = (App::one(), other_key());
    let relay = RelayProcess::start(&[]);
    let mut leaving = Vec::new();
    for number in 0..EACH {
        leaving.push(Client::open_with(&relay, first.session(&format!("leaving-{number}"))).await);
    }
    let mut refreshed = Client::open_with(&relay, first.session("refreshed")).await;
    refreshed.subscribe("absences").await;
    for client in &mut leaving {
        client.subscribe("absences").await;
    }

    let log = relay.reload(&config("", &[&first, &second])).await;
    assert!(log.contains("keys_added=[\"two\"] keys_removed=[]"), "{log}");
    let mut staying = Vec::new();
    for number in 0..EACH {
        staying.push(Client::open_with(&relay, second.session(&format!("staying-{number}"))).await);
    }
    for client in &mut staying {
        client.subscribe("absences").await;
    }
    let mut publisher = Client::open_with(&relay, second.session("publisher")).await;
    publisher.publish("absences", "both keys").await;
    for client in leaving.iter_mut().chain(&mut staying).chain([&mut refreshed]) {
        assert_eq!(client.text().await, "both keys");
    }
    assert!(matches!(refresh(&mut refreshed, second.session("refreshed")).await, ToClient::Refreshed(_)));

    let log = relay.reload(&config("", &[&second])).await;
    assert!(log.contains("keys_removed=[\"one\"]"), "{log}");
    for client in &mut leaving {
        client.must_end_with(Code::TokenUnknownKey).await;
    }
    publisher.publish("absences", "one key").await;
    for client in staying.iter_mut().chain([&mut refreshed]) {
        assert_eq!(client.text().await, "one key");
    }
    let log = relay.log_with(&format!("leaving-{}", EACH - 1)).await;
    let audited: Vec<_> = log.lines().filter(|line| line.contains("attempt=\"reload\"")).collect();
    assert_eq!(audited.len(), EACH, "{log}");
    assert!(audited.iter().all(|line| line.contains("TOKEN_UNKNOWN_KEY") && line.contains("leaving-")));
    Client::connect(relay.address).await.refused_hello(first.session("late"), Code::TokenUnknownKey).await;
    let body = json!({ "messages": [] }).to_string();
    assert_eq!(post(relay.address, &first.backend(), &body).await.code(), "TOKEN_UNKNOWN_KEY");
}

#[tokio::test]
async fn removing_a_signing_key_ends_the_subscriptions_whose_channel_token_it_signed() {
    let (first, second) = (App::one(), other_key());
    let relay = RelayProcess::start(&[]);
    relay.reload(&config("", &[&first, &second])).await;
    let mut client = Client::open_with(&relay, second.session("alice")).await;
    let with_token = |app: &App, tag| Channel {
        token: app.channel_token("absences", tag, Permissions::ALL, now() + 60),
        ..channel("absences")
    };
    let ToClient::Subscribed(ends) = client.try_subscribe(with_token(&first, 1), None, &[]).await else {
        panic!()
    };
    let ToClient::Subscribed(_) = client.try_subscribe(with_token(&second, 2), None, &[]).await else {
        panic!()
    };
    relay.reload(&config("", &[&second])).await;
    let ToClient::Ended(ended) = client.next().await else { panic!() };
    assert_eq!((ended.channel_id(), ended.code), (ends.channel_id(), Code::TokenUnknownKey.number()));
    assert!(client.is_quiet().await);
    // The client can subscribe again with a token of the remaining key.
    let again = client.try_subscribe(with_token(&second, 1), None, &[]).await;
    assert!(matches!(again, ToClient::Subscribed(again) if again.channel_id() == ends.channel_id()));
}

#[tokio::test]
async fn an_invalid_configuration_changes_nothing_and_is_not_quoted() {
    let (first, second) = (App::one(), other_key());
    let relay = RelayProcess::start(&[]);
    let mut client = Client::open_with(&relay, first.session("alice")).await;
    client.subscribe("absences").await;
    let secret = second.key_text.split_once('.').unwrap().1;
    for broken in [
        config("heartbeat = \"never\"", &[&second]),
        config("hartbeat = \"5s\"", &[&second]),
        config("", &[&second, &second]),
        config("", &[&second]).replace("two.", "two "),
        config("", &[&second]).replace("two.", "t w o."),
        config("", &[&second]).replace(secret, &secret[..60]),
        format!("{}signing_keys = [\"{secret}\"]\n", config("", &[&second])),
        config(&format!("heartbeat = \"{secret}\""), &[&second]),
        config(&format!("{secret} = \"1s\""), &[&second]),
        config("", &[&second]).replace("]\n", "\n"),
        String::new(),
    ] {
        let log = relay.reload(&broken).await;
        assert!(log.contains("ERROR") && log.contains("the previous one stays in force"), "{log}");
        assert!(!log.contains(&secret[..20]), "{broken}\n{log}");
    }
    client.publish("absences", "still here").await;
    assert_eq!(client.text().await, "still here");
    Client::open_with(&relay, first.session("bob")).await;
    Client::connect(relay.address).await.refused_hello(second.session("eve"), Code::TokenUnknownKey).await;
}

#[tokio::test]
async fn a_reload_changes_limits_and_the_log_and_reports_settings_that_need_a_restart() {
    let relay = RelayProcess::start(&["--hello-timeout", "9s"]);
    let mut client = Client::open(&relay, "alice").await;
    let settings = "heartbeat = \"7s\"\nhello_timeout = \"1s\"\nmax_connections = 2\nlog = \"debug\"\n\
        replay_bytes = \"1MiB\"\n";
    let text = config(settings, &[&App::one()]).replace("127.0.0.1:0", "127.0.0.1:1");
    let log = relay.reload(&text).await;
    for setting in ["listen", "replay_bytes"] {
        assert!(
            log.contains(&format!(
                "needs a restart; the previous value stays in force setting=\"{setting}\""
            ))
        );
    }
    assert!(log.contains("changed=[\"heartbeat\", \"max_connections\", \"log\"]"), "{log}");
    let mut second = Client::connect(relay.address).await;
    assert_eq!(second.hello(App::one().session("bob")).await.heartbeat_ms, 7000);
    let refused = Client::refused_connect(relay.address).await;
    assert!(refused.contains("503"), "{refused}");
    request_bytes(relay.address, b"no HTTP\r\n\r\n").await;
    relay.log_with("DEBUG").await;
    // A setting that needs a restart is reported on every reload until it has its former value again.
    let log = relay.reload(&config("log = \"info\"\nmax_connections = 3", &[&App::one()])).await;
    assert!(!log.contains("restart"), "{log}");
    Client::open(&relay, "carol").await;
    client.publish("absences", "never disconnected").await;
}
