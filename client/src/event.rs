//! The outputs of a client: frames for the transport and events for the app.

pub use crate::{
    ids::{
        ConnectionId, DecryptionId, EnterId, FetchId, PublishId, RefreshId, RenewalId, SigningId,
        SubscriptionId, VerificationId,
    },
    member::Member,
};

use crate::{Author, ClientError, SignedText};
use core::fmt;
use sealwire_protocol::{AesGcmInput, MemberId, wire::Position};

/// Work for the transport.
#[derive(Clone, PartialEq, Eq)]
pub enum Transmit {
    /// Open a WebSocket with the subprotocol [`sealwire_protocol::wire::SUBPROTOCOL`].
    Connect {
        /// The id of the new WebSocket.
        connection: ConnectionId,
        /// The address, `wss://…`.
        url: String,
    },
    /// Send one binary message.
    Send {
        /// The WebSocket to send on.
        connection: ConnectionId,
        /// The message.
        bytes: Vec<u8>,
    },
    /// Close the WebSocket. The client ignores everything that it still receives.
    Disconnect {
        /// The WebSocket to close.
        connection: ConnectionId,
        /// The close code.
        code: u16,
    },
}

/// The reason why the client requests a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionReason {
    /// The client connects and has no session.
    Connect,
    /// The current session expires soon.
    Refresh,
    /// A message is sealed with a key that the current session lacks.
    UnknownKey,
}

/// The state of the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Nothing needs a connection.
    Idle,
    /// The client is connecting for the first time.
    Connecting,
    /// The relay accepted the connection and the session.
    Connected,
    /// The connection was lost, and the client is reconnecting.
    Reconnecting,
    /// A connection is needed, but the client waits until the page or its network is back ([`crate::Pause`]).
    Suspended,
    /// The client was closed and stays closed.
    Closed,
}

/// The state of a subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The relay has not confirmed the subscription yet.
    Subscribing,
    /// Messages arrive.
    Subscribed,
    /// The connection was lost, or the relay refused the channel temporarily. The client resumes the subscription from
    /// its last position.
    Resuming,
}

/// A request to the app, a result, or news for it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// Fetch a session and answer with `handle_session` or `handle_session_failed`.
    SessionRequested {
        /// The id to answer with.
        fetch: FetchId,
        /// The reason for the request.
        reason: SessionReason,
        /// True if the session must certify the public key of the page, because the app signs.
        certify: bool,
    },
    /// Fetch a channel token for this subscription and answer with `handle_token` or `handle_token_failed`.
    TokenRequested {
        /// The id to answer with.
        renewal: RenewalId,
        /// The subscription, for which the app called `enable_token_renewal`.
        subscription: SubscriptionId,
        /// True if a cached token is useless, because the current one lacks a key or the relay rejected it.
        fresh: bool,
    },
    /// Decrypt a message with AES-256-GCM and answer with `handle_decrypted`. The order of the answers does not matter.
    DecryptRequested {
        /// The id to answer with.
        decryption: DecryptionId,
        /// The message, and the key of its sender on the channel.
        input: AesGcmInput,
    },
    /// Verify a signature of ECDSA with P-256 and SHA-256, and its certificate if there is one, and answer with
    /// `handle_verified`. The order of the answers does not matter.
    VerifyRequested {
        /// The id to answer with.
        verification: VerificationId,
        /// The signature of the author.
        signed: Box<SignedText>,
        /// The certificate of the author's key if the author is a page. It is the same for many messages, so the host can keep
        /// the result.
        certificate: Option<Box<SignedText>>,
    },
    /// Sign with the page's key, by ECDSA with P-256 and SHA-256, and answer with `handle_signed`. The order of the answers does
    /// not matter.
    SignRequested {
        /// The id to answer with.
        signing: SigningId,
        /// The bytes to sign.
        text: Vec<u8>,
    },
    /// The standing of a confirmed subscription changed.
    Standing {
        /// The subscription.
        subscription: SubscriptionId,
        /// The new standing.
        standing: Standing,
    },
    /// The end of a subscribe: the subscription is confirmed, or it failed and no longer exists.
    SubscribeDone {
        /// The subscription.
        subscription: SubscriptionId,
        /// The result.
        result: Result<(), ClientError>,
    },
    /// The end of an unsubscribe, which always succeeds.
    UnsubscribeDone {
        /// The subscription.
        subscription: SubscriptionId,
    },
    /// The end of a publish.
    PublishDone {
        /// The publish call.
        publish: PublishId,
        /// The result.
        result: Result<Receipt, ClientError>,
    },
    /// The end of a token refresh.
    RefreshDone {
        /// The `refresh_token` call.
        refresh: RefreshId,
        /// The result.
        result: Result<(), ClientError>,
    },
    /// The end of a call to enter or leave a presence.
    EnterDone {
        /// The call.
        enter: EnterId,
        /// The result.
        result: Result<(), ClientError>,
    },
    /// The members of a presence, for one or more subscriptions to it. The first event of a subscription has all members, each
    /// further one the changes.
    Members {
        /// The recipients; never empty.
        subscriptions: Vec<SubscriptionId>,
        /// The members that joined or changed.
        changed: Vec<Member>,
        /// The ids of the members that left.
        left: Vec<MemberId>,
    },
    /// A message for one or more subscriptions of a channel.
    Message {
        /// The recipients; never empty.
        subscriptions: Vec<SubscriptionId>,
        /// The message.
        message: Message,
    },
    /// A notice about one or more subscriptions.
    Notice {
        /// The recipients; never empty.
        subscriptions: Vec<SubscriptionId>,
        /// The notice.
        notice: Notice,
    },
    /// The connection's state changed, or an attempt failed without changing it.
    State {
        /// The new state.
        state: State,
        /// The error that caused the change, if any.
        error: Option<ClientError>,
    },
}

