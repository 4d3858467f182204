//! Observability: metrics, health, logs and request ids.

use crate::support::{App, Client, RelayProcess, Scrape, bad_session_tokens_now, channel, post, request};
use sealwire_protocol::wire::Channel;
use serde_json::json;
use std::{
    collections::{BTreeMap, BTreeSet},
    process::Stdio,
};

const ADMIN: &[&str] = &["--admin-listen", "127.0.0.1:0"];

#[tokio::test]
async fn the_operating_page_lists_exactly_the_existing_metrics() {
    let relay = RelayProcess::start(ADMIN);
    let page = include_str!("../../../../docs/operating.md");
    let table = page.split_once("| metric | type | labels | meaning |").unwrap().1;
    let rows = table.lines().skip(2).take_while(|line| line.starts_with("| `"));
    let documented: BTreeMap<String, String> = rows
        .map(|row| {
            let mut cells = row.split(" | ");
            let name = cells.next().unwrap().trim_start_matches("| `").trim_end_matches('`');
            let kind = cells.next().unwrap();
            // OpenMetrics adds these suffixes to the names of counters and info metrics.
            let ending = match kind {
                "counter" => "_total",
                "info" => "_info",
                _ => "",
            };
            (name.strip_suffix(ending).unwrap_or_else(|| panic!("{row}")).to_owned(), kind.to_owned())
        })
        .collect();
    assert_eq!(documented, Scrape::of(&relay).await.types);
}

/// Returns the names of metrics in a text.
fn metrics_in(text: &str) -> BTreeSet<&str> {
    let words = text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
    let is_metric = |word: &&str| word.starts_with("sealwire_") || word.starts_with("process_");
    words.filter(is_metric).collect()
}

#[tokio::test]
async fn the_dashboard_the_alerts_and_the_runbook_use_only_existing_metrics() {
    let relay = RelayProcess::start(ADMIN);
    request(relay.address, "GET", "/healthz", "", "").await;
    let scrape = Scrape::of(&relay).await;
    let mut known = scrape.names();
    // The name of a histogram stands for all its samples. A metric of NATS servers has no sample without them.
    known.extend(scrape.types.keys().map(String::as_str));
    let counters = scrape.types.iter().filter(|(_, kind)| *kind == "counter");
    let counters: Vec<_> = counters.map(|(name, _)| format!("{name}_total")).collect();
    known.extend(counters.iter().map(String::as_str));
    let dashboard = include_str!("../../../../deploy/grafana/sealwire-relays.json");
    let alerts = include_str!("../../../../deploy/prometheus/alerts.yaml");
    let page = include_str!("../../../../docs/operating.md");
    let runbook = page.split_once("## At three in the morning").unwrap().1.split("\n## ").next().unwrap();
    for (text, least) in [(dashboard, 20), (alerts, 12), (runbook, 10)] {
        let named = metrics_in(text);
        let unknown: Vec<_> = named.difference(&known).copied().collect();
        assert!(unknown.is_empty(), "{unknown:?}");
        assert!(named.len() >= least, "{named:?}");
    }
    serde_json::from_str::<serde_json::Value>(dashboard).unwrap();
    // Presence has a row of the dashboard and alerts, with its members, changes, refusals, and links that are down.
    for (text, names) in [
        (dashboard, &["members", "changes_total", "watchers_lost_total", "relay_links_unanswered"][..]),
        (alerts, &["watchers_lost_total", "relay_links_unanswered", "relay_messages_refused_total"]),
    ] {
        let missing: Vec<_> =
            names.iter().filter(|name| !text.contains(&format!("sealwire_presence_{name}"))).collect();
        assert!(missing.is_empty(), "{missing:?}");
        assert!(text.contains("max_presence_members") || text.contains("max_presence.*"));
    }
    // The runbook covers every alert, and the codes in the alerts exist.
    let named: Vec<_> = alerts.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")).collect();
    assert!(named.len() >= 12);
    for alert in named {
        assert!(runbook.contains(&format!("`{alert}`")), "the runbook says nothing of {alert}");
    }
    for code in alerts.split("{code=\"").skip(1).map(|rest| rest.split('"').next().unwrap()) {
        scrape.value(&format!("sealwire_goodbyes_total{{code=\"{code}\"}}"));
    }
}

/// Returns the samples of a page, which must be in the Prometheus text format 0.0.4.
fn samples_of(text: &str) -> BTreeSet<&str> {
    let (mut named, mut family, mut samples) = (BTreeSet::new(), ("", ""), BTreeSet::new());
    let mut help = None;
    assert!(text.ends_with('\n'));
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, said) = rest.split_once(' ').unwrap();
            assert!(!said.is_empty() && !said.contains('\\'), "{line}");
            help = Some(name);
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            family = rest.split_once(' ').unwrap();
            let (name, kind) = family;
            assert_eq!(help.take(), Some(name), "{line}");
            assert!(["counter", "gauge", "histogram"].contains(&kind), "{line}");
            assert_eq!(name.ends_with("_total"), kind == "counter", "{line}");
            assert!(named.insert(name), "{line} is there twice");
        } else {
            let (sample, value) = line.rsplit_once(' ').unwrap();
            value.parse::<f64>().unwrap_or_else(|_| panic!("{line}"));
            let name = sample.split('{').next().unwrap();
            let of = name.strip_prefix(family.0);
            let endings: &[_] = if family.1 == "histogram" { &["_sum", "_count", "_bucket"] } else { &[""] };
            assert!(of.is_some_and(|ending| endings.contains(&ending)), "{line} is not of {family:?}");
            assert!(samples.insert(sample), "{line} is there twice");
        }
    }
    samples
}

