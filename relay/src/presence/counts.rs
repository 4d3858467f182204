//! The counters and gauges of presence, for the metrics.

/// Counters and gauges of presence.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct PresenceCounts {
    pub(crate) members: u64,
    /// The members whose connection is broken.
    pub(crate) in_grace: u64,
    /// The members of other relays on the channels of this one.
    pub(crate) remote_members: u64,
    pub(crate) watchers: u64,
    /// The watchers that were told to watch again, because other relays could not be reached.
    pub(crate) lost: u64,
    /// The changes of members that were delivered to watchers.
    pub(crate) changes: u64,
    /// The messages that were queued for watchers.
    pub(crate) messages: u64,
}

impl PresenceCounts {
    pub(super) fn add(&mut self, other: Self) {
        self.members += other.members;
        self.in_grace += other.in_grace;
        self.remote_members += other.remote_members;
        self.watchers += other.watchers;
        self.lost += other.lost;
        self.changes += other.changes;
        self.messages += other.messages;
    }
}
