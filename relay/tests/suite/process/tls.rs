//! TLS that the relay terminates itself.

use crate::support::{
    App, Certificate, Client, RelayProcess, Scrape, Streamed, TLS12, TLS13, rand_id, relay_command,
    request_over, sealed, tls_config,
};
use sealwire_protocol::{
    Code,
    wire::{ToClient, ToRelay},
};
use std::{fs, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpSocket, TcpStream},
    time::timeout,
};

const TIMEOUT: Duration = Duration::from_secs(10);

async fn open(relay: &RelayProcess, certificate: &Certificate, account: &str) -> Client {
    let stream = certificate.connect(relay.address, &TLS13).await.unwrap();
    let mut client = Client::over(stream, &[]).await.unwrap();
    client.hello(App::one().session(account)).await;
    client
}

#[tokio::test]
async fn http_and_websocket_work_over_tls_1_2_and_1_3_and_plain_text_is_refused() {
    let certificate = Certificate::new();
    let relay = RelayProcess::start_tls(&certificate, "", &[]);
    assert_eq!(relay.endpoint, format!("https://{}", relay.address));
    for version in [&TLS12, &TLS13] {
        let stream = certificate.connect(relay.address, version).await.unwrap();
        assert_eq!(stream.get_ref().1.protocol_version(), Some(version.version));
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
        let answer =
            request_over(stream, b"GET /healthz HTTP/1.1\r\nhost: r\r\nconnection: close\r\n\r\n").await;
        assert_eq!(answer.status, 200);
        let stream = certificate.connect(relay.address, version).await.unwrap();
        let mut client = Client::over(stream, &[]).await.unwrap();
        client.hello(App::one().session("alice")).await;
        client.subscribe("absences").await;
        let long = "long".repeat(20_000);
        client.publish("absences", &long).await;
        assert_eq!(client.text().await, long);
    }
    let mut plain = TcpStream::connect(relay.address).await.unwrap();
    let hello = b"GET /healthz HTTP/1.1\r\nhost: relay\r\n\r\n";
    tokio::io::AsyncWriteExt::write_all(&mut plain, hello).await.unwrap();
    let mut answer = Vec::new();
    let _ = timeout(TIMEOUT, plain.read_to_end(&mut answer)).await.unwrap();
    // The only possible response is a TLS alert.
    assert!(answer.first().is_none_or(|first| *first == 0x15), "{}", answer.escape_ascii());
}

#[tokio::test]
async fn a_new_certificate_is_used_for_new_connections_and_existing_ones_stay_open() {
    let (first, second) = (Certificate::new(), Certificate::between(2000, 3000));
    let directory = tempfile::tempdir().unwrap();
    first.write(directory.path());
    let relay = RelayProcess::start_in(directory, &tls_config(""), &["--admin-listen", "127.0.0.1:0"]);
    let mut early = open(&relay, &first, "alice").await;
    early.subscribe("absences").await;
    second.write(relay.directory());
    let log = relay.reload(&tls_config("")).await;
    assert!(log.contains("certificate=true"), "{log}");
    let expiry = Scrape::of(&relay).await.value("sealwire_certificate_expiry_timestamp_seconds");
    // The certificate expires at the beginning of the year 3000.
    assert_eq!(expiry, 32_503_680_000.0);
    first.connect(relay.address, &TLS13).await.unwrap_err();
    let mut late = open(&relay, &second, "bob").await;
    late.subscribe("absences").await;
    late.publish("absences", "to all").await;
    assert_eq!((early.text().await, late.text().await), ("to all".into(), "to all".into()));

    // An invalid certificate changes nothing, and neither does the current one.
    fs::write(relay.directory().join("key.pem"), &first.key).unwrap();
    let log = relay.reload(&tls_config("")).await;
    assert!(log.contains("does not belong to the certificate") && log.contains("previous one"), "{log}");
    fs::write(relay.directory().join("key.pem"), &second.key).unwrap();
    let log = relay.reload(&tls_config("")).await;
    assert!(log.contains("certificate=false"), "{log}");
    open(&relay, &second, "carol").await;
    early.publish("absences", "still here").await;
    assert_eq!((early.text().await, late.text().await), ("still here".into(), "still here".into()));
    // A return to plain text needs a restart.
    let log = relay.reload(&tls_config("").replace("tls_", "# tls_")).await;
    assert!(log.contains("needs a restart") && log.contains("setting=\"tls_certificate\""), "{log}");
    open(&relay, &second, "dora").await;
}

