//! Two well-behaved clients, with which tests check that a misbehaving client disturbs no others.

use crate::support::{Client, RelayProcess};
use std::pin::pin;

/// A publisher and its subscriber.
pub struct Bystanders {
    publisher: Client,
    subscriber: Client,
    sent: u32,
}

impl Bystanders {
    pub async fn on(relay: &RelayProcess) -> Self {
        let publisher = Client::open(relay, "bystander-1").await;
        let mut subscriber = Client::open(relay, "bystander-2").await;
        subscriber.subscribe("bystanders").await;
        Self { publisher, subscriber, sent: 0 }
    }

    /// Lets both clients read until `attack` ends, so that they answer the heartbeats of the relay. Neither may get a
    /// message or be disconnected meanwhile.
    pub async fn read_during<T>(&mut self, attack: impl Future<Output = T>) -> T {
        let mut attack = pin!(attack);
        loop {
            tokio::select! {
                outcome = &mut attack => return outcome,
                quiet = self.are_quiet() => assert!(quiet, "a bystander got a message or was disconnected"),
            }
        }
    }

    async fn are_quiet(&mut self) -> bool {
        let (publisher, subscriber) = tokio::join!(self.publisher.is_quiet(), self.subscriber.is_quiet());
        publisher && subscriber
    }

    /// Publishes a message, which must be the next one that the subscriber gets.
    pub async fn must_be_untouched(&mut self) {
        self.sent += 1;
        let text = format!("message {}", self.sent);
        self.publisher.publish("bystanders", &text).await;
        assert_eq!(self.subscriber.text().await, text);
    }
}
