//! A channel on the wire, which all subscriptions of it share.

use crate::{
    ClientError, Instant,
    entropy::Entropy,
    event::SubscriptionId,
    state::{
        channel_spec::{CheckedSpec, Resolved},
        continuity::is_refused,
        missing_keys::MissingKeys,
        presence::Presence,
        reorder_buffer::ReorderBuffer,
        session::Session,
    },
};
use sealwire_protocol::{
    ChannelKey, ClaimsKeyring, KeyId,
    wire::{self, Position, Since},
};

/// The pause before the relay is offered a better token again after it was too busy to check one.
const TOKEN_RETRY_MS: u64 = 5_000;

/// A channel and its members, the subscriptions that share it.
pub(crate) struct Channel {
    /// The spec, with the channel token that the relay received last and the claims keys of all tokens.
    spec: CheckedSpec,
    resolved: Resolved,
    /// The keys, newest first.
    keys: Vec<ChannelKey>,
    wire: WireState,
    members: Vec<SubscriptionId>,
    /// The highest position of all publications, answers and marks.
    head: Option<Position>,
    /// The reason for the relay's last temporary refusal, until the relay confirms the channel.
    last_refusal: Option<ClientError>,
    /// The time at which the relay was too busy to check a better token.
    token_deferred_at: Option<Instant>,
    pub(crate) buffer: ReorderBuffer,
    /// The keys that no token of the members contains.
    pub(crate) missing_keys: MissingKeys,
    /// The members, if this is the presence of a channel ([`crate::state::presence`]).
    pub(crate) presence: Option<Box<Presence>>,
}

/// The state of the channel on the current connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WireState {
    /// The client has not sent a `Subscribe` on this connection.
    Unsent,
    /// The client sent a `Subscribe`.
    AwaitingSubscribed {
        request: u32,
        since: Option<Since>,
        /// The channel was subscribed on this connection before.
        rejoins: bool,
    },
    /// The relay confirmed the channel.
    Subscribed,
    /// The relay refused the channel temporarily.
    AwaitingRetry(Instant),
    /// The relay rejected the tokens of all members. The app provides another one.
    AwaitingToken,
}

impl Channel {
    pub(crate) fn new(spec: CheckedSpec, resolved: Resolved, session: &Session) -> Self {
        let keys = spec.keys(session, &resolved).collect();
        Self {
            spec,
            resolved,
            keys,
            wire: WireState::Unsent,
            members: Vec::new(),
            head: None,
            last_refusal: None,
            token_deferred_at: None,
            buffer: ReorderBuffer::default(),
            missing_keys: MissingKeys::default(),
            presence: None,
        }
    }

    pub(crate) fn name(&self) -> &str {
        self.spec.name()
    }

    /// Returns the channel as requests to the relay name it.
    pub(crate) fn to_wire(&self) -> wire::Channel {
        self.spec.to_wire(&self.resolved)
    }

    pub(crate) fn members(&self) -> &[SubscriptionId] {
        &self.members
    }

    pub(crate) fn into_members(self) -> Vec<SubscriptionId> {
        self.members
    }

    /// Adds a member. A channel that waits for a token is subscribed with the new member's own token instead.
    pub(crate) fn add_member(&mut self, id: SubscriptionId) {
        self.members.push(id);
        self.stop_awaiting_token();
    }

    pub(crate) fn remove_member(&mut self, id: SubscriptionId) {
        self.members.retain(|member| *member != id);
    }

    pub(crate) fn head(&self) -> Option<Position> {
        self.head
    }

    /// Moves the head to `position`, unless it is further already within the same epoch.
    pub(crate) fn advance_head(&mut self, position: Position) {
        let is_reached = |head: &Position| head.epoch == position.epoch && head.offset >= position.offset;
        if !self.head.as_ref().is_some_and(is_reached) {
            self.head = Some(position);
        }
    }
}

/// The state on the wire.
impl Channel {
    pub(crate) fn wire(&self) -> WireState {
        self.wire
    }

    /// Returns true if the relay has or will have the channel as a subscription of this connection.
    pub(crate) fn is_on_wire(&self) -> bool {
        matches!(self.wire, WireState::AwaitingSubscribed { .. } | WireState::Subscribed)
    }

    /// Returns true if publications of the channel may arrive on this connection.
    pub(crate) fn receives(&self) -> bool {
        matches!(self.wire, WireState::Subscribed | WireState::AwaitingSubscribed { rejoins: true, .. })
    }

