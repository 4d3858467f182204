//! One channel's history: what is cached, and what is known to be gone.

use super::{Publication, Replay};
use sealwire_protocol::wire::Position;
use std::{collections::VecDeque, sync::Arc, time::Instant};

/// A cached publication with the moment it was taken.
pub(super) struct Entry {
    pub(super) publication: Arc<Publication>,
    pub(super) at: Instant,
}

pub(super) struct Channel {
    /// Offset of the newest publication, or the counter's value when the channel came to be.
    pub(super) head: u64,
    /// Offset of the newest publication that is no longer cached, or the first `head`.
    floor: u64,
    /// When the publication at `floor` was taken at the latest, if there was one.
    floor_at: Option<Instant>,
    entries: VecDeque<Entry>,
    /// Subscriptions on this relay.
    pub(super) subscriptions: usize,
    /// Since when there is neither a subscription nor a cached publication.
    pub(super) idle_since: Option<Instant>,
}

impl Channel {
    /// A channel of which nothing is known before `counter`, and before `unknown_at` not even when it was used.
    pub(super) fn new(counter: u64, unknown_at: Option<Instant>) -> Self {
        Self {
            head: counter,
            floor: counter,
            floor_at: unknown_at,
            entries: VecDeque::new(),
            subscriptions: 0,
            idle_since: None,
        }
    }

    pub(super) fn push(&mut self, publication: Arc<Publication>, at: Instant) {
        self.head = publication.offset();
        self.idle_since = None;
        self.entries.push_back(Entry { publication, at });
    }

    /// Forgets the oldest cached publication.
    pub(super) fn evict_oldest(&mut self) -> Option<Entry> {
        let entry = self.entries.pop_front()?;
        self.floor = entry.publication.offset();
        self.floor_at = Some(entry.at);
        if self.entries.is_empty() {
            self.entries = VecDeque::new();
        }
        Some(entry)
    }

    /// Whether nothing holds the channel any more.
    pub(super) fn is_idle(&self) -> bool {
        self.subscriptions == 0 && self.entries.is_empty()
    }

    /// From now on.
    pub(super) fn live(&self, epoch: u64) -> Replay {
        Replay { position: Position { epoch, offset: self.head }, recovered: false, publications: Vec::new() }
    }

    /// What came after `position`; all that is cached, where that cannot be said.
    pub(super) fn since_position(&self, epoch: u64, position: Position) -> Replay {
        let known = position.epoch == epoch && (self.floor..=self.head).contains(&position.offset);
        let after = if known { position.offset } else { self.floor };
        let first = self.entries.partition_point(|entry| entry.publication.offset() <= after);
        Replay { recovered: known, ..self.tail(epoch, first) }
    }

    /// What was taken at or after `start`; recovered where nothing of that is gone.
    pub(super) fn since_time(&self, epoch: u64, start: Instant) -> Replay {
        let first = self.entries.partition_point(|entry| entry.at < start);
        let recovered = self.floor_at.is_none_or(|gone| gone < start);
        Replay { recovered, ..self.tail(epoch, first) }
    }

    /// What is cached from an index on.
    fn tail(&self, epoch: u64, first: usize) -> Replay {
        let before =
            first.checked_sub(1).map_or(self.floor, |index| self.entries[index].publication.offset());
        Replay {
            position: Position { epoch, offset: before },
            recovered: false,
            publications: self.entries.range(first..).map(|entry| entry.publication.clone()).collect(),
        }
    }
}
