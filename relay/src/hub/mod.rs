//! The state machine of all channels, without I/O: offsets, the replay cache and its limits, and the recognition of
//! repeated messages. The embedded broker drives it behind a lock; tests drive it in virtual time.

mod channel;
mod eviction;
mod follow;
mod forgotten;
mod history;
mod ids;
mod publication;
mod shares;
#[cfg(test)]
mod tests;

pub use channel::FollowedReplay;
pub use history::History;
pub use ids::IdReused;
pub(crate) use publication::identity;
pub use publication::{ContentDigest, Draft, IdempotencyId, Publication, PublishReceipt};

use crate::{clock::Now, memory::Memory, tenant::Tenant};
use channel::Channel;
use forgotten::Forgotten;
use ids::{AcceptedMessage, Ids};
use sealwire_protocol::{
    ChannelId, UnixMillis,
    wire::{Position, Since},
};
use shares::{Shares, Weighted};
use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

/// The limits of a hub's replay cache.
#[derive(Clone, Copy, Debug)]
pub struct HubLimits {
    /// The time for which a publication can be replayed and its id is remembered.
    pub replay_window: Duration,
    /// The maximum bytes of cached publications, over all channels.
    pub replay_bytes: usize,
}

/// The start of a subscription: its position and the publications to replay.
#[derive(Clone, Debug)]
pub struct Replay {
    /// The position before the first of `publications`.
    pub position: Position,
    /// True if `publications` provably contains everything that was requested.
    pub recovered: bool,
    /// The publications, in order.
    pub publications: History,
}

/// The result of publishing a draft.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The position and time; of a repeated message, those of the first one.
    pub receipt: PublishReceipt,
    /// The publication for the subscribers; `None` for a repeated message.
    pub publication: Option<Arc<Publication>>,
}

/// All channels of one relay.
pub struct Hub {
    epoch: u64,
    limits: HubLimits,
    started: Instant,
    /// The offset of the newest publication on any channel.
    counter: u64,
    /// The time of the newest publication.
    time: UnixMillis,
    channels: HashMap<ChannelId, Channel>,
    /// All cached publications. A tenant's oldest one is also the oldest of its channel.
    cached: Shares<Cached>,
    /// The channels that became idle; some may be in use again.
    idle: Shares<Idle>,
    forgotten: Forgotten,
    /// The life of the channel that was opened last; see [`Channel::life`].
    last_life: u32,
    ids: Ids,
    counts: HubCounts,
    memory: Arc<Memory>,
}

/// Counters of a hub, since its start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HubCounts {
    /// The number of accepted publications.
    pub publications: u64,
    /// The number of repeated publishes.
    pub repeats: u64,
    /// The number of publications removed from the cache after the replay window.
    pub expired: u64,
    /// The number of publications evicted earlier, because the cache was full or memory was short.
    pub evicted: u64,
}

/// A cached publication: its channel, the channel's life at that time, and its size in bytes.
struct Cached {
    channel: ChannelId,
    life: u32,
    bytes: u32,
}

impl Weighted for Cached {
    fn weight(&self) -> usize {
        self.bytes as usize
    }
}

/// A channel that has neither a subscription nor a cached publication.
struct Idle(ChannelId);

impl Weighted for Idle {
    fn weight(&self) -> usize {
        Hub::CHANNEL_OVERHEAD
    }
}

impl Hub {
    /// The bytes of a cached publication besides its frame.
    const PUBLICATION_OVERHEAD: usize = 192;
    /// The bytes of a channel without its publications. Idle channels may occupy up to an eighth of the replay cache's
    /// size in addition.
    const CHANNEL_OVERHEAD: usize = 256;
    /// The maximum time by which a publication's time may be ahead of the wall clock.
    const MAX_AHEAD: Duration = Duration::from_secs(10);
    /// The number of idle channels that are kept in any case.
    const MIN_IDLE: usize = 16;
    /// The maximum number of entries that one call removes: other callers wait for the hub meanwhile.
    const MAX_EVICTIONS_AT_ONCE: usize = 1024;

