//! A subscription of the app, from the call to its end.

use crate::{
    Instant,
    event::Standing,
    state::{
        channel_spec::CheckedSpec, continuity::Continuity, senders::Senders, token_renewal::TokenRenewal,
    },
};
use sealwire_protocol::{ChannelId, ClaimsKeyring, MemberId};

/// A subscription of the app.
pub(crate) struct Subscription {
    spec: CheckedSpec,
    replay_seconds: Option<u32>,
    requested_at: Instant,
    /// The time until which the relay must confirm the subscription, if the call has a limit.
    due: Option<Instant>,
    progress: Progress,
    /// The standing that the app knows.
    reported: Standing,
    /// The app has a function that provides tokens for this subscription.
    is_renewable: bool,
    /// The relay accepted this subscription's token in addition to the channel's token.
    is_admitted: bool,
    pub(crate) renewal: TokenRenewal,
    /// The senders of the messages that the app received.
    pub(crate) senders: Senders,
    /// The member that the page may become, if this is a subscription to a presence.
    pub(crate) member: Option<(MemberId, u64)>,
}

/// The progress of a subscription. Each waiting state is named after the awaited input.
#[derive(Clone, Copy)]
pub(crate) enum Progress {
    /// A session, without which the channel's id is unknown.
    AwaitingSession,
    /// The relay's confirmation of the channel.
    AwaitingSubscribed(ChannelId),
    /// The relay's answer to the subscription's token. The relay has already confirmed the channel.
    AwaitingToken(ChannelId),
    /// The subscription is confirmed. It stays so while connections come and go.
    Confirmed(ChannelId, Continuity),
}

impl Subscription {
    pub(crate) fn new(
        spec: CheckedSpec,
        replay_seconds: Option<u32>,
        now: Instant,
        timeout_ms: Option<u64>,
    ) -> Self {
        Self {
            spec,
            replay_seconds,
            requested_at: now,
            due: timeout_ms.map(|ms| now.after(ms)),
            progress: Progress::AwaitingSession,
            reported: Standing::Subscribing,
            is_renewable: false,
            is_admitted: false,
            renewal: TokenRenewal::default(),
            senders: Senders::default(),
            member: None,
        }
    }

    /// Returns the spec, with this subscription's own channel token.
    pub(crate) fn spec(&self) -> &CheckedSpec {
        &self.spec
    }

    pub(crate) fn claims(&self) -> Option<&ClaimsKeyring> {
        self.spec.claims()
    }

    pub(crate) fn jwt(&self) -> &str {
        self.spec.jwt()
    }

    /// Replaces the channel token.
    pub(crate) fn set_token(&mut self, claims: ClaimsKeyring) {
        self.spec.set_claims(claims);
        self.renewal.replace();
    }

    pub(crate) fn replay_seconds(&self) -> Option<u32> {
        self.replay_seconds
    }

    pub(crate) fn requested_at(&self) -> Instant {
        self.requested_at
    }

    pub(crate) fn progress(&self) -> Progress {
        self.progress
    }

    pub(crate) fn set_progress(&mut self, progress: Progress) {
        self.progress = progress;
    }

    /// Returns the channel's id, once a session has determined it.
    pub(crate) fn channel(&self) -> Option<ChannelId> {
        match self.progress {
            Progress::AwaitingSession => None,
            Progress::AwaitingSubscribed(channel)
            | Progress::AwaitingToken(channel)
            | Progress::Confirmed(channel, _) => Some(channel),
        }
    }

    pub(crate) fn is_confirmed(&self) -> bool {
        matches!(self.progress, Progress::Confirmed(..))
    }

    pub(crate) fn continuity_mut(&mut self) -> Option<&mut Continuity> {
        match &mut self.progress {
            Progress::Confirmed(_, continuity) => Some(continuity),
            _ => None,
        }
    }

    /// Returns the time until which the relay must confirm the subscription, if it is unconfirmed and the call has a limit.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.due.filter(|_| !self.is_confirmed())
    }

    /// Moves a limit that has passed to `later`.
    pub(crate) fn postpone(&mut self, now: Instant, later: Instant) {
        if let Some(due) = self.due.as_mut().filter(|due| **due <= now) {
            *due = later;
        }
    }

    /// Sets the standing that the app knows. Returns true if it changed.
    pub(crate) fn report(&mut self, standing: Standing) -> bool {
        core::mem::replace(&mut self.reported, standing) != standing
    }

    /// Returns true if the app knows that the subscription is interrupted.
    pub(crate) fn is_resuming(&self) -> bool {
        self.reported == Standing::Resuming
    }

    pub(crate) fn is_renewable(&self) -> bool {
        self.is_renewable
    }

    pub(crate) fn make_renewable(&mut self) {
        self.is_renewable = true;
    }

    pub(crate) fn admit(&mut self) {
        self.is_admitted = true;
    }

    /// Returns true if the relay accepted this subscription's token, given the token that it has for the channel.
    pub(crate) fn is_admitted_with(&self, channel_jwt: &str) -> bool {
        self.is_admitted || self.jwt() == channel_jwt
    }

    /// Returns true if the subscription is confirmed and the relay still accepts its token.
    pub(crate) fn has_valid_token(&self) -> bool {
        self.is_confirmed() && !self.renewal.is_invalid()
    }
}
