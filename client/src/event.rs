//! What comes out: frames for the transport, events for the app.

use crate::{ClientError, state::subscription::Standing};
use core::fmt;
use sealwire_protocol::{AesGcmInput, wire::Position};

macro_rules! ids {
    ($($(#[doc = $doc:literal])+ $name:ident;)+) => {$(
        $(#[doc = $doc])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub struct $name(pub u32);

        impl From<$name> for u32 {
            fn from(id: $name) -> Self {
                id.0
            }
        }
    )+};
}

ids! {
    /// One WebSocket; every attempt has its own, so that a late event of an old one is known for what it is.
    ConnectionId;
    /// One `subscribe`. Several may share a channel.
    SubscriptionId;
    /// One `publish`.
    PublishId;
    /// One `refresh_token`.
    RefreshId;
    /// One request for a session.
    FetchId;
    /// One request for a channel token.
    RenewalId;
    /// One message that the platform opens.
    OpeningId;
}

/// Work for the transport.
#[derive(Clone, PartialEq, Eq)]
pub enum Transmit {
    /// Open a WebSocket with the subprotocol [`sealwire_protocol::wire::SUBPROTOCOL`].
    Connect {
        /// For the events that follow.
        connection: ConnectionId,
        /// `wss://…`
        url: String,
    },
    /// Send one binary message.
    Send {
        /// On this WebSocket.
        connection: ConnectionId,
        /// The message.
        bytes: Vec<u8>,
    },
    /// Close the WebSocket; what it still brings is not wanted.
    Disconnect {
        /// This WebSocket.
        connection: ConnectionId,
        /// Close code.
        code: u16,
    },
}

/// Why the client needs a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionReason {
    /// To connect.
    Connect,
    /// The one it has expires soon.
    Refresh,
    /// A message is sealed with a key that it does not have.
    UnknownKey,
}

/// What the connection is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Nothing needs a connection.
    Idle,
    /// The first connection is being made.
    Connecting,
    /// The session is open.
    Connected,
    /// The connection was lost and is being made again.
    Reconnecting,
    /// A connection is needed, and no attempt makes sense before the page or its network wakes up.
    Suspended,
    /// For good.
    Closed,
}

/// What the app is told.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// Fetch a session and answer with `handle_session` or `handle_session_failed`.
    NeedSession {
        /// For the answer.
        fetch: FetchId,
        /// What it is for.
        reason: SessionReason,
    },
    /// Fetch a channel token for this subscription and answer with `handle_token` or `handle_token_failed`.
    NeedToken {
        /// For the answer.
        renewal: RenewalId,
        /// One that said so with `renew_token_of`.
        subscription: SubscriptionId,
        /// A token that was provided a moment ago is of no use: it lacks a key, or the relay does not take it.
        fresh: bool,
    },
    /// Open a message with AES-256-GCM and answer with `handle_opening`, in any order.
    NeedOpening {
        /// For the answer.
        opening: OpeningId,
        /// The message, and the key that opens it alone.
        input: AesGcmInput,
    },
    /// The standing of a confirmed subscription changed.
    Standing {
        /// The subscription.
        subscription: SubscriptionId,
        /// Its standing now.
        standing: Standing,
    },
    /// A subscribe is over: confirmed, or refused and gone.
    SubscribeDone {
        /// Which.
        subscription: SubscriptionId,
        /// How.
        result: Result<(), ClientError>,
    },
    /// An unsubscribe is over; it always succeeds.
    UnsubscribeDone {
        /// Which.
        subscription: SubscriptionId,
    },
    /// A publish is over.
    PublishDone {
        /// Which.
        publish: PublishId,
        /// How.
        result: Result<Receipt, ClientError>,
    },
    /// A token refresh is over.
    RefreshDone {
        /// Which.
        refresh: RefreshId,
        /// How.
        result: Result<(), ClientError>,
    },
    /// A message for these subscriptions of one channel.
    Message {
        /// Never empty.
        subscriptions: Vec<SubscriptionId>,
        /// The message.
        message: Message,
    },
    /// Something about these subscriptions that is no message.
    Notice {
        /// Never empty.
        subscriptions: Vec<SubscriptionId>,
        /// What.
        notice: Notice,
    },
    /// The connection's state changed, or an attempt failed without changing it.
    State {
        /// The state now.
        state: State,
        /// Why, where something went wrong.
        error: Option<ClientError>,
    },
}

impl Event {
    pub(crate) fn error_mut(&mut self) -> Option<&mut ClientError> {
        match self {
            Self::SubscribeDone { result: Err(error), .. }
            | Self::PublishDone { result: Err(error), .. }
            | Self::RefreshDone { result: Err(error), .. }
            | Self::Notice { notice: Notice::Error(error) | Notice::Ended(error), .. }
            | Self::State { error: Some(error), .. } => Some(error),
            _ => None,
        }
    }
}

/// The relay's acknowledgement of a publication.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Its place in the channel's history.
    pub position: Position,
    /// The relay's clock, in milliseconds since 1970.
    pub time_ms: u64,
}

/// A message that was opened.
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    /// JSON text.
    pub payload: String,
    /// Its place in the channel's history.
    pub position: Position,
    /// When the relay took it, in milliseconds since 1970 by the relay's clock.
    pub time_ms: u64,
    /// The moment of sealing, in milliseconds since 1970 by the publisher's clock; [`Self::time_ms`] where the message has an
    /// idempotency id of the app's own.
    pub published_at_ms: u64,
    /// The publisher's label.
    pub event: String,
    /// Channel name.
    pub channel: String,
}

/// Something about a subscription that is no message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// Messages were missed.
    Gap(Gap),
    /// A message could not be opened.
    Error(ClientError),
    /// The subscription is over and gone.
    Ended(ClientError),
}

/// Messages that were missed: those after `from`, up to and with `to`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// The last place that was reached; none where the subscription had only begun.
    pub from: Option<Position>,
    /// The place after which messages follow.
    pub to: Position,
    /// Why.
    pub reason: GapReason,
}

/// Why messages were missed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GapReason {
    /// The relay's replay cache no longer held them.
    Evicted,
    /// The relay started anew, and nobody can tell what it had before.
    Epoch,
    /// The relay left them out.
    Skipped,
}

impl GapReason {
    /// For a person.
    #[must_use]
    pub const fn message(self) -> &'static str {
        match self {
            Self::Evicted => {
                "messages were missed: the relay no longer had them; load the current state anew"
            }
            Self::Epoch => {
                "messages may have been missed: the relay was restarted; load the current state anew"
            }
            Self::Skipped => "messages were missed: the relay left some out; load the current state anew",
        }
    }
}

/// Without payload and event.
impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("position", &self.position)
            .field("time_ms", &self.time_ms)
            .finish_non_exhaustive()
    }
}

/// Without the bytes, which may hold a token.
impl fmt::Debug for Transmit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connect { connection, url } => write!(f, "Connect({}, {url})", connection.0),
            Self::Send { connection, bytes } => write!(f, "Send({}, {} bytes)", connection.0, bytes.len()),
            Self::Disconnect { connection, code } => write!(f, "Disconnect({}, {code})", connection.0),
        }
    }
}
