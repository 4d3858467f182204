//! One member of a channel's presence, as the relay keeps it.

use super::Owner;
use crate::session_id::SessionId;
use bytes::Bytes;
use std::time::Instant;

/// One member.
pub(super) struct Member {
    pub(super) number: u64,
    pub(super) sealed: Bytes,
    pub(super) owner: Owner,
    pub(super) state: MemberState,
    /// The expiry of the member's tokens.
    pub(super) expires: Instant,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum MemberState {
    /// A member of this session.
    Connected(SessionId),
    /// A member whose session broke, and which leaves at this time.
    InGrace(Instant),
}
