//! The memory of the relay that grows with its clients, counted against a budget: the frames of publications, each of them
//! once however many queues and caches share it; connections, sessions, requests and the system's buffers for them; and
//! the books of the replay cache. Towards the end of the budget, newcomers are refused, and [`shedding`] gives memory back.

mod account;
mod marks;
mod reservation;
mod shared_frame;
mod shedding;

pub(crate) use account::{Account, InKernel};
pub(crate) use marks::{budget_for, idle_connections};
pub(crate) use reservation::Reservation;
pub(crate) use shedding::{Holder, MIN_WAITING, Standing, run as shed};

use marks::{CACHE_FLOOR, FULL, GUESTS, GUESTS_FULL, LIMIT, MUCH, MUCH_BELOW, SHED_ABOVE, SHED_TO};
use std::{
    sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    time::{Duration, Instant},
};
use tokio::{sync::Notify, time::timeout};

/// Bytes of a WebSocket before it has a session; measured, and rounded up.
pub(crate) const CONNECTION: usize = 1792;
/// Bytes of a session besides the first of its connection, before it is open; measured, and rounded up.
pub(crate) const SESSION_SLOT: usize = 512;

/// The longest time that a publisher waits for memory.
const PUBLISH_TIMEOUT: Duration = Duration::from_secs(1);

/// The kinds of memory, apart from frames and the cache's books.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Connections that have not shown a token: handshakes, requests, WebSockets and streams without a session.
    Guests,
    /// Requests with a token or for a known stream: their heads and bodies.
    Requests,
    /// Connections with a session: their queues, answers that wait, unfinished messages.
    Connections,
    /// Sessions, and subscriptions with their filters and tokens.
    Sessions,
    /// The system's buffers for sockets whose clients do not read.
    Kernel,
}

impl Kind {
    const COUNT: usize = 5;
}

/// The memory of a relay, as far as it grows with its clients.
#[derive(Debug)]
pub struct Memory {
    budget: AtomicUsize,
    frames: AtomicUsize,
    held: [AtomicUsize; Kind::COUNT],
    books: AtomicUsize,
    /// Bytes of connections that were ended and have not given them back yet.
    leaving: AtomicUsize,
    /// The replay cache has nothing left to give, and memory is still short.
    scarce: AtomicBool,
    /// Newcomers were refused since the last run of the shedder.
    wanted: AtomicBool,
    evictions: AtomicU64,
    shed: AtomicU64,
    pressed: Notify,
    relieved: Notify,
    start: Instant,
}

/// The bytes of each kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MemoryUsage {
    /// The frames of publications that are cached, queued or on their way.
    pub frames: usize,
    /// Connections that have not shown a token.
    pub guests: usize,
    /// Requests that have shown one.
    pub requests: usize,
    /// Connections with a session: their queues, answers that wait, unfinished messages.
    pub connections: usize,
    /// Sessions and their subscriptions.
    pub sessions: usize,
    /// The system's buffers for sockets whose clients do not read.
    pub kernel: usize,
    /// The replay cache besides its frames.
    pub books: usize,
}

impl MemoryUsage {
    /// All of it.
    #[must_use]
    pub fn total(self) -> usize {
        let Self { frames, guests, requests, connections, sessions, kernel, books } = self;
        frames + guests + requests + connections + sessions + kernel + books
    }

    /// Each part with its name in metrics.
    #[must_use]
    pub fn parts(self) -> [(&'static str, usize); 7] {
        let Self { frames, guests, requests, connections, sessions, kernel, books } = self;
        [
            ("frames", frames),
            ("guests", guests),
            ("requests", requests),
            ("connections", connections),
            ("sessions", sessions),
            ("kernel", kernel),
            ("replay_books", books),
        ]
    }
}

impl Memory {
    /// A budget of so many bytes, of which nothing is held.
    #[must_use]
    pub fn new(budget: usize) -> Self {
        Self {
            budget: AtomicUsize::new(budget),
            frames: AtomicUsize::new(0),
            held: Default::default(),
            books: AtomicUsize::new(0),
            leaving: AtomicUsize::new(0),
            scarce: AtomicBool::new(false),
            wanted: AtomicBool::new(false),
            evictions: AtomicU64::new(0),
            shed: AtomicU64::new(0),
            pressed: Notify::new(),
            relieved: Notify::new(),
            start: Instant::now(),
        }
    }

    /// Changes the budget. If more than that is held, the relay sheds.
    pub fn set(&self, budget: usize) {
        self.budget.store(budget, Ordering::Relaxed);
        self.check();
    }

