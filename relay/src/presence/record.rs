//! A member as relays tell it to each other.

use super::{MemberId, names::OwnerDigests};
use bytes::Bytes;
use std::{fmt, time::Duration};

/// A member on its way between relays.
#[derive(Clone, PartialEq)]
pub(super) struct Record {
    pub(super) id: MemberId,
    pub(super) number: u64,
    pub(super) stamp: u64,
    /// The sealed entry; `None` if the receiver has it.
    pub(super) sealed: Option<Bytes>,
    pub(super) owner: OwnerDigests,
    pub(super) in_grace: bool,
    /// The time until the member's tokens expire, or, of a relay that is gone, until the end of its grace time.
    pub(super) expires_in: Duration,
    /// The relay that had the member, if it is gone; `None` for a member of the sender.
    pub(super) gone: Option<u64>,
}

/// Prints neither the id nor the entry.
impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Record")
            .field("number", &self.number)
            .field("stamp", &self.stamp)
            .finish_non_exhaustive()
    }
}
