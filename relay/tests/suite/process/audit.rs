//! The audit log.

use crate::support::{APP, App, Client, INSTALLATION, RelayProcess, channel, request};
use sealwire_protocol::wire::Channel;
use serde_json::Value;

#[tokio::test]
async fn every_refused_attempt_is_one_machine_readable_line() {
    let relay = RelayProcess::start(&["--log-format", "json", "--log", "error,audit=warn"]);
    // The account id tries to inject a line into the log.
    let mut client = Client::open_with(&relay, App::one().session("mallory\"}\n{\"account\":\"alice")).await;
    let outside = Channel { properties: vec!["board".into()], ..channel("absences") };
    client.refused_subscribe(outside).await;
    let log = relay.log_with("SCOPE_REFUSED").await;
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 1, "{log}");
    for (field, value) in [
        ("target", "audit"),
        ("attempt", "subscribe"),
        ("code", "SCOPE_REFUSED"),
        ("app", APP),
        ("installation", INSTALLATION),
        ("account", "mallory\"}\n{\"account\":\"alice"),
        ("remote", "127.0.0.1"),
    ] {
        assert_eq!(lines[0][field], value, "{log}");
    }
}

#[tokio::test]
async fn a_forwarded_address_is_logged_only_if_a_proxy_is_configured() {
    let forwarded = "x-forwarded-for: 203.0.113.9, 198.51.100.7\r\n";
    for (flags, remote) in [(&["--proxy-terminates-tls"][..], "198.51.100.7"), (&[], "127.0.0.1")] {
        let relay = RelayProcess::start(flags);
        request(relay.address, "GET", "/v1/realtime", forwarded, "").await;
        let log = relay.log_with("MALFORMED_REQUEST").await;
        assert!(log.contains(&format!("remote={remote}")), "{log}");
    }
}
