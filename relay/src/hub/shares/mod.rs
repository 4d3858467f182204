//! Entries of tenants, oldest first, that share a number of bytes. Where they need more, the entry that goes is the
//! oldest one of the app that holds most, and there of the installation that holds most: a tenant that holds no more
//! than its share loses nothing to the others.

use crate::tenant::{ByHash, Tenant};
use std::{
    collections::{BTreeSet, VecDeque},
    time::Instant,
};

/// Bytes that a tenant occupies besides its entries.
const TENANT: usize = 384;

/// Something that belongs to a tenant.
pub(super) trait Entry {
    /// Bytes that the entry occupies.
    fn cost(&self) -> usize;
}

pub(super) struct Shares<E> {
    queues: ByHash<Queue<E>>,
    apps: ByHash<App>,
    /// The apps by how much they hold.
    sizes: BTreeSet<(Size, u64)>,
    /// The installation that loses the next entry; nothing where it has to be looked up.
    largest: Option<u64>,
    /// The installations by when something of theirs expires, or earlier.
    expiries: BTreeSet<(Instant, u64)>,
    /// The first of these moments.
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
    /// Its key among the expiries.
    expiry: Instant,
}

#[derive(Default)]
struct App {
    bytes: usize,
    size: Size,
    /// Its installations by how much they hold.
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

impl<E: Entry> Shares<E> {
    /// Bytes that the entries occupy.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The same with the bytes of the tenants themselves, but the first.
    pub(super) fn footprint(&self) -> usize {
        self.bytes + self.queues.len().saturating_sub(1) * TENANT
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Adds an entry. Callers come in the order of time.
    pub(super) fn push(&mut self, Tenant { app: key, installation }: Tenant, at: Instant, entry: E) {
        let cost = entry.cost();
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

    /// Removes the entry to go first where there is no room.
    pub(super) fn pop_of_largest(&mut self) -> Option<(Instant, E)> {
        if self.largest.is_none() {
            let (_, app) = self.sizes.last()?;
            self.largest = self.apps.get(app)?.sizes.last().map(|(_, installation)| *installation);
        }
        self.pop(self.largest?)
    }

    /// Removes an entry from before `start`.
    pub(super) fn pop_expired(&mut self, start: Instant) -> Option<(Instant, E)> {
        while self.next_expiry.is_some_and(|at| at < start) {
            let &(at, installation) = self.expiries.first()?;
            let queue = self.queues.get_mut(&installation)?;
            let oldest = queue.entries.front()?.0;
            if oldest < start {
                return self.pop(installation);
            }
            // The entry that put it there went earlier.
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
        let cost = popped.1.cost();
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
        // The room that a flood took is given back.
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

/// A number of bytes in eighths of powers of two: every eviction compares sizes, and a rounded size changes seldom.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Size(u16);

impl Size {
    /// Sizes below are one.
    const MIN: usize = 256;

    fn of(bytes: usize) -> Self {
        let log = bytes.max(Self::MIN).ilog2();
        let eighths = (bytes.max(Self::MIN) >> (log - 3)) & 7;
        Self((log - Self::MIN.ilog2()) as u16 * 8 + eighths as u16)
    }

    /// Follows a number of bytes, and moves the key in the order of sizes. A single step down is ignored: a holder between
    /// two sizes would change places with every entry. Returns whether the size changed.
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
