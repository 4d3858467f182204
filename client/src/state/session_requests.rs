//! The session request that the app has not answered, and the keys that the current session lacks.

use crate::{FetchId, SessionReason, state::missing_keys::MissingKeys};

/// A request for a session.
#[derive(Clone, Copy)]
pub(crate) struct SessionRequest {
    fetch: FetchId,
    pub(crate) reason: SessionReason,
    /// The session must certify the page's key.
    pub(crate) certify: bool,
}

/// The pending request for a session, and the keys that the last session lacked.
#[derive(Default)]
pub(crate) struct SessionRequests {
    pending: Option<SessionRequest>,
    pub(crate) missing_keys: MissingKeys,
}

impl SessionRequests {
    /// Forgets the pending request, whose answer is then ignored, and the missing keys.
    pub(crate) fn reset(&mut self) {
        *self = Self::default();
    }

    pub(crate) fn pending(&self) -> Option<FetchId> {
        self.pending.map(|request| request.fetch)
    }

    pub(crate) fn begin(&mut self, fetch: FetchId, reason: SessionReason, certify: bool) {
        self.pending = Some(SessionRequest { fetch, reason, certify });
    }

    /// Ends the pending request if it is `fetch`.
    pub(crate) fn take(&mut self, fetch: FetchId) -> Option<SessionRequest> {
        self.pending.take_if(|pending| pending.fetch == fetch)
    }
}