    /// Forgets the current connection. A channel that waits for a token keeps waiting.
    pub(crate) fn detach(&mut self) {
        if let Some(presence) = &mut self.presence {
            presence.detach();
        }
        if self.wire != WireState::AwaitingToken {
            self.wire = WireState::Unsent;
        }
    }

    /// Records that the relay dropped the channel, which is subscribed again.
    pub(crate) fn set_unsent(&mut self) {
        self.wire = WireState::Unsent;
    }

    pub(crate) fn await_subscribed(&mut self, request: u32, since: Option<Since>, rejoins: bool) {
        self.wire = WireState::AwaitingSubscribed { request, since, rejoins };
    }

    /// Records the relay's confirmation at `position`. `requested` is the position that the subscribe named, if any.
    pub(crate) fn confirm(&mut self, position: Position, requested: Option<Position>, recovered: bool) {
        self.wire = WireState::Subscribed;
        self.last_refusal = None;
        // New members start at the head, so it must not stay ahead of a history that lost its end.
        self.head.take_if(|head| is_refused(*head, requested, recovered));
        self.advance_head(position);
    }

    /// Records a temporary refusal. The channel is subscribed again at `at`.
    pub(crate) fn await_retry(&mut self, at: Instant, refusal: ClientError) {
        self.wire = WireState::AwaitingRetry(at);
        self.last_refusal = Some(refusal);
    }

    pub(crate) fn await_token(&mut self) {
        self.wire = WireState::AwaitingToken;
    }

    /// Subscribes the channel again if it waits for a token.
    pub(crate) fn stop_awaiting_token(&mut self) {
        if self.wire == WireState::AwaitingToken {
            self.wire = WireState::Unsent;
        }
    }

    /// Returns the time of the next subscribe if the relay refused the channel temporarily.
    pub(crate) fn retry_at(&self) -> Option<Instant> {
        match self.wire {
            WireState::AwaitingRetry(at) => Some(at),
            _ => None,
        }
    }

    pub(crate) fn last_refusal(&self) -> Option<&ClientError> {
        self.last_refusal.as_ref()
    }
}

/// Tokens and keys.
impl Channel {
    /// Returns the claims of the channel token that the relay received last.
    pub(crate) fn claims(&self) -> Option<&ClaimsKeyring> {
        self.spec.claims()
    }

    pub(crate) fn jwt(&self) -> &str {
        self.spec.jwt()
    }

    pub(crate) fn key(&self, id: KeyId) -> Option<&ChannelKey> {
        self.keys.iter().find(|key| key.id() == id)
    }

    /// Returns a key for opening messages.
    pub(crate) fn key_mut(&mut self, id: KeyId) -> Option<&mut ChannelKey> {
        self.keys.iter_mut().find(|key| key.id() == id)
    }

    /// Returns the newest key.
    pub(crate) fn newest_key(&self) -> Option<&ChannelKey> {
        self.keys.first()
    }

    /// Derives the keys again, from a new session.
    pub(crate) fn derive_keys(&mut self, session: &Session) {
        self.keys = self.spec.keys(session, &self.resolved).collect();
    }

    /// Records the token that the relay receives or has. The claims keys of the previous token stay.
    pub(crate) fn set_token(&mut self, mut claims: ClaimsKeyring, session: Option<&Session>) {
        if let Some(former) = self.spec.claims() {
            claims.keep_keys_of(former);
        }
        self.spec.set_claims(claims);
        if let Some(session) = session {
            self.derive_keys(session);
        }
    }

    /// Adds the claims keys of a token that the app provided. The app vouches for them, even if the relay rejects the
    /// token.
    pub(crate) fn add_claims_keys(
        &mut self,
        now: Instant,
        token: &ClaimsKeyring,
        session: Option<&Session>,
        entropy: &mut dyn Entropy,
    ) {
        let Some(claims) = self.spec.claims_mut() else { return };
        claims.keep_keys_of(token);
        self.missing_keys.answered(now, |key| claims.find(key).is_some(), entropy);
        if let Some(session) = session {
            self.derive_keys(session);
        }
    }

    /// Records that the relay was too busy to check a better token.
    pub(crate) fn defer_token(&mut self, now: Instant) {
        self.token_deferred_at = Some(now);
    }

    /// Returns true if the relay was too busy to check a better token a short time ago.
    pub(crate) fn is_token_deferred(&self, now: Instant) -> bool {
        self.token_deferred_at.is_some_and(|at| now.since(at) < TOKEN_RETRY_MS)
    }
}
