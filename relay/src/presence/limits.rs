//! The limits of a channel's presence, and the errors of its requests.

use crate::{refused::Refused, settings::Settings};
use sealwire_protocol::Code;

/// The limits of one channel.
#[derive(Clone, Copy)]
pub(super) struct TableLimits {
    pub(super) members: usize,
    /// The members of one account.
    pub(super) members_per_account: usize,
    /// The bytes of all sealed entries.
    pub(super) bytes: usize,
}

impl TableLimits {
    /// A state also fits the queue of a client that reads nothing meanwhile.
    pub(super) fn of(settings: &Settings) -> Self {
        Self {
            members: settings.max_presence_members,
            members_per_account: settings.max_presence_members_per_account,
            bytes: settings.max_presence_bytes.min(settings.queue_bytes / 2),
        }
    }
}

/// The error of a request to enter or leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PresenceError {
    /// The member belongs to another account.
    OtherAccount,
    /// A newer session has the member.
    NewerSession,
    /// The entry is older than the present one.
    Outdated,
    /// The channel has too many members.
    Members,
    /// The account has too many members on the channel.
    MembersOfAccount,
    /// The entries of the channel have too many bytes.
    Bytes,
}

impl PresenceError {
    pub(super) fn refused(self) -> Refused {
        let (code, message) = match self {
            Self::OtherAccount => (
                Code::MemberConflict,
                "the member id belongs to another account; enter with another random id",
            ),
            Self::NewerSession => (Code::MemberConflict, "a newer session of the account has this member"),
            Self::Outdated => (
                Code::EntryOutdated,
                "the relay has a later entry of this member, or another one with this number; use a greater number",
            ),
            Self::Members | Self::MembersOfAccount | Self::Bytes => {
                (Code::TooManyMembers, "the presence of the channel is full")
            }
        };
        Refused::new(code, message)
    }
}
