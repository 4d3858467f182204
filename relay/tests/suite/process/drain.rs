//! Draining: the shutdown of a relay with clients, and a second relay to which they move.

use crate::support::{
    App, CROWD, CROWD_TURN, Client, Description, LightClient, Received, RelayProcess, Scrape, channel, ended,
    numbered, post, rand_id, request, sealed,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use sealwire_protocol::{
    Code, encode_base64url,
    wire::{Position, Publication, ToClient},
};
use serde_json::json;
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{sync::Semaphore, task::JoinSet, time::sleep};

const CLIENTS: usize = 10_000;
const CHANNELS: usize = 100;
/// The number of publishers, each on a different channel.
const PUBLISHERS: usize = 10;
/// Messages that a publisher sends before it reads the acknowledgements.
const BURST: u32 = 5;
const WINDOW: Duration = Duration::from_secs(8);

/// The state that the clients share.
struct Stage {
    old: std::net::SocketAddr,
    new: std::net::SocketAddr,
    token: String,
    /// Bounds the number of concurrent handshakes.
    opening: Semaphore,
    /// The numbers of clients that are subscribed at the old and at the new relay.
    subscribed: [AtomicUsize; 2],
    /// The offset of the newest message of each publisher that the old relay acknowledged.
    acknowledged: [AtomicU64; PUBLISHERS],
}

impl Stage {
    fn of(old: &RelayProcess, new: &RelayProcess) -> Arc<Self> {
        Arc::new(Self {
            old: old.address,
            new: new.address,
            token: App::one().session("alice"),
            opening: Semaphore::new(64),
            subscribed: Default::default(),
            acknowledged: Default::default(),
        })
    }

    async fn open(&self, address: std::net::SocketAddr) -> LightClient {
        let _turn = self.opening.acquire().await.unwrap();
        LightClient::open(address, &self.token).await
    }

    async fn until(&self, relay: usize) {
        while self.subscribed[relay].load(Ordering::Relaxed) < CLIENTS {
            sleep(Duration::from_millis(10)).await;
        }
    }

    /// Subscribes at the old relay until its goodbye, and then at the new one. Returns the channel and the offset of
    /// the last message from the old relay.
    async fn subscriber(self: Arc<Self>, number: usize) -> (usize, u64) {
        let name = format!("channel-{}", number % CHANNELS);
        let mut client = self.open(self.old).await;
        let mut at = client.subscribe(&name, None).await.position.unwrap();
        self.subscribed[0].fetch_add(1, Ordering::Relaxed);
        let goodbye = loop {
            match client.next().await {
                Received::Message(ToClient::Publication(publication)) => follow(&mut at, &publication),
                Received::Goodbye(goodbye) => break goodbye,
                _ => panic!("the connection ended without a goodbye"),
            }
        };
        drop(client);
        assert_eq!(Code::from_number(goodbye.code), Some(Code::ShuttingDown));
        sleep(Duration::from_millis(goodbye.reconnect_after_ms.into())).await;

        let mut client = self.open(self.new).await;
        let subscribed = client.subscribe(&name, Some(at)).await;
        let mut now_at = subscribed.position.unwrap();
        // The new relay does not claim to have the messages of the old one.
        assert!(!subscribed.recovered && now_at.epoch != at.epoch);
        self.subscribed[1].fetch_add(1, Ordering::Relaxed);
        match client.next().await {
            Received::Message(ToClient::Publication(publication)) => follow(&mut now_at, &publication),
            _ => panic!("a client got no message from the new relay"),
        }
        (number % CHANNELS, at.offset)
    }

    /// Publishes at the old relay until its goodbye. Returns the number of the last acknowledged message, and the
    /// numbers of the messages to send again.
    async fn publisher(self: Arc<Self>, publisher: usize) -> (u32, Vec<u32>) {
        let name = format!("channel-{publisher}");
        let mut client = self.open(self.old).await;
        let mut acknowledged = 0;
        loop {
            let numbers: Vec<u32> = (acknowledged + 1..=acknowledged + BURST).collect();
            let burst: Vec<_> = numbers.iter().map(|number| numbered(&name, publisher, *number)).collect();
            client.send(&burst).await;
            for number in &numbers {
                match client.next().await {
                    Received::Message(ToClient::Published(published)) => {
                        assert_eq!(published.request, *number);
                        acknowledged = *number;
                        self.acknowledged[publisher]
                            .store(published.position.unwrap().offset, Ordering::Relaxed);
                    }
                    Received::Goodbye(_) => {
                        return (acknowledged, (*number..=*numbers.last().unwrap()).collect());
                    }
                    _ => panic!("the publisher got neither an acknowledgement nor a goodbye"),
                }
            }
            sleep(Duration::from_millis(50)).await;
        }
    }
}

/// Waits until the relay has told every publisher to leave. Returns the number of messages that it acknowledged.
async fn acknowledged_in_total(mut publishers: JoinSet<(u32, Vec<u32>)>) -> u32 {
    let mut taken = 0;
    while let Some(publisher) = publishers.join_next().await {
        let (acknowledged, unanswered) = publisher.unwrap();
        assert!(!unanswered.is_empty());
        taken += acknowledged;
    }
    taken
}

/// Checks that every client moved, and that none lost an acknowledged message of its channel.
async fn must_have_lost_nothing(stage: &Stage, mut subscribers: JoinSet<(usize, u64)>) {
    let mut moved = 0;
    while let Some(subscriber) = subscribers.join_next().await {
        let (channel, last) = subscriber.unwrap();
        if let Some(acknowledged) = stage.acknowledged.get(channel) {
            assert!(last >= acknowledged.load(Ordering::Relaxed), "an acknowledged message is lost");
        }
        moved += 1;
    }
    assert_eq!(moved, CLIENTS);
}

fn follow(at: &mut Position, publication: &Publication) {
    assert_eq!(publication.previous_offset, at.offset, "a message is missing");
    (at.offset, at.time_ms) = (publication.offset, publication.time_ms);
}

/// Checks that a draining relay refuses new clients and requests, and says so.
async fn must_refuse_new_clients(relay: &RelayProcess) {
    for address in [relay.address, relay.admin()] {
        let answer = request(address, "GET", "/readyz", "", "").await;
        if address == relay.address {
            Description::read().check("GET", "/readyz", &answer);
        }
        assert_eq!((answer.status, answer.body), (503, json!({ "status": "draining" })));
        assert_eq!(request(address, "GET", "/healthz", "", "").await.status, 200);
    }
    let upgrade = "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
        sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-protocol: sealwire.v1\r\n";
    let answer = request(relay.address, "GET", "/v1/realtime", upgrade, "").await;
    assert_eq!((answer.status, answer.code()), (503, "SHUTTING_DOWN"));
    assert!(answer.body["error"]["retryAfterMs"].is_number());
    let message = json!({
        "channel": "channel-0",
        "scope": { "dashboard": "10001", "module": "absences" },
        "sealed": STANDARD.encode(sealed("")),
        "id": encode_base64url(rand_id()),
    });
    let batch = json!({ "messages": [message] }).to_string();
    let answer = post(relay.address, &App::one().backend(), &batch).await;
    assert_eq!(answer.body["results"][0]["error"]["code"], "SHUTTING_DOWN", "{answer:?}");
}

/// Starts a relay with a client that has stopped reading, so that the goodbye cannot be delivered.
async fn relay_with_a_client_that_does_not_read(flags: &[&str]) -> (RelayProcess, LightClient) {
    let relay = RelayProcess::start(flags);
    let mut stuck = LightClient::open(relay.address, &App::one().session("mallory")).await;
    stuck.subscribe("absences", None).await;
    let mut publisher = Client::open(&relay, "alice").await;
    for _ in 0..100 {
        let large = bytes::Bytes::from(vec![1; 100 * 1024]);
        publisher.try_publish(channel("absences"), "", large, rand_id()).await;
    }
    (relay, stuck)
}

#[tokio::test]
async fn the_drain_deadline_disconnects_the_remaining_clients() {
    let flags = ["--queue-bytes", "64MiB", "--drain-window", "0s", "--drain-deadline", "500ms"];
    let (mut relay, _stuck) = relay_with_a_client_that_does_not_read(&flags).await;
    let told = Instant::now();
    relay.signal("TERM");
    assert!(ended(&mut relay).await.success());
    assert!((500..5000).contains(&told.elapsed().as_millis()), "{:?}", told.elapsed());
    relay.log_with("cutting off the remaining clients left=").await;
}

#[tokio::test]
async fn a_second_signal_ends_a_drain_immediately() {
    let (mut relay, _stuck) = relay_with_a_client_that_does_not_read(&["--queue-bytes", "64MiB"]).await;
    relay.signal("TERM");
    relay.log_with("draining").await;
    let told = Instant::now();
    relay.signal("INT");
    assert!(ended(&mut relay).await.success());
    assert!(told.elapsed() < Duration::from_secs(5), "{:?}", told.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_clients_move_to_another_relay_within_the_drain_window_without_losing_an_acknowledged_message()
 {
    let _turn = CROWD_TURN.lock().await;
    rlimit::increase_nofile_limit(2 * CLIENTS as u64).unwrap();
    let window = format!("{}s", WINDOW.as_secs());
    let flags = ["--log", "error", "--drain-window", &window, "--admin-listen", "127.0.0.1:0"];
    let old = [&flags[..], &CROWD[..]].concat();
    let new = [&["--log", "error"], &CROWD[..]].concat();
    let (mut old, new) = (RelayProcess::start(&old), RelayProcess::start(&new));
    let stage = Stage::of(&old, &new);
    let begun = Instant::now();
    let (mut subscribers, mut publishers) = (JoinSet::new(), JoinSet::new());
    (0..CLIENTS).for_each(|number| drop(subscribers.spawn(stage.clone().subscriber(number))));
    stage.until(0).await;
    (0..PUBLISHERS).for_each(|number| drop(publishers.spawn(stage.clone().publisher(number))));
    println!("{CLIENTS} clients after {:?}", begun.elapsed());
    Scrape::until(&old, "sealwire_connections", (CLIENTS + PUBLISHERS) as f64).await;
    while stage.acknowledged.iter().any(|offset| offset.load(Ordering::Relaxed) < 100) {
        sleep(Duration::from_millis(10)).await;
    }

    let told = Instant::now();
    old.signal("TERM");
    let taken = acknowledged_in_total(publishers).await;
    println!("{taken} messages acknowledged; the publishers were told after {:?}", told.elapsed());
    must_refuse_new_clients(&old).await;
    let draining = Scrape::of(&old).await;
    assert_eq!(draining.value("sealwire_draining"), 1.0);
    assert_eq!(f64::from(taken), draining.value("sealwire_publications_total"));

    let status = tokio::time::timeout(WINDOW + Duration::from_secs(20), ended(&mut old)).await.unwrap();
    let took = told.elapsed();
    assert!(status.success());
    stage.until(1).await;
    println!("the old relay ended after {took:?}; everybody was elsewhere after {:?}", told.elapsed());
    assert!(took < WINDOW + Duration::from_secs(3), "{took:?}");

    // All clients get the next messages at the new relay.
    let mut publisher = Client::open(&new, "bob").await;
    for number in 0..CHANNELS {
        publisher.publish(&format!("channel-{number}"), "").await;
    }
    must_have_lost_nothing(&stage, subscribers).await;
}
