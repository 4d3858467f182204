//! Many clients that connect, disconnect and publish at the same time.

use crate::support::{Client, RelayProcess};
use sealwire_protocol::wire::{Position, Since};
use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

const PUBLISHERS: usize = 4;
const MESSAGES: usize = 150;
const SUBSCRIBERS: usize = 6;

/// Reads `count` messages. After every `stamina` messages, the client disconnects and resumes.
async fn subscriber(
    relay: Arc<RelayProcess>,
    ready: Arc<AtomicBool>,
    stamina: usize,
    count: usize,
) -> Vec<String> {
    let mut texts = Vec::new();
    let mut position: Option<Position> = None;
    while texts.len() < count {
        let mut client = Client::open(&relay, "bob").await;
        let subscribed = client.subscribe_since("busy", position.map(Since::Position)).await;
        assert_eq!(subscribed.recovered, position.is_some());
        let mut current = subscribed.position.unwrap();
        assert!(position.is_none_or(|position| position == current));
        position = Some(current);
        ready.store(true, Ordering::Release);
        for _ in 0..stamina.min(count - texts.len()) {
            let publication = client.publication().await;
            assert_eq!(publication.previous_offset, current.offset, "a message was lost or repeated");
            (current.offset, current.time_ms) = (publication.offset, publication.time_ms);
            position = Some(current);
            texts.push(String::from_utf8(publication.sealed[80..].to_vec()).unwrap());
        }
    }
    texts
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_message_is_lost_or_repeated_while_clients_disconnect_and_resume() {
    let relay = Arc::new(RelayProcess::start(&[]));
    let mut subscribers = Vec::new();
    for number in 0..SUBSCRIBERS {
        let ready = Arc::new(AtomicBool::new(false));
        let task = subscriber(relay.clone(), ready.clone(), 3 + 10 * number, PUBLISHERS * MESSAGES);
        subscribers.push(tokio::spawn(task));
        while !ready.load(Ordering::Acquire) {
            tokio::task::yield_now().await;
        }
    }
    let mut publishers = Vec::new();
    for publisher in 0..PUBLISHERS {
        let relay = relay.clone();
        publishers.push(tokio::spawn(async move {
            let mut client = Client::open(&relay, "alice").await;
            for message in 0..MESSAGES {
                client.publish("busy", &format!("{publisher}-{message}")).await;
            }
        }));
    }
    for publisher in publishers {
        publisher.await.unwrap();
    }
    let mut orders = BTreeSet::new();
    for subscriber in subscribers {
        let texts = subscriber.await.unwrap();
        assert_eq!(texts.iter().collect::<BTreeSet<_>>().len(), PUBLISHERS * MESSAGES);
        orders.insert(texts);
    }
    assert_eq!(orders.len(), 1, "subscribers saw different orders");
}

#[tokio::test]
async fn a_publisher_gets_its_acknowledgement_before_its_own_message() {
    let relay = RelayProcess::start(&[]);
    let mut client = Client::open(&relay, "alice").await;
    client.subscribe("absences").await;
    for message in 0..300 {
        // This call fails if any other message comes before the acknowledgement.
        client.publish("absences", &message.to_string()).await;
        assert_eq!(client.text().await, message.to_string());
    }
}
