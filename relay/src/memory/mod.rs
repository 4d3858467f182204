//! How much memory the relay holds, and how much it may. Counted is what grows with what clients do: the frames of
//! publications, once each however many queues and caches share them; what belongs to one connection alone; and the
//! books of the replay cache. Past the budget, [`shedding`] gives some of it back.

mod frame;
mod held;
mod shedding;

pub(crate) use held::Held;
pub(crate) use shedding::{Holder, run as shed};

use std::{
    sync::atomic::{AtomicU64, AtomicUsize, Ordering},
    time::Duration,
};
use tokio::{sync::Notify, time::timeout};

/// What a connection occupies that holds nothing, in bytes; measured, and rounded up.
pub(crate) const CONNECTION: usize = 2 * 1024;
/// Of the budget, so many sixteenths may be held before the relay sheds, and so many after that. The rest is for the
/// program itself and what the allocator cannot give back.
const SHED_ABOVE: usize = 11;
const SHED_TO: usize = 10;
/// So many sixteenths are never exceeded: publishers wait, and queues do not grow.
const FULL: usize = 12;
/// How long a publisher waits for memory.
const PATIENCE: Duration = Duration::from_secs(1);

/// The memory of a relay, as far as it grows with what clients do.
#[derive(Debug)]
pub struct Memory {
    budget: AtomicUsize,
    frames: AtomicUsize,
    connections: AtomicUsize,
    books: AtomicUsize,
    evictions: AtomicU64,
    shed: AtomicU64,
    pressed: Notify,
    relieved: Notify,
}

/// What is held of it, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryHeld {
    /// The frames of publications that are cached, queued or on their way.
    pub frames: usize,
    /// What belongs to one connection each: places in queues, answers that wait, messages that are not whole yet.
    pub connections: usize,
    /// What the replay cache takes besides its frames.
    pub books: usize,
}

impl MemoryHeld {
    /// All of it.
    #[must_use]
    pub fn total(self) -> usize {
        self.frames + self.connections + self.books
    }
}

impl Memory {
    /// Nothing held, of so many bytes.
    #[must_use]
    pub fn new(budget: usize) -> Self {
        Self {
            budget: AtomicUsize::new(budget),
            frames: AtomicUsize::new(0),
            connections: AtomicUsize::new(0),
            books: AtomicUsize::new(0),
            evictions: AtomicU64::new(0),
            shed: AtomicU64::new(0),
            pressed: Notify::new(),
            relieved: Notify::new(),
        }
    }

    /// Changes how much may be held. Where that is less than what is, the relay sheds.
    pub fn set(&self, budget: usize) {
        self.budget.store(budget, Ordering::Relaxed);
        self.check();
    }

    /// What is held now.
    #[must_use]
    pub fn held(&self) -> MemoryHeld {
        MemoryHeld {
            frames: self.frames.load(Ordering::Relaxed),
            connections: self.connections.load(Ordering::Relaxed),
            books: self.books.load(Ordering::Relaxed),
        }
    }

    /// Bytes of publications that the cache gave up before their time, for memory.
    #[must_use]
    pub fn evicted_bytes(&self) -> u64 {
        self.evictions.load(Ordering::Relaxed)
    }

    /// Connections that were ended because they held most when memory was short.
    #[must_use]
    pub fn shed_connections(&self) -> u64 {
        self.shed.load(Ordering::Relaxed)
    }

    /// What belongs to one connection changed from `before` to `now`.
    pub(crate) fn change(&self, before: usize, now: usize) {
        if now >= before {
            self.connections.fetch_add(now - before, Ordering::Relaxed);
            self.check();
        } else {
            self.connections.fetch_sub(before - now, Ordering::Relaxed);
        }
    }

    /// What the replay cache takes besides its frames.
    pub(crate) fn set_books(&self, bytes: usize) {
        self.books.store(bytes, Ordering::Relaxed);
    }

    /// Whether nothing more may be held.
    pub(crate) fn is_full(&self) -> bool {
        self.exceeds(FULL)
    }

    /// Waits for a moment until more may be held; whether it may.
    pub(crate) async fn has_room(&self) -> bool {
        let relief = async {
            loop {
                let relieved = self.relieved.notified();
                if !self.is_full() {
                    return;
                }
                self.pressed.notify_one();
                relieved.await;
            }
        };
        !self.is_full() || timeout(PATIENCE, relief).await.is_ok()
    }

    fn exceeds(&self, sixteenths: usize) -> bool {
        self.held().total() > self.budget.load(Ordering::Relaxed) / 16 * sixteenths
    }

    fn check(&self) {
        if self.exceeds(SHED_ABOVE) {
            self.pressed.notify_one();
        }
    }
}

/// A memory without a budget, for tests and whoever has none.
impl Default for Memory {
    fn default() -> Self {
        Self::new(usize::MAX)
    }
}
