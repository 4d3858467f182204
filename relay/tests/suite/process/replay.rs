//! Resuming a subscription after a disconnection.

use crate::support::{App, CROWD, Client, RelayProcess, channel, rand_id, sealed};
use sealwire_protocol::wire::{Position, Since, ToClient};
use std::time::Duration;

#[tokio::test]
async fn a_resumed_subscription_gets_the_missed_messages_once_and_in_order() {
    let relay = RelayProcess::start(&[]);
    let mut publisher = Client::open(&relay, "alice").await;
    let mut subscriber = Client::open(&relay, "bob").await;
    let start = subscriber.subscribe_since("absences", None).await.position.unwrap();
    publisher.publish("absences", "seen").await;
    let seen = subscriber.publication().await;
    assert_eq!(seen.previous_offset, start.offset);
    drop(subscriber);
    for text in ["a", "b", "c"] {
        publisher.publish("absences", text).await;
    }

    let mut subscriber = Client::open(&relay, "bob").await;
    let position = Position { offset: seen.offset, time_ms: seen.time_ms, ..start };
    let subscribed = subscriber.subscribe_since("absences", Some(Since::Position(position))).await;
    assert!(subscribed.recovered);
    assert_eq!(subscribed.position, Some(position));
    publisher.publish("absences", "d").await;
    let mut previous = position.offset;
    for text in ["a", "b", "c", "d"] {
        let publication = subscriber.publication().await;
        assert_eq!(publication.previous_offset, previous);
        assert_eq!(&publication.sealed[80..], text.as_bytes());
        previous = publication.offset;
    }
    assert!(subscriber.is_quiet().await);
}

#[tokio::test]
async fn a_subscription_resumed_after_the_replay_window_is_not_recovered() {
    let relay = RelayProcess::start(&["--replay-window", "300ms"]);
    let mut publisher = Client::open(&relay, "alice").await;
    let mut subscriber = Client::open(&relay, "bob").await;
    let position = subscriber.subscribe_since("absences", None).await.position.unwrap();
    drop(subscriber);
    publisher.publish("absences", "lost").await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    let kept = publisher.publish("absences", "kept").await;

    let mut subscriber = Client::open(&relay, "bob").await;
    let subscribed = subscriber.subscribe_since("absences", Some(Since::Position(position))).await;
    assert!(!subscribed.recovered);
    let publication = subscriber.publication().await;
    assert_eq!(publication.offset, kept.position.unwrap().offset);
    assert_eq!(publication.previous_offset, subscribed.position.unwrap().offset);
    assert!(publication.previous_offset > position.offset);
}

#[tokio::test]
async fn a_restarted_relay_does_not_claim_recovery() {
    let relay = RelayProcess::start(&[]);
    let mut client = Client::open(&relay, "bob").await;
    let position = client.subscribe_since("absences", None).await.position.unwrap();
    drop(relay);
    let relay = RelayProcess::start(&[]);
    let mut client = Client::open(&relay, "bob").await;
    let subscribed = client.subscribe_since("absences", Some(Since::Position(position))).await;
    assert!(!subscribed.recovered);
    assert_ne!(subscribed.position.unwrap().epoch, position.epoch);
    // It cannot replay past seconds either.
    let subscribed = client.subscribe_since("rotation", Some(Since::ReplaySeconds(30))).await;
    assert!(!subscribed.recovered);
}

#[tokio::test]
async fn past_seconds_can_be_replayed() {
    let relay = RelayProcess::start(&[]);
    let mut publisher = Client::open(&relay, "alice").await;
    tokio::time::sleep(Duration::from_millis(1100)).await;
    publisher.publish("absences", "recent").await;
    let mut subscriber = Client::open(&relay, "bob").await;
    let subscribed = subscriber.subscribe_since("absences", Some(Since::ReplaySeconds(1))).await;
    assert!(subscribed.recovered);
    assert_eq!(subscriber.text().await, "recent");
}

#[tokio::test]
async fn an_app_that_fills_the_cache_does_not_shorten_the_replay_of_another() {
    let two = App::new("ari:cloud:ecosystem::app/two", "two", 2);
    let relay = RelayProcess::start_for(&[App::one(), two.clone()], &["--replay-bytes", "4MiB"]);
    let mut client = Client::open(&relay, "alice").await;
    let position = client.subscribe_since("absences", None).await.position.unwrap();
    let mut publisher = Client::open(&relay, "alice").await;
    for text in ["a", "b", "c"] {
        publisher.publish("absences", text).await;
    }
    let mut neighbour = Client::open_with(&relay, two.session("alice")).await;
    for _ in 0..100 {
        let large = vec![1; 100 * 1024].into();
        let answer = neighbour.try_publish(channel("absences"), "", large, rand_id()).await;
        assert!(matches!(answer, ToClient::Published(_)), "{answer:?}");
    }
    let mut returning = Client::open(&relay, "bob").await;
    let subscribed = returning.subscribe_since("absences", Some(Since::Position(position))).await;
    assert!(subscribed.recovered);
    for text in ["a", "b", "c"] {
        assert_eq!(returning.text().await, text);
    }
}

#[tokio::test]
async fn a_long_replay_is_followed_by_the_messages_published_meanwhile() {
    let relay = RelayProcess::start(&CROWD);
    let mut publisher = Client::open(&relay, "alice").await;
    let start = publisher.subscribe_since("other", None).await.position.unwrap();
    for number in 0..300 {
        let sealed = [&sealed("")[..], &[number as u8; 10_000]].concat().into();
        let answer = publisher.try_publish(channel("absences"), "", sealed, rand_id()).await;
        assert!(matches!(answer, ToClient::Published(_)), "{answer:?}");
    }
    // The replay is far larger than one turn and the socket buffers, and the reader does not read yet.
    let mut reader = Client::open(&relay, "bob").await;
    let subscribed = reader.subscribe_since("absences", Some(Since::Position(start))).await;
    assert!(subscribed.recovered);
    for number in 0..50 {
        publisher.publish("absences", &number.to_string()).await;
    }
    let mut previous = start.offset;
    for number in 0..350 {
        let publication = reader.publication().await;
        assert!(number == 0 || publication.previous_offset == previous, "{number}");
        assert_eq!(publication.sealed.len() > 1000, number < 300);
        previous = publication.offset;
    }
}