#[tokio::test]
async fn the_metrics_are_served_in_the_requested_format() {
    let relay = RelayProcess::start(ADMIN);
    request(relay.address, "GET", "/healthz", "", "").await;
    let open_metrics = Scrape::of(&relay).await;
    for accept in ["", "accept: text/plain;version=0.0.4\r\n", "accept: */*\r\n", "accept: text/html\r\n"] {
        let answer = request(relay.admin(), "GET", "/metrics", accept, "").await;
        assert_eq!(answer.status, 200);
        assert!(answer.head.contains("content-type: text/plain; version=0.0.4; charset=utf-8\r\n"));
        assert!(answer.head.contains("vary: accept\r\n"));
        let names: BTreeSet<_> =
            samples_of(&answer.text).into_iter().map(|sample| sample.split('{').next().unwrap()).collect();
        assert_eq!(names, open_metrics.names());
    }
    let accept = "accept: application/openmetrics-text;version=1.0.0;q=0.5,text/plain;q=0.4\r\n";
    for method in ["GET", "HEAD"] {
        let answer = request(relay.admin(), method, "/metrics", accept, "").await;
        assert!(answer.head.contains("content-type: application/openmetrics-text; version=1.0.0"));
    }
}

/// The values of samples after [`run`].
const EXACTLY: [(&str, f64); 23] = [
    ("sealwire_connections_opened_total", 4.0),
    ("sealwire_sessions", 3.0),
    ("sealwire_sessions_opened_total", 3.0),
    ("sealwire_subscriptions", 2.0),
    ("sealwire_channels", 1.0),
    ("sealwire_publications_total", 3.0),
    ("sealwire_publications_repeated_total", 0.0),
    ("sealwire_deliveries_total", 6.0),
    ("sealwire_fanout_seconds_count", 3.0),
    ("sealwire_fanout_seconds_bucket{le=\"+Inf\"}", 3.0),
    ("sealwire_refusals_total{code=\"SCOPE_REFUSED\"}", 1.0),
    ("sealwire_refusals_total{code=\"TOKEN_EXPIRED\"}", 1.0),
    ("sealwire_refusals_total{code=\"MALFORMED_REQUEST\"}", 1.0),
    ("sealwire_goodbyes_total{code=\"TOKEN_EXPIRED\"}", 1.0),
    ("sealwire_goodbyes_total{code=\"SLOW_CONSUMER\"}", 0.0),
    ("sealwire_http_requests_total{route=\"/v1/realtime\",status=\"101\"}", 4.0),
    ("sealwire_http_requests_total{route=\"/v1/publish\",status=\"400\"}", 1.0),
    ("sealwire_token_verifications_total{token=\"session\",result=\"accepted\"}", 3.0),
    ("sealwire_token_verifications_total{token=\"session\",result=\"refused\"}", 1.0),
    ("sealwire_token_verifications_total{token=\"backend\",result=\"accepted\"}", 1.0),
    ("sealwire_replay_evictions_total{reason=\"size\"}", 0.0),
    ("sealwire_draining", 0.0),
    ("sealwire_certificate_expiry_timestamp_seconds", 0.0),
];

/// Values that samples exceed after [`run`].
const MORE_THAN: [(&str, f64); 6] = [
    ("sealwire_received_bytes_total", 3.0 * 64.0),
    ("sealwire_sent_bytes_total", 6.0 * 64.0),
    ("sealwire_replay_bytes", 3.0 * 64.0),
    ("process_resident_memory_bytes", 1e6),
    ("process_open_fds", 4.0),
    ("process_start_time_seconds", 1.7e9),
];

/// Publishes messages to two subscribers, and has the relay refuse a subscription, a request and a session. Returns the
/// clients that are left.
async fn run(relay: &RelayProcess) -> (Client, [Client; 2]) {
    let mut publisher = Client::open(relay, "alice").await;
    let mut subscribers = [Client::open(relay, "bob").await, Client::open(relay, "carol").await];
    for subscriber in &mut subscribers {
        subscriber.subscribe("absences").await;
    }
    for number in 0..3 {
        publisher.publish("absences", &number.to_string()).await;
        for subscriber in &mut subscribers {
            subscriber.text().await;
        }
    }
    let outside = Channel { properties: vec!["board".into()], ..channel("absences") };
    publisher.refused_subscribe(outside).await;
    post(relay.address, &App::one().backend(), "nonsense").await;
    let bad = bad_session_tokens_now().into_iter().find(|(kind, ..)| *kind == "expired").unwrap();
    let mut refused = Client::connect(relay.address).await;
    refused
        .send(sealwire_protocol::wire::ToRelay::Hello(sealwire_protocol::wire::Hello { token: bad.1 }))
        .await;
    refused.must_end_with(bad.2).await;
    drop(refused);
    (publisher, subscribers)
}

