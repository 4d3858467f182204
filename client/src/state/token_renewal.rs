//! The renewal of a subscription's channel token by a function of the app.

use crate::{Instant, event::RenewalId};

/// The schedule and the outcome of a subscription's token renewals.
#[derive(Default)]
pub(crate) struct TokenRenewal {
    /// The time of the next request, or the deadline of the pending one.
    due_at: Option<Instant>,
    pending: Option<RenewalId>,
    /// The relay rejected the current token or the one before it, and has accepted none since.
    was_rejected: bool,
    /// The relay no longer accepts the current token.
    is_invalid: bool,
    /// The current token was still valid when the app provided it.
    arrived_valid: bool,
}

impl TokenRenewal {
    pub(crate) fn due_at(&self) -> Option<Instant> {
        self.due_at
    }

    pub(crate) fn is_pending(&self) -> bool {
        self.pending.is_some()
    }

    pub(crate) fn is_invalid(&self) -> bool {
        self.is_invalid
    }

    /// Plans the next request.
    pub(crate) fn schedule(&mut self, at: Instant) {
        self.due_at = Some(at);
    }

    /// Returns true if a request, or the deadline of the pending one, is due now.
    pub(crate) fn take_due(&mut self, now: Instant) -> bool {
        self.due_at.take_if(|at| *at <= now).is_some()
    }

    /// Records a request that the app has to answer before `deadline`.
    pub(crate) fn begin(&mut self, renewal: RenewalId, deadline: Instant) {
        self.pending = Some(renewal);
        self.due_at = Some(deadline);
    }

    /// Gives up the pending request. Returns true if there was one.
    pub(crate) fn expire(&mut self) -> bool {
        self.pending.take().is_some()
    }

    /// Ends the pending request if it is `renewal`. Returns true if it is.
    pub(crate) fn take_answered(&mut self, renewal: RenewalId) -> bool {
        let is_answered = self.pending == Some(renewal);
        if is_answered {
            self.pending = None;
            self.due_at = None;
        }
        is_answered
    }

    /// Returns true if the relay rejected two tokens in a row. `has_ended` says that the current token has expired: if it
    /// was valid when the app provided it and expired without a connection, its rejection says nothing about the next one.
    pub(crate) fn was_rejected_twice(&self, has_ended: bool) -> bool {
        self.was_rejected && !(has_ended && self.arrived_valid)
    }

    /// Records that the relay no longer accepts the current token.
    pub(crate) fn invalidate(&mut self) {
        self.is_invalid = true;
    }

    pub(crate) fn reject(&mut self) {
        self.was_rejected = true;
    }

    /// Records that the relay accepted the current token.
    pub(crate) fn accept(&mut self) {
        self.was_rejected = false;
    }

    /// Records that the subscription has a new token.
    pub(crate) fn replace(&mut self) {
        self.is_invalid = false;
    }

    pub(crate) fn set_arrived_valid(&mut self, arrived_valid: bool) {
        self.arrived_valid = arrived_valid;
    }
}
