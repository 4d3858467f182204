//! How much memory the relay holds, and how much it may. Counted is what grows with what clients do: the frames of
//! publications, once each however many queues and caches share them; what belongs to one connection, session or request;
//! and the books of the replay cache. Towards the end of the budget newcomers are refused, and [`shedding`] gives some of
//! it back.

mod account;
mod frame;
mod held;
mod shedding;

pub(crate) use account::{Account, InKernel};
pub(crate) use held::Held;
pub(crate) use shedding::{Holder, LEAST, Standing, run as shed};

use std::{
    sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    time::{Duration, Instant},
};
use tokio::{sync::Notify, time::timeout};

/// What a WebSocket occupies before it has a session, in bytes; measured, and rounded up.
pub(crate) const CONNECTION: usize = 1792;
/// What a session besides the first of its connection occupies before it is open, in bytes; measured, and rounded up.
pub(crate) const SEAT: usize = 512;
/// Bytes that are counted of an idle connection with one session and one subscription to a channel of its own.
const IDLE: usize = 2560;

/// Of the budget, so many sixteenths may be held before newcomers are refused and before the relay sheds, and so many
/// after it shed. The rest is for the program itself and what the allocator cannot give back.
const SHED_ABOVE: usize = 11;
const SHED_TO: usize = 10;
/// To so many sixteenths the relay sheds where newcomers were refused.
const SHED_TO_FOR_NEWCOMERS: usize = 9;
/// Above so many sixteenths publishers wait, and also clients that read are ended, those for which most waits.
const FULL: usize = 12;
/// So many sixteenths are never exceeded: nothing grows any more.
const LIMIT: usize = 13;
/// So many sixteenths are for connections that have not shown a token, so that strangers leave room for the rest.
const GUESTS: usize = 3;
/// The same with what these connections grew by after they were let in.
const GUESTS_FULL: usize = 4;
/// So many sixteenths the replay cache may keep whatever happens.
const CACHE_FLOOR: usize = 2;
/// How long a publisher waits for memory.
const PATIENCE: Duration = Duration::from_secs(1);

/// A session whose subscriptions take more than this gets no more of them above so many sixteenths, so that few clients
/// cannot take what would do for many.
const MUCH: usize = 8 * 1024;
const MUCH_BELOW: usize = 8;

/// How many idle connections a budget of so many bytes has room for; `session` is what each takes for TLS.
pub(crate) fn idle_connections(budget: usize, session: usize) -> usize {
    budget / 16 * SHED_TO / (IDLE + session)
}

/// The least budget that has room for so many.
pub(crate) fn budget_for(connections: usize, session: usize) -> usize {
    connections.saturating_mul(IDLE + session).div_ceil(SHED_TO).saturating_mul(16)
}

/// What memory is held for, apart from frames and the cache's books.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Connections that have not shown a token: handshakes, requests, WebSockets and streams without a session.
    Guests,
    /// Requests with a token or of a stream that is known: their heads and bodies.
    Requests,
    /// Connections with a session: places in queues, answers that wait, messages that are not whole yet.
    Connections,
    /// Sessions: subscriptions with their filters and tokens, and every session besides a connection's first.
    Sessions,
    /// Buffers of the system for sockets that do not take more.
    Kernel,
}

impl Kind {
    const COUNT: usize = 5;
}

/// The memory of a relay, as far as it grows with what clients do.
#[derive(Debug)]
pub struct Memory {
    budget: AtomicUsize,
    frames: AtomicUsize,
    held: [AtomicUsize; Kind::COUNT],
    books: AtomicUsize,
    /// Of what is held, what connections give back that were ended already.
    leaving: AtomicUsize,
    /// The replay cache has nothing left to give, and still there is too little.
    scarce: AtomicBool,
    /// Newcomers were refused since the shedder ran last.
    wanted: AtomicBool,
    evictions: AtomicU64,
    shed: AtomicU64,
    pressed: Notify,
    relieved: Notify,
    start: Instant,
}

