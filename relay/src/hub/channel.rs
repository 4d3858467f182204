//! The state of one channel: its cached publications, and the position up to which publications are no longer cached.

use super::{History, Publication, Replay, history::CachedHistory};
use crate::tenant::Tenant;
use sealwire_protocol::wire::Position;
use std::{sync::Arc, time::Instant};

pub(super) struct Channel {
    pub(super) tenant: Tenant,
    /// The offset of the newest publication; without one, the hub's counter at the channel's creation.
    pub(super) head: u64,
    /// The offset of the newest publication that is no longer cached, or the first `head`.
    floor: u64,
    /// The latest time at which the publication at `floor` can have been accepted, if there was one.
    floor_at: Option<Instant>,
    cache: CachedHistory,
    /// A number that tells a channel from an earlier one with the same id, whose publications were dropped. It is 0 in the
    /// embedded broker, which never drops publications with their channel.
    pub(super) life: u32,
    /// The number of subscriptions on this relay.
    pub(super) subscriptions: usize,
    /// The time since which the channel has had neither a subscription nor a cached publication.
    pub(super) idle_since: Option<Instant>,
}

/// The publications of a followed channel from some point on.
pub struct FollowedReplay {
    /// The offset before the first publication: that of the publication before it, or the channel's floor.
    pub before: u64,
    /// True if nothing after the requested point is missing.
    pub is_complete: bool,
    /// The publications, in order.
    pub publications: History,
}

impl Channel {
    /// A channel without history before `counter`. It may have had publications until `unknown_until` that the hub no
    /// longer knows about.
    pub(super) fn new(tenant: Tenant, counter: u64, unknown_until: Option<Instant>) -> Self {
        Self {
            tenant,
            head: counter,
            floor: counter,
            floor_at: unknown_until,
            cache: CachedHistory::default(),
            life: 0,
            subscriptions: 0,
            idle_since: None,
        }
    }

    pub(super) fn push(&mut self, publication: Arc<Publication>, at: Instant) {
        self.head = publication.offset();
        self.idle_since = None;
        self.cache.push(publication, at);
    }

    /// Evicts the oldest cached publication.
    pub(super) fn evict_oldest(&mut self) {
        if let Some((publication, at)) = self.cache.pop() {
            self.floor = publication.offset();
            self.floor_at = Some(at);
        }
    }

    /// Marks the channel as idle if it has no subscription and no cached publication. Returns whether this call marked
    /// it.
    pub(super) fn becomes_idle(&mut self, now: Instant) -> bool {
        let becomes_idle = self.subscriptions == 0 && self.cache.is_empty() && self.idle_since.is_none();
        if becomes_idle {
            self.idle_since = Some(now);
        }
        becomes_idle
    }

    /// Returns the replay of a subscription that starts with the next publication.
    pub(super) fn live(&self, newest: Position) -> Replay {
        let position = position_at(self.head, self.cache.last(), newest);
        Replay { position, recovered: false, publications: History::default() }
    }

    /// Returns the publications after `position`, or all that are cached if the channel does not know this position. A
    /// position between the channel's newest publication and the hub's is a mark, after which nothing is missing.
    pub(super) fn since_position(&self, newest: Position, position: Position) -> Replay {
        let known = position.epoch == newest.epoch && (self.floor..=newest.offset).contains(&position.offset);
        let after = if known { position.offset } else { self.floor };
        let first = self.cache.after_offset(after);
        Replay { recovered: known, ..self.tail(newest, first) }
    }

    /// Returns the cached publications that were accepted at or after `start`. The replay is recovered unless one of
    /// them may have been evicted.
    pub(super) fn since_time(&self, newest: Position, start: Instant) -> Replay {
        let first = self.cache.since(start);
        let recovered = self.floor_at.is_none_or(|evicted_at| evicted_at < start);
        Replay { recovered, ..self.tail(newest, first) }
    }

    /// Returns the cached publication at an offset.
    pub(super) fn find(&self, offset: u64) -> Option<&Arc<Publication>> {
        let index = self.cache.after_offset(offset.checked_sub(1)?);
        self.cache.get(index).filter(|publication| publication.offset() == offset)
    }

    /// Returns the cached publications after an offset, which may lie beyond the newest one.
    pub(super) fn after(&self, offset: u64) -> FollowedReplay {
        let is_complete = offset >= self.floor;
        self.tail_from(self.cache.after_offset(offset.max(self.floor)), is_complete)
    }

    /// Returns the cached publications that were accepted at or after `start`.
    pub(super) fn since(&self, start: Instant) -> FollowedReplay {
        let is_complete = self.floor_at.is_none_or(|evicted_at| evicted_at < start);
        self.tail_from(self.cache.since(start), is_complete)
    }

    fn tail_from(&self, first: usize, is_complete: bool) -> FollowedReplay {
        let preceding = first.checked_sub(1).and_then(|index| self.cache.get(index));
        let before = preceding.map_or(self.floor, |publication| publication.offset());
        FollowedReplay { before, is_complete, publications: self.cache.tail(first) }
    }

    /// Returns the cached publications from an index on.
    fn tail(&self, newest: Position, first: usize) -> Replay {
        let before = first.checked_sub(1).and_then(|index| self.cache.get(index));
        let position = position_at(self.floor, before, newest);
        Replay { position, recovered: false, publications: self.cache.tail(first) }
    }
}

/// Returns the position of a cached publication. Without one, returns `offset` with the time of the hub's newest
/// publication: the time is only informative here, because offsets of one epoch are never used twice.
fn position_at(offset: u64, cached: Option<&Arc<Publication>>, newest: Position) -> Position {
    match cached {
        Some(cached) => Position { offset: cached.offset(), time_ms: cached.time().0, ..newest },
        None => Position { offset, ..newest },
    }
}
