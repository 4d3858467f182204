//! All attacks on a relay's memory at once, while it has little of it.

use super::bystanders::Bystanders;
use crate::support::{
    App, CROWD, CROWD_TURN, Came, Client, LightClient, RelayProcess, Scrape, channel, ended, masked, rand_id,
    try_handshake,
};
use sealwire_protocol::wire::{Hello, Session, Subscribe, ToClient, ToRelay};
use socket2::{Domain, Socket, Type};
use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpSocket, TcpStream},
    task::JoinSet,
    time::{sleep, timeout},
};

const HEALTHY: usize = 200;
/// The length of the siege, unless a part of it takes longer.
const SIEGE: Duration = Duration::from_secs(15);
const MOST_RESIDENT: usize = 128 << 20;

/// One connection of an attacker after the other: each sends these bytes, reads nothing, and stays for as long as it may.
async fn besiege(address: SocketAddr, at_once: usize, bytes: Arc<[u8]>, over: Arc<AtomicBool>) {
    let mut held = Vec::new();
    while !over.load(Ordering::Relaxed) {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        socket.set_recv_buffer_size(4096).unwrap();
        socket.set_nonblocking(true).unwrap();
        let Ok(mut stream) = TcpSocket::from_std_stream(socket.into()).connect(address).await else {
            continue;
        };
        let _ = timeout(Duration::from_millis(200), stream.write_all(&bytes)).await;
        held.push(stream);
        if held.len() >= at_once {
            held.remove(0);
            sleep(Duration::from_millis(20)).await;
        }
    }
}

fn frames(messages: impl IntoIterator<Item = ToRelay>) -> Vec<u8> {
    messages.into_iter().flat_map(|message| masked(0x82, &message.to_bytes())).collect()
}

/// The opening handshake, and these bytes behind it.
fn upgraded(then: &[u8]) -> Vec<u8> {
    let request =
        b"GET /v1/realtime HTTP/1.1\r\nhost: relay\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\
        sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
        sec-websocket-protocol: sealwire.v1\r\n\r\n";
    [&request[..], then].concat()
}

