//! The limits per client, address, account, installation and app, and the errors for exceeding them.

use crate::support::{
    App, Client, RelayProcess, batch, channel, handshake, masked, post, rand_id, read_frame, request, sealed,
};
use sealwire_protocol::{
    Code,
    tokens::Permissions,
    wire::{Hello, Session, ToClient, ToRelay},
};
use std::{
    net::{IpAddr, SocketAddr},
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpSocket, TcpStream},
    time::{sleep, timeout},
};

const TIMEOUT: Duration = Duration::from_secs(10);

/// Connects from the given loopback address.
async fn connect_from(address: &str, relay: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::new(address.parse::<IpAddr>().unwrap(), 0)).unwrap();
    socket.connect(relay).await.unwrap()
}

/// Sends `GET /healthz` over an open connection and returns the response as text.
async fn ask(stream: &mut TcpStream, headers: &str) -> String {
    let request = format!("GET /healthz HTTP/1.1\r\nhost: relay\r\nconnection: close\r\n{headers}\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    timeout(TIMEOUT, stream.read_to_string(&mut answer)).await.expect("no answer").unwrap();
    answer
}

#[tokio::test]
async fn connections_above_the_limit_are_refused_until_others_close() {
    let relay = RelayProcess::start(&["--max-connections", "3"]);
    let mut client = Client::open(&relay, "alice").await;
    // Idle connections count too.
    let idle =
        [TcpStream::connect(relay.address).await.unwrap(), TcpStream::connect(relay.address).await.unwrap()];
    let refused = request(relay.address, "GET", "/v1/realtime", "", "").await;
    assert_eq!((refused.status, refused.code()), (503, "OVERLOADED"));
    assert!(refused.head.contains("retry-after: 5\r\n"), "{}", refused.head);
    assert_eq!(refused.body["error"]["retryAfterMs"], 5000);
    assert!(relay.log_with("OVERLOADED").await.contains("attempt=\"connect\""));
    client.publish("absences", "undisturbed").await;
    drop(idle);
    let start = Instant::now();
    while request(relay.address, "GET", "/healthz", "", "").await.status != 200 {
        assert!(start.elapsed() < TIMEOUT);
    }
}

#[tokio::test]
async fn the_connection_limit_of_an_address_does_not_affect_other_addresses() {
    let relay = RelayProcess::start(&["--max-connections-per-address", "2"]);
    let mut client = Client::open(&relay, "alice").await;
    let idle = TcpStream::connect(relay.address).await.unwrap();
    let refused = request(relay.address, "GET", "/healthz", "", "").await;
    assert_eq!((refused.status, refused.code()), (429, "TOO_MANY_CONNECTIONS"));
    let mut elsewhere = connect_from("127.0.0.2", relay.address).await;
    assert!(ask(&mut elsewhere, "").await.starts_with("HTTP/1.1 200"));
    client.publish("absences", "undisturbed").await;
    drop((client, idle));
    let start = Instant::now();
    while request(relay.address, "GET", "/healthz", "", "").await.status != 200 {
        assert!(start.elapsed() < TIMEOUT);
    }
}

#[tokio::test]
async fn behind_a_proxy_the_limits_apply_to_the_forwarded_address() {
    let relay = RelayProcess::start(&["--proxy-terminates-tls", "--max-connections-per-address", "1"]);
    let realtime = |address: &str| {
        let headers = format!(
            "x-forwarded-for: 198.51.100.1, {address}\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
             sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
             sec-websocket-protocol: sealwire.v1\r\n"
        );
        let request = format!("GET /v1/realtime HTTP/1.1\r\nhost: relay\r\n{headers}\r\n");
        async move {
            let mut stream = TcpStream::connect(relay.address).await.unwrap();
            stream.write_all(request.as_bytes()).await.unwrap();
            let mut status = [0; 12];
            stream.read_exact(&mut status).await.unwrap();
            (stream, String::from_utf8(status.to_vec()).unwrap())
        }
    };
    let (_held, status) = realtime("203.0.113.1").await;
    assert_eq!(status, "HTTP/1.1 101");
    assert_eq!(realtime("203.0.113.1").await.1, "HTTP/1.1 429");
    let (_network, status) = realtime("2001:db8::1").await;
    assert_eq!(status, "HTTP/1.1 101");
    assert_eq!(realtime("2001:db8::2").await.1, "HTTP/1.1 429");
    assert_eq!(realtime("203.0.113.2").await.1, "HTTP/1.1 101");
}

#[tokio::test]
async fn sessions_are_limited_for_each_account_installation_and_app() {
    for (limit, last, other) in [
        ("--max-sessions-per-account", "bob", "carol"),
        ("--max-sessions-per-installation", "carol", ""),
        ("--max-sessions-per-app", "carol", ""),
    ] {
        let relay = RelayProcess::start(&[limit, "2"]);
        let mut first = Client::open(&relay, "bob").await;
        let mut second = Client::open(&relay, "bob").await;
        let mut third = Client::connect(relay.address).await;
        third.send(ToRelay::Hello(Hello { token: App::one().session(last) })).await;
        let farewell = third.must_end_with(Code::TooManyConnections).await;
        assert!(farewell.goodbye.unwrap().reconnect_after_ms >= 1000);
        let line = relay.log_with("TOO_MANY_CONNECTIONS").await;
        assert!(line.contains(&format!("account=\"{last}\"")), "{line}");
        if !other.is_empty() {
            Client::open(&relay, other).await.publish("absences", "another account").await;
        }
        first.publish("absences", "undisturbed").await;
        second.send(ToRelay::End(sealwire_protocol::wire::End {})).await;
        second.farewell().await;
        Client::open(&relay, last).await;
    }
}

#[tokio::test]
async fn every_session_of_a_shared_connection_counts() {
    let relay = RelayProcess::start(&["--max-sessions-per-account", "2"]);
    let mut stream = handshake(&relay).await;
    let hello = ToRelay::Hello(Hello { token: App::one().session("alice") }).to_bytes();
    let select = |number| masked(0x82, &ToRelay::Session(Session { number }).to_bytes());
    let hello = masked(0x82, &hello);
    stream.write_all(&[hello.clone(), select(1), hello.clone(), select(2), hello].concat()).await.unwrap();
    let mut answers = Vec::new();
    for _ in 0..5 {
        answers.push(ToClient::from_bytes(read_frame(&mut stream).await.into()).unwrap());
    }
    assert!(matches!(answers[0], ToClient::Welcome(_)), "{answers:?}");
    assert!(matches!(answers[2], ToClient::Welcome(_)), "{answers:?}");
    let ToClient::Goodbye(goodbye) = &answers[4] else { panic!("{answers:?}") };
    assert_eq!(goodbye.code, Code::TooManyConnections.number());
}

#[tokio::test]
async fn the_publish_rate_of_an_installation_covers_websocket_and_http_together() {
    let relay = RelayProcess::start_for(
        &[App::one(), App::new("ari:cloud:ecosystem::app/two", "two", 2)],
        &["--publish-rate", "10", "--publish-burst", "100"],
    );
    let mut client = Client::open(&relay, "alice").await;
    for number in 0..20 {
        client.publish("absences", &number.to_string()).await;
    }
    let backend = App::one().backend();
    assert_eq!(post(relay.address, &backend, &batch(75)).await.status, 200);
    // The relay accepts a batch as a whole or not at all.
    let refused = post(relay.address, &backend, &batch(100)).await;
    assert_eq!((refused.status, refused.code()), (429, "RATE_LIMITED"));
    let wait = refused.body["error"]["retryAfterMs"].as_u64().unwrap();
    assert!((1..=10_000).contains(&wait), "{wait}");
    assert!(refused.head.contains(&format!("retry-after: {}\r\n", wait.div_ceil(1000))), "{}", refused.head);

    // The client uses the rest of the burst and is then refused with a retry time.
    let id = rand_id();
    let failed = loop {
        match client.try_publish(channel("absences"), "", sealed("again"), id).await {
            // A retry of the same message counts, but is not published twice.
            ToClient::Published(_) => {}
            ToClient::Failed(failed) => break failed,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(failed.code, Code::RateLimited.number());
    assert!((1..=3000).contains(&failed.retry_after_ms), "{failed:?}");
    assert!(relay.log_with("RATE_LIMITED").await.contains("attempt=\"publish\""));
    // Another installation has a separate rate.
    let two = App::new("ari:cloud:ecosystem::app/two", "two", 2);
    let mut other = Client::open_with(&relay, two.session("alice")).await;
    other.publish("absences", "undisturbed").await;

    sleep(Duration::from_millis(failed.retry_after_ms.into())).await;
    let answer = client.try_publish(channel("absences"), "", sealed("again"), id).await;
    assert!(matches!(answer, ToClient::Published(_)), "{answer:?}");
}

#[tokio::test]
async fn a_flood_of_frames_or_bytes_closes_only_its_own_connection() {
    let limits =
        ["--frame-rate", "10", "--frame-burst", "100", "--byte-rate", "1KiB", "--byte-burst", "288KiB"];
    let relay = RelayProcess::start(&limits);
    let mut bystander = Client::open(&relay, "bob").await;
    let hello = ToRelay::Hello(Hello { token: App::one().session("alice") }).to_bytes();
    let pings = masked(0x89, b"").repeat(200);
    // The fragments of an endless message.
    let fragments = [masked(0x02, b""), masked(0x00, b"").repeat(200)].concat();
    for flood in [pings, fragments] {
        let mut stream = handshake(&relay).await;
        stream.write_all(&[masked(0x82, &hello), flood].concat()).await.unwrap();
        let mut answer = Vec::new();
        let read = timeout(TIMEOUT, stream.read_to_end(&mut answer)).await;
        read.expect("the relay did not close").unwrap();
        assert!(answer.ends_with(&[0x88, 2, 0x11, 0x4d]), "the close code is 4429: {answer:?}");
        bystander.publish("absences", "undisturbed").await;
    }
    let log = relay.log_with("RATE_LIMITED").await;
    assert!(log.contains("attempt=\"frame\"") && log.contains("account=\"alice\""), "{log}");

    let mut client = Client::open(&relay, "carol").await;
    let large = bytes::Bytes::from(vec![1; 100 * 1024]);
    let goodbye = loop {
        match client.try_publish(channel("absences"), "", large.clone(), rand_id()).await {
            ToClient::Published(_) => {}
            ToClient::Goodbye(goodbye) => break goodbye,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(goodbye.code, Code::RateLimited.number());
    assert!(goodbye.reconnect_after_ms > 0 && goodbye.message.contains("byte_rate"), "{goodbye:?}");
    bystander.publish("absences", "undisturbed").await;
}

#[tokio::test]
async fn an_idle_session_is_ended_and_one_with_a_subscription_is_not() {
    let relay = RelayProcess::start(&["--idle-timeout", "3s", "--heartbeat", "1s"]);
    let mut idle = Client::open(&relay, "alice").await;
    let mut subscribed = Client::open(&relay, "bob").await;
    subscribed.subscribe("absences").await;
    let start = Instant::now();
    let idle_answers = async {
        // The client answers pings but sends no requests.
        while start.elapsed() < TIMEOUT {
            if let ToClient::Goodbye(goodbye) = idle.next().await {
                return Code::from_number(goodbye.code);
            }
        }
        None
    };
    let (code, quiet) = tokio::join!(idle_answers, async {
        let mut quiet = true;
        for _ in 0..16 {
            quiet &= subscribed.is_quiet().await;
        }
        quiet
    });
    assert_eq!(code, Some(Code::IdleTimeout));
    assert!(start.elapsed() >= Duration::from_secs(3) && quiet);
    subscribed.publish("absences", "still here").await;
}

#[tokio::test]
async fn a_client_that_sends_its_request_too_slowly_is_disconnected() {
    let relay = RelayProcess::start(&[
        "--header-timeout",
        "300ms",
        "--keep-alive-timeout",
        "300ms",
        "--body-timeout",
        "300ms",
    ]);
    let close = |bytes: String| async move {
        let mut stream = TcpStream::connect(relay.address).await.unwrap();
        stream.write_all(bytes.as_bytes()).await.unwrap();
        let mut answer = String::new();
        let read = timeout(TIMEOUT, stream.read_to_string(&mut answer)).await;
        let _ = read.expect("the relay did not close the connection");
        answer
    };
    // The client sends nothing, an incomplete head, or one request and then nothing.
    assert_eq!(close(String::new()).await, "");
    assert!(!close("GET /healthz HTTP/1.1\r\nhost: re".into()).await.starts_with("HTTP/1.1 200"));
    let kept = close("GET /healthz HTTP/1.1\r\nhost: relay\r\n\r\n".into()).await;
    assert!(kept.starts_with("HTTP/1.1 200") && kept.matches("HTTP/1.1").count() <= 2, "{kept}");
    let token = App::one().backend();
    let head = format!(
        "POST /v1/publish HTTP/1.1\r\nhost: relay\r\nauthorization: Bearer {token}\r\n\
         content-type: application/json\r\ncontent-length: 100\r\n\r\n{{"
    );
    let slow = close(head).await;
    assert!(slow.starts_with("HTTP/1.1 408") && slow.contains("did not arrive within"), "{slow}");
}

#[tokio::test]
async fn the_setting_max_subscriptions_limits_the_subscriptions_of_a_session() {
    let relay = RelayProcess::start(&["--max-subscriptions", "2"]);
    let mut client = Client::connect(relay.address).await;
    let claims =
        App::one().claims("alice", Permissions::ALL, (crate::support::now() - 5, crate::support::now() + 60));
    let token = sealwire_protocol::tokens::sign(&claims, &App::one().key).unwrap();
    assert_eq!(client.hello(token).await.max_subscriptions, 2);
    client.subscribe("1").await;
    client.subscribe("2").await;
    let failed = client.refused_subscribe(channel("3")).await;
    assert_eq!(failed.code, Code::TooManySubscriptions.number());
}

#[tokio::test]
async fn the_setting_head_bytes_limits_the_head_of_a_request() {
    let app = App::one();
    let config = |size: &str| {
        let keys = &app.key_text;
        format!(
            "listen = \"127.0.0.1:0\"\nmax_header_bytes = \"{size}\"\n[[app]]\nid = \"{}\"\nsigning_keys = [\"{keys}\"]",
            app.id
        )
    };
    let relay = RelayProcess::start_in(tempfile::tempdir().unwrap(), &config("8KiB"), &[]);
    // The head arrives in two parts, so that the size of a single read is not decisive.
    let status = async |bytes: usize| {
        let start = "GET /healthz HTTP/1.1\r\nhost: relay\r\nconnection: close\r\nx-filler: ";
        let head = format!("{start}{}\r\n\r\n", "x".repeat(bytes - start.len() - 4));
        let mut stream = TcpStream::connect(relay.address).await.unwrap();
        for part in [&head[..100], &head[100..]] {
            stream.write_all(part.as_bytes()).await.unwrap();
        }
        let mut answer = vec![0; 12];
        timeout(TIMEOUT, stream.read_exact(&mut answer)).await.expect("no answer").unwrap();
        String::from_utf8(answer).unwrap()
    };
    assert_eq!(status(8 * 1024).await, "HTTP/1.1 200");
    assert_eq!(status(8 * 1024 + 1).await, "HTTP/1.1 431");
    relay.reload(&config("20000")).await;
    assert_eq!(status(20_000).await, "HTTP/1.1 200");
    assert_eq!(status(20_001).await, "HTTP/1.1 431");
}
