//! The rules of channels, without I/O: offsets, the replay cache and its limits, recognition of repeated messages.
//! The embedded broker runs it behind a lock; tests run it in virtual time.

mod channel;
mod forgotten;
mod history;
mod ids;
mod publication;
mod shares;
#[cfg(test)]
mod tests;

pub use history::History;
pub use ids::IdReused;
pub use publication::{Accepted, Draft, IdempotencyId, Publication};

use crate::{clock::Now, memory::Memory, tenant::Tenant};
use channel::Channel;
use forgotten::Forgotten;
use ids::{Ids, Taken};
use sealwire_protocol::{
    ChannelId, UnixMillis,
    wire::{Position, Since},
};
use shares::{Entry, Shares};
use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

/// What a hub may keep.
#[derive(Clone, Copy, Debug)]
pub struct HubLimits {
    /// How long a publication can be replayed and its id is remembered.
    pub replay_window: Duration,
    /// Most bytes of cached publications, over all channels.
    pub replay_bytes: usize,
}

/// What a subscription starts with.
#[derive(Clone, Debug)]
pub struct Replay {
    /// Where the subscription stands before the first of `publications`.
    pub position: Position,
    /// Everything asked for is provably among `publications`.
    pub recovered: bool,
    /// In order.
    pub publications: History,
}

/// What became of a draft.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Where and when it was taken: of a repeated message, the first time.
    pub accepted: Accepted,
    /// What subscribers get; nothing where the message was taken before.
    pub publication: Option<Arc<Publication>>,
}

/// All channels of one relay.
pub struct Hub {
    epoch: u64,
    limits: HubLimits,
    started: Instant,
    /// Offset of the newest publication on any channel.
    counter: u64,
    /// The time of the newest publication.
    time: UnixMillis,
    channels: HashMap<ChannelId, Channel>,
    /// Every cached publication. A tenant's oldest one is the oldest of its channel.
    cached: Shares<Cached>,
    /// Channels that became idle; may name a channel that is in use again.
    idle: Shares<Idle>,
    forgotten: Forgotten,
    ids: Ids,
    counts: HubCounts,
    memory: Arc<Memory>,
}

/// What a hub did so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HubCounts {
    /// Publications taken.
    pub publications: u64,
    /// Repeats of publications that were taken before.
    pub repeats: u64,
    /// Publications forgotten because their time was over.
    pub expired: u64,
    /// Publications forgotten earlier, because the cache was full.
    pub evicted: u64,
}

/// A publication in its channel's history.
struct Cached {
    channel: ChannelId,
    cost: u32,
}

impl Entry for Cached {
    fn cost(&self) -> usize {
        self.cost as usize
    }
}

/// A channel without a subscription and without a cached publication.
struct Idle(ChannelId);

impl Entry for Idle {
    fn cost(&self) -> usize {
        Hub::IDLE_COST
    }
}

impl Hub {
    /// What a cached publication occupies besides its frame, in bytes.
    const ENTRY_COST: usize = 192;
    /// What an idle channel occupies, in bytes. An eighth of the replay cache's size may go to them as well.
    const IDLE_COST: usize = 256;
    /// By how much the time of a publication may be ahead of the wall clock.
    const MAX_AHEAD: Duration = Duration::from_secs(10);
    /// So many idle channels are kept in any case.
    const MIN_IDLE: usize = 16;
    /// Most that one call forgets: others wait for the hub meanwhile.
    const MAX_EVICTIONS_AT_ONCE: usize = 1024;

    /// An empty hub. `epoch` is random, so that no two runs of a relay share one.
    #[must_use]
    pub fn new(epoch: u64, limits: HubLimits, now: Now) -> Self {
        Self {
            epoch,
            limits,
            started: now.monotonic,
            counter: 0,
            time: now.wall,
            channels: HashMap::new(),
            cached: Shares::default(),
            idle: Shares::default(),
            forgotten: Forgotten::default(),
            ids: Ids::new(limits.replay_bytes / 4),
            counts: HubCounts::default(),
            memory: Arc::default(),
        }
    }

