//! HTTP clients that read their responses too slowly or not at all.

use super::bystanders::Bystanders;
use crate::support::{
    App, Certificate, Client, RelayProcess, Scrape, Streamed, TLS13, channel, ended, rand_id, request,
};
use sealwire_protocol::wire::{End, ToClient, ToRelay};
use socket2::{Domain, Socket, Type};
use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{TcpSocket, TcpStream, UnixStream},
    time::{sleep, timeout},
};

/// The longest time for which a client may read nothing.
const WRITE_TIMEOUT: Duration = Duration::from_secs(2);
const FLAGS: [&str; 6] = ["--write-timeout", "2s", "--log", "error", "--admin-listen", "127.0.0.1:0"];
const UNAUTHENTICATED: &str = "sealwire_memory_bytes{kind=\"unauthenticated\"}";
/// The longest wait for any step, on a busy machine.
const TIMEOUT: Duration = Duration::from_secs(20);
/// The number of pipelined requests, which have 18 MB of responses.
const PIPELINED: usize = 300;

/// Opens a connection with a small receive window.
async fn narrow(address: SocketAddr) -> TcpStream {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    socket.set_nonblocking(true).unwrap();
    TcpSocket::from_std_stream(socket.into()).connect(address).await.unwrap()
}

/// Sends the pipelined requests and reads no response.
async fn ask_for_much(stream: &mut (impl AsyncWrite + Unpin)) {
    let requests = "GET /v1/openapi.json HTTP/1.1\r\nhost: relay\r\n\r\n".repeat(PIPELINED);
    stream.write_all(requests.as_bytes()).await.unwrap();
}

/// Waits until the relay has closed these connections, and returns the time that took.
async fn until_gone(relay: &RelayProcess) -> Duration {
    let begun = Instant::now();
    while Scrape::of(relay).await.value(UNAUTHENTICATED) < 190_000.0 {
        assert!(begun.elapsed() < TIMEOUT, "no response waits for its client");
    }
    let begun = Instant::now();
    Scrape::until(relay, "sealwire_permits_in_use", 0.0).await;
    begun.elapsed()
}

/// Reads until the end of the connection.
async fn rest(stream: &mut (impl AsyncRead + Unpin)) -> Vec<u8> {
    let mut rest = Vec::new();
    let _ = timeout(TIMEOUT, stream.read_to_end(&mut rest)).await.expect("the connection does not end");
    rest
}

#[tokio::test]
async fn a_connection_with_unread_responses_is_closed_and_holds_little_memory_until_then() {
    let relay = RelayProcess::start(&FLAGS);
    let mut bystanders = Bystanders::on(&relay).await;
    let mut unread = Vec::new();
    for _ in 0..50 {
        let mut stream = TcpStream::connect(relay.address).await.unwrap();
        ask_for_much(&mut stream).await;
        unread.push(stream);
    }
    let mut scrape = Scrape::of(&relay).await;
    let begun = Instant::now();
    // The socket buffers of the kernel count too.
    while scrape.value(UNAUTHENTICATED) < 50.0 * 190_000.0 {
        assert!(
            begun.elapsed() < WRITE_TIMEOUT,
            "the socket buffers of the kernel are not counted: {scrape:#?}"
        );
        scrape = Scrape::of(&relay).await;
    }
    bystanders.must_be_untouched().await;
    drop(bystanders);
    let took = until_gone(&relay).await;
    assert!(took < WRITE_TIMEOUT + Duration::from_secs(5), "{took:?}");
    let scrape = Scrape::of(&relay).await;
    assert_eq!(scrape.value(UNAUTHENTICATED), 0.0);
    for stream in &mut unread {
        // Without a bound, the kernel would hold megabytes of responses.
        let read = rest(stream).await.len();
        assert!(read < 1 << 20, "{read} bytes were written for a client that does not read");
    }
}

#[tokio::test]
async fn a_client_that_reads_below_the_minimum_rate_is_disconnected() {
    let relay = RelayProcess::start(&FLAGS);
    let mut stream = narrow(relay.address).await;
    ask_for_much(&mut stream).await;
    let begun = Instant::now();
    let mut some = [0; 64];
    // The client never pauses for as long as the timeout, but reads below the minimum rate.
    while let Ok(Ok(1..)) = timeout(TIMEOUT, stream.read(&mut some)).await {
        sleep(Duration::from_millis(250)).await;
        if Scrape::of(&relay).await.value("sealwire_permits_in_use") == 0.0 {
            break;
        }
        assert!(begun.elapsed() < TIMEOUT, "the connection of a slow client stays open");
    }
}

