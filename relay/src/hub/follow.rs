//! Channels whose offsets another system assigns: the hub keeps their publications for replay, with the same limits.

use super::{Cached, Channel, FollowedReplay, Hub, Publication};
use crate::tenant::Tenant;
use sealwire_protocol::ChannelId;
use std::{sync::Arc, time::Instant};

impl Hub {
    /// Opens a channel of which every publication after `floor` will be appended. Publications up to `floor` may have been
    /// accepted until `floor_at`. The channel stays until [`Self::drop_channel`].
    pub fn open(&mut self, tenant: Tenant, channel_id: ChannelId, floor: u64, floor_at: Instant) {
        let mut channel = Channel::new(tenant, floor, Some(floor_at));
        self.last_life = self.last_life.wrapping_add(1);
        (channel.life, channel.subscriptions) = (self.last_life, 1);
        self.channels.insert(channel_id, channel);
    }

    /// Appends a publication to an open channel. Its offset is greater than that of every earlier one.
    pub fn append(&mut self, tenant: Tenant, publication: Publication, at: Instant) -> Arc<Publication> {
        let publication = Arc::new(publication.counted(&self.memory));
        let channel_id = publication.channel();
        let Some(channel) = self.channels.get_mut(&channel_id) else { return publication };
        self.counts.publications += 1;
        channel.push(publication.clone(), at);
        let life = channel.life;
        let bytes = publication.frame().len() + Self::PUBLICATION_OVERHEAD;
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        self.cached.push(tenant, at, Cached { channel: channel_id, life, bytes });
        while self.cached.footprint() > self.limits.replay_bytes && self.evict_from_largest(at) {}
        self.memory.set_replay_overhead(self.overhead());
        publication
    }

    /// Returns the offset of the newest publication of a cached channel, or its floor.
    #[must_use]
    pub fn head(&self, channel: ChannelId) -> Option<u64> {
        self.channels.get(&channel).map(|channel| channel.head)
    }

    /// Returns the cached publication at an offset.
    #[must_use]
    pub fn find(&self, channel: ChannelId, offset: u64) -> Option<&Arc<Publication>> {
        self.channels.get(&channel)?.find(offset)
    }

    /// Returns the publications of a channel after an offset.
    #[must_use]
    pub fn replay_after(&self, channel: ChannelId, offset: u64) -> Option<FollowedReplay> {
        self.channels.get(&channel).map(|channel| channel.after(offset))
    }

    /// Returns the publications of a channel since a time.
    #[must_use]
    pub fn replay_since(&self, channel: ChannelId, start: Instant) -> Option<FollowedReplay> {
        self.channels.get(&channel).map(|channel| channel.since(start))
    }

    /// Drops a channel with its publications.
    pub fn drop_channel(&mut self, channel: ChannelId) {
        self.channels.remove(&channel);
    }
}
