//! Which messages were taken already, so that a repeated publish is answered and not published again.

use super::{Draft, IdempotencyId};
use foldhash::quality::RandomState;
use sealwire_protocol::{ChannelId, UnixMillis};
use std::{
    collections::{HashMap, VecDeque},
    hash::BuildHasher as _,
    time::Instant,
};

type Key = (ChannelId, IdempotencyId);

/// A draft has the id of a message that was taken on its channel, and is another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the id was used for another message on this channel; give each message an id of its own, and repeat one only as it \
     was"
)]
pub struct IdReused;

/// A message that was taken. The epoch is the hub's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Taken {
    pub(super) offset: u64,
    pub(super) time: UnixMillis,
    content: u64,
}

pub(super) struct Ids {
    seen: HashMap<Key, Taken>,
    order: VecDeque<(Instant, Key)>,
    capacity: usize,
    /// Hashes contents. Nobody gains from two messages with the same hash: both are the sender's own.
    hasher: RandomState,
}

impl Ids {
    /// What one remembered id occupies, both collections together, in bytes.
    pub(super) const COST: usize = 160;

    pub(super) fn new(capacity: usize) -> Self {
        Self { seen: HashMap::new(), order: VecDeque::new(), capacity, hasher: RandomState::default() }
    }

    /// What it occupies.
    pub(super) fn bytes(&self) -> usize {
        self.order.len() * Self::COST
    }

    /// Names what a message consists of.
    pub(super) fn content(&self, draft: &Draft) -> u64 {
        self.hasher.hash_one((&*draft.event, &*draft.sealed))
    }

    /// Where the same message was taken, if it was.
    pub(super) fn find(
        &self,
        channel: ChannelId,
        id: &IdempotencyId,
        content: u64,
    ) -> Result<Option<Taken>, IdReused> {
        match self.seen.get(&(channel, *id)) {
            Some(taken) if taken.content != content => Err(IdReused),
            taken => Ok(taken.copied()),
        }
    }

    pub(super) fn remember(
        &mut self,
        channel: ChannelId,
        id: IdempotencyId,
        (offset, time, content): (u64, UnixMillis, u64),
        at: Instant,
    ) {
        if self.order.len() >= self.capacity {
            self.forget_oldest();
        }
        if self.capacity > 0 {
            self.seen.insert((channel, id), Taken { offset, time, content });
            self.order.push_back((at, (channel, id)));
        }
    }

    /// Forgets what was taken before `start`.
    pub(super) fn expire(&mut self, start: Instant) {
        while self.order.front().is_some_and(|(at, _)| *at < start) {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        if let Some((_, key)) = self.order.pop_front() {
            self.seen.remove(&key);
        }
    }
}