    /// Counts the frames that it makes, and what it keeps besides them.
    #[must_use]
    pub fn with_memory(self, memory: Arc<Memory>) -> Self {
        Self { memory, ..self }
    }

    /// The relay's run.
    #[must_use]
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Bytes of all cached publications.
    #[must_use]
    pub fn cached_bytes(&self) -> usize {
        self.cached.bytes()
    }

    /// What it did so far.
    #[must_use]
    pub fn counts(&self) -> HubCounts {
        self.counts
    }

    /// Channels with any state.
    #[must_use]
    pub fn channels(&self) -> usize {
        self.channels.len()
    }

    /// Gives a message its place, unless it has one.
    ///
    /// # Errors
    /// [`IdReused`] if another message of the channel has its id.
    pub fn publish(&mut self, draft: Draft, now: Now) -> Result<Outcome, IdReused> {
        self.expire(now.monotonic);
        let (channel_id, tenant, id) = (draft.channel, draft.tenant, draft.id);
        let (offset, time) = (self.counter + 1, self.following(now.wall));
        let taken = Taken { offset, time, content: self.ids.content(&draft) };
        if let Some(taken) = self.ids.take(tenant, (channel_id, id), taken, now.monotonic)? {
            self.counts.repeats += 1;
            let accepted = self.accepted(taken.offset, taken.time);
            return Ok(Outcome { accepted, publication: None });
        }
        let channel = self
            .channels
            .entry(channel_id)
            .or_insert_with(|| Channel::new(tenant, self.counter, self.forgotten.last(tenant)));
        (self.counter, self.time) = (offset, time);
        self.counts.publications += 1;
        let publication = Publication::new(draft, offset, channel.head, time);
        let publication = Arc::new(publication.counted(&self.memory));
        channel.push(publication.clone(), now.monotonic);
        let cost = u32::try_from(cost(&publication)).unwrap_or(u32::MAX);
        self.cached.push(tenant, now.monotonic, Cached { channel: channel_id, cost });
        while self.cached.footprint() > self.limits.replay_bytes && self.evict_of_largest(now.monotonic) {}
        self.memory.set_books(self.books());
        Ok(Outcome { accepted: self.accepted(self.counter, self.time), publication: Some(publication) })
    }

    fn accepted(&self, offset: u64, time: UnixMillis) -> Accepted {
        Accepted { position: Position { epoch: self.epoch, offset }, time }
    }

    /// The times of publications do not run backwards where the wall clock is set back by a little, as time servers do.
    /// Past that, it was wrong before, and is followed at once.
    fn following(&self, wall: UnixMillis) -> UnixMillis {
        let ahead = Duration::from_millis(self.time.0.saturating_sub(wall.0));
        if ahead > Self::MAX_AHEAD { wall } else { self.time.max(wall) }
    }

    /// Adds a subscription and says what it starts with. Every `join` is followed by one [`Self::leave`].
    pub fn join(&mut self, tenant: Tenant, channel_id: ChannelId, since: Option<Since>, now: Now) -> Replay {
        self.expire(now.monotonic);
        let (epoch, counter, age) = (self.epoch, self.counter, now.monotonic - self.started);
        let channel = self
            .channels
            .entry(channel_id)
            .or_insert_with(|| Channel::new(tenant, counter, self.forgotten.last(tenant)));
        channel.subscriptions += 1;
        channel.idle_since = None;
        match since {
            None => channel.live(epoch),
            Some(Since::Position(position)) => channel.since_position(epoch, position),
            Some(Since::ReplaySeconds(seconds)) => {
                let span = Duration::from_secs(seconds.into());
                // A relay younger than the span cannot know what its predecessor took.
                match now.monotonic.checked_sub(span) {
                    Some(start) if span <= age => channel.since_time(epoch, start),
                    _ => Replay { recovered: false, ..channel.since_time(epoch, self.started) },
                }
            }
        }
    }

