//! All connections of a relay, for events that concern every connection, and an index of the sessions of each
//! installation, for events that concern only those. Each entry is a few words; the entries have no order.

mod session_index;

pub(crate) use session_index::{SessionRegistration, account_tag};

use super::Outbound;
use crate::critical_task;
use session_index::SessionIndex;
use slab::Slab;
use std::sync::{Arc, Mutex, MutexGuard, Weak};
use tokio::task::yield_now;

/// The number of independently locked shards, so that many connections can open at once.
const SHARDS: usize = 8;

/// The connections and established sessions of a relay.
#[derive(Default)]
pub(crate) struct Registry {
    shards: [Mutex<RegistryShard>; SHARDS],
    sessions: SessionIndex,
}

#[derive(Default)]
struct RegistryShard {
    connections: Slab<Weak<Outbound>>,
    /// True if connections that are added are told to shut down.
    closing: bool,
}

/// The key of a connection in the registry.
#[derive(Clone, Copy)]
pub(super) struct Slot(u32);

impl Registry {
    /// Adds a connection. During a shutdown, the connection is told so at once.
    pub(super) fn add(&self, number: u64, connection: &Arc<Outbound>) -> Slot {
        let index = (number % SHARDS as u64) as usize;
        let mut shard = self.shard(index);
        let key = shard.connections.insert(Arc::downgrade(connection));
        if shard.closing {
            connection.wake_for_shutdown();
        }
        let slot = u32::try_from(key * SHARDS + index);
        Slot(slot.expect("a process has fewer than four billion connections"))
    }

    pub(super) fn remove(&self, Slot(slot): Slot) {
        let slot = slot as usize;
        self.shard(slot % SHARDS).connections.try_remove(slot / SHARDS);
    }

    /// Returns the index of established sessions.
    pub(crate) fn sessions(&self) -> &SessionIndex {
        &self.sessions
    }

    /// Wakes the sessions of an installation, or of one account there, to check the revocations.
    pub(crate) async fn wake_for_revocation(&self, installation: u64, account: Option<u64>) {
        let mut next = Some(0);
        while let Some(first) = next {
            let connections;
            (connections, next) = self.sessions().connections_of(installation, account, first);
            connections.iter().for_each(|connection| connection.wake_for_revocation());
            yield_now().await;
        }
    }

    /// Returns the number of connections.
    pub(crate) fn len(&self) -> usize {
        (0..SHARDS).map(|index| self.shard(index).connections.len()).sum()
    }

    /// Returns all connections, some of which may be closing.
    pub(crate) fn all(&self) -> Vec<Arc<Outbound>> {
        let mut all = Vec::with_capacity(self.len());
        for index in 0..SHARDS {
            all.extend(
                self.shard(index).connections.iter().filter_map(|(_, connection)| connection.upgrade()),
            );
        }
        all
    }

    /// Returns the connections of a shard in the slots from `first` on, of which it examines at most `max`, and the start of
    /// the next slice, if there is one. Returns `None` if there is no such shard.
    pub(crate) fn some(
        &self,
        index: usize,
        first: usize,
        max: usize,
    ) -> Option<(Vec<Arc<Outbound>>, Option<usize>)> {
        let connections = &critical_task::unpoisoned(self.shards.get(index)?.lock()).connections;
        let end = connections.capacity().min(first + max);
        let slice = (first..end).filter_map(|key| connections.get(key)?.upgrade());
        Some((slice.collect(), (end < connections.capacity()).then_some(end)))
    }

    /// Returns all connections. Connections that are added later are told at once that the relay is shutting down.
    pub(crate) fn close(&self) -> Vec<Arc<Outbound>> {
        (0..SHARDS).for_each(|index| self.shard(index).closing = true);
        self.all()
    }

    fn shard(&self, index: usize) -> MutexGuard<'_, RegistryShard> {
        critical_task::unpoisoned(self.shards[index].lock())
    }
}
