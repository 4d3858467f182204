//! Which messages were taken already, so that a repeated publish is answered and not published again.

use super::{Accepted, IdempotencyId};
use sealwire_protocol::ChannelId;
use std::{
    collections::{HashMap, VecDeque},
    time::Instant,
};

type Key = (ChannelId, IdempotencyId);

pub(super) struct Ids {
    seen: HashMap<Key, Accepted>,
    order: VecDeque<(Instant, Key)>,
    capacity: usize,
}

impl Ids {
    /// What one remembered id occupies, both collections together, in bytes.
    pub(super) const COST: usize = 160;

    pub(super) fn new(capacity: usize) -> Self {
        Self { seen: HashMap::new(), order: VecDeque::new(), capacity }
    }

    /// What it occupies.
    pub(super) fn bytes(&self) -> usize {
        self.order.len() * Self::COST
    }

    pub(super) fn find(&self, channel: ChannelId, id: &IdempotencyId) -> Option<Accepted> {
        self.seen.get(&(channel, *id)).copied()
    }

    pub(super) fn remember(
        &mut self,
        channel: ChannelId,
        id: IdempotencyId,
        accepted: Accepted,
        at: Instant,
    ) {
        if self.order.len() >= self.capacity {
            self.forget_oldest();
        }
        if self.capacity > 0 {
            self.seen.insert((channel, id), accepted);
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