#[test]
fn an_unusable_certificate_is_refused_with_the_remedy() {
    let (good, other) = (Certificate::new(), Certificate::new());
    let (expired, early) = (Certificate::between(2000, 2001), Certificate::between(3000, 3001));
    let none = String::new();
    for (chain, key, settings, problem) in [
        (Some(&expired.chain), Some(&expired.key), "", "expired on 2001-01-01T00:00:00Z; renew it"),
        (
            Some(&early.chain),
            Some(&early.key),
            "",
            "valid only from 3000-01-01T00:00:00Z on; check the system's clock",
        ),
        (Some(&good.chain), Some(&other.key), "", "the private key does not belong to the certificate"),
        (Some(&good.key), Some(&good.key), "", "chain.pem: holds no certificate"),
        (Some(&good.chain), Some(&good.chain), "", "key.pem: holds no private key in PEM"),
        (Some(&none), Some(&good.key), "", "chain.pem: holds no certificate"),
        (None, Some(&good.key), "", "chain.pem: cannot be read"),
        (Some(&good.chain), None, "", "key.pem: cannot be read"),
        (
            Some(&good.chain),
            Some(&good.key),
            "proxy_terminates_tls = true",
            "either the proxy terminates TLS or the relay does",
        ),
    ] {
        let directory = tempfile::tempdir().unwrap();
        for (name, text) in [("chain.pem", chain), ("key.pem", key)] {
            text.inspect(|text| fs::write(directory.path().join(name), text).unwrap());
        }
        fs::write(directory.path().join("relay.toml"), tls_config(settings)).unwrap();
        let output =
            relay_command().args(["run", "--config", "relay.toml"]).current_dir(&directory).output().unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && error.contains(problem), "{problem}: {error}");
        assert!(!error.contains("PRIVATE KEY") && !error.contains(&good.key[40..60]), "{error}");
    }
}

#[tokio::test]
async fn a_tls_handshake_without_progress_is_ended() {
    let relay = RelayProcess::start_tls(&Certificate::new(), "header_timeout = \"200ms\"", &[]);
    let mut silent = TcpStream::connect(relay.address).await.unwrap();
    let end = timeout(TIMEOUT, silent.read_u8()).await.expect("the connection stayed open");
    assert!(end.is_err());
}

#[tokio::test]
async fn an_oversized_tls_handshake_is_ended_before_its_deadline() {
    let relay = RelayProcess::start_tls(&Certificate::new(), "header_timeout = \"60s\"", &[]);
    let mut stream = TcpStream::connect(relay.address).await.unwrap();
    // The records carry the parts of a ClientHello of 64 KiB.
    let mut part = vec![22, 3, 1, 0x10, 0x00, 1, 0, 0xff, 0xff];
    for _ in 0..8 {
        part.resize(5 + 0x1000, 0);
        let _ = stream.write_all(&part).await;
        part.truncate(5);
    }
    let end = timeout(TIMEOUT, stream.read_u8()).await.expect("the connection stayed open");
    assert!(end.is_err());
}

#[tokio::test]
async fn messages_for_a_slow_tls_client_wait_in_its_queue_and_arrive_in_order() {
    let certificate = Certificate::new();
    let relay = RelayProcess::start_tls(
        &certificate,
        "queue_bytes = \"16MiB\"\nbyte_rate = \"1GiB\"\nbyte_burst = \"1GiB\"",
        &[],
    );
    // The receive window is small, so that the socket is full for most publications.
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let stream = socket.connect(relay.address).await.unwrap();
    let stream = certificate.connect_over(stream, &TLS13).await.unwrap();
    let mut slow = Client::over(stream, &[]).await.unwrap();
    slow.hello(App::one().session("slow")).await;
    slow.subscribe("absences").await;
    let mut publisher = open(&relay, &certificate, "publisher").await;
    let text = |number: usize| format!("{number} {}", "x".repeat(60_000 - number * 7));
    for number in 0..200 {
        publisher.publish("absences", &text(number)).await;
    }
    for number in 0..200 {
        assert_eq!(slow.text().await, text(number));
    }
    // No bytes remain in a buffer, in either direction.
    slow.publish("absences", "the end").await;
    assert_eq!(slow.text().await, "the end");
}

