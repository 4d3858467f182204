//! The names by which the relays of a cluster tell each other about a session.

use crate::id_digest::IdDigest;

/// The app of a session, and the digests of its installation and account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SessionNames {
    /// The id of the app. It stays in the relay, and selects the keys of the tags.
    pub(crate) app: String,
    pub(crate) installation: IdDigest,
    pub(crate) account: IdDigest,
}
