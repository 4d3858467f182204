//! Removal from the replay cache: expiry after the replay window, and eviction when the cache is full or memory is short.

use super::{Cached, Hub, Idle};
use crate::tenant::Tenant;
use sealwire_protocol::ChannelId;
use std::time::Instant;

impl Hub {
    /// Removes entries that are older than the replay window, at most `MAX_EVICTIONS_AT_ONCE` of them. Returns
    /// whether expired entries may be left.
    pub fn expire(&mut self, now: Instant) -> bool {
        let Some(start) = now.checked_sub(self.limits.replay_window) else { return false };
        let mut left = Self::MAX_EVICTIONS_AT_ONCE;
        while left > 0
            && let Some((_, cached)) = self.cached.pop_expired(start)
        {
            self.counts.expired += 1;
            self.evict_oldest_of(&cached, now);
            left -= 1;
        }
        while left > 0
            && let Some((since, Idle(channel))) = self.idle.pop_expired(start)
        {
            self.drop_idle(channel, since);
            left -= 1;
        }
        self.ids.expire(start, &mut left);
        self.memory.set_replay_overhead(self.overhead());
        left == 0
    }

    /// Evicts publications of at least `bytes`, those of the largest tenants first, but at most
    /// `MAX_EVICTIONS_AT_ONCE` publications. The cache keeps a quarter of its own limit, or an eighth of the memory
    /// budget if that is less. Returns the evicted bytes.
    pub fn evict(&mut self, bytes: usize, now: Instant) -> usize {
        let before = self.cached.bytes();
        let floor = (self.limits.replay_bytes / 4).min(self.memory.cache_floor());
        let target = before.saturating_sub(bytes).max(floor);
        let mut left = Self::MAX_EVICTIONS_AT_ONCE;
        while self.cached.bytes() > target && left > 0 && self.evict_from_largest(now) {
            left -= 1;
        }
        self.memory.set_replay_overhead(self.overhead());
        before - self.cached.bytes()
    }

    /// Returns the bytes of everything besides the frames.
    pub(super) fn overhead(&self) -> usize {
        let tenants = self.cached.footprint() - self.cached.bytes();
        self.cached.len() * Self::PUBLICATION_OVERHEAD
            + tenants
            + self.channels.len() * Self::CHANNEL_OVERHEAD
            + self.ids.bytes()
    }

    /// Evicts the oldest publication of the largest tenant. Returns whether there was one.
    pub(super) fn evict_from_largest(&mut self, now: Instant) -> bool {
        let Some((_, cached)) = self.cached.pop_from_largest() else { return false };
        self.counts.evicted += 1;
        self.evict_oldest_of(&cached, now);
        true
    }

    fn evict_oldest_of(&mut self, cached: &Cached, now: Instant) {
        let channel_id = cached.channel;
        let Some(channel) = self.channels.get_mut(&channel_id) else { return };
        if channel.life != cached.life {
            return;
        }
        channel.evict_oldest();
        if channel.becomes_idle(now) {
            let tenant = channel.tenant;
            self.mark_idle(tenant, channel_id, now);
        }
    }

    /// Queues a channel for removal. If idle channels occupy too much, removes the oldest ones early.
    pub(super) fn mark_idle(&mut self, tenant: Tenant, channel: ChannelId, now: Instant) {
        self.idle.push(tenant, now, Idle(channel));
        let max = self.limits.replay_bytes / 8 + Self::MIN_IDLE * Self::CHANNEL_OVERHEAD;
        while self.idle.footprint() > max
            && let Some((since, Idle(channel))) = self.idle.pop_from_largest()
        {
            if let Some(tenant) = self.drop_idle(channel, since) {
                self.forgotten.note(tenant, now, self.limits.replay_window);
            }
        }
    }

    /// Drops a channel that has been idle since `since`. Returns its tenant, or `None` if the channel is in use again.
    fn drop_idle(&mut self, channel_id: ChannelId, since: Instant) -> Option<Tenant> {
        self.channels.get(&channel_id).filter(|channel| channel.idle_since == Some(since))?;
        self.channels.remove(&channel_id).map(|channel| channel.tenant)
    }
}
