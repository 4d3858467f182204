//! One channel's history: what is cached, and what is known to be gone.

use super::{History, Publication, Replay, history::Kept};
use crate::tenant::Tenant;
use sealwire_protocol::wire::Position;
use std::{sync::Arc, time::Instant};

pub(super) struct Channel {
    pub(super) tenant: Tenant,
    /// Offset of the newest publication, or the counter's value when the channel came to be.
    pub(super) head: u64,
    /// Offset of the newest publication that is no longer cached, or the first `head`.
    floor: u64,
    /// When the publication at `floor` was taken at the latest, if there was one.
    floor_at: Option<Instant>,
    kept: Kept,
    /// Subscriptions on this relay.
    pub(super) subscriptions: usize,
    /// Since when there is neither a subscription nor a cached publication.
    pub(super) idle_since: Option<Instant>,
}

impl Channel {
    /// A channel of which nothing is known before `counter`, and before `unknown_at` not even when it was used.
    pub(super) fn new(tenant: Tenant, counter: u64, unknown_at: Option<Instant>) -> Self {
        Self {
            tenant,
            head: counter,
            floor: counter,
            floor_at: unknown_at,
            kept: Kept::default(),
            subscriptions: 0,
            idle_since: None,
        }
    }

    pub(super) fn push(&mut self, publication: Arc<Publication>, at: Instant) {
        self.head = publication.offset();
        self.idle_since = None;
        self.kept.push(publication, at);
    }

    /// Forgets the oldest cached publication.
    pub(super) fn evict_oldest(&mut self) {
        if let Some((publication, at)) = self.kept.pop() {
            self.floor = publication.offset();
            self.floor_at = Some(at);
        }
    }

    /// Marks the channel as idle if nothing holds it any more. Returns whether it became idle just now.
    pub(super) fn becomes_idle(&mut self, now: Instant) -> bool {
        let becomes_idle = self.subscriptions == 0 && self.kept.is_empty() && self.idle_since.is_none();
        if becomes_idle {
            self.idle_since = Some(now);
        }
        becomes_idle
    }

    /// From now on.
    pub(super) fn live(&self, epoch: u64) -> Replay {
        let position = Position { epoch, offset: self.head };
        Replay { position, recovered: false, publications: History::default() }
    }

    /// What came after `position`; all that is cached, where that cannot be said.
    pub(super) fn since_position(&self, epoch: u64, position: Position) -> Replay {
        let known = position.epoch == epoch && (self.floor..=self.head).contains(&position.offset);
        let after = if known { position.offset } else { self.floor };
        let first = self.kept.after_offset(after);
        Replay { recovered: known, ..self.tail(epoch, first) }
    }

    /// What was taken at or after `start`; recovered where nothing of that is gone.
    pub(super) fn since_time(&self, epoch: u64, start: Instant) -> Replay {
        let first = self.kept.since(start);
        let recovered = self.floor_at.is_none_or(|gone| gone < start);
        Replay { recovered, ..self.tail(epoch, first) }
    }

    /// What is cached from an index on.
    fn tail(&self, epoch: u64, first: usize) -> Replay {
        let before = first.checked_sub(1).and_then(|index| self.kept.get(index));
        let offset = before.map_or(self.floor, |publication| publication.offset());
        let position = Position { epoch, offset };
        Replay { position, recovered: false, publications: self.kept.tail(first) }
    }
}
