//! Load shedding: more slow consumers than the relay has memory for.

use crate::support::{
    App, CROWD, CROWD_TURN, Client, LightClient, Received, RelayProcess, Scrape, channel, rand_id,
    try_handshake,
};
use sealwire_protocol::{
    Code,
    wire::{BATCHED_SUBPROTOCOL, Hello, Publish, ToClient, ToRelay},
};
use socket2::{Domain, Socket, Type};
use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{
    io::AsyncWriteExt as _,
    net::{TcpSocket, TcpStream},
    sync::Semaphore,
    task::JoinSet,
    time::timeout,
};

const SLOW: usize = 10_000;
const CHANNELS: usize = 1000;
const PUBLISHERS: usize = 4;
/// The number of clients that read. Each shares its channel with ten slow consumers.
const READERS: usize = 100;
const MESSAGES: usize = 20;
/// The length of a message in bytes. Two messages make a batch.
const MESSAGE: usize = 30_000;
/// The maximum resident memory of the relay.
const LIMIT: usize = 512 * 1024 * 1024;
const TIMEOUT: Duration = Duration::from_secs(100);

/// Returns the peak resident memory of a process, in bytes.
pub(super) fn peak(process: u32) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() * 1024
}

/// Opens a connection with the smallest possible segments and receive window, so that its buffers hold almost nothing.
async fn narrow(address: SocketAddr) -> TcpStream {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.set_tcp_mss(536).unwrap();
    socket.set_recv_buffer_size(2048).unwrap();
    socket.set_nonblocking(true).unwrap();
    TcpSocket::from_std_stream(socket.into()).connect(address).await.unwrap()
}

fn name(channel: usize) -> String {
    format!("channel-{channel}")
}

/// Publishes to every `PUBLISHERS`th channel and reads the acknowledgements.
async fn publisher(address: SocketAddr, token: String, number: usize) {
    let mut client = LightClient::open(address, &token).await;
    for _ in 0..MESSAGES {
        for on in (number..CHANNELS).step_by(PUBLISHERS) {
            let sealed = vec![1; MESSAGE].into();
            let (request, channel) = (1, Some(channel(&name(on))));
            let id = rand_id().to_vec().into();
            client
                .send_large(&ToRelay::Publish(Publish {
                    request,
                    channel,
                    sealed,
                    id,
                    event: String::new(),
                    follows: 0,
                    content: Default::default(),
                }))
                .await;
            match client.next().await {
                Received::Message(ToClient::Published(_)) => {}
                Received::Message(other) => panic!("{other:?}"),
                _ => panic!("the publisher was disconnected"),
            }
        }
    }
}

/// Reads the messages of a channel, all of which must arrive in order.
async fn reader(mut client: LightClient, mut at: u64) {
    for _ in 0..MESSAGES {
        match client.next().await {
            Received::Message(ToClient::Publication(publication)) => {
                assert_eq!(publication.previous_offset, at, "a message is missing");
                assert_eq!(publication.sealed.len(), MESSAGE);
                at = publication.offset;
            }
            Received::Message(other) => panic!("{other:?}"),
            _ => panic!("a client that reads was disconnected"),
        }
    }
}

/// Starts a relay in which no single queue can reach its limit, so that only the total limit applies.
fn relay_with_large_queues() -> RelayProcess {
    let flags = [
        "--memory-bytes",
        "512MiB",
        "--queue-bytes",
        "64MiB",
        "--log",
        "warn,audit=off",
        "--heartbeat",
        "60s",
        "--admin-listen",
        "127.0.0.1:0",
    ];
    let rates = ["--byte-rate", "64GiB", "--byte-burst", "64GiB"];
    RelayProcess::start(&[&flags[..], &rates, &CROWD].concat())
}

