//! One timer queue for all connections. A tokio timer for each connection would need more memory than the rest of an
//! idle connection.

use super::Outbound;
use crate::{clock::Elapsed, critical_task};
use std::{
    cmp::Ordering,
    collections::BinaryHeap,
    sync::{Arc, Mutex, MutexGuard, Weak},
    time::Instant,
};
use tokio::{sync::Notify, time::sleep_until};
use tokio_util::sync::CancellationToken;

/// The scheduled wakeups of all connections.
pub(crate) struct Timers {
    /// The start of the times of wakeups.
    start: Instant,
    wakeups: Mutex<BinaryHeap<ScheduledWakeup>>,
    /// Notified when the earliest wakeup changes.
    changed: Notify,
}

/// A connection to wake at a time.
struct ScheduledWakeup {
    at: Elapsed,
    connection: Weak<Outbound>,
}

impl Default for Timers {
    fn default() -> Self {
        Self { start: Instant::now(), wakeups: Mutex::default(), changed: Notify::new() }
    }
}

impl Timers {
    /// Converts a time to the one of a wakeup.
    pub(super) fn elapsed(&self, at: Instant) -> Elapsed {
        Elapsed::new(self.start, at)
    }

    /// Schedules a wakeup of a connection.
    pub(super) fn set(&self, at: Elapsed, connection: &Arc<Outbound>) {
        let mut wakeups = self.wakeups();
        let is_earliest = wakeups.peek().is_none_or(|earliest| at < earliest.at);
        wakeups.push(ScheduledWakeup { at, connection: Arc::downgrade(connection) });
        drop(wakeups);
        if is_earliest {
            self.changed.notify_one();
        }
    }

    /// Wakes connections until the relay ends.
    pub(crate) async fn run(self: Arc<Self>, ended: CancellationToken) {
        while ended.run_until_cancelled(self.wait()).await.is_some() {
            self.fire(self.elapsed(Instant::now()));
        }
    }

    async fn wait(&self) {
        let earliest = self.wakeups().peek().map(|wakeup| wakeup.at);
        let changed = self.changed.notified();
        match earliest {
            Some(at) => tokio::select! {
                () = sleep_until(at.instant(self.start).into()) => {}
                () = changed => {}
            },
            None => changed.await,
        }
    }

    fn fire(&self, now: Elapsed) {
        let mut wakeups = self.wakeups();
        while let Some(wakeup) = wakeups.peek().filter(|wakeup| wakeup.at <= now) {
            if let Some(connection) = wakeup.connection.upgrade() {
                connection.wake_for_timer();
            }
            wakeups.pop();
        }
    }

    fn wakeups(&self) -> MutexGuard<'_, BinaryHeap<ScheduledWakeup>> {
        critical_task::unpoisoned(self.wakeups.lock())
    }
}

/// The earliest wakeup is the greatest, because a binary heap returns the greatest item first.
impl Ord for ScheduledWakeup {
    fn cmp(&self, other: &Self) -> Ordering {
        other.at.cmp(&self.at)
    }
}

impl PartialOrd for ScheduledWakeup {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for ScheduledWakeup {
    fn eq(&self, other: &Self) -> bool {
        self.at == other.at
    }
}

impl Eq for ScheduledWakeup {}
