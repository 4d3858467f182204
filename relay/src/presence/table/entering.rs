//! The request of a session to enter, and its relation to the member that the channel has.

use crate::{
    activity::Entrance,
    presence::{
        Entry, Owner, SessionNames,
        limits::PresenceError,
        member::{Member, MemberState},
    },
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

/// Returns the kind of a request that is accepted; `None` if it repeats an earlier one.
pub(super) fn entrance(before: Option<&Member>, session: SessionId, number: u64) -> Option<Entrance> {
    match before {
        None => Some(Entrance::New),
        Some(before) if before.state != MemberState::Connected(session) => Some(Entrance::Returned),
        Some(before) => (before.number != number).then_some(Entrance::Updated),
    }
}

/// Checks that a session may change a member. A session of another relay that has taken the member from this one is newer.
pub(super) fn check_owner(
    member: &Member,
    session: SessionId,
    owner: Owner,
    entered_before: bool,
) -> Result<(), PresenceError> {
    if member.owner != owner {
        return Err(PresenceError::OtherAccount);
    }
    match member.state {
        MemberState::Connected(holder) if holder > session => Err(PresenceError::NewerSession),
        MemberState::Remote(_) if entered_before => Err(PresenceError::NewerSession),
        _ => Ok(()),
    }
}
