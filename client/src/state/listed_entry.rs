//! The entries that the relay lists, from their arrival to the member that they describe.

use crate::{Instant, event::Member, ids::VerificationId};
use sealwire_protocol::MemberId;

/// The bytes that an entry counts at least.
const MIN_ENTRY_BYTES: usize = 256;

/// An entry as the relay lists it, without its content.
#[derive(Clone, Copy)]
pub(crate) struct Listed {
    pub(crate) member: MemberId,
    pub(crate) number: u64,
    pub(crate) in_grace: bool,
}

/// The stage of an entry.
pub(crate) enum Stage {
    /// The client opens it once it has the key and the time.
    Sealed(Vec<u8>),
    /// The host verifies its signature and has not answered yet.
    Verifying(VerificationId, Box<Known>),
    /// The entry is ready for the app.
    Opened(Box<Known>),
}

/// A member as the client knows it.
pub(crate) struct Known {
    pub(crate) number: u64,
    pub(crate) member: Member,
    /// The end of the time for which the member is in grace.
    pub(crate) grace_ends: Option<Instant>,
    /// The relay no longer has the member, which may be about to return.
    pub(crate) is_missing: bool,
    /// The current state contains the member.
    pub(crate) is_listed: bool,
    /// The app does not know the member as it is.
    pub(crate) is_changed: bool,
    /// The time from which the entry is too old.
    pub(crate) expires_at: Instant,
}

impl Stage {
    pub(crate) fn is_being_verified(&self) -> bool {
        matches!(self, Self::Verifying(..))
    }

    /// Returns the bytes that count towards the limit of the presence.
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::Sealed(sealed) => sealed.len().max(MIN_ENTRY_BYTES),
            Self::Verifying(_, known) | Self::Opened(known) => known.bytes(),
        }
    }
}

impl Known {
    /// Returns the bytes that count towards the limit of the presence.
    pub(crate) fn bytes(&self) -> usize {
        (self.member.data.len() + self.member.account.len()).max(MIN_ENTRY_BYTES)
    }
}