#[tokio::test]
async fn a_client_that_reads_gets_all_responses_to_pipelined_requests() {
    let relay = RelayProcess::start(&FLAGS);
    let mut stream = narrow(relay.address).await;
    let one = request(relay.address, "GET", "/v1/openapi.json", "", "").await.text.len();
    let (mut reader, mut writer) = stream.split();
    let writing = ask_for_much(&mut writer);
    let reading = async {
        let (mut read, mut buffer) = (0, vec![0; 64 * 1024]);
        while read < PIPELINED * one {
            read += match timeout(TIMEOUT, reader.read(&mut buffer)).await.unwrap().unwrap() {
                0 => panic!("the connection ended after {read} bytes"),
                count => count,
            };
        }
    };
    tokio::join!(writing, reading);
}

#[tokio::test]
async fn connections_with_unread_responses_are_closed_over_tls_and_unix_domain_sockets_too() {
    let certificate = Certificate::new();
    let relay = RelayProcess::start_tls(&certificate, "", &FLAGS);
    let mut stream = certificate.connect(relay.address, &TLS13).await.unwrap();
    ask_for_much(&mut stream).await;
    stream.flush().await.unwrap();
    let took = until_gone(&relay).await;
    assert!(took < WRITE_TIMEOUT + Duration::from_secs(5), "{took:?}");

    let (directory, app) = (tempfile::tempdir().unwrap(), App::one());
    let path = directory.path().join("relay.sock");
    let apps = format!("[[app]]\nid = \"{}\"\nsigning_keys = [\"{}\"]\n", app.id, app.key_text);
    let config = format!("listen = \"unix:{}\"\n{apps}", path.display());
    let relay = RelayProcess::start_in(directory, &config, &FLAGS);
    let mut stream = UnixStream::connect(&path).await.unwrap();
    ask_for_much(&mut stream).await;
    let took = until_gone(&relay).await;
    assert!(took < WRITE_TIMEOUT + Duration::from_secs(5), "{took:?}");
    assert!(rest(&mut stream).await.len() < 1 << 20);
}

#[tokio::test]
async fn a_stream_ends_with_its_session_even_if_the_client_does_not_read() {
    let relay =
        RelayProcess::start(&[&["--queue-bytes", "256KiB", "--hello-timeout", "1s"][..], &FLAGS].concat());
    let mut publisher = Client::open(&relay, "alice").await;
    // One client never presents a token. The session of the other ends because the client reads nothing.
    let silent = Streamed::connect(relay.address).await;
    let mut slow = Streamed::open(&relay, "carol").await;
    slow.subscribe_since("absences", None).await;
    let large = bytes::Bytes::from(vec![1; 100 * 1024]);
    for _ in 0..100 {
        match publisher.try_publish(channel("absences"), "", large.clone(), rand_id()).await {
            ToClient::Published(_) => {}
            other => panic!("{other:?}"),
        }
    }
    let begun = Instant::now();
    while Scrape::of(&relay).await.value("sealwire_permits_in_use") > 1.0 {
        assert!(begun.elapsed() < TIMEOUT, "a stream outlives its session");
        sleep(Duration::from_millis(50)).await;
    }
    let scrape = Scrape::of(&relay).await;
    assert_eq!(scrape.value("sealwire_connections"), 1.0);
    assert_eq!(scrape.value(UNAUTHENTICATED), 0.0);
    drop((silent, slow));
}

