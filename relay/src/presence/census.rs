//! The channels with presence, for the console.

use super::{Presences, SHARDS, lock, table::PresenceTable};
use sealwire_protocol::ChannelId;

/// A channel with presence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ChannelCount {
    pub(crate) channel: ChannelId,
    /// The members, those at other relays included.
    pub(crate) members: usize,
    pub(crate) watchers: usize,
    /// The changes of members that watchers were told since the relay needs the channel.
    pub(crate) changes: u64,
}

impl<W> PresenceTable<W> {
    /// Returns at most `max` channels.
    fn some_channels(&self, max: usize) -> Vec<ChannelCount> {
        let count = |(channel, presence): (ChannelId, &super::channel::ChannelPresence<W>)| ChannelCount {
            channel,
            members: presence.members(),
            watchers: presence.watchers(),
            changes: presence.changes,
        };
        self.channels().take(max).map(count).collect()
    }
}

impl Presences {
    /// Returns at most `max` channels of a shard; `None` if there is no such shard.
    pub(crate) fn some_channels(&self, shard: usize, max: usize) -> Option<Vec<ChannelCount>> {
        (shard < SHARDS).then(|| lock(&self.shards[shard]).some_channels(max))
    }
}
