//! The calls of the app: they wait for the client's task, and events arrive in a queue for each subscription.

use crate::{
    exchange::{Command, Incoming, Sessions},
    task::Task,
};
use sealwire_client::{ChannelSpec, ClientError, Receipt, SubscriptionId};
use tokio::sync::{mpsc, oneshot};

/// A connection to a relay, shared by all of its clones. It ends with the last of them and the last subscription.
#[derive(Clone)]
pub(crate) struct Realtime {
    commands: mpsc::UnboundedSender<Command>,
}

/// A confirmed subscription. Dropping it unsubscribes.
pub(crate) struct Subscription {
    id: SubscriptionId,
    events: mpsc::UnboundedReceiver<Incoming>,
    commands: mpsc::UnboundedSender<Command>,
}

/// The confirmed presence of a channel. Dropping it leaves.
pub(crate) struct Presence {
    subscription: Subscription,
    realtime: Realtime,
}

impl Realtime {
    /// Starts the client as a task of the current runtime. It connects with the first subscription or publication.
    pub(crate) fn start(sessions: Sessions) -> Self {
        let (commands, received) = mpsc::unbounded_channel();
        tokio::spawn(Task::new(sessions).run(received));
        Self { commands }
    }

    /// Subscribes to a channel, and waits until the relay has confirmed it.
    pub(crate) async fn subscribe(
        &self,
        channel: ChannelSpec,
        replay_seconds: Option<u32>,
    ) -> Result<Subscription, ClientError> {
        let (id, events) =
            self.request(|answer| Command::Subscribe { channel, replay_seconds, answer }).await?;
        Ok(Subscription { id, events, commands: self.commands.clone() })
    }

    /// Opens the presence of a channel, and waits until the relay has confirmed it.
    pub(crate) async fn presence(&self, channel: ChannelSpec) -> Result<Presence, ClientError> {
        let (id, events) = self.request(|answer| Command::Watch { channel, answer }).await?;
        let subscription = Subscription { id, events, commands: self.commands.clone() };
        Ok(Presence { subscription, realtime: self.clone() })
    }

    /// Publishes JSON text, and waits for the relay's acknowledgement.
    pub(crate) async fn publish(
        &self,
        channel: ChannelSpec,
        payload: String,
    ) -> Result<Receipt, ClientError> {
        self.request(|answer| Command::Publish { channel, payload, answer }).await
    }

    async fn request<T>(
        &self,
        command: impl FnOnce(oneshot::Sender<Result<T, ClientError>>) -> Command,
    ) -> Result<T, ClientError> {
        let (answer, answered) = oneshot::channel();
        // The task ends after the last sender, which is here.
        let _ = self.commands.send(command(answer));
        answered.await.unwrap_or_else(|_| panic!("the client's task answers every command"))
    }
}

impl Subscription {
    /// Returns the next event, or `None` after the subscription ended.
    pub(crate) async fn next(&mut self) -> Option<Incoming> {
        self.events.recv().await
    }
}

impl Presence {
    /// Makes this client a member with JSON text as its data, or replaces the data. Waits until the relay has them.
    pub(crate) async fn enter(&self, data: String) -> Result<(), ClientError> {
        let presence = self.subscription.id;
        self.realtime.request(|answer| Command::Enter { presence, data, answer }).await
    }

    /// Ends the membership at once, and waits until the relay has ended it.
    pub(crate) async fn leave(&self) -> Result<(), ClientError> {
        let presence = self.subscription.id;
        self.realtime.request(|answer| Command::Leave { presence, answer }).await
    }

    /// Returns the next event, or `None` after the presence ended.
    pub(crate) async fn next(&mut self) -> Option<Incoming> {
        self.subscription.next().await
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        // The task may have ended with its runtime.
        let _ = self.commands.send(Command::Unsubscribe(self.id));
    }
}
