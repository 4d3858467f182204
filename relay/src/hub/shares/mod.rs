//! A fair-share queue: entries of all tenants, oldest first, under one budget of bytes. The entry to evict is the
//! oldest one of the largest installation of the largest app, so a tenant within its fair share loses nothing to the
//! others.

use crate::tenant::{ByHash, Tenant};
use std::{
    collections::{BTreeSet, VecDeque},
    time::Instant,
};

/// The bytes of a tenant besides its entries.
const TENANT: usize = 384;

/// An entry with a size in bytes.
pub(super) trait Weighted {
    /// Returns the bytes of the entry.
    fn weight(&self) -> usize;
}

/// The entries of all tenants.
pub(super) struct Shares<E> {
    queues: ByHash<Queue<E>>,
    apps: ByHash<App>,
    /// The apps, ordered by size.
    sizes: BTreeSet<(Size, u64)>,
    /// The installation that loses the next entry; `None` if it must be looked up.
    largest: Option<u64>,
    /// The installations, ordered by the time of their oldest entry, or by an earlier time.
    expiries: BTreeSet<(Instant, u64)>,
    /// The first of these times.
    next_expiry: Option<Instant>,
    bytes: usize,
    len: usize,
}

/// The entries of one installation.
struct Queue<E> {
    app: u64,
    entries: VecDeque<(Instant, E)>,
    bytes: usize,
    size: Size,
    /// The installation's key in `expiries`.
    expiry: Instant,
}

#[derive(Default)]
struct App {
    bytes: usize,
    size: Size,
    /// The app's installations, ordered by size.
    sizes: BTreeSet<(Size, u64)>,
}

impl<E> Default for Shares<E> {
    fn default() -> Self {
        Self {
            queues: ByHash::default(),
            apps: ByHash::default(),
            sizes: BTreeSet::new(),
            largest: None,
            expiries: BTreeSet::new(),
            next_expiry: None,
            bytes: 0,
            len: 0,
        }
    }
}

impl<E: Weighted> Shares<E> {
    /// Returns the bytes of all entries.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Returns the bytes of all entries and of all tenants but the first.
    pub(super) fn footprint(&self) -> usize {
        self.bytes + self.queues.len().saturating_sub(1) * TENANT
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Adds an entry. Callers pass ascending times.
    pub(super) fn push(&mut self, Tenant { app: key, installation }: Tenant, at: Instant, entry: E) {
        let cost = entry.weight();
        let app = self.apps.entry(key).or_insert_with(|| {
            self.sizes.insert((Size::default(), key));
            App::default()
        });
        let queue = self.queues.entry(installation).or_insert_with(|| {
            self.expiries.insert((at, installation));
            self.next_expiry.get_or_insert(at);
            app.sizes.insert((Size::default(), installation));
            app.bytes += TENANT;
            let (entries, bytes, size) = (VecDeque::new(), 0, Size::default());
            Queue { app: key, entries, bytes, size, expiry: at }
        });
        queue.entries.push_back((at, entry));
        queue.bytes += cost;
        app.bytes += cost;
        if queue.size.follow(queue.bytes, installation, &mut app.sizes)
            | app.size.follow(app.bytes, key, &mut self.sizes)
        {
            self.largest = None;
        }
        self.bytes += cost;
        self.len += 1;
    }

    /// Removes the oldest entry of the largest tenant.
    pub(super) fn pop_from_largest(&mut self) -> Option<(Instant, E)> {
        if self.largest.is_none() {
            let (_, app) = self.sizes.last()?;
            self.largest = self.apps.get(app)?.sizes.last().map(|(_, installation)| *installation);
        }
        self.pop(self.largest?)
    }

    /// Removes an entry that was added before `start`, if there is one.
    pub(super) fn pop_expired(&mut self, start: Instant) -> Option<(Instant, E)> {
        while self.next_expiry.is_some_and(|at| at < start) {
            let &(at, installation) = self.expiries.first()?;
            let queue = self.queues.get_mut(&installation)?;
            let oldest = queue.entries.front()?.0;
            if oldest < start {
                return self.pop(installation);
            }
            // The entry that set this key was evicted before it expired.
            self.expiries.remove(&(at, installation));
            self.expiries.insert((oldest, installation));
            queue.expiry = oldest;
            self.next_expiry = self.expiries.first().map(|(at, _)| *at);
        }
        None
    }

    fn pop(&mut self, installation: u64) -> Option<(Instant, E)> {
        let queue = self.queues.get_mut(&installation)?;
        let app = self.apps.get_mut(&queue.app)?;
        let popped = queue.entries.pop_front()?;
        let cost = popped.1.weight();
        self.len -= 1;
        self.bytes -= cost;
        queue.bytes -= cost;
        app.bytes -= cost;
        if queue.entries.is_empty() {
            self.remove(installation);
            return Some(popped);
        }
        if queue.size.follow(queue.bytes, installation, &mut app.sizes)
            | app.size.follow(app.bytes, queue.app, &mut self.sizes)
        {
            self.largest = None;
        }
        // After a flood, the capacity is released.
        if queue.entries.capacity() > 1024 && queue.entries.len() < queue.entries.capacity() / 8 {
            queue.entries.shrink_to_fit();
        }
        Some(popped)
    }

    /// Removes an installation without entries.
    fn remove(&mut self, installation: u64) {
        let Some(queue) = self.queues.remove(&installation) else { return };
        self.largest = None;
        self.expiries.remove(&(queue.expiry, installation));
        self.next_expiry = self.expiries.first().map(|(at, _)| *at);
        let Some(app) = self.apps.get_mut(&queue.app) else { return };
        app.sizes.remove(&(queue.size, installation));
        app.bytes -= TENANT;
        if app.sizes.is_empty() {
            self.sizes.remove(&(app.size, queue.app));
            self.apps.remove(&queue.app);
        } else {
            app.size.follow(app.bytes, queue.app, &mut self.sizes);
        }
    }
}

/// A number of bytes, rounded to eighths of a power of two: a rounded size seldom changes, so the ordered sets seldom
/// do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Size(u16);

impl Size {
    /// All numbers of bytes up to this one have the same size.
    const MIN: usize = 256;

    fn of(bytes: usize) -> Self {
        let log = bytes.max(Self::MIN).ilog2();
        let eighths = (bytes.max(Self::MIN) >> (log - 3)) & 7;
        Self((log - Self::MIN.ilog2()) as u16 * 8 + eighths as u16)
    }

    /// Updates the size and the key's place in the ordered set. Ignores a single step down: a tenant between two sizes
    /// would otherwise be moved with every entry. Returns whether the size changed.
    fn follow(&mut self, bytes: usize, key: u64, sizes: &mut BTreeSet<(Self, u64)>) -> bool {
        let now = Self::of(bytes);
        let changes = now > *self || now.0 + 1 < self.0;
        if changes {
            sizes.remove(&(*self, key));
            sizes.insert((now, key));
            *self = now;
        }
        changes
    }
}

#[cfg(test)]
mod tests;
