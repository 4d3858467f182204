//! One member of a channel's presence, as the relay keeps it.

use super::{Owner, names::OwnerDigests};
use crate::session_id::SessionId;
use bytes::Bytes;
use std::{sync::Arc, time::Instant};

/// One member.
pub(super) struct Member {
    pub(super) number: u64,
    pub(super) sealed: Bytes,
    pub(super) owner: Owner,
    pub(super) state: MemberState,
    /// The expiry of the member's tokens.
    pub(super) expires: Instant,
    /// The time at which a session entered with the member, in milliseconds since 1970. Of two sessions with one member at two
    /// relays, the one with the later stamp has it.
    pub(super) stamp: u64,
    /// The digests of the owner, for other relays; `None` without other relays.
    pub(super) digests: Option<Arc<OwnerDigests>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MemberState {
    /// A member of this session.
    Connected(SessionId),
    /// A member whose session broke, and which leaves at this time.
    InGrace(Instant),
    /// A member of a session at another relay.
    Remote(RemoteState),
    /// A member whose relay is gone, and which leaves at `end`.
    Orphaned { relay: u64, end: Instant },
}

/// A member of another relay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RemoteState {
    pub(super) relay: u64,
    /// True if the connection of the member is broken.
    pub(super) in_grace: bool,
    /// True if the relay sends all its members of the channel again, and this one has not come yet.
    pub(super) is_stale: bool,
}

impl MemberState {
    /// Returns whether the member is one of this relay.
    pub(super) fn is_own(self) -> bool {
        matches!(self, Self::Connected(_) | Self::InGrace(_))
    }

    /// Returns whether the member is one of another relay than this one and `relay`.
    pub(super) fn is_at_another_than(self, relay: u64) -> bool {
        matches!(self, Self::Remote(remote) if remote.relay != relay)
    }

    /// Returns whether the connection of the member, or its relay, is lost.
    pub(super) fn is_in_grace(self) -> bool {
        match self {
            Self::Connected(_) => false,
            Self::InGrace(_) | Self::Orphaned { .. } => true,
            Self::Remote(remote) => remote.in_grace,
        }
    }

    /// Returns the end of a grace time that this relay measures.
    pub(super) fn grace_end(self) -> Option<Instant> {
        match self {
            Self::InGrace(end) | Self::Orphaned { end, .. } => Some(end),
            Self::Connected(_) | Self::Remote(_) => None,
        }
    }
}
