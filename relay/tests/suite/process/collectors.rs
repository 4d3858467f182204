//! The collector of traces: TLS to it, its failures, and the end of a relay.

use crate::support::{
    App, Certificate, Client, FakeCollector, RelayProcess, Scrape, batch, post, relay_command, tls_config,
};
use std::time::{Duration, Instant};
use tokio::{net::TcpListener, time::sleep};

/// The log line about lost spans.
const LOST: &str = "the collector of otlp_endpoint does not take spans";
const ADMIN: [&str; 2] = ["--admin-listen", "127.0.0.1:0"];

fn with_endpoint(endpoint: &str) -> Vec<String> {
    let flags = ["--otlp-endpoint", endpoint, "--trace-ratio", "1"];
    flags.into_iter().chain(ADMIN).map(str::to_owned).collect()
}

fn start(endpoint: &str) -> RelayProcess {
    let flags = with_endpoint(endpoint);
    RelayProcess::start(&flags.iter().map(String::as_str).collect::<Vec<_>>())
}

/// Sends SIGTERM and returns the time until the process has ended.
async fn end(relay: &mut RelayProcess) -> Duration {
    let start = Instant::now();
    relay.signal("TERM");
    loop {
        if let Some(status) = relay.child.try_wait().unwrap() {
            assert!(status.success());
            return start.elapsed();
        }
        assert!(start.elapsed() < Duration::from_secs(20), "{}", relay.log());
        sleep(Duration::from_millis(10)).await;
    }
}

/// Waits for the line about lost spans, which comes after two more attempts, and returns the log.
async fn lost(relay: &RelayProcess) -> String {
    let start = Instant::now();
    while !relay.log().contains(LOST) {
        assert!(start.elapsed() < Duration::from_secs(20), "{}", relay.log());
        sleep(Duration::from_millis(20)).await;
    }
    relay.log()
}

#[tokio::test]
async fn the_last_spans_arrive_before_the_relay_ends() {
    let collector = FakeCollector::start().await;
    let mut relay = start(&format!("http://{}", collector.address));
    post(relay.address, &App::one().backend(), &batch(3)).await;
    let duration = end(&mut relay).await;
    assert_eq!(collector.spans().len(), 1 + 3 * 3, "{:#?}", collector.spans());
    assert!(duration < Duration::from_secs(3), "{duration:?}");
}

#[tokio::test]
async fn a_collector_that_is_gone_affects_no_client_and_is_logged_once() {
    // The port is free again once the listener is dropped.
    let address = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let mut relay = start(&format!("http://{address}"));
    let mut client = Client::open(&relay, "alice").await;
    client.subscribe("absences").await;
    client.publish("absences", "hello").await;
    assert_eq!(client.text().await, "hello");
    let log = lost(&relay).await;
    assert!(log.contains("it cannot be reached"), "{log}");
    assert!(Scrape::of(&relay).await.value("sealwire_trace_spans_total{outcome=\"failed\"}") >= 3.0);
    client.publish("absences", "again").await;
    assert_eq!(client.text().await, "again");
    assert!(end(&mut relay).await < Duration::from_secs(3));
    // The spans of the second publication are lost within the same minute.
    assert_eq!(relay.log().matches(LOST).count(), 1, "{}", relay.log());
}

#[tokio::test]
async fn a_collector_that_hangs_delays_no_client_and_the_end_by_three_seconds_at_most() {
    let collector = FakeCollector::hanging().await;
    let mut relay = start(&format!("http://{}", collector.address));
    let backend = App::one().backend();
    post(relay.address, &backend, &batch(1)).await;
    collector.until_asked().await;
    // More spans than the queue holds. Each request has 301.
    for _ in 0..9 {
        assert_eq!(post(relay.address, &backend, &batch(100)).await.status, 200);
    }
    let dropped = "sealwire_trace_spans_total{outcome=\"dropped\"}";
    let dropped = Scrape::of(&relay).await.value(dropped);
    assert!((1.0..1000.0).contains(&dropped), "{dropped}");
    let duration = end(&mut relay).await;
    assert!((2.5..6.0).contains(&duration.as_secs_f64()), "{duration:?}");
}

#[tokio::test]
async fn a_collector_with_tls_must_have_a_certificate_of_a_trusted_authority() {
    let (trusted, stranger) = (Certificate::new(), Certificate::new());
    for (certificate, is_trusted) in [(&trusted, true), (&stranger, false)] {
        let collector = FakeCollector::start_tls(certificate).await;
        let directory = tempfile::tempdir().unwrap();
        trusted.write(directory.path());
        let mut command = relay_command();
        command.env("SSL_CERT_FILE", directory.path().join("chain.pem"));
        let flags = with_endpoint(&format!("https://{}", collector.address));
        let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
        let relay = RelayProcess::start_as(command, directory, &tls_config(""), &flags);
        let mut client =
            Client::over(trusted.connect(relay.address, &crate::support::TLS13).await.unwrap(), &[])
                .await
                .unwrap();
        client.hello(App::one().session("alice")).await;
        client.publish("absences", "hello").await;
        if is_trusted {
            collector.until("deliver", 1).await;
        } else {
            let log = lost(&relay).await;
            assert!(log.contains("certificate"), "{log}");
            assert!(collector.spans().is_empty());
        }
    }
}
