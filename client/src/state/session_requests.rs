//! The session request that the app has not answered, and the keys that the current session lacks.

use crate::{FetchId, SessionReason, state::missing_keys::MissingKeys};

/// The pending request for a session, and the keys that the last session lacked.
#[derive(Default)]
pub(crate) struct SessionRequests {
    pending: Option<(FetchId, SessionReason)>,
    pub(crate) missing_keys: MissingKeys,
}

impl SessionRequests {
    /// Forgets the pending request, whose answer is then ignored, and the missing keys.
    pub(crate) fn reset(&mut self) {
        *self = Self::default();
    }

    pub(crate) fn pending(&self) -> Option<FetchId> {
        self.pending.map(|(fetch, _)| fetch)
    }

    pub(crate) fn begin(&mut self, fetch: FetchId, reason: SessionReason) {
        self.pending = Some((fetch, reason));
    }

    /// Ends the pending request if it is `fetch`. Returns its reason.
    pub(crate) fn take(&mut self, fetch: FetchId) -> Option<SessionReason> {
        let (_, reason) = self.pending.take_if(|(pending, _)| *pending == fetch)?;
        Some(reason)
    }
}
