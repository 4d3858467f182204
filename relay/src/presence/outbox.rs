//! The changes of a table that other relays have to hear.

use super::MemberId;
use sealwire_protocol::ChannelId;
use std::collections::BTreeMap;

/// The changes since the last call of [`Outbox::take`].
#[derive(Default)]
pub(super) struct Outbox {
    /// The channels that this relay began or ceased to need.
    pub(super) channels: BTreeMap<ChannelId, ChannelNeed>,
    pub(super) members: BTreeMap<(ChannelId, MemberId), Touch>,
}

/// The need of a relay for a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ChannelNeed {
    /// The relay needs the channel of this app, and knows nothing of it yet.
    Opened {
        app: String,
    },
    Closed,
}

/// The change of a member of this relay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Touch {
    /// Its connection, stamp or expiry changed.
    State,
    /// Its entry changed, or it is new.
    Entry,
    /// It left. Entries with a later stamp are not concerned.
    Left {
        stamp: u64,
        /// True if another relay has the member, or had it and is gone. The start of a stream does not repeat that it left.
        is_foreign: bool,
    },
}

impl Outbox {
    pub(super) fn touch(&mut self, channel: ChannelId, id: MemberId, touch: Touch) {
        let known = self.members.entry((channel, id)).or_insert(touch);
        *known = (*known).max(touch);
    }

    /// Notes that a member of this relay entered, which an earlier leave does not concern.
    pub(super) fn touch_entry(&mut self, channel: ChannelId, id: MemberId) {
        self.members.insert((channel, id), Touch::Entry);
    }

    pub(super) fn append(&mut self, mut other: Self) {
        self.channels.append(&mut other.channels);
        self.members.append(&mut other.members);
    }
}