impl Event {
    pub(crate) fn error_mut(&mut self) -> Option<&mut ClientError> {
        match self {
            Self::SubscribeDone { result: Err(error), .. }
            | Self::PublishDone { result: Err(error), .. }
            | Self::RefreshDone { result: Err(error), .. }
            | Self::EnterDone { result: Err(error), .. }
            | Self::Notice { notice: Notice::Error(error) | Notice::Ended(error), .. }
            | Self::State { error: Some(error), .. } => Some(error),
            _ => None,
        }
    }
}

/// The relay's acknowledgement of a publication.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The position of the publication in the channel's history.
    pub position: Position,
    /// The time at which the relay accepted it, in Unix milliseconds by the relay's clock.
    pub time_ms: u64,
}

/// A decrypted message.
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    /// The payload, as JSON text.
    pub payload: String,
    /// The position of the message in the channel's history.
    pub position: Position,
    /// The time at which the relay accepted it, in Unix milliseconds by the relay's clock.
    pub time_ms: u64,
    /// The time of sealing, in Unix milliseconds by the clock of the publisher's backend.
    pub published_at_ms: u64,
    /// The author, if a verified signature proves it.
    pub author: Author,
    /// The event name that the publisher chose.
    pub event: String,
    /// The channel name.
    pub channel: String,
}

/// News about a subscription other than a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// Messages were missed.
    Gap(Gap),
    /// The subscription continues after a loss of the connection, or after a temporary refusal of its channel. The notice
    /// follows [`Standing::Subscribed`], the messages from before the loss, and the gap if there is one, and precedes every
    /// later message.
    Resumed {
        /// True if the relay still had everything since the last position, so that there is no gap.
        recovered: bool,
    },
    /// A message could not be decrypted, or was refused for its age.
    Error(ClientError),
    /// The subscription ended and no longer exists.
    Ended(ClientError),
}

/// A range of missed messages: after `from`, up to and including `to`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// The last position that the subscription reached; `None` if it had just begun, and for [`GapReason::Withheld`].
    pub from: Option<Position>,
    /// The position after which messages continue.
    pub to: Position,
    /// The reason.
    pub reason: GapReason,
}

/// The reason why messages were missed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GapReason {
    /// The relay had evicted them from its replay cache.
    Evicted,
    /// The relay restarted, and its earlier messages are unknown.
    Epoch,
    /// The relay skipped them.
    Skipped,
    /// The relay left out a message that it had acknowledged to its sender, without saying so.
    Withheld,
}

impl GapReason {
    /// Returns a message for people.
    #[must_use]
    pub const fn message(self) -> &'static str {
        match self {
            Self::Evicted => {
                "messages were missed: the relay had already evicted them; reload the current state"
            }
            Self::Epoch => "messages may have been missed: the relay restarted; reload the current state",
            Self::Skipped => "messages were missed: the relay skipped some; reload the current state",
            Self::Withheld => {
                "messages were missed: the relay left out one that it had accepted; reload the current state"
            }
        }
    }
}

/// Omits the payload and the event name.
impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("position", &self.position)
            .field("time_ms", &self.time_ms)
            .finish_non_exhaustive()
    }
}

/// Omits the bytes, which may contain a token.
impl fmt::Debug for Transmit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connect { connection, url } => write!(f, "Connect({}, {url})", connection.0),
            Self::Send { connection, bytes } => write!(f, "Send({}, {} bytes)", connection.0, bytes.len()),
            Self::Disconnect { connection, code } => write!(f, "Disconnect({}, {code})", connection.0),
        }
    }
}
