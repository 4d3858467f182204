//! The ids of recently accepted messages. A repeated publish gets the answer of the first one and is not published
//! again.

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

/// The draft's id belongs to another message that was accepted on its channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the idempotency id belongs to another message on this channel; use a new id for each message, and repeat a message \
     unchanged"
)]
pub struct IdReused;

/// The position and time of an accepted message, with the hash of its content. Its epoch is the hub's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct AcceptedMessage {
    pub(super) offset: u64,
    pub(super) time: UnixMillis,
    pub(super) content: u64,
}

/// The ids that the hub remembers, by channel.
pub(super) struct Ids {
    accepted: HashMap<Key, AcceptedMessage>,
    order: Shares<Key>,
    /// The maximum bytes of all remembered ids.
    limit: usize,
    /// Hashes contents. A collision affects only messages of the same sender.
    hasher: RandomState,
}

impl shares::Weighted for Key {
    fn weight(&self) -> usize {
        Ids::WEIGHT
    }
}

impl Ids {
    /// The bytes of one remembered id in both collections.
    pub(super) const WEIGHT: usize = 160;

    pub(super) fn new(limit: usize) -> Self {
        Self { accepted: HashMap::new(), order: Shares::default(), limit, hasher: RandomState::default() }
    }

    /// Returns the bytes of all remembered ids.
    pub(super) fn bytes(&self) -> usize {
        self.order.footprint()
    }

    /// Hashes the content of a message.
    pub(super) fn content(&self, draft: &Draft) -> u64 {
        self.hasher.hash_one((&*draft.event, draft.identity()))
    }

    /// Remembers a message. Returns the earlier acceptance if the message is a repeat.
    pub(super) fn insert(
        &mut self,
        tenant: Tenant,
        key: Key,
        message: AcceptedMessage,
        at: Instant,
    ) -> Result<Option<AcceptedMessage>, IdReused> {
        if self.limit < Self::WEIGHT {
            return Ok(None);
        }
        match self.accepted.entry(key) {
            Entry::Occupied(earlier) if earlier.get().content != message.content => return Err(IdReused),
            Entry::Occupied(earlier) => return Ok(Some(*earlier.get())),
            Entry::Vacant(vacant) => vacant.insert(message),
        };
        self.order.push(tenant, at, key);
        while self.order.footprint() > self.limit
            && let Some((_, key)) = self.order.pop_from_largest()
        {
            self.accepted.remove(&key);
        }
        Ok(None)
    }

    /// Removes ids that were accepted before `start`, at most `left` of them, and subtracts their number from `left`.
    pub(super) fn expire(&mut self, start: Instant, left: &mut usize) {
        while *left > 0
            && let Some((_, key)) = self.order.pop_expired(start)
        {
            self.accepted.remove(&key);
            *left -= 1;
        }
    }
}
