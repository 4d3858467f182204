//! A member as relays tell it to each other.

use super::MemberId;
use crate::id_digest::IdDigest;
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
    pub(super) names: Names,
    pub(super) in_grace: bool,
    pub(super) expires_in: Duration,
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

/// The digests of a member's installation and account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Names {
    pub(super) installation: IdDigest,
    pub(super) account: IdDigest,
}
