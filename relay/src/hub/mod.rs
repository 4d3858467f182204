//! The rules of channels, without I/O: offsets, the replay cache and its limits, recognition of repeated messages.
//! The embedded broker runs it behind a lock; tests run it in virtual time.

mod channel;
mod ids;
mod publication;
#[cfg(test)]
mod tests;

pub use publication::{Accepted, Draft, IdempotencyId, Publication};

use crate::{clock::Now, memory::Memory};
use channel::Channel;
use ids::Ids;
use sealwire_protocol::{
    ChannelId, UnixMillis,
    wire::{Position, Since},
};
use std::{
    collections::{HashMap, VecDeque},
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
    pub publications: Vec<Arc<Publication>>,
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
    time: UnixMillis,
    channels: HashMap<ChannelId, Channel>,
    /// The channel of every cached publication, oldest first: the order of offsets is the order of expiry.
    cached: VecDeque<(Instant, ChannelId)>,
    cached_bytes: usize,
    /// Channels that became idle, longest first; may name a channel that is in use again.
    idle: VecDeque<(Instant, ChannelId)>,
    /// When an idle channel was last forgotten before its time, because there were too many.
    forgot_at: Option<Instant>,
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

impl Hub {
    /// What a cached publication occupies besides its frame, in bytes.
    const ENTRY_COST: usize = 192;
    /// What an idle channel occupies, in bytes. An eighth of the replay cache's size may go to them as well.
    const IDLE_COST: usize = 256;
    /// So many idle channels are kept in any case.
    const MIN_IDLE: usize = 16;

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
            cached: VecDeque::new(),
            cached_bytes: 0,
            idle: VecDeque::new(),
            forgot_at: None,
            ids: Ids::new(limits.replay_bytes / 4 / Ids::COST),
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
        self.cached_bytes
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
    pub fn publish(&mut self, draft: Draft, now: Now) -> Outcome {
        self.expire(now.monotonic);
        let (channel_id, id) = (draft.channel, draft.id);
        if let Some(accepted) = self.ids.find(channel_id, &id) {
            self.counts.repeats += 1;
            return Outcome { accepted, publication: None };
        }
        // The time on the wire never runs backwards, whatever happens to the wall clock.
        self.time = self.time.max(now.wall);
        let channel =
            self.channels.entry(channel_id).or_insert_with(|| Channel::new(self.counter, self.forgot_at));
        self.counter += 1;
        self.counts.publications += 1;
        let publication = Publication::new(draft, self.counter, channel.head, self.time);
        let publication = Arc::new(publication.counted(&self.memory));
        channel.push(publication.clone(), now.monotonic);
        self.cached.push_back((now.monotonic, channel_id));
        self.cached_bytes += cost(&publication);
        while self.cached_bytes > self.limits.replay_bytes {
            self.counts.evicted += 1;
            self.evict_oldest(now.monotonic);
        }
        let position = Position { epoch: self.epoch, offset: self.counter };
        let accepted = Accepted { position, time: self.time };
        self.ids.remember(channel_id, id, accepted, now.monotonic);
        self.memory.set_books(self.books());
        Outcome { accepted, publication: Some(publication) }
    }

    /// Adds a subscription and says what it starts with. Every `join` is followed by one [`Self::leave`].
    pub fn join(&mut self, channel_id: ChannelId, since: Option<Since>, now: Now) -> Replay {
        self.expire(now.monotonic);
        let (epoch, counter, age) = (self.epoch, self.counter, now.monotonic - self.started);
        let channel =
            self.channels.entry(channel_id).or_insert_with(|| Channel::new(counter, self.forgot_at));
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
        }
        self.note_if_idle(channel_id, now.monotonic);
        self.expire(now.monotonic);
    }

    /// Forgets what is older than the replay window: constant work for every publication that goes.
    pub fn expire(&mut self, now: Instant) {
        let Some(start) = now.checked_sub(self.limits.replay_window) else { return };
        while self.cached.front().is_some_and(|(at, _)| *at < start) {
            self.counts.expired += 1;
            self.evict_oldest(now);
        }
        while self.idle.front().is_some_and(|(since, _)| *since < start) {
            self.forget_longest_idle();
        }
        self.ids.expire(start);
        self.memory.set_books(self.books());
    }

    /// Gives up the oldest publications, of so many bytes in all, down to a quarter of what may be kept. Returns how many
    /// bytes those were.
    pub fn evict(&mut self, bytes: usize, now: Instant) -> usize {
        let before = self.cached_bytes;
        let floor = (self.limits.replay_bytes / 4).min(self.memory.cache_floor());
        let target = before.saturating_sub(bytes).max(floor);
        while self.cached_bytes > target {
            self.evict_oldest(now);
            self.counts.evicted += 1;
        }
        self.memory.set_books(self.books());
        before - self.cached_bytes
    }

    /// Bytes of everything besides the frames.
    fn books(&self) -> usize {
        (self.cached.len() * Self::ENTRY_COST) + self.channels.len() * Self::IDLE_COST + self.ids.bytes()
    }

    fn evict_oldest(&mut self, now: Instant) {
        let Some((_, channel_id)) = self.cached.pop_front() else { return };
        let evicted = self.channels.get_mut(&channel_id).and_then(Channel::evict_oldest);
        self.cached_bytes -= evicted.map_or(0, |entry| cost(&entry.publication));
        self.note_if_idle(channel_id, now);
    }

    fn note_if_idle(&mut self, channel_id: ChannelId, now: Instant) {
        if let Some(channel) = self.channels.get_mut(&channel_id)
            && channel.is_idle()
            && channel.idle_since.is_none()
        {
            channel.idle_since = Some(now);
            self.idle.push_back((now, channel_id));
            if self.idle.len() > self.limits.replay_bytes / 8 / Self::IDLE_COST + Self::MIN_IDLE
                && self.forget_longest_idle()
            {
                self.forgot_at = Some(now);
            }
        }
    }

    /// Whether the channel that was idle for longest still was.
    fn forget_longest_idle(&mut self) -> bool {
        let Some((since, channel_id)) = self.idle.pop_front() else { return false };
        let is_idle = self.channels.get(&channel_id).is_some_and(|channel| channel.idle_since == Some(since));
        if is_idle {
            self.channels.remove(&channel_id);
        }
        is_idle
    }
}

fn cost(publication: &Publication) -> usize {
    publication.frame().len() + Hub::ENTRY_COST
}
