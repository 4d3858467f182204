//! What a connection occupies while nothing happens on it.

use crate::support::{App, CROWD, RelayProcess, channel, handshake, masked, read_frame};
use sealwire_protocol::wire::{Hello, Subscribe, ToClient, ToRelay};
use tokio::io::AsyncWriteExt as _;

const CONNECTIONS: usize = 2000;
const CHANNELS: usize = 100;
/// Most resident bytes per connection: some 1.7 KiB were measured, the rest is room for the allocator. A stock WebSocket
/// upgrade takes more than 128 KiB.
const MOST: usize = 3 * 1024;

/// Resident memory of a process, in bytes.
fn resident(process: u32) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() * 1024
}

#[tokio::test]
async fn an_idle_subscribed_connection_holds_no_buffers() {
    rlimit::increase_nofile_limit(2 * CONNECTIONS as u64).unwrap();
    let relay = RelayProcess::start(&[&["--log", "error"], &CROWD[..]].concat());
    let token = App::one().session("alice");
    let mut connections = Vec::new();
    let mut before = 0;
    // The first few also warm up what all share.
    for number in 0..CONNECTIONS + 100 {
        if number == 100 {
            before = resident(relay.child.id());
        }
        let mut stream = handshake(&relay).await;
        let hello = ToRelay::Hello(Hello { token: token.clone() }).to_bytes();
        let name = format!("channel-{}", number % CHANNELS);
        let subscribe = Subscribe { request: 1, channel: Some(channel(&name)), since: None, events: vec![] };
        let subscribe = ToRelay::Subscribe(subscribe).to_bytes();
        stream.write_all(&[masked(0x82, &hello), masked(0x82, &subscribe)].concat()).await.unwrap();
        let welcome = ToClient::from_bytes(read_frame(&mut stream).await.into()).unwrap();
        assert!(matches!(welcome, ToClient::Welcome(_)));
        let subscribed = ToClient::from_bytes(read_frame(&mut stream).await.into()).unwrap();
        assert!(matches!(subscribed, ToClient::Subscribed(_)));
        connections.push(stream);
    }
    let each = (resident(relay.child.id()) - before) / CONNECTIONS;
    println!("{each} resident bytes per idle subscribed connection");
    assert!(each < MOST, "{each} bytes per connection");
}
