//! One clock for all connections: who is to be woken when. A timer of the runtime for each connection would cost more
//! memory than the rest of an idle one.

use super::Outbound;
use crate::critical_task;
use std::{
    cmp::Ordering,
    collections::BinaryHeap,
    sync::{Arc, Mutex, MutexGuard, Weak},
    time::Instant,
};
use tokio::{sync::Notify, time::sleep_until};
use tokio_util::sync::CancellationToken;

/// The timers of a relay.
#[derive(Default)]
pub(crate) struct Timers {
    table: Mutex<Table>,
    /// The earliest timer changed.
    changed: Notify,
}

#[derive(Default)]
struct Table {
    entries: BinaryHeap<Entry>,
}

struct Entry {
    at: Instant,
    connection: Weak<Outbound>,
}

impl Timers {
    /// Wakes a connection at this moment.
    pub(super) fn set(&self, at: Instant, connection: &Arc<Outbound>) {
        let mut table = self.table();
        let is_earliest = table.entries.peek().is_none_or(|earliest| at < earliest.at);
        table.entries.push(Entry { at, connection: Arc::downgrade(connection) });
        drop(table);
        if is_earliest {
            self.changed.notify_one();
        }
    }

    /// Rings until the relay ends.
    pub(crate) async fn run(self: Arc<Self>, ended: CancellationToken) {
        while ended.run_until_cancelled(self.wait()).await.is_some() {
            self.fire(Instant::now());
        }
    }

    async fn wait(&self) {
        let earliest = self.table().entries.peek().map(|entry| entry.at);
        let changed = self.changed.notified();
        match earliest {
            Some(at) => tokio::select! {
                () = sleep_until(at.into()) => {}
                () = changed => {}
            },
            None => changed.await,
        }
    }

    fn fire(&self, now: Instant) {
        let mut table = self.table();
        while let Some(entry) = table.entries.peek().filter(|entry| entry.at <= now) {
            if let Some(connection) = entry.connection.upgrade() {
                connection.wake_for_timer();
            }
            table.entries.pop();
        }
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        critical_task::sound(self.table.lock())
    }
}

/// The earliest entry is the greatest, which is the one that the heap gives first.
impl Ord for Entry {
    fn cmp(&self, other: &Self) -> Ordering {
        other.at.cmp(&self.at)
    }
}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.at == other.at
    }
}

impl Eq for Entry {}
