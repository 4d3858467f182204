//! The names by which the relays of a cluster tell each other about a session.

use crate::id_digest::IdDigest;
use std::sync::Arc;

/// The app of a session, and the digests of its account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SessionNames {
    /// The id of the app. It stays in the relay, and selects the keys of the tags.
    pub(super) app: String,
    pub(super) owner: Arc<OwnerDigests>,
}

impl SessionNames {
    pub(crate) fn new(app: String, installation: IdDigest, account: IdDigest) -> Self {
        Self { app, owner: Arc::new(OwnerDigests { installation, account }) }
    }
}

/// The digests of a member's installation and account, which are the same on all relays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct OwnerDigests {
    pub(super) installation: IdDigest,
    pub(super) account: IdDigest,
}
