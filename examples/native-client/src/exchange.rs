//! The values that pass between the app's calls, the client's task, and its backend.

use sealwire_client::{
    ChannelSpec, ClientError, Gap, Member, Message, Receipt, SessionGrant, SessionReason, SubscriptionId,
};
use std::{pin::Pin, sync::Arc};
use tokio::sync::{mpsc, oneshot};

/// The result of a request for a session.
pub(crate) type SessionResult = Result<SessionGrant, ClientError>;
/// A function of the app that provides sessions.
pub(crate) type Sessions =
    Arc<dyn Fn(SessionReason) -> Pin<Box<dyn Future<Output = SessionResult> + Send>> + Send + Sync>;

/// Something that happens to a subscription.
#[derive(Debug)]
pub(crate) enum Incoming {
    /// A message.
    Message(Message),
    /// The subscription continues after a lost connection.
    Resumed {
        /// True if nothing was missed.
        recovered: bool,
    },
    /// Messages were missed: load the state again.
    Gap(Gap),
    /// The members of a presence, in the order in which they entered: once at first, then after each change.
    Members(Vec<Member>),
    /// One message, or the entry of one member, could not be opened.
    Unreadable(ClientError),
    /// The relay ended the subscription.
    Ended(ClientError),
}

/// A call of the app.
pub(crate) enum Command {
    Subscribe {
        channel: ChannelSpec,
        replay_seconds: Option<u32>,
        answer: oneshot::Sender<Result<Confirmed, ClientError>>,
    },
    Watch {
        channel: ChannelSpec,
        answer: oneshot::Sender<Result<Confirmed, ClientError>>,
    },
    Unsubscribe(SubscriptionId),
    Enter {
        presence: SubscriptionId,
        data: String,
        answer: oneshot::Sender<Result<(), ClientError>>,
    },
    Leave {
        presence: SubscriptionId,
        answer: oneshot::Sender<Result<(), ClientError>>,
    },
    Publish {
        channel: ChannelSpec,
        payload: String,
        answer: oneshot::Sender<Result<Receipt, ClientError>>,
    },
}

/// A new subscription and the queue of its events.
pub(crate) type Confirmed = (SubscriptionId, mpsc::UnboundedReceiver<Incoming>);
