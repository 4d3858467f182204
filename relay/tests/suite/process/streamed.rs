//! The fallback for networks that block WebSockets: sessions over server-sent events and POST requests.

use crate::support::{App, Client, RelayProcess, Streamed, now, request};
use sealwire_protocol::{
    Code,
    wire::{Hello, Refresh, Session, Since, ToClient, ToRelay},
};
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

#[tokio::test]
async fn clients_with_a_stream_and_with_a_websocket_share_a_channel() {
    let relay = RelayProcess::start(&[]);
    let mut streamed = Streamed::open(&relay, "alice").await;
    let mut client = Client::open(&relay, "bob").await;
    streamed.subscribe_since("absences", None).await;
    client.subscribe("absences").await;
    client.publish("absences", "from bob").await;
    assert_eq!(client.text().await, "from bob");
    assert_eq!(streamed.text().await, "from bob");
    let publishing = streamed.publishing("absences", "from alice");
    streamed.send(publishing).await;
    // The publisher gets its acknowledgement first.
    assert!(matches!(streamed.next().await, ToClient::Published(_)));
    assert_eq!(streamed.text().await, "from alice");
    assert_eq!(client.text().await, "from alice");
}

#[tokio::test]
async fn headers_forbid_proxies_to_cache_or_transform_a_stream() {
    let relay = RelayProcess::start(&["--log", "debug"]);
    let streamed = Streamed::open(&relay, "alice").await;
    for header in [
        "http/1.1 200",
        "content-type: text/event-stream",
        "cache-control: no-store, no-transform",
        "content-encoding: identity",
        "x-accel-buffering: no",
        "access-control-allow-origin: https://page.cdn.prod.atlassian-dev.net",
        "vary: origin",
    ] {
        assert!(streamed.head.contains(header), "{header}: {}", streamed.head);
    }
    let answer = streamed.post(streamed.next, &[]).await;
    assert!(answer.head.contains("access-control-allow-origin: https://page.cdn.prod.atlassian-dev.net"));
    // If monitoring in the page adds headers, the browser sends a preflight request.
    for path in ["/v1/stream", "/v1/send"] {
        let preflight = request(
            relay.address,
            "OPTIONS",
            path,
            "origin: https://page.cdn.prod.atlassian-dev.net\r\n",
            "",
        )
        .await;
        assert_eq!(preflight.status, 204);
        for header in
            ["allow-origin: https://page.cdn.prod.atlassian-dev.net", "allow-methods: post", "max-age: 86400"]
        {
            assert!(preflight.head.contains(&format!("access-control-{header}")), "{}", preflight.head);
        }
    }
    assert!(!relay.log().contains(&streamed.id), "{}", relay.log());
}

#[tokio::test]
async fn an_interrupted_stream_is_resumed_without_loss() {
    let relay = RelayProcess::start(&[]);
    let mut publisher = Client::open(&relay, "bob").await;
    let mut streamed = Streamed::open(&relay, "alice").await;
    let start = streamed.subscribe_since("absences", None).await.position.unwrap();
    publisher.publish("absences", "0").await;
    assert_eq!(streamed.text().await, "0");
    drop(streamed);
    for number in 1..50 {
        publisher.publish("absences", &number.to_string()).await;
    }
    let mut back = Streamed::open(&relay, "alice").await;
    assert!(back.subscribe_since("absences", Some(Since::Position(start))).await.recovered);
    for number in 0..50 {
        assert_eq!(back.text().await, number.to_string());
    }
}

#[tokio::test]
async fn a_session_on_a_stream_ends_with_its_token_unless_refreshed() {
    let relay = RelayProcess::start(&[]);
    let exp = now() + 2;
    let mut ending = Streamed::connect(relay.address).await;
    ending.hello(App::one().session_until("alice", exp)).await;
    let mut staying = Streamed::connect(relay.address).await;
    staying.hello(App::one().session_until("bob", exp)).await;
    let token = App::one().session_until("bob", now() + 60);
    staying.send(ToRelay::Refresh(Refresh { request: 1, token, ..Refresh::default() })).await;
    assert!(matches!(staying.next().await, ToClient::Refreshed(_)));
    let (goodbye, close) = ending.farewell().await;
    assert_eq!((goodbye.unwrap().code, close), (Code::TokenExpired.number(), Some(4401)));
    assert!((exp..=exp + 1).contains(&now()));
    staying.subscribe_since("absences", None).await;
}

