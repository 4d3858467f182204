//! Which messages were taken already, so that a repeated publish is answered and not published again.

use super::{
    Accepted, IdempotencyId,
    shares::{self, Shares},
};
use crate::tenant::Tenant;
use sealwire_protocol::ChannelId;
use std::{
    collections::{HashMap, hash_map::Entry},
    time::Instant,
};

type Key = (ChannelId, IdempotencyId);

pub(super) struct Ids {
    seen: HashMap<Key, Accepted>,
    order: Shares<Key>,
    /// Most bytes that all of them may take.
    limit: usize,
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
        Self { seen: HashMap::new(), order: Shares::default(), limit }
    }

    /// What it occupies.
    pub(super) fn bytes(&self) -> usize {
        self.order.footprint()
    }

    /// Returns the answer to a message that was taken before. Otherwise remembers this answer.
    pub(super) fn take(
        &mut self,
        tenant: Tenant,
        key: Key,
        accepted: Accepted,
        at: Instant,
    ) -> Option<Accepted> {
        if self.limit < Self::COST {
            return None;
        }
        match self.seen.entry(key) {
            Entry::Occupied(earlier) => return Some(*earlier.get()),
            Entry::Vacant(place) => place.insert(accepted),
        };
        self.order.push(tenant, at, key);
        while self.order.footprint() > self.limit
            && let Some((_, key)) = self.order.pop_of_largest()
        {
            self.seen.remove(&key);
        }
        None
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