/// What is held of it, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MemoryHeld {
    /// The frames of publications that are cached, queued or on their way.
    pub frames: usize,
    /// Connections that have not shown a token.
    pub guests: usize,
    /// Requests that have.
    pub requests: usize,
    /// Connections with a session: places in queues, answers that wait, messages that are not whole yet.
    pub connections: usize,
    /// Sessions and their subscriptions.
    pub sessions: usize,
    /// Buffers of the system for sockets that do not take more.
    pub kernel: usize,
    /// What the replay cache takes besides its frames.
    pub books: usize,
}

impl MemoryHeld {
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
    /// Nothing held, of so many bytes.
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

    /// What the replay cache keeps however short memory is, in bytes.
    pub(crate) fn cache_floor(&self) -> usize {
        self.share(CACHE_FLOOR)
    }

    /// Whether there is memory for one more connection, session or subscription. It is refused where the replay cache has
    /// nothing to give up for it, before anybody has to be ended for it.
    pub(crate) fn admits_newcomers(&self) -> bool {
        if !self.exceeds(SHED_TO) {
            if self.scarce.load(Ordering::Relaxed) {
                self.scarce.store(false, Ordering::Relaxed);
            }
            return true;
        }
        let admits = !self.scarce.load(Ordering::Relaxed) && !self.exceeds(SHED_ABOVE);
        if !admits {
            self.wanted.store(true, Ordering::Relaxed);
        }
        self.pressed.notify_one();
        admits
    }

    /// The same where so many bytes of such are held already: who holds much is refused first.
    pub(crate) fn admits_more(&self, held: usize) -> bool {
        self.admits_newcomers() && (held < MUCH || !self.exceeds(MUCH_BELOW))
    }

    /// The same for a connection that has not shown a token, which takes so many bytes.
    pub(crate) fn admits_guest(&self, bytes: usize) -> bool {
        if self.held_for(Kind::Guests) + bytes > self.share(GUESTS) {
            self.pressed.notify_one();
            return false;
        }
        self.admits_newcomers()
    }

    /// What is held for something changed from `before` to `now`.
    fn change(&self, kind: Kind, before: usize, now: usize) {
        let held = &self.held[kind as usize];
        if now >= before {
            held.fetch_add(now - before, Ordering::Relaxed);
            self.check();
        } else {
            held.fetch_sub(before - now, Ordering::Relaxed);
        }
    }

    /// What is given back by connections that were ended changed from `before` to `now`.
    fn change_leaving(&self, before: usize, now: usize) {
        if now >= before {
            self.leaving.fetch_add(now - before, Ordering::Relaxed);
        } else {
            self.leaving.fetch_sub(before - now, Ordering::Relaxed);
        }
    }

    /// What the replay cache takes besides its frames.
    pub(crate) fn set_books(&self, bytes: usize) {
        self.books.store(bytes, Ordering::Relaxed);
    }

    /// Whether nothing more may be published.
    pub(crate) fn is_full(&self) -> bool {
        self.held().total() > self.share(FULL)
    }

    /// Whether nothing may grow any more.
    pub(crate) fn is_at_limit(&self) -> bool {
        self.held().total() > self.share(LIMIT)
    }

    /// Whether connections that have not shown a token may hold no more.
    fn is_full_of_guests(&self) -> bool {
        self.held_for(Kind::Guests) > self.share(GUESTS_FULL) || self.is_at_limit()
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

    /// Milliseconds since the relay started, for what has to be remembered for each connection. Starts anew after 49 days.
    pub(crate) fn moment(&self) -> u32 {
        self.start.elapsed().as_millis() as u32
    }

    fn held_for(&self, kind: Kind) -> usize {
        self.held[kind as usize].load(Ordering::Relaxed)
    }

    /// Whether more than so many sixteenths are held, what is about to be given back left aside.
    fn exceeds(&self, sixteenths: usize) -> bool {
        self.held().total().saturating_sub(self.leaving.load(Ordering::Relaxed)) > self.share(sixteenths)
    }

    /// Whether connections have to be ended.
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