    /// Creates an empty hub. `epoch` is random, so that no two runs of a relay share one.
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
            last_life: 0,
            ids: Ids::new(limits.replay_bytes / 4),
            counts: HubCounts::default(),
            memory: Arc::default(),
        }
    }

    /// Accounts the memory of frames and of the cache in `memory`.
    #[must_use]
    pub fn with_memory(self, memory: Arc<Memory>) -> Self {
        Self { memory, ..self }
    }

    /// Returns the epoch, which identifies this run of the relay.
    #[must_use]
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Returns the bytes of all cached publications.
    #[must_use]
    pub fn cached_bytes(&self) -> usize {
        self.cached.bytes()
    }

    /// Returns the counters.
    #[must_use]
    pub fn counts(&self) -> HubCounts {
        self.counts
    }

    /// Returns the number of channels with any state.
    #[must_use]
    pub fn channels(&self) -> usize {
        self.channels.len()
    }

    /// Assigns a position to a message. A repeated message gets its first position again.
    ///
    /// # Errors
    /// [`IdReused`] if the id belongs to another message of the channel.
    pub fn publish(&mut self, draft: Draft, now: Now) -> Result<Outcome, IdReused> {
        self.expire(now.monotonic);
        let (channel_id, tenant, id) = (draft.channel, draft.tenant, draft.id);
        let (offset, time) = (self.counter + 1, self.next_time(now.wall));
        let message = AcceptedMessage { offset, time, content: self.ids.content(&draft) };
        if let Some(earlier) = self.ids.insert(tenant, (channel_id, id), message, now.monotonic)? {
            self.counts.repeats += 1;
            let receipt = self.receipt(earlier.offset, earlier.time);
            return Ok(Outcome { receipt, publication: None });
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
        let bytes = publication.frame().len() + Self::PUBLICATION_OVERHEAD;
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        self.cached.push(tenant, now.monotonic, Cached { channel: channel_id, life: 0, bytes });
        while self.cached.footprint() > self.limits.replay_bytes && self.evict_from_largest(now.monotonic) {}
        self.memory.set_replay_overhead(self.overhead());
        Ok(Outcome { receipt: self.receipt(self.counter, self.time), publication: Some(publication) })
    }

    fn receipt(&self, offset: u64, time: UnixMillis) -> PublishReceipt {
        PublishReceipt { position: Position { epoch: self.epoch, offset, time_ms: time.0 }, time }
    }

    /// Returns the position of the newest publication of all channels.
    #[must_use]
    pub fn newest(&self) -> Position {
        Position { epoch: self.epoch, offset: self.counter, time_ms: self.time.0 }
    }

    /// Returns the time of the next publication. Times do not decrease if the wall clock is set back by up to
    /// [`Self::MAX_AHEAD`], as time servers do. After a larger step, the clock was wrong before, and is followed at once.
    fn next_time(&self, wall: UnixMillis) -> UnixMillis {
        let ahead = Duration::from_millis(self.time.0.saturating_sub(wall.0));
        if ahead > Self::MAX_AHEAD { wall } else { self.time.max(wall) }
    }

    /// Adds a subscription and returns its start. One call of [`Self::unsubscribe`] follows each call.
    pub fn subscribe(
        &mut self,
        tenant: Tenant,
        channel_id: ChannelId,
        since: Option<Since>,
        now: Now,
    ) -> Replay {
        self.expire(now.monotonic);
        let (newest, age) = (self.newest(), now.monotonic - self.started);
        let channel = self
            .channels
            .entry(channel_id)
            .or_insert_with(|| Channel::new(tenant, newest.offset, self.forgotten.last(tenant)));
        channel.subscriptions += 1;
        channel.idle_since = None;
        match since {
            None => channel.live(newest),
            Some(Since::Position(position)) => channel.since_position(newest, position),
            Some(Since::ReplaySeconds(seconds)) => {
                let span = Duration::from_secs(seconds.into());
                // A relay that is younger than the span does not know the publications of its predecessor.
                match now.monotonic.checked_sub(span) {
                    Some(start) if span <= age => channel.since_time(newest, start),
                    _ => Replay { recovered: false, ..channel.since_time(newest, self.started) },
                }
            }
        }
    }

    /// Removes a subscription.
    pub fn unsubscribe(&mut self, channel_id: ChannelId, now: Now) {
        if let Some(channel) = self.channels.get_mut(&channel_id) {
            channel.subscriptions = channel.subscriptions.saturating_sub(1);
            if channel.becomes_idle(now.monotonic) {
                let tenant = channel.tenant;
                self.mark_idle(tenant, channel_id, now.monotonic);
            }
        }
        self.expire(now.monotonic);
    }
}
