//! All attacks on the memory of a relay at the same time, with a small memory budget.

use super::bystanders::Bystanders;
use crate::support::{
    App, CROWD, CROWD_TURN, Client, LightClient, Received, RelayProcess, Scrape, channel, ended, masked,
    rand_id, try_handshake,
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
/// The minimum duration of the attacks.
const SIEGE: Duration = Duration::from_secs(15);
const MAX_RESIDENT: usize = 128 << 20;

/// Opens one connection after another. Each sends these bytes and reads nothing. At most `at_once` of them stay open.
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

/// Returns the opening handshake followed by these bytes.
fn upgraded(then: &[u8]) -> Vec<u8> {
    let request =
        b"GET /v1/realtime HTTP/1.1\r\nhost: relay\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\
        sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
        sec-websocket-protocol: sealwire.v1\r\n\r\n";
    [&request[..], then].concat()
}

/// Opens the maximum number of sessions and subscriptions of a connection, with filters.
async fn hoard(address: SocketAddr, token: String, number: usize) -> Option<TcpStream> {
    let (mut reader, mut writer) = try_handshake(address).await.ok()?.into_split();
    let reading = tokio::spawn(async move {
        let mut buffer = vec![0; 64 * 1024];
        while let Ok(Ok(1..)) = timeout(SIEGE, reader.read(&mut buffer)).await {}
        reader
    });
    for session in 0..32 {
        let select = (session > 0).then_some(ToRelay::Session(Session { number: session }));
        let hello = ToRelay::Hello(Hello { token: token.clone() });
        let subscriptions = (1..=256).map(|request| {
            let events = (0..8).map(|event| format!("event-{event}-{request}")).collect();
            let channel = Some(channel(&format!("{number}-{session}-{request}")));
            ToRelay::Subscribe(Subscribe { request, channel, since: None, events })
        });
        writer.write_all(&frames(select.into_iter().chain([hello]).chain(subscriptions))).await.ok()?;
    }
    let reader = reading.await.ok()?;
    reader.reunite(writer).ok()
}

/// Opens the clients that must stay connected, with a subscription each.
async fn healthy_clients(address: SocketAddr) -> Vec<LightClient> {
    let token = App::one().session("alice");
    let mut healthy = Vec::new();
    for _ in 0..HEALTHY {
        let mut client = LightClient::open(address, &token).await;
        client.subscribe("absences", None).await;
        healthy.push(client);
    }
    healthy
}

/// Returns the bytes that each connection of an attack sends, and the number of connections that stay open.
fn attacks(mallory: &App) -> [(usize, Vec<u8>); 7] {
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
    [
        (200, b"GET /v1/openapi.json HTTP/1.1\r\nhost: relay\r\n\r\n".repeat(300)),
        (600, b"POST /v1/stream HTTP/1.1\r\nhost: relay\r\ncontent-length: 0\r\n\r\n".to_vec()),
        (400, format!("GET / HTTP/1.1\r\nhost: relay\r\n{head}").into_bytes()),
        (300, upgraded(b"")),
        (300, upgraded(&[&unfinished[..], &[0; 140 * 1024 - 1]].concat())),
        (300, upgraded(&frames([hello, subscribe]))),
        (20, body.into_bytes()),
    ]
}

/// Starts all attacks. They go on until `over`.
fn start_attacks(address: SocketAddr, mallory: &App, over: &Arc<AtomicBool>) -> JoinSet<()> {
    let mut siege = JoinSet::new();
    for (at_once, bytes) in attacks(mallory) {
        siege.spawn(besiege(address, at_once, bytes.into(), over.clone()));
    }
    for number in 0..8 {
        let token = mallory.session(&format!("hoarder-{number}"));
        siege.spawn(async move { drop(hoard(address, token, number).await) });
    }
    siege
}

/// The clients that are active during the siege.
struct Besieged {
    bystanders: Bystanders,
    /// Publishes to the healthy clients.
    publisher: Client,
    /// Publishes to slow consumers.
    busy: Client,
}

impl Besieged {
    /// Publishes until the end of the siege. Returns the number of rounds, in each of which the healthy clients get a
    /// message, and the duration of the slowest.
    async fn hold_out(&mut self, relay: &RelayProcess) -> (usize, Duration) {
        let (begun, mut rounds, mut slowest) = (Instant::now(), 0, Duration::ZERO);
        let large = bytes::Bytes::from(vec![1; 60 * 1024]);
        while begun.elapsed() < SIEGE {
            // The relay may refuse these messages, which slow consumers do not read. It must not refuse those of other
            // clients.
            for _ in 0..5 {
                self.busy.try_publish(channel("busy"), "", large.clone(), rand_id()).await;
            }
            let before = Instant::now();
            self.bystanders.must_be_untouched().await;
            slowest = slowest.max(before.elapsed());
            self.publisher.publish("absences", "still there").await;
            rounds += 1;
            sleep(Duration::from_millis(50)).await;
            assert!(super::shedding::peak(relay.child.id()) < MAX_RESIDENT);
        }
        (rounds, slowest)
    }
}

/// Checks that each client got the message of every round.
async fn must_have_got_every_message(healthy: &mut [LightClient], rounds: usize) {
    for client in healthy {
        for _ in 0..rounds {
            match client.next().await {
                Received::Message(ToClient::Publication(_)) => {}
                _ => panic!("a well-behaved client was disconnected"),
            }
        }
    }
}

/// Checks that the relay shuts down cleanly.
async fn must_shut_down(relay: &mut RelayProcess) {
    let begun = Instant::now();
    relay.signal("TERM");
    let status = timeout(Duration::from_secs(40), ended(relay)).await.expect("the relay does not shut down");
    assert!(status.success(), "{status}");
    assert!(begun.elapsed() < Duration::from_secs(15), "it took {:?} to end", begun.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_small_relay_withstands_all_attacks_at_once_and_disconnects_no_well_behaved_client() {
    let _turn = CROWD_TURN.lock().await;
    rlimit::increase_nofile_limit(20_000).unwrap();
    let flags = ["--memory-bytes", "64MiB", "--log", "error", "--admin-listen", "127.0.0.1:0"];
    // All attackers belong to the other app.
    let mallory = App::new("ari:cloud:ecosystem::app/two", "two", 2);
    let mut relay = RelayProcess::start_for(&[App::one(), mallory.clone()], &[&flags[..], &CROWD].concat());
    let mut healthy = healthy_clients(relay.address).await;
    let mut besieged = Besieged {
        bystanders: Bystanders::on(&relay).await,
        publisher: Client::open(&relay, "bob").await,
        busy: Client::open_with(&relay, mallory.session("busy")).await,
    };
    let over = Arc::new(AtomicBool::new(false));
    let mut siege = start_attacks(relay.address, &mallory, &over);
    let (rounds, slowest) = besieged.hold_out(&relay).await;
    let scrape = Scrape::of(&relay).await;
    let value = |sample: &str| scrape.value(sample);
    println!(
        "{rounds} rounds, the slowest took {slowest:?}; at most {} MiB resident, {} connections shed, {} newcomers refused",
        super::shedding::peak(relay.child.id()) >> 20,
        value("sealwire_connections_shed_total"),
        value("sealwire_limit_refusals_total{limit=\"memory_bytes\"}"),
    );
    must_have_got_every_message(&mut healthy, rounds).await;
    assert!(super::shedding::peak(relay.child.id()) < MAX_RESIDENT);
    assert!(rounds >= 20, "publishing takes too long: {rounds} rounds");

    // The attacks continue during the shutdown.
    must_shut_down(&mut relay).await;
    over.store(true, Ordering::Relaxed);
    siege.abort_all();
}
