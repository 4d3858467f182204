//! Coming back after having been away.

use crate::support::{Client, RelayProcess};
use sealwire_protocol::wire::{Position, Since};
use std::time::Duration;

#[tokio::test]
async fn a_client_that_was_away_gets_what_it_missed_once_and_in_order() {
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
    let position = Position { epoch: start.epoch, offset: seen.offset };
    let subscribed = subscriber.subscribe_since("absences", Some(Since::Position(position))).await;
    assert!(subscribed.recovered);
    assert_eq!(subscribed.position, Some(position));
    publisher.publish("absences", "d").await;
    let mut previous = position.offset;
    for text in ["a", "b", "c", "d"] {
        let publication = subscriber.publication().await;
        assert_eq!(publication.previous_offset, previous);
        assert_eq!(&publication.sealed[64..], text.as_bytes());
        previous = publication.offset;
    }
    assert!(subscriber.is_quiet().await);
}

#[tokio::test]
async fn a_client_that_was_away_for_longer_than_the_window_is_told_of_the_gap() {
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
async fn a_restarted_relay_admits_that_it_knows_nothing_of_before() {
    let relay = RelayProcess::start(&[]);
    let mut client = Client::open(&relay, "bob").await;
    let position = client.subscribe_since("absences", None).await.position.unwrap();
    drop(relay);
    let relay = RelayProcess::start(&[]);
    let mut client = Client::open(&relay, "bob").await;
    let subscribed = client.subscribe_since("absences", Some(Since::Position(position))).await;
    assert!(!subscribed.recovered);
    assert_ne!(subscribed.position.unwrap().epoch, position.epoch);
    // Nor can it say what the last seconds brought.
    let subscribed = client.subscribe_since("rotation", Some(Since::ReplaySeconds(30))).await;
    assert!(!subscribed.recovered);
}

#[tokio::test]
async fn the_last_seconds_can_be_replayed() {
    let relay = RelayProcess::start(&[]);
    let mut publisher = Client::open(&relay, "alice").await;
    tokio::time::sleep(Duration::from_millis(1100)).await;
    publisher.publish("absences", "recent").await;
    let mut subscriber = Client::open(&relay, "bob").await;
    let subscribed = subscriber.subscribe_since("absences", Some(Since::ReplaySeconds(1))).await;
    assert!(subscribed.recovered);
    assert_eq!(subscriber.text().await, "recent");
}
