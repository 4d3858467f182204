//! The account of one connection's memory, by kind, which is released when it is dropped.

use super::{Memory, MemoryKind};
use crate::listener::net::{UNREAD, UNSENT, UNSENT_AFTER_RAISE};
use std::sync::Arc;

/// The memory of one connection, in two words.
#[derive(Debug)]
pub(crate) struct Account {
    memory: Arc<Memory>,
    /// The bytes of the connection itself: its queue, its socket, and an incomplete message.
    own: u32,
    /// The bytes of its sessions and subscriptions, and [`OPEN`] and the other flags in the upper bits.
    sessions: u32,
}

/// The flag of a connection that has or had a session.
const OPEN: u32 = 1 << 31;
/// The flag of an ended connection.
const CLOSING: u32 = 1 << 30;
/// The position of the two bits that hold a [`KernelBuffers`].
const KERNEL: u32 = 28;
const FLAGS: u32 = OPEN | CLOSING | 3 << KERNEL;

/// The kernel buffers that a connection occupies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KernelBuffers {
    Nothing,
    /// The send buffer of a client that does not read.
    Unread,
    /// The larger send buffer of a client that used to read quickly.
    UnreadOfQuick,
    /// The larger send buffer, and the receive buffer of a client that the relay does not read from.
    Both,
}

impl KernelBuffers {
    pub(crate) fn bytes(self) -> usize {
        match self {
            Self::Nothing => 0,
            Self::Unread => UNSENT,
            Self::UnreadOfQuick => UNSENT_AFTER_RAISE,
            Self::Both => UNSENT_AFTER_RAISE + UNREAD,
        }
    }
}

impl Account {
    /// Creates the account of a connection without a session.
    pub(crate) fn new(memory: Arc<Memory>, own: u32) -> Self {
        let mut account = Self { memory, own: 0, sessions: 0 };
        account.set(own, 0, KernelBuffers::Nothing);
        account
    }

    /// Returns the bytes of the connection itself.
    pub(crate) fn own(&self) -> u32 {
        self.own
    }

    /// Returns the bytes of the sessions.
    pub(crate) fn sessions(&self) -> u32 {
        self.sessions & !FLAGS
    }

    pub(crate) fn kernel(&self) -> KernelBuffers {
        match self.sessions >> KERNEL & 3 {
            0 => KernelBuffers::Nothing,
            1 => KernelBuffers::Unread,
            2 => KernelBuffers::UnreadOfQuick,
            _ => KernelBuffers::Both,
        }
    }

    /// Replaces the accounted bytes. Returns false if they grew and there is no memory for it.
    pub(crate) fn set(&mut self, own: u32, sessions: u32, kernel: KernelBuffers) -> bool {
        let sessions = sessions.min(!FLAGS);
        let before = [self.own as usize, self.sessions() as usize, self.kernel().bytes()];
        let now = [own as usize, sessions as usize, kernel.bytes()];
        let kinds = [self.kind(), MemoryKind::Sessions, MemoryKind::Kernel];
        for ((kind, before), now) in kinds.into_iter().zip(before).zip(now) {
            if before != now {
                self.memory.change(kind, before, now);
            }
        }
        let [before, now]: [usize; 2] = [before, now].map(|parts| parts.into_iter().sum());
        if self.is_closing() {
            self.memory.change_closing(before, now);
        }
        self.own = own;
        self.sessions = self.sessions & (OPEN | CLOSING) | sessions | (kernel as u32) << KERNEL;
        now <= before || !self.memory.is_at_limit()
    }

    /// Accounts the connection as one with a session.
    pub(crate) fn open(&mut self) {
        if !self.is_open() {
            let own = self.own as usize;
            self.memory.change(self.kind(), own, 0);
            self.sessions |= OPEN;
            self.memory.change(self.kind(), 0, own);
        }
    }

    /// Returns whether the connection has or had a session.
    pub(crate) fn is_open(&self) -> bool {
        self.sessions & OPEN != 0
    }

    /// Accounts everything as about to be released, because the connection is ending.
    pub(crate) fn mark_closing(&mut self) {
        if !self.is_closing() {
            self.sessions |= CLOSING;
            self.memory.change_closing(0, self.total());
        }
    }

    /// Returns whether the connection is ending.
    pub(crate) fn is_closing(&self) -> bool {
        self.sessions & CLOSING != 0
    }

    /// Returns the sum of the accounted bytes.
    pub(crate) fn total(&self) -> usize {
        self.own as usize + self.sessions() as usize + self.kernel().bytes()
    }

    pub(crate) fn memory(&self) -> &Arc<Memory> {
        &self.memory
    }

    fn kind(&self) -> MemoryKind {
        if self.is_open() { MemoryKind::Connections } else { MemoryKind::Unauthenticated }
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        self.set(0, 0, KernelBuffers::Nothing);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::Ordering;

    #[test]
    fn every_part_is_accounted_by_kind_and_released_in_the_end() {
        let memory = Arc::new(Memory::new(1 << 30));
        let mut account = Account::new(memory.clone(), 1000);
        assert_eq!((memory.usage().unauthenticated, memory.usage().total()), (1000, 1000));
        account.set(1500, 0, KernelBuffers::Unread);
        account.open();
        account.open();
        account.set(1500, 300, KernelBuffers::Both);
        let held = memory.usage();
        assert_eq!(
            (held.unauthenticated, held.connections, held.sessions, held.kernel),
            (0, 1500, 300, KernelBuffers::Both.bytes())
        );
        assert_eq!((account.own(), account.sessions(), account.kernel()), (1500, 300, KernelBuffers::Both));
        // The bytes of an ending connection are still held, but are no reason to end another one.
        account.mark_closing();
        account.mark_closing();
        account.set(2000, 0, KernelBuffers::Nothing);
        let closing = || memory.closing.load(Ordering::Relaxed);
        assert_eq!((closing(), memory.usage().total(), account.total()), (2000, 2000, 2000));
        drop(account);
        assert_eq!((closing(), memory.usage().total()), (0, 0));
    }

    #[test]
    fn an_account_saturates_at_its_maximum() {
        let memory = Arc::new(Memory::new(1 << 40));
        let mut account = Account::new(memory.clone(), u32::MAX);
        account.open();
        account.set(u32::MAX, u32::MAX, KernelBuffers::Unread);
        assert_eq!(
            (account.is_open(), account.is_closing(), account.kernel()),
            (true, false, KernelBuffers::Unread)
        );
        drop(account);
        assert_eq!(memory.usage().total(), 0);
    }

    #[test]
    fn an_account_is_two_words() {
        assert_eq!(size_of::<Account>(), 16);
    }
}
