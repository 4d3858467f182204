//! Two clients that mind their own business while somebody misbehaves.

use crate::support::{Client, RelayProcess};

/// A pair of which one publishes to the other.
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

    /// A message goes through, next after the one before.
    pub async fn must_be_untouched(&mut self) {
        self.sent += 1;
        let text = format!("message {}", self.sent);
        self.publisher.publish("bystanders", &text).await;
        assert_eq!(self.subscriber.text().await, text);
    }
}