#[tokio::test]
async fn a_stream_over_tls_survives_a_change_of_the_certificate() {
    let (first, second) = (Arc::new(Certificate::new()), Arc::new(Certificate::between(2000, 3000)));
    let settings = "queue_bytes = \"16MiB\"\nbyte_rate = \"1GiB\"\nbyte_burst = \"1GiB\"";
    let relay = RelayProcess::start_tls(&first, settings, &[]);
    let mut publisher = open(&relay, &first, "publisher").await;
    publisher.subscribe("absences").await;
    let mut streamed = Streamed::connect_with(relay.address, Some(first.clone())).await;
    streamed.hello(App::one().session("streamed")).await;
    streamed.subscribe_since("absences", None).await;
    let publishing = streamed.publishing("absences", "from the stream");
    streamed.send(publishing).await;
    assert!(matches!(streamed.next().await, ToClient::Published(_)));
    assert_eq!(
        (streamed.text().await, publisher.text().await),
        ("from the stream".into(), "from the stream".into())
    );
    second.write(relay.directory());
    relay.reload(&tls_config(settings)).await;
    // This is more than the sockets hold, so that the stream is full for most publications.
    let text = |number: usize| format!("{number} {}", "x".repeat(60_000 - number * 7));
    for number in 0..200 {
        publisher.publish("absences", &text(number)).await;
        assert_eq!(publisher.text().await, text(number));
    }
    for number in 0..200 {
        assert_eq!(streamed.text().await, text(number));
    }
    // Every request that the client sends uses a new connection.
    streamed.certificate = Some(second);
    let publishing = streamed.publishing("absences", "the end");
    streamed.send(publishing).await;
    assert_eq!(publisher.text().await, "the end");
}

#[tokio::test]
async fn a_slow_consumer_over_tls_is_disconnected_too() {
    let certificate = Certificate::new();
    let relay = RelayProcess::start_tls(&certificate, "queue_bytes = \"144KiB\"", &[]);
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let stream = socket.connect(relay.address).await.unwrap();
    let stream = certificate.connect_over(stream, &TLS13).await.unwrap();
    let mut deaf = Client::over(stream, &[]).await.unwrap();
    deaf.hello(App::one().session("deaf")).await;
    deaf.subscribe("absences").await;
    let mut publisher = open(&relay, &certificate, "publisher").await;
    publisher.subscribe("absences").await;
    for number in 0..200 {
        let text = format!("{number} {}", "x".repeat(60_000));
        let request = publisher.request();
        let publish = sealwire_protocol::wire::Publish {
            request,
            channel: Some(crate::support::channel("absences")),
            event: String::new(),
            sealed: sealed(&text),
            id: rand_id().to_vec().into(),
            follows: 0,
            content: Default::default(),
        };
        publisher.send(ToRelay::Publish(publish)).await;
        assert!(matches!(publisher.next().await, ToClient::Published(_)));
        assert_eq!(publisher.text().await, text);
    }
    deaf.must_end_with(Code::SlowConsumer).await;
}

#[tokio::test]
async fn the_health_check_verifies_the_certificate_of_the_relay() {
    let (certificate, other) = (Certificate::new(), Certificate::new());
    let relay = RelayProcess::start_tls(&certificate, "", &[]);
    let healthcheck = || {
        let mut command = relay_command();
        command.args(["healthcheck", "--config", "relay.toml", "--listen", &relay.address.to_string()]);
        command.current_dir(relay.directory()).output().unwrap()
    };
    let output = healthcheck();
    assert!(output.status.success(), "{output:?}");
    other.write(relay.directory());
    assert!(!healthcheck().status.success());
}