/// As many sessions and subscriptions as a connection may have, with filters.
async fn hoard(address: SocketAddr, token: String, number: usize) -> Option<TcpStream> {
    let (mut reader, mut writer) = try_handshake(address).await.ok()?.into_split();
    let reading = tokio::spawn(async move {
        let mut buffer = vec![0; 64 * 1024];
        while let Ok(Ok(1..)) = timeout(SIEGE, reader.read(&mut buffer)).await {}
        reader
    });
    for session in 0..32 {
        let turn = (session > 0).then_some(ToRelay::Session(Session { number: session }));
        let hello = ToRelay::Hello(Hello { token: token.clone() });
        let subscriptions = (1..=256).map(|request| {
            let events = (0..8).map(|event| format!("event-{event}-{request}")).collect();
            let channel = Some(channel(&format!("{number}-{session}-{request}")));
            ToRelay::Subscribe(Subscribe { request, channel, since: None, events })
        });
        writer.write_all(&frames(turn.into_iter().chain([hello]).chain(subscriptions))).await.ok()?;
    }
    let reader = reading.await.ok()?;
    reader.reunite(writer).ok()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_small_relay_withstands_all_attacks_at_once_and_ends_no_client_without_fault() {
    let _turn = CROWD_TURN.lock().await;
    rlimit::increase_nofile_limit(20_000).unwrap();
    let flags = ["--memory-bytes", "64MiB", "--log", "error", "--admin-listen", "127.0.0.1:0"];
    let mut relay = RelayProcess::start_for(
        &[App::one(), App::new("ari:cloud:ecosystem::app/two", "two", 2)],
        &[&flags[..], &CROWD].concat(),
    );
    let (address, token) = (relay.address, App::one().session("alice"));
    let mut healthy = Vec::new();
    for _ in 0..HEALTHY {
        let mut client = LightClient::open(address, &token).await;
        client.subscribe("absences", None).await;
        healthy.push(client);
    }
    let mut bystanders = Bystanders::on(&relay).await;
    let mut publisher = Client::open(&relay, "bob").await;
    let mallory = App::new("ari:cloud:ecosystem::app/two", "two", 2);
    let mut busy = Client::open_with(&relay, mallory.session("busy")).await;

    // Every account of the other app attacks.
    let hello = ToRelay::Hello(Hello { token: mallory.session("mallory") });
    let subscribe = ToRelay::Subscribe(Subscribe {
        request: 1,
        channel: Some(channel("busy")),
        since: None,
        events: Vec::new(),
    });
    let unfinished =
        [frames([hello.clone()]), vec![0x82, 0xff, 0, 0, 0, 0, 0, 2, 0x30, 0, 0, 0, 0, 0]].concat();
    let head = "x: y\r\n".repeat(90) + &format!("z: {}\r\n", "z".repeat(14_000));
    let body = format!(
        "POST /v1/publish HTTP/1.1\r\nhost: relay\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\n\
         content-length: 2000000\r\n\r\n{}",
        mallory.backend(),
        " ".repeat(1_900_000),
    );
    let attacks: [(usize, Vec<u8>); 7] = [
        (200, b"GET /v1/openapi.json HTTP/1.1\r\nhost: relay\r\n\r\n".repeat(300)),
        (600, b"POST /v1/stream HTTP/1.1\r\nhost: relay\r\ncontent-length: 0\r\n\r\n".to_vec()),
        (400, format!("GET / HTTP/1.1\r\nhost: relay\r\n{head}").into_bytes()),
        (300, upgraded(b"")),
        (300, upgraded(&[&unfinished[..], &[0; 140 * 1024 - 1]].concat())),
        (300, upgraded(&frames([hello, subscribe]))),
        (20, body.into_bytes()),
    ];
    let (over, mut siege) = (Arc::new(AtomicBool::new(false)), JoinSet::new());
    for (at_once, bytes) in attacks {
        siege.spawn(besiege(address, at_once, bytes.into(), over.clone()));
    }
    for number in 0..8 {
        let token = mallory.session(&format!("hoarder-{number}"));
        siege.spawn(async move { drop(hoard(address, token, number).await) });
    }
    let (begun, mut rounds, mut slowest) = (Instant::now(), 0, Duration::ZERO);
    let large = bytes::Bytes::from(vec![1; 60 * 1024]);
    while begun.elapsed() < SIEGE {
        // The slow readers do not read these, and they may be refused; those of clients without fault may not.
        for _ in 0..5 {
            busy.try_publish(channel("busy"), "", large.clone(), rand_id()).await;
        }
        let before = Instant::now();
        bystanders.must_be_untouched().await;
        slowest = slowest.max(before.elapsed());
        publisher.publish("absences", "still there").await;
        rounds += 1;
        sleep(Duration::from_millis(50)).await;
        assert!(super::shedding::peak(relay.child.id()) < MOST_RESIDENT);
    }
    let scrape = Scrape::of(&relay).await;
    let value = |sample: &str| scrape.value(sample);
    println!(
        "{rounds} rounds, the slowest took {slowest:?}; at most {} MiB resident, {} connections shed, {} newcomers refused",
        super::shedding::peak(relay.child.id()) >> 20,
        value("sealwire_connections_shed_total"),
        value("sealwire_limit_refusals_total{limit=\"memory_bytes\"}"),
    );
    for client in &mut healthy {
        for _ in 0..rounds {
            match client.next().await {
                Came::Message(ToClient::Publication(_)) => {}
                _ => panic!("a client without fault was ended"),
            }
        }
    }
    assert!(super::shedding::peak(relay.child.id()) < MOST_RESIDENT);
    assert!(rounds >= 20, "publishing takes too long: {rounds} rounds");

    // The siege goes on, and the relay ends in good order all the same.
    let begun = Instant::now();
    relay.signal("TERM");
    let status = timeout(Duration::from_secs(40), ended(&mut relay)).await.expect("it does not end");
    assert!(status.success(), "{status}");
    assert!(begun.elapsed() < Duration::from_secs(15), "it took {:?} to end", begun.elapsed());
    over.store(true, Ordering::Relaxed);
    siege.abort_all();
}
