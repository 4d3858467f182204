//! The members of a presence, as the app gets them.

use core::fmt;
use sealwire_protocol::MemberId;

/// A member of a presence.
#[derive(Clone, PartialEq, Eq)]
pub struct Member {
    /// The id, which the member keeps as long as it stays.
    pub id: MemberId,
    /// The data that the member entered with, as JSON text.
    pub data: String,
    /// The account of the member, or an empty string. It is a claim, unless `is_verified` is true.
    pub account: String,
    /// True if a signature with a certificate of the app proves the account and the data. The host verified both.
    pub is_verified: bool,
    /// The time at which the member entered, in Unix milliseconds by the clock of its backend. It orders the members.
    pub entered_at_ms: u64,
    /// True if the member's connection is broken, as far as this client knows. The member leaves, or returns.
    pub in_grace: bool,
    /// True if this client is the member.
    pub is_self: bool,
}

/// Omits the data and the account.
impl fmt::Debug for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Member")
            .field("id", &self.id)
            .field("entered_at_ms", &self.entered_at_ms)
            .field("is_verified", &self.is_verified)
            .field("in_grace", &self.in_grace)
            .field("is_self", &self.is_self)
            .finish_non_exhaustive()
    }
}
