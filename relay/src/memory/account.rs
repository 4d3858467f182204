//! The memory that one connection holds, by kind: counted until the account is dropped.

use super::{Kind, Memory};
use crate::listener::net::{UNREAD, UNSENT, UNSENT_AFTER_RAISE};
use std::sync::Arc;

/// Two words for every connection, and no more.
#[derive(Debug)]
pub(crate) struct Account {
    memory: Arc<Memory>,
    /// Bytes of the connection itself: its queue, its socket, a message that is not whole yet.
    own: u32,
    /// Bytes of its sessions and their subscriptions, below [`OPEN`] and the other flags.
    sessions: u32,
}

/// The connection has, or had, a session.
const OPEN: u32 = 1 << 31;
/// The connection was ended, and is about to give everything back.
const LEAVING: u32 = 1 << 30;
/// The two bits that hold an [`InKernel`].
const KERNEL: u32 = 28;
const FLAGS: u32 = OPEN | LEAVING | 3 << KERNEL;

/// The buffers of the system that a connection occupies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum InKernel {
    Nothing,
    /// Bytes that the client does not read.
    Unread,
    /// The same of a client that used to read quickly.
    UnreadOfQuick,
    /// The same, and bytes from the client that the relay does not read.
    Both,
}

impl InKernel {
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
    /// The account of a connection without a session.
    pub(crate) fn new(memory: Arc<Memory>, own: u32) -> Self {
        let mut account = Self { memory, own: 0, sessions: 0 };
        account.set(own, 0, InKernel::Nothing);
        account
    }

    /// Bytes of the connection itself.
    pub(crate) fn own(&self) -> u32 {
        self.own
    }

    /// Bytes of its sessions.
    pub(crate) fn sessions(&self) -> u32 {
        self.sessions & !FLAGS
    }

    pub(crate) fn kernel(&self) -> InKernel {
        match self.sessions >> KERNEL & 3 {
            0 => InKernel::Nothing,
            1 => InKernel::Unread,
            2 => InKernel::UnreadOfQuick,
            _ => InKernel::Both,
        }
    }

    /// Counts so much from now on. False if that is more than before and there is no memory for more.
    pub(crate) fn set(&mut self, own: u32, sessions: u32, kernel: InKernel) -> bool {
        let sessions = sessions.min(!FLAGS);
        let before = [self.own as usize, self.sessions() as usize, self.kernel().bytes()];
        let now = [own as usize, sessions as usize, kernel.bytes()];
        let kinds = [self.kind(), Kind::Sessions, Kind::Kernel];
        for ((kind, before), now) in kinds.into_iter().zip(before).zip(now) {
            if before != now {
                self.memory.change(kind, before, now);
            }
        }
        let [before, now]: [usize; 2] = [before, now].map(|parts| parts.into_iter().sum());
        if self.is_leaving() {
            self.memory.change_leaving(before, now);
        }
        self.own = own;
        self.sessions = self.sessions & (OPEN | LEAVING) | sessions | (kernel as u32) << KERNEL;
        now <= before || !self.memory.is_at_limit()
    }

    /// Counts the connection among those with a session.
    pub(crate) fn open(&mut self) {
        if !self.is_open() {
            let own = self.own as usize;
            self.memory.change(self.kind(), own, 0);
            self.sessions |= OPEN;
            self.memory.change(self.kind(), 0, own);
        }
    }

    /// True once the connection has had a session.
    pub(crate) fn is_open(&self) -> bool {
        self.sessions & OPEN != 0
    }

    /// Counts everything as good as given back: the connection is about to end.
    pub(crate) fn leave(&mut self) {
        if !self.is_leaving() {
            self.sessions |= LEAVING;
            self.memory.change_leaving(0, self.total());
        }
    }

    /// True once the connection is about to end.
    pub(crate) fn is_leaving(&self) -> bool {
        self.sessions & LEAVING != 0
    }

    /// Everything that is counted, in bytes.
    pub(crate) fn total(&self) -> usize {
        self.own as usize + self.sessions() as usize + self.kernel().bytes()
    }

    pub(crate) fn memory(&self) -> &Arc<Memory> {
        &self.memory
    }

    fn kind(&self) -> Kind {
        if self.is_open() { Kind::Connections } else { Kind::Guests }
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        self.set(0, 0, InKernel::Nothing);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::Ordering;

    #[test]
    fn every_part_counts_where_it_belongs_and_nothing_is_left_behind() {
        let memory = Arc::new(Memory::new(1 << 30));
        let mut account = Account::new(memory.clone(), 1000);
        assert_eq!((memory.held().guests, memory.held().total()), (1000, 1000));
        account.set(1500, 0, InKernel::Unread);
        account.open();
        account.open();
        account.set(1500, 300, InKernel::Both);
        let held = memory.held();
        assert_eq!(
            (held.guests, held.connections, held.sessions, held.kernel),
            (0, 1500, 300, InKernel::Both.bytes())
        );
        assert_eq!((account.own(), account.sessions(), account.kernel()), (1500, 300, InKernel::Both));
        // An account that leaves is held, and no longer a reason to end another connection.
        account.leave();
        account.leave();
        account.set(2000, 0, InKernel::Nothing);
        let leaving = || memory.leaving.load(Ordering::Relaxed);
        assert_eq!((leaving(), memory.held().total(), account.total()), (2000, 2000, 2000));
        drop(account);
        assert_eq!((leaving(), memory.held().total()), (0, 0));
    }

    #[test]
    fn more_than_fits_into_an_account_counts_as_much_as_fits() {
        let memory = Arc::new(Memory::new(1 << 40));
        let mut account = Account::new(memory.clone(), u32::MAX);
        account.open();
        account.set(u32::MAX, u32::MAX, InKernel::Unread);
        assert_eq!(
            (account.is_open(), account.is_leaving(), account.kernel()),
            (true, false, InKernel::Unread)
        );
        drop(account);
        assert_eq!(memory.held().total(), 0);
    }

    #[test]
    fn an_account_is_two_words() {
        assert_eq!(size_of::<Account>(), 16);
    }
}
