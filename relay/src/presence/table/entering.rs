//! The request of a session to enter.

use crate::{
    presence::{Entry, Owner, SessionNames},
    session_id::SessionId,
};
use std::{sync::Arc, time::Instant};

/// A session that enters.
pub(crate) struct Entering {
    pub(crate) session: SessionId,
    pub(crate) owner: Owner,
    /// The names of the session, if other relays hear of it.
    pub(crate) names: Option<Arc<SessionNames>>,
    /// True if the session entered with this member before.
    pub(crate) entered_before: bool,
    pub(crate) entry: Entry,
    pub(crate) expires: Instant,
}
