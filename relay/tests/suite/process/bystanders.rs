//! Two well-behaved clients, with which tests check that a misbehaving client disturbs no others.

use crate::support::{Client, RelayProcess};

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

    /// Publishes a message, which must be the next one that the subscriber gets.
    pub async fn must_be_untouched(&mut self) {
        self.sent += 1;
        let text = format!("message {}", self.sent);
        self.publisher.publish("bystanders", &text).await;
        assert_eq!(self.subscriber.text().await, text);
    }
}
