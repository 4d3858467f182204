//! The memory budget. It covers everything whose size clients control: the frames of publications, each counted once
//! however many queues and caches share it; connections, sessions, requests and their kernel buffers; and the overhead
//! of the replay cache. When the budget is nearly used up, newcomers are refused and [`shedding`] releases memory.

mod account;
mod marks;
mod reservation;
mod shared_frame;
mod shedding;

pub(crate) use account::{Account, KernelBuffers};
pub(crate) use marks::{budget_for, idle_connections};
pub(crate) use reservation::Reservation;
pub(crate) use shedding::{Holder, MIN_BACKLOG, ShedClass, run as shed};

use marks::{
    CACHE_FLOOR, FULL, LARGE_SESSION, LARGE_SESSION_MARK, LIMIT, SHED_ABOVE, SHED_TO, UNAUTHENTICATED,
    UNAUTHENTICATED_GROWN,
};
use std::{
    sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    time::{Duration, Instant},
};
use tokio::{sync::Notify, time::timeout};

/// The bytes of a WebSocket without a session; measured and rounded up.
pub(crate) const CONNECTION: usize = 1792;
/// The bytes of a further session of a connection before it is established; measured and rounded up.
pub(crate) const SESSION_SLOT: usize = 512;

/// The maximum time that a publisher waits for memory.
const PUBLISH_TIMEOUT: Duration = Duration::from_secs(1);

/// The kinds of accounted memory, besides frames and the overhead of the replay cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MemoryKind {
    /// Connections without a valid token: TLS handshakes, requests, and WebSockets and streams without a session.
    Unauthenticated,
    /// The heads and bodies of requests with a token or for a known stream.
    Requests,
    /// Connections with a session: their queues and incomplete messages.
    Connections,
    /// Sessions and their subscriptions, with filters and tokens.
    Sessions,
    /// The kernel buffers of sockets whose clients do not read.
    Kernel,
    /// The members of presences with their entries, and the sessions that watch them.
    Presence,
}

impl MemoryKind {
    const COUNT: usize = 6;
}

/// The memory budget of a relay, and what is held of it.
#[derive(Debug)]
pub struct Memory {
    budget: AtomicUsize,
    frames: AtomicUsize,
    held: [AtomicUsize; MemoryKind::COUNT],
    replay_overhead: AtomicUsize,
    /// The bytes of ended connections that are not released yet.
    closing: AtomicUsize,
    /// True if memory is still short after the replay cache has evicted all it can.
    scarce: AtomicBool,
    /// True if newcomers were refused since the last run of the shedder.
    newcomers_refused: AtomicBool,
    evictions: AtomicU64,
    shed: AtomicU64,
    /// Wakes the shedder.
    pressure: Notify,
    /// Wakes waiting publishers.
    relieved: Notify,
    start: Instant,
}

/// The held bytes, by kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MemoryUsage {
    /// The frames of publications that are cached, queued or in flight.
    pub frames: usize,
    /// Connections without a valid token.
    pub unauthenticated: usize,
    /// Requests with a valid token.
    pub requests: usize,
    /// Connections with a session: their queues and incomplete messages.
    pub connections: usize,
    /// Sessions and their subscriptions.
    pub sessions: usize,
    /// The kernel buffers of sockets whose clients do not read.
    pub kernel: usize,
    /// The members and watchers of presences.
    pub presence: usize,
    /// The replay cache without its frames.
    pub replay_overhead: usize,
}

impl MemoryUsage {
    /// Returns the sum.
    #[must_use]
    pub fn total(self) -> usize {
        let Self {
            frames,
            unauthenticated,
            requests,
            connections,
            sessions,
            kernel,
            presence,
            replay_overhead,
        } = self;
        frames + unauthenticated + requests + connections + sessions + kernel + presence + replay_overhead
    }

    /// Returns each kind with its label in metrics.
    #[must_use]
    pub fn parts(self) -> [(&'static str, usize); 8] {
        let Self {
            frames,
            unauthenticated,
            requests,
            connections,
            sessions,
            kernel,
            presence,
            replay_overhead,
        } = self;
        [
            ("frames", frames),
            ("unauthenticated", unauthenticated),
            ("requests", requests),
            ("connections", connections),
            ("sessions", sessions),
            ("kernel", kernel),
            ("presence", presence),
            ("replay_overhead", replay_overhead),
        ]
    }
}

impl Memory {
    /// Creates a budget in bytes, of which nothing is held.
    #[must_use]
    pub fn new(budget: usize) -> Self {
        Self {
            budget: AtomicUsize::new(budget),
            frames: AtomicUsize::new(0),
            held: Default::default(),
            replay_overhead: AtomicUsize::new(0),
            closing: AtomicUsize::new(0),
            scarce: AtomicBool::new(false),
            newcomers_refused: AtomicBool::new(false),
            evictions: AtomicU64::new(0),
            shed: AtomicU64::new(0),
            pressure: Notify::new(),
            relieved: Notify::new(),
            start: Instant::now(),
        }
    }

    /// Changes the budget. If more than the new budget is held, the relay sheds.
    pub fn set(&self, budget: usize) {
        self.budget.store(budget, Ordering::Relaxed);
        self.check();
    }

