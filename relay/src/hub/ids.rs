//! Which messages were taken already, so that a repeated publish is answered and not published again.

use super::{
    Draft, IdempotencyId,
    shares::{self, Shares},
};
use crate::tenant::Tenant;
use foldhash::quality::RandomState;
use sealwire_protocol::{ChannelId, UnixMillis};
use std::{
    collections::{HashMap, hash_map::Entry},
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
    pub(super) content: u64,
}

pub(super) struct Ids {
    seen: HashMap<Key, Taken>,
    order: Shares<Key>,
    /// Most bytes that all of them may take.
    limit: usize,
    /// Hashes contents. Nobody gains from two messages with the same hash: both are the sender's own.
    hasher: RandomState,
}

impl shares::Entry for Key {
    fn cost(&self) -> usize {
        Ids::COST
    }
}

impl Ids {
    /// What one remembered id occupies, both collections together, in bytes.
    pub(super) const COST: usize = 160;

    pub(super) fn new(limit: usize) -> Self {
        Self { seen: HashMap::new(), order: Shares::default(), limit, hasher: RandomState::default() }
    }

    /// What it occupies.
    pub(super) fn bytes(&self) -> usize {
        self.order.footprint()
    }

    /// Names what a message consists of.
    pub(super) fn content(&self, draft: &Draft) -> u64 {
        self.hasher.hash_one((&*draft.event, &*draft.sealed))
    }

    /// Returns where the same message was taken before. Otherwise it is taken now.
    pub(super) fn take(
        &mut self,
        tenant: Tenant,
        key: Key,
        taken: Taken,
        at: Instant,
    ) -> Result<Option<Taken>, IdReused> {
        if self.limit < Self::COST {
            return Ok(None);
        }
        match self.seen.entry(key) {
            Entry::Occupied(earlier) if earlier.get().content != taken.content => return Err(IdReused),
            Entry::Occupied(earlier) => return Ok(Some(*earlier.get())),
            Entry::Vacant(place) => place.insert(taken),
        };
        self.order.push(tenant, at, key);
        while self.order.footprint() > self.limit
            && let Some((_, key)) = self.order.pop_of_largest()
        {
            self.seen.remove(&key);
        }
        Ok(None)
    }

    /// Forgets what was taken before `start`, so many ids at most.
    pub(super) fn expire(&mut self, start: Instant, left: &mut usize) {
        while *left > 0
            && let Some((_, key)) = self.order.pop_expired(start)
        {
            self.seen.remove(&key);
            *left -= 1;
        }
    }
}