/// Opens the slow consumers, which subscribe and then read nothing.
async fn slow_consumers(address: SocketAddr, token: &str) -> Vec<LightClient> {
    let opening = Arc::new(Semaphore::new(64));
    let subscribed = Arc::new(AtomicUsize::new(0));
    let mut tasks = JoinSet::new();
    for number in 0..SLOW {
        let (opening, token, subscribed) = (opening.clone(), token.to_owned(), subscribed.clone());
        tasks.spawn(async move {
            let _turn = opening.acquire().await.unwrap();
            let mut client = LightClient::open_over(narrow(address).await, BATCHED_SUBPROTOCOL, &token).await;
            client.subscribe(&name(number % CHANNELS), None).await;
            subscribed.fetch_add(1, Ordering::Relaxed);
            client
        });
    }
    let slow = tasks.join_all().await;
    assert_eq!(subscribed.load(Ordering::Relaxed), SLOW);
    slow
}

/// Opens the clients that read. Their tasks end after the last message.
async fn start_readers(address: SocketAddr, token: &str) -> JoinSet<()> {
    let mut readers = JoinSet::new();
    for on in 0..READERS {
        let mut client = LightClient::open(address, token).await;
        let at = client.subscribe(&name(on), None).await.position.unwrap().offset;
        readers.spawn(reader(client, at));
    }
    readers
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_slow_consumers_stay_within_the_memory_budget_and_other_clients_lose_nothing() {
    let _turn = CROWD_TURN.lock().await;
    rlimit::increase_nofile_limit(2 * SLOW as u64).unwrap();
    let relay = relay_with_large_queues();
    let (address, token) = (relay.address, App::one().session("alice"));
    let begun = Instant::now();
    let slow = slow_consumers(address, &token).await;
    let readers = start_readers(address, &token).await;
    println!(
        "{SLOW} clients that do not read after {:?}, {} MiB",
        begun.elapsed(),
        peak(relay.child.id()) >> 20
    );

    let published = CHANNELS * MESSAGES * MESSAGE;
    assert!(published > LIMIT, "the published messages must not fit into the memory");
    let mut publishers = JoinSet::new();
    (0..PUBLISHERS).for_each(|number| drop(publishers.spawn(publisher(address, token.clone(), number))));
    let published_all = timeout(TIMEOUT, publishers.join_all()).await;
    assert!(
        published_all.is_ok(),
        "publishing takes too long\n{} {}",
        peak(relay.child.id()) >> 20,
        relay.log()
    );
    timeout(TIMEOUT, readers.join_all()).await.expect("a client that reads was delayed");

    let (peak, scrape) = (peak(relay.child.id()), Scrape::of(&relay).await);
    println!(
        "{} MiB published after {:?}; at most {} MiB were resident, {} connections were shed",
        published >> 20,
        begun.elapsed(),
        peak >> 20,
        scrape.value("sealwire_connections_shed_total"),
    );
    assert!(peak < LIMIT, "{} MiB", peak >> 20);
    assert!(scrape.value("sealwire_connections_shed_total") > 0.0);
    assert!(scrape.value("sealwire_memory_evicted_bytes_total") > 0.0);
    drop(slow);
    Client::open(&relay, "bob").await.publish("absences", "and the relay goes on").await;
}

#[tokio::test]
async fn the_client_that_holds_most_memory_is_shed_first_with_a_reconnect_delay() {
    let flags = ["--memory-bytes", "64MiB", "--replay-bytes", "8MiB", "--queue-bytes", "256MiB"];
    let relay =
        RelayProcess::start(&[&flags[..], &["--byte-rate", "64GiB", "--byte-burst", "64GiB"]].concat());
    let mut publisher = Client::open(&relay, "alice").await;
    let mut reader = Client::open(&relay, "bob").await;
    let mut slow = Client::open(&relay, "carol").await;
    slow.subscribe("absences").await;
    reader.subscribe("absences").await;
    let large = bytes::Bytes::from(vec![1; 128 * 1024]);
    // This is more than the buffers of both ends and the memory budget hold.
    for _ in 0..600 {
        match publisher.try_publish(channel("absences"), "", large.clone(), rand_id()).await {
            ToClient::Published(_) => {}
            other => panic!("{other:?}"),
        }
        assert_eq!(reader.publication().await.sealed.len(), large.len());
    }
    let farewell = slow.must_end_with(Code::SlowConsumer).await;
    assert!(farewell.goodbye.unwrap().reconnect_after_ms > 0);
    assert!(peak(relay.child.id()) < 128 * 1024 * 1024);
    publisher.publish("absences", "undisturbed").await;
}

#[tokio::test]
async fn a_replay_cache_larger_than_the_memory_budget_yields_to_publications_and_new_clients() {
    // The default of replay_bytes is four times as much.
    let flags = ["--memory-bytes", "64MiB", "--log", "error", "--admin-listen", "127.0.0.1:0"];
    let rates = ["--byte-rate", "64GiB", "--byte-burst", "64GiB"];
    let relay = RelayProcess::start(&[&flags[..], &rates].concat());
    let mut publisher = Client::open(&relay, "alice").await;
    let large = bytes::Bytes::from(vec![1; 128 * 1024]);
    for number in 0..800 {
        match publisher.try_publish(channel("absences"), "", large.clone(), rand_id()).await {
            ToClient::Published(_) => {}
            other => panic!("{other:?}"),
        }
        if number % 50 == 0 {
            Client::open(&relay, "bob").await;
        }
    }
    let scrape = Scrape::of(&relay).await;
    assert!(scrape.value("sealwire_memory_evicted_bytes_total") > 30_000_000.0);
    assert_eq!(scrape.value("sealwire_connections_shed_total"), 0.0);
}

#[tokio::test]
async fn unfinished_messages_do_not_exhaust_the_memory() {
    let relay = RelayProcess::start(&[&["--memory-bytes", "64MiB", "--log", "error"][..], &CROWD].concat());
    let hello = ToRelay::Hello(Hello { token: App::one().session("mallory") }).to_bytes();
    let mut bystander = Client::open(&relay, "bob").await;
    let (mut streams, mut refused) = (Vec::new(), 0);
    for _ in 0..600 {
        // The relay refuses new clients when it has no memory for them.
        let Ok(mut stream) = try_handshake(relay.address).await else {
            refused += 1;
            continue;
        };
        let mut sent = crate::support::masked(0x82, &hello);
        // A frame of 140 KiB that lacks its last byte.
        sent.extend([0x82, 0xff, 0, 0, 0, 0, 0, 2, 0x30, 0, 0, 0, 0, 0]);
        sent.resize(sent.len() + 140 * 1024 - 1, 0);
        let _ = stream.write_all(&sent).await;
        streams.push(stream);
    }
    assert!(peak(relay.child.id()) < 96 * 1024 * 1024, "{} MiB", peak(relay.child.id()) >> 20);
    assert!(refused > 0 && streams.len() > 100, "{refused} were refused, {} admitted", streams.len());
    bystander.publish("absences", "undisturbed").await;
    // The relay disconnects clients with unfinished messages in favour of new clients.
    let begun = Instant::now();
    while try_handshake(relay.address).await.is_err() {
        assert!(begun.elapsed() < Duration::from_secs(20), "the relay admits no client any more");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn unfinished_bodies_do_not_exhaust_the_memory() {
    let flags = ["--memory-bytes", "64MiB", "--body-timeout", "60s", "--log", "error"];
    let relay = RelayProcess::start(&[&flags[..], &CROWD].concat());
    let mut bystander = Client::open(&relay, "bob").await;
    let head = format!(
        "POST /v1/publish HTTP/1.1\r\nhost: relay\r\nauthorization: Bearer {}\r\n\
         content-type: application/json\r\ncontent-length: 2000000\r\n\r\n",
        App::one().backend()
    );
    let body = [head.as_bytes(), &vec![b' '; 1_900_000]].concat();
    let mut streams = Vec::new();
    for _ in 0..100 {
        let mut stream = TcpStream::connect(relay.address).await.unwrap();
        let _ = timeout(Duration::from_secs(5), stream.write_all(&body)).await;
        streams.push(stream);
    }
    assert!(peak(relay.child.id()) < 112 * 1024 * 1024, "{} MiB", peak(relay.child.id()) >> 20);
    bystander.try_publish(channel("absences"), "", vec![1; 80].into(), rand_id()).await;
    drop(streams);
}