    /// Returns the currently held bytes.
    #[must_use]
    pub fn usage(&self) -> MemoryUsage {
        MemoryUsage {
            frames: self.frames.load(Ordering::Relaxed),
            unauthenticated: self.held_for(MemoryKind::Unauthenticated),
            requests: self.held_for(MemoryKind::Requests),
            connections: self.held_for(MemoryKind::Connections),
            sessions: self.held_for(MemoryKind::Sessions),
            kernel: self.held_for(MemoryKind::Kernel),
            presence: self.held_for(MemoryKind::Presence),
            replay_overhead: self.replay_overhead.load(Ordering::Relaxed),
        }
    }

    /// Returns the bytes of publications that were evicted early because memory was short.
    #[must_use]
    pub fn evicted_bytes(&self) -> u64 {
        self.evictions.load(Ordering::Relaxed)
    }

    /// Returns the number of connections that were ended because memory was short.
    #[must_use]
    pub fn shed_connections(&self) -> u64 {
        self.shed.load(Ordering::Relaxed)
    }

    /// Returns the bytes that the replay cache keeps even if memory is short.
    pub(crate) fn cache_floor(&self) -> usize {
        self.share(CACHE_FLOOR)
    }

    /// Returns whether there is memory for another connection, session or subscription. Newcomers are refused once the
    /// replay cache cannot make room, before another connection would be ended for them.
    pub(crate) fn admits_newcomers(&self) -> bool {
        if !self.exceeds(SHED_TO) {
            if self.scarce.load(Ordering::Relaxed) {
                self.scarce.store(false, Ordering::Relaxed);
            }
            return true;
        }
        // Until the shedder has run, the cache may be able to make room.
        let admits = !self.scarce.load(Ordering::Relaxed) && !self.is_full();
        if !admits {
            self.newcomers_refused.store(true, Ordering::Relaxed);
        }
        self.pressure.notify_one();
        admits
    }

    /// Returns whether a session that already holds `held` bytes may grow. Large sessions are refused first.
    pub(crate) fn admits_more(&self, held: usize) -> bool {
        self.admits_newcomers() && (held < LARGE_SESSION || !self.exceeds(LARGE_SESSION_MARK))
    }

    /// Returns whether there is memory for an unauthenticated connection of `bytes`.
    pub(crate) fn admits_unauthenticated(&self, bytes: usize) -> bool {
        if self.held_for(MemoryKind::Unauthenticated) + bytes > self.share(UNAUTHENTICATED) {
            self.pressure.notify_one();
            return false;
        }
        self.admits_newcomers()
    }

    /// Accounts a change of a kind from `before` to `now` bytes.
    fn change(&self, kind: MemoryKind, before: usize, now: usize) {
        let held = &self.held[kind as usize];
        if now >= before {
            held.fetch_add(now - before, Ordering::Relaxed);
            self.check();
        } else {
            held.fetch_sub(before - now, Ordering::Relaxed);
        }
    }

    /// Accounts a change of the bytes that ended connections have not released yet.
    fn change_closing(&self, before: usize, now: usize) {
        if now >= before {
            self.closing.fetch_add(now - before, Ordering::Relaxed);
        } else {
            self.closing.fetch_sub(before - now, Ordering::Relaxed);
        }
    }

    /// Sets the bytes of the replay cache without its frames.
    pub(crate) fn set_replay_overhead(&self, bytes: usize) {
        self.replay_overhead.store(bytes, Ordering::Relaxed);
    }

    /// Returns whether publishers must wait.
    pub(crate) fn is_full(&self) -> bool {
        self.usage().total() > self.share(FULL)
    }

    /// Returns whether nothing may grow.
    pub(crate) fn is_at_limit(&self) -> bool {
        self.usage().total() > self.share(LIMIT)
    }

    /// Returns whether unauthenticated connections may not grow.
    fn is_full_of_unauthenticated(&self) -> bool {
        self.held_for(MemoryKind::Unauthenticated) > self.share(UNAUTHENTICATED_GROWN) || self.is_at_limit()
    }

    /// Waits until publishing is possible, at most [`PUBLISH_TIMEOUT`]. Returns whether it is.
    pub(crate) async fn wait_for_room(&self) -> bool {
        let relief = async {
            loop {
                let relieved = self.relieved.notified();
                if !self.is_full() {
                    return;
                }
                self.pressure.notify_one();
                relieved.await;
            }
        };
        !self.is_full() || timeout(PUBLISH_TIMEOUT, relief).await.is_ok()
    }

    /// Returns the milliseconds since the start of the relay, in the four bytes that a connection stores. Wraps after
    /// 49 days.
    pub(crate) fn moment(&self) -> u32 {
        self.start.elapsed().as_millis() as u32
    }

    fn held_for(&self, kind: MemoryKind) -> usize {
        self.held[kind as usize].load(Ordering::Relaxed)
    }

    /// Returns whether more than `sixteenths` of the budget are held, without the bytes of ended connections.
    fn exceeds(&self, sixteenths: usize) -> bool {
        self.usage().total().saturating_sub(self.closing.load(Ordering::Relaxed)) > self.share(sixteenths)
    }

    /// Returns whether connections must be ended.
    fn is_short(&self) -> bool {
        self.exceeds(SHED_ABOVE) || self.is_full()
    }

    fn share(&self, sixteenths: usize) -> usize {
        self.budget.load(Ordering::Relaxed) / 16 * sixteenths
    }

    fn check(&self) {
        if self.exceeds(SHED_ABOVE) {
            self.pressure.notify_one();
        }
    }
}

/// An unlimited budget, for tests and embedders.
impl Default for Memory {
    fn default() -> Self {
        Self::new(usize::MAX)
    }
}
