//! The resident memory of idle connections.

use crate::support::{
    App, CROWD, Certificate, RelayProcess, TLS12, TLS13, channel, handshake, handshake_over, masked,
    read_frame,
};
use sealwire_protocol::wire::{Hello, Subscribe, ToClient, ToRelay};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};

const CHANNELS: usize = 100;

/// Returns the resident memory of a process, in bytes.
fn resident(process: u32) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() * 1024
}

/// Opens this many connections, subscribes each of them, and returns the resident bytes per connection.
async fn each_of<S: AsyncRead + AsyncWrite + Unpin>(
    connections: usize,
    relay: &RelayProcess,
    connect: impl AsyncFn() -> S,
) -> usize {
    rlimit::increase_nofile_limit(2 * connections as u64 + 1000).unwrap();
    let token = App::one().session("alice");
    let mut open = Vec::new();
    let mut before = 0;
    // The first connections also allocate everything that all share.
    for number in 0..connections + 100 {
        if number == 100 {
            before = resident(relay.child.id());
        }
        let mut stream = connect().await;
        let hello = ToRelay::Hello(Hello { token: token.clone() }).to_bytes();
        let name = format!("channel-{}", number % CHANNELS);
        let subscribe = Subscribe { request: 1, channel: Some(channel(&name)), since: None, events: vec![] };
        let subscribe = ToRelay::Subscribe(subscribe).to_bytes();
        stream.write_all(&[masked(0x82, &hello), masked(0x82, &subscribe)].concat()).await.unwrap();
        let welcome = ToClient::from_bytes(read_frame(&mut stream).await.into()).unwrap();
        assert!(matches!(welcome, ToClient::Welcome(_)));
        let subscribed = ToClient::from_bytes(read_frame(&mut stream).await.into()).unwrap();
        assert!(matches!(subscribed, ToClient::Subscribed(_)));
        open.push(stream);
    }
    (resident(relay.child.id()) - before) / connections
}

#[tokio::test]
async fn an_idle_connection_with_a_subscription_holds_no_buffers() {
    // About 1.8 KiB were measured. The rest is a margin for the allocator. Common WebSocket libraries take more than
    // 128 KiB.
    const MAX_BYTES_PER_CONNECTION: usize = 3 * 1024;
    let relay = RelayProcess::start(&[&["--log", "error"], &CROWD[..]].concat());
    let each = each_of(2000, &relay, async || handshake(&relay).await).await;
    println!("{each} resident bytes per idle subscribed connection");
    assert!(each < MAX_BYTES_PER_CONNECTION, "{each} bytes per connection");
}

#[tokio::test]
async fn an_idle_connection_over_tls_holds_little_more_than_the_tls_state() {
    // About 5.6 KiB were measured, of which 3.3 are the keys and the state of rustls.
    const MAX_BYTES_PER_CONNECTION: usize = 7 * 1024;
    for version in [&TLS12, &TLS13] {
        let certificate = Certificate::new();
        let relay = RelayProcess::start_tls(&certificate, "", &[&["--log", "error"], &CROWD[..]].concat());
        let connect =
            async || handshake_over(certificate.connect(relay.address, version).await.unwrap()).await;
        let each = each_of(500, &relay, connect).await;
        println!("{each} resident bytes per idle subscribed connection in {:?}", version.version);
        assert!(each < MAX_BYTES_PER_CONNECTION, "{each} bytes per connection");
    }
}