#[tokio::test]
async fn the_last_events_of_a_stream_wait_only_briefly_for_a_client_that_does_not_read() {
    let flags = ["--write-timeout", "60s", "--log", "error", "--admin-listen", "127.0.0.1:0"];
    let relay = RelayProcess::start(&flags);
    let mut publisher = Client::open(&relay, "alice").await;
    // For some clients this is more than the kernel buffers, but so little that the session writes all of it before it
    // ends.
    let (mut open, message) = (Vec::new(), bytes::Bytes::from(vec![1; 10_000]));
    for messages in 1..=10 {
        let name = format!("channel-{messages}");
        let mut streamed = Streamed::connect_over(narrow(relay.address).await, relay.address).await;
        streamed.hello(App::one().session("carol")).await;
        streamed.subscribe_since(&name, None).await;
        for _ in 0..messages {
            match publisher.try_publish(channel(&name), "", message.clone(), rand_id()).await {
                ToClient::Published(_) => {}
                other => panic!("{other:?}"),
            }
        }
        open.push(streamed);
    }
    for streamed in &mut open {
        streamed.send(ToRelay::End(End {})).await;
    }
    let begun = Instant::now();
    while Scrape::of(&relay).await.value("sealwire_permits_in_use") > 1.0 {
        assert!(begun.elapsed() < TIMEOUT, "a response outlives its session");
        sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn a_client_that_sends_on_the_connection_of_its_stream_loses_the_stream() {
    let relay = RelayProcess::start(&FLAGS);
    let mut streamed = Streamed::open(&relay, "alice").await;
    let more = "POST /v1/send HTTP/1.1\r\nhost: relay\r\ncontent-length: 1000000\r\n\r\n";
    streamed.socket.write_all(more.as_bytes()).await.unwrap();
    Scrape::until(&relay, "sealwire_permits_in_use", 0.0).await;
    // The same holds if the HTTP server has read a part of it together with the request and does not read the rest.
    let mut stream = TcpStream::connect(relay.address).await.unwrap();
    let request = "POST /v1/stream HTTP/1.1\r\nhost: relay\r\ncontent-length: 0\r\n\r\n";
    let _ = stream.write_all(format!("{request}{}", more.repeat(1000)).as_bytes()).await;
    sleep(Duration::from_millis(200)).await;
    Scrape::until(&relay, "sealwire_permits_in_use", 0.0).await;
    // A client that is silent keeps its stream.
    let mut streamed = Streamed::open(&relay, "alice").await;
    sleep(Duration::from_millis(200)).await;
    streamed.subscribe_since("absences", None).await;
}

/// Shuts a relay down and returns the time that took.
async fn time_to_end(mut relay: RelayProcess) -> Duration {
    let begun = Instant::now();
    relay.signal("TERM");
    let status =
        timeout(Duration::from_secs(40), ended(&mut relay)).await.expect("the relay does not shut down");
    assert!(status.success(), "{status}: {}", relay.log());
    begun.elapsed()
}

#[tokio::test]
async fn a_relay_shuts_down_quickly_despite_clients_with_unfinished_requests_and_unread_responses() {
    // All timeouts are longer than the shutdown may take.
    let flags =
        ["--write-timeout", "60s", "--body-timeout", "60s", "--header-timeout", "60s", "--log", "error"];
    let relay = RelayProcess::start(&flags);
    let mut held = Vec::new();
    // The clients have unread responses and streams, and unfinished heads and bodies.
    for _ in 0..3 {
        let mut stream = TcpStream::connect(relay.address).await.unwrap();
        ask_for_much(&mut stream).await;
        held.push(stream);
        for start in [
            "",
            "GET /healthz HTTP/1.1\r\nhost:",
            "POST /v1/send HTTP/1.1\r\nhost: relay\r\ncontent-length: 1000\r\n\r\nAAEC",
            "POST /v1/stream HTTP/1.1\r\nhost: relay\r\ncontent-length: 0\r\n\r\n",
        ] {
            let mut stream = TcpStream::connect(relay.address).await.unwrap();
            stream.write_all(start.as_bytes()).await.unwrap();
            held.push(stream);
        }
    }
    let mut slow = Streamed::open(&relay, "carol").await;
    slow.subscribe_since("absences", None).await;
    let mut websocket = Client::open(&relay, "dave").await;
    websocket.subscribe("absences").await;
    let mut publisher = Client::open(&relay, "alice").await;
    let large = bytes::Bytes::from(vec![1; 100 * 1024]);
    for _ in 0..8 {
        match publisher.try_publish(channel("absences"), "", large.clone(), rand_id()).await {
            ToClient::Published(_) => {}
            other => panic!("{other:?}"),
        }
    }
    let took = time_to_end(relay).await;
    assert!(took < Duration::from_secs(10), "{took:?}");
    drop((held, slow, websocket));
}

#[tokio::test]
async fn a_proxy_without_a_header_does_not_delay_the_shutdown() {
    let flags = [
        "--header-timeout",
        "60s",
        "--proxy-terminates-tls",
        "--proxy-protocol",
        "--trusted-proxies",
        "127.0.0.1",
    ];
    let relay = RelayProcess::start(&flags);
    let stream = TcpStream::connect(relay.address).await.unwrap();
    sleep(Duration::from_millis(300)).await;
    let took = time_to_end(relay).await;
    assert!(took < Duration::from_secs(5), "{took:?}");
    drop(stream);
}

#[tokio::test]
async fn operators_get_responses_despite_many_silent_connections() {
    let relay = RelayProcess::start(&FLAGS);
    let mut silent = Vec::new();
    for _ in 0..100 {
        silent.push(TcpStream::connect(relay.admin()).await.unwrap());
    }
    let answer = request(relay.admin(), "GET", "/healthz", "", "").await;
    assert_eq!(answer.status, 200);
    // A connection with unread responses is soon closed too.
    let mut stream = narrow(relay.admin()).await;
    stream.write_all("GET /metrics HTTP/1.1\r\nhost: relay\r\n\r\n".repeat(100).as_bytes()).await.unwrap();
    sleep(Duration::from_millis(200)).await;
    let begun = Instant::now();
    let read = rest(&mut stream).await.len();
    assert!(begun.elapsed() < Duration::from_secs(15), "{read} bytes");
}