    /// Removes a subscription.
    pub fn leave(&mut self, channel_id: ChannelId, now: Now) {
        if let Some(channel) = self.channels.get_mut(&channel_id) {
            channel.subscriptions = channel.subscriptions.saturating_sub(1);
            if channel.becomes_idle(now.monotonic) {
                let tenant = channel.tenant;
                self.note_idle(tenant, channel_id, now.monotonic);
            }
        }
        self.expire(now.monotonic);
    }

    /// Forgets what is older than the replay window, and no more than [`Self::MAX_EVICTIONS_AT_ONCE`]: hardly any work for each
    /// publication that goes. Returns whether something is left to forget.
    pub fn expire(&mut self, now: Instant) -> bool {
        let Some(start) = now.checked_sub(self.limits.replay_window) else { return false };
        let mut left = Self::MAX_EVICTIONS_AT_ONCE;
        while left > 0
            && let Some((_, cached)) = self.cached.pop_expired(start)
        {
            self.counts.expired += 1;
            self.evict_oldest_of(cached.channel, now);
            left -= 1;
        }
        while left > 0
            && let Some((since, Idle(channel))) = self.idle.pop_expired(start)
        {
            self.forget(channel, since);
            left -= 1;
        }
        self.ids.expire(start, &mut left);
        self.memory.set_books(self.books());
        left == 0
    }

    /// Evicts publications of so many bytes, those of the largest tenants first, down to a quarter of the budget, and no
    /// more than [`Self::MAX_EVICTIONS_AT_ONCE`] publications. Returns the bytes evicted.
    pub fn evict(&mut self, bytes: usize, now: Instant) -> usize {
        let before = self.cached.bytes();
        let floor = (self.limits.replay_bytes / 4).min(self.memory.cache_floor());
        let target = before.saturating_sub(bytes).max(floor);
        let mut left = Self::MAX_EVICTIONS_AT_ONCE;
        while self.cached.bytes() > target && left > 0 && self.evict_of_largest(now) {
            left -= 1;
        }
        self.memory.set_books(self.books());
        before - self.cached.bytes()
    }

    /// Bytes of everything besides the frames.
    fn books(&self) -> usize {
        let tenants = self.cached.footprint() - self.cached.bytes();
        self.cached.len() * Self::ENTRY_COST
            + tenants
            + self.channels.len() * Self::IDLE_COST
            + self.ids.bytes()
    }

    /// Returns whether there was a publication to evict.
    fn evict_of_largest(&mut self, now: Instant) -> bool {
        let Some((_, cached)) = self.cached.pop_of_largest() else { return false };
        self.counts.evicted += 1;
        self.evict_oldest_of(cached.channel, now);
        true
    }

    fn evict_oldest_of(&mut self, channel_id: ChannelId, now: Instant) {
        let Some(channel) = self.channels.get_mut(&channel_id) else { return };
        channel.evict_oldest();
        if channel.becomes_idle(now) {
            let tenant = channel.tenant;
            self.note_idle(tenant, channel_id, now);
        }
    }

    fn note_idle(&mut self, tenant: Tenant, channel: ChannelId, now: Instant) {
        self.idle.push(tenant, now, Idle(channel));
        let most = self.limits.replay_bytes / 8 + Self::MIN_IDLE * Self::IDLE_COST;
        while self.idle.footprint() > most
            && let Some((since, Idle(channel))) = self.idle.pop_of_largest()
        {
            if let Some(tenant) = self.forget(channel, since) {
                self.forgotten.note(tenant, now, self.limits.replay_window);
            }
        }
    }

    /// Forgets a channel that has been idle since a moment. Returns whose it was, unless it is in use again.
    fn forget(&mut self, channel_id: ChannelId, since: Instant) -> Option<Tenant> {
        self.channels.get(&channel_id).filter(|channel| channel.idle_since == Some(since))?;
        self.channels.remove(&channel_id).map(|channel| channel.tenant)
    }
}

fn cost(publication: &Publication) -> usize {
    publication.frame().len() + Hub::ENTRY_COST
}