#[tokio::test]
async fn the_metrics_count_the_events_of_a_test_run() {
    let relay = RelayProcess::start(ADMIN);
    let before = Scrape::of(&relay).await;
    let clients = run(&relay).await;
    let after = Scrape::until(&relay, "sealwire_connections", 3.0).await;
    for (sample, value) in EXACTLY {
        assert_eq!(after.value(sample), value, "{sample}");
    }
    for (sample, least) in MORE_THAN {
        assert!(after.value(sample) > least, "{sample}");
    }
    assert!(after.value("process_cpu_seconds_total") >= before.value("process_cpu_seconds_total"));
    assert_eq!(after.value(concat!("sealwire_build_info{version=\"", env!("CARGO_PKG_VERSION"), "\"}")), 1.0);

    drop(clients);
    let ended = Scrape::until(&relay, "sealwire_connections", 0.0).await;
    for gauge in ["sealwire_sessions", "sealwire_subscriptions"] {
        assert_eq!(ended.value(gauge), 0.0);
    }
}

#[tokio::test]
async fn operators_and_clients_have_separate_listeners() {
    let relay = RelayProcess::start(ADMIN);
    assert_eq!(request(relay.address, "GET", "/metrics", "", "").await.status, 404);
    for path in ["/v1/publish", "/v1/realtime", "/"] {
        assert_eq!(request(relay.admin(), "GET", path, "", "").await.status, 404);
    }
    for address in [relay.address, relay.admin()] {
        for (path, body) in
            [("/healthz", json!({ "status": "ok" })), ("/readyz", json!({ "status": "ready" }))]
        {
            let answer = request(address, "GET", path, "", "").await;
            assert_eq!((answer.status, answer.body), (200, body));
        }
    }
    assert_eq!(request(relay.admin(), "POST", "/metrics", "", "").await.status, 405);
}

#[test]
fn metrics_are_reachable_from_other_machines_only_with_admin_public() {
    let directory = tempfile::tempdir().unwrap();
    let app = format!("[[app]]\nid = \"a\"\nsigning_keys = [\"{}\"]\n", App::one().key_text);
    std::fs::write(directory.path().join("relay.toml"), app).unwrap();
    let check = |flags: &[&str]| {
        let mut command = crate::support::relay_command();
        command.args(["check-config", "--config", "relay.toml"]).args(flags);
        command.current_dir(directory.path()).stdin(Stdio::null()).output().unwrap()
    };
    let output = check(&["--admin-listen", "0.0.0.0:7441"]);
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("admin_public = true"), "{output:?}");
    for flags in
        [&["--admin-listen", "0.0.0.0:7441", "--admin-public"][..], &["--admin-listen", "[::1]:7441"]]
    {
        assert!(check(flags).status.success());
    }
}

#[tokio::test]
async fn the_request_id_of_a_response_appears_in_the_logs() {
    let relay = RelayProcess::start(&["--log", "info,access=debug", "--log-format", "json"]);
    let answer = post(relay.address, "nonsense", "{}").await;
    let id = answer.head.lines().find_map(|line| line.strip_prefix("x-request-id: ")).unwrap();
    let log = relay.log_with("answered").await;
    let lines: Vec<serde_json::Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for target in ["audit", "access"] {
        let line = lines.iter().find(|line| line["target"] == target).unwrap();
        assert_eq!((&line["trace"], &line["remote"]), (&json!(id), &json!("127.0.0.1")));
    }
    // The log lines of a connection refer to the request that opened it.
    let mut client = Client::connect(relay.address).await;
    client.send_raw(tokio_tungstenite::tungstenite::Message::Text("no".into())).await;
    client.must_end_with(sealwire_protocol::Code::TextFrame).await;
    drop(client);
    let log = relay.log_with("\"disconnected\"").await;
    let lines: Vec<serde_json::Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let line = |text: &str| lines.iter().find(|line| line["message"] == text).unwrap();
    let (connected, disconnected) = (line("connected"), line("disconnected"));
    assert_eq!(connected["trace"], disconnected["trace"]);
    assert!(lines.iter().any(|line| line["message"] == "answered" && line["trace"] == connected["request"]));
    assert!(lines.iter().any(|line| line["code"] == "TEXT_FRAME" && line["trace"] == connected["trace"]));
    // A client cannot choose the request id.
    let headers = "x-request-id: chosen\r\n";
    assert!(!request(relay.address, "GET", "/healthz", headers, "").await.head.contains("chosen"));
}
