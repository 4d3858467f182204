//! What one connection holds, by what it holds it for: counted until it is dropped.

use super::{Kind, Memory};
use std::sync::Arc;

/// Small: every connection has one.
#[derive(Debug)]
pub(crate) struct Account {
    memory: Arc<Memory>,
    parts: Parts,
    is_open: bool,
    is_leaving: bool,
}

/// Bytes of a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Parts {
    /// The connection itself: its queue, its socket, a message that is not whole yet.
    pub(crate) own: u32,
    /// Its sessions and their subscriptions.
    pub(crate) sessions: u32,
    /// What the system holds of it.
    pub(crate) kernel: u32,
}

impl Parts {
    fn total(self) -> usize {
        self.own as usize + self.sessions as usize + self.kernel as usize
    }
}

impl Account {
    /// Of a connection without a session.
    pub(crate) fn new(memory: Arc<Memory>, own: u32) -> Self {
        let mut account = Self { memory, parts: Parts::default(), is_open: false, is_leaving: false };
        account.set(Parts { own, ..Parts::default() });
        account
    }

    /// What is counted.
    pub(crate) fn parts(&self) -> Parts {
        self.parts
    }

    /// Holds so much now. False where that is more than before, and there is no memory for more.
    pub(crate) fn set(&mut self, parts: Parts) -> bool {
        let (before, now) = (self.parts.total(), parts.total());
        let kinds = [
            (self.kind(), self.parts.own, parts.own),
            (Kind::Sessions, self.parts.sessions, parts.sessions),
            (Kind::Kernel, self.parts.kernel, parts.kernel),
        ];
        for (kind, before, now) in kinds {
            if before != now {
                self.memory.change(kind, before as usize, now as usize);
            }
        }
        if self.is_leaving {
            self.memory.change_leaving(before, now);
        }
        self.parts = parts;
        now <= before || !self.memory.is_at_limit()
    }

    /// The connection has a session.
    pub(crate) fn open(&mut self) {
        if !self.is_open {
            let own = self.parts.own as usize;
            self.memory.change(self.kind(), own, 0);
            self.is_open = true;
            self.memory.change(self.kind(), 0, own);
        }
    }

    /// Whether the connection has, or had, a session.
    pub(crate) fn is_open(&self) -> bool {
        self.is_open
    }

    /// The connection is about to end: what it holds is as good as given back.
    pub(crate) fn leave(&mut self) {
        if !self.is_leaving {
            self.is_leaving = true;
            self.memory.change_leaving(0, self.parts.total());
        }
    }

    /// Whether the connection is about to end.
    pub(crate) fn is_leaving(&self) -> bool {
        self.is_leaving
    }

    /// Whether nothing may grow any more.
    pub(crate) fn is_at_limit(&self) -> bool {
        self.memory.is_at_limit()
    }

    pub(crate) fn memory(&self) -> &Arc<Memory> {
        &self.memory
    }

    fn kind(&self) -> Kind {
        if self.is_open { Kind::Connections } else { Kind::Guests }
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        self.set(Parts::default());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_counts_where_it_belongs_and_nothing_is_left_behind() {
        let memory = Arc::new(Memory::new(1 << 30));
        let mut account = Account::new(memory.clone(), 1000);
        assert_eq!((memory.held().guests, memory.held().total()), (1000, 1000));
        account.set(Parts { own: 1500, sessions: 0, kernel: 70 });
        account.open();
        account.open();
        account.set(Parts { own: 1500, sessions: 300, kernel: 70 });
        let held = memory.held();
        assert_eq!((held.guests, held.connections, held.sessions, held.kernel), (0, 1500, 300, 70));
        // What leaves is held, and no longer a reason to end anybody.
        account.leave();
        account.leave();
        account.set(Parts { own: 2000, sessions: 0, kernel: 0 });
        let leaving = || memory.leaving.load(std::sync::atomic::Ordering::Relaxed);
        assert_eq!((leaving(), memory.held().total()), (2000, 2000));
        drop(account);
        assert_eq!((leaving(), memory.held().total()), (0, 0));
    }

    #[test]
    fn an_account_takes_hardly_more_than_what_it_counts() {
        assert_eq!(size_of::<Account>(), 24);
    }
}