    /// The bytes that are held now.
    #[must_use]
    pub fn held(&self) -> MemoryUsage {
        MemoryUsage {
            frames: self.frames.load(Ordering::Relaxed),
            guests: self.held_for(Kind::Guests),
            requests: self.held_for(Kind::Requests),
            connections: self.held_for(Kind::Connections),
            sessions: self.held_for(Kind::Sessions),
            kernel: self.held_for(Kind::Kernel),
            books: self.books.load(Ordering::Relaxed),
        }
    }

    /// Bytes of publications that the cache gave up before their time, for memory.
    #[must_use]
    pub fn evicted_bytes(&self) -> u64 {
        self.evictions.load(Ordering::Relaxed)
    }

    /// Connections that were ended because memory was short.
    #[must_use]
    pub fn shed_connections(&self) -> u64 {
        self.shed.load(Ordering::Relaxed)
    }

    /// Bytes that the replay cache keeps however short memory is.
    pub(crate) fn cache_floor(&self) -> usize {
        self.share(CACHE_FLOOR)
    }

    /// True if there is memory for one more connection, session or subscription. It is refused once the replay cache has
    /// nothing left to give, and before another connection would have to be ended for it.
    pub(crate) fn admits_newcomers(&self) -> bool {
        if !self.exceeds(SHED_TO) {
            if self.scarce.load(Ordering::Relaxed) {
                self.scarce.store(false, Ordering::Relaxed);
            }
            return true;
        }
        // Until the shedder has run, the cache may still have something to give.
        let admits = !self.scarce.load(Ordering::Relaxed) && !self.is_full();
        if !admits {
            self.wanted.store(true, Ordering::Relaxed);
        }
        self.pressed.notify_one();
        admits
    }

    /// The same for a session that holds so many bytes already: one that holds much is refused first.
    pub(crate) fn admits_more(&self, held: usize) -> bool {
        self.admits_newcomers() && (held < MUCH || !self.exceeds(MUCH_BELOW))
    }

    /// The same for a connection without a token that takes so many bytes.
    pub(crate) fn admits_guest(&self, bytes: usize) -> bool {
        if self.held_for(Kind::Guests) + bytes > self.share(GUESTS) {
            self.pressed.notify_one();
            return false;
        }
        self.admits_newcomers()
    }

    /// Counts a change from `before` to `now`.
    fn change(&self, kind: Kind, before: usize, now: usize) {
        let held = &self.held[kind as usize];
        if now >= before {
            held.fetch_add(now - before, Ordering::Relaxed);
            self.check();
        } else {
            held.fetch_sub(before - now, Ordering::Relaxed);
        }
    }

    /// Counts a change of the bytes that ended connections are about to give back.
    fn change_leaving(&self, before: usize, now: usize) {
        if now >= before {
            self.leaving.fetch_add(now - before, Ordering::Relaxed);
        } else {
            self.leaving.fetch_sub(before - now, Ordering::Relaxed);
        }
    }

    /// Counts the replay cache besides its frames.
    pub(crate) fn set_books(&self, bytes: usize) {
        self.books.store(bytes, Ordering::Relaxed);
    }

    /// True if nothing more may be published.
    pub(crate) fn is_full(&self) -> bool {
        self.held().total() > self.share(FULL)
    }

    /// True if nothing may grow any more.
    pub(crate) fn is_at_limit(&self) -> bool {
        self.held().total() > self.share(LIMIT)
    }

    /// True if connections without a token may hold no more.
    fn is_full_of_guests(&self) -> bool {
        self.held_for(Kind::Guests) > self.share(GUESTS_FULL) || self.is_at_limit()
    }

    /// Waits a moment until more may be published. Returns whether it may.
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
        !self.is_full() || timeout(PUBLISH_TIMEOUT, relief).await.is_ok()
    }

    /// Milliseconds since the start of the relay, in the four bytes that a connection has for a moment. Begins anew after 49
    /// days.
    pub(crate) fn moment(&self) -> u32 {
        self.start.elapsed().as_millis() as u32
    }

    fn held_for(&self, kind: Kind) -> usize {
        self.held[kind as usize].load(Ordering::Relaxed)
    }

    /// True if more than so many sixteenths are held, without the bytes of connections that were ended.
    fn exceeds(&self, sixteenths: usize) -> bool {
        self.held().total().saturating_sub(self.leaving.load(Ordering::Relaxed)) > self.share(sixteenths)
    }

    /// True if connections have to be ended.
    fn is_short(&self) -> bool {
        self.exceeds(SHED_ABOVE) || self.is_full()
    }

    fn share(&self, sixteenths: usize) -> usize {
        self.budget.load(Ordering::Relaxed) / 16 * sixteenths
    }

    fn check(&self) {
        if self.exceeds(SHED_ABOVE) {
            self.pressed.notify_one();
        }
    }
}

/// A memory without a budget, for tests and for embedders that need none.
impl Default for Memory {
    fn default() -> Self {
        Self::new(usize::MAX)
    }
}