#[tokio::test]
async fn a_stream_without_hello_or_without_pongs_is_closed() {
    let relay = RelayProcess::start(&["--heartbeat", "1s", "--hello-timeout", "1s"]);
    let mut wordless = Streamed::connect(relay.address).await;
    let mut silent = Streamed::open(&relay, "alice").await;
    let mut answering = Streamed::open(&relay, "bob").await;
    let subscribed = answering.subscribe_since("absences", None).await;
    let (goodbye, close) = wordless.farewell().await;
    assert_eq!((goodbye.unwrap().code, close), (Code::HelloTimeout.number(), Some(4408)));
    let answered = async {
        loop {
            answering.next().await;
        }
    };
    let (goodbye, close) = tokio::select! {
        farewell = silent.farewell() => farewell,
        () = answered => unreachable!("nothing is published"),
    };
    assert_eq!((goodbye.unwrap().code, close), (Code::HeartbeatTimeout.number(), Some(4408)));
    assert!(answering.subscribe_since("absences", None).await.channel_id() == subscribed.channel_id());
}

#[tokio::test]
async fn a_relay_that_is_shut_down_sends_a_goodbye_on_streams_too() {
    let mut relay = RelayProcess::start(&[]);
    let mut streamed = Streamed::open(&relay, "alice").await;
    relay.signal("TERM");
    let (goodbye, close) = streamed.farewell().await;
    let goodbye = goodbye.unwrap();
    assert_eq!((goodbye.code, close), (Code::ShuttingDown.number(), Some(4503)));
    assert!(goodbye.reconnect_after_ms > 0);
    drop(streamed);
    let status = tokio::task::spawn_blocking(move || relay.child.wait().unwrap()).await.unwrap();
    assert!(status.success());
}

#[tokio::test]
async fn several_sessions_share_a_stream() {
    let relay = RelayProcess::start(&[]);
    let mut publisher = Client::open(&relay, "bob").await;
    let mut streamed = Streamed::open(&relay, "alice").await;
    streamed.subscribe_since("absences", None).await;
    streamed.send(ToRelay::Session(Session { number: 1 })).await;
    let hello = ToRelay::Hello(Hello { token: App::one().session("carol") });
    streamed.send(hello).await;
    assert!(matches!(streamed.next().await, ToClient::Session(Session { number: 1 })));
    assert!(matches!(streamed.next().await, ToClient::Welcome(_)));
    streamed.subscribe_since("absences", None).await;
    publisher.publish("absences", "to both").await;
    let (mut session, mut reached) = (1, Vec::new());
    while reached.len() < 2 {
        match streamed.next().await {
            ToClient::Session(Session { number }) => session = number,
            ToClient::Publication(_) => reached.push(session),
            other => panic!("{other:?}"),
        }
    }
    reached.sort_unstable();
    assert_eq!(reached, [0, 1]);
}

#[tokio::test]
async fn a_closed_stream_releases_its_permit() {
    let relay = RelayProcess::start(&["--max-connections", "1"]);
    let streamed = Streamed::connect(relay.address).await;
    assert!(!opens(&relay).await);
    drop(streamed);
    let free = async {
        while !opens(&relay).await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(Duration::from_secs(5), free).await.expect("the permit was not released");
}

/// Returns whether the relay opens a stream.
async fn opens(relay: &RelayProcess) -> bool {
    let mut socket = TcpStream::connect(relay.address).await.unwrap();
    let request = "POST /v1/stream HTTP/1.1\r\nhost: relay\r\ncontent-length: 0\r\n\r\n";
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut status = [0; 12];
    socket.read_exact(&mut status).await.unwrap();
    status.ends_with(b"200")
}
