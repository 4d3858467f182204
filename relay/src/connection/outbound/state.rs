//! How writing to a connection stands, and what the connection holds of the relay's memory.

use crate::{
    connection::queue::Queue,
    memory::{Account, CONNECTION, InKernel, MIN_WAITING, Standing},
};
use std::io;

pub(super) struct State {
    pub(super) queue: Queue,
    pub(super) condition: Condition,
    pub(super) overflowed: bool,
    /// The client has been seen to read quickly.
    pub(super) is_quick: bool,
    /// Bytes of a message that is not whole yet.
    pub(super) input: u32,
    /// Bytes that the socket occupies besides.
    pub(super) socket: u32,
    /// A moment of [`Memory::moment`](crate::memory::Memory::moment): of a connection without a session, the one at which
    /// it was opened; of one with a session, the one since which its client takes nothing or leaves a message unfinished.
    pub(super) since: u32,
    /// The count of all that.
    pub(super) account: Account,
}

/// Changes of a connection's memory that are too small to count, in bytes.
pub(in crate::connection) const UNCOUNTED: usize = 1024;

/// A client reads quickly that takes something within so many milliseconds after it had taken nothing.
const QUICK: u32 = 50;

impl State {
    /// Counts the memory of the connection. False if it became more and there is no memory for more.
    pub(super) fn settle(&mut self) -> bool {
        self.settle_with(self.account.sessions(), self.account.kernel())
    }

    /// The same with another count for the sessions and for the system.
    pub(super) fn settle_with(&mut self, sessions: u32, kernel: InKernel) -> bool {
        let idle = CONNECTION as u32 + self.socket;
        let now = idle.saturating_add(clamped(self.queue.footprint())).saturating_add(self.input);
        let counted = self.account.own();
        let is_small = (now.abs_diff(counted) as usize) < UNCOUNTED && (now > idle || counted == idle);
        let own = if is_small { counted } else { now };
        (own, sessions, kernel) == (counted, self.account.sessions(), self.account.kernel())
            || self.account.set(own, sessions, kernel)
    }

    /// Counts the queue. Returns whether it fits: a queue for which there is no memory is given up.
    pub(super) fn settle_queued(&mut self) -> bool {
        let fits = self.settle();
        if !fits {
            self.queue.overflow();
            self.settle();
        }
        self.overflowed |= !fits;
        fits
    }

    /// The connection as the shedder sees it. Its socket counts `held` bytes that wait in it, and `beside` bytes that go
    /// with it.
    pub(super) fn standing(&self, held: usize, beside: usize) -> Standing {
        let bytes = self.account.total() + held + beside;
        if self.account.is_leaving() {
            return Standing::Leaving { bytes };
        }
        let since = self.account.memory().moment().wrapping_sub(self.since);
        if !self.account.is_open() {
            return Standing::Stranger { age: since, bytes };
        }
        let queued = self.queue.bytes() + self.queue.footprint();
        let waiting = queued + self.input as usize + held + self.account.kernel().bytes();
        if waiting < MIN_WAITING {
            return Standing::Settled { bytes };
        }
        let is_stalled = self.condition == Condition::Blocked || self.input > 0;
        Standing::Waiting { stalled: if is_stalled { since } else { 0 }, bytes: waiting }
    }

    /// The buffers of the system that the connection occupies, if its client reads nothing.
    pub(super) fn in_kernel(&self) -> InKernel {
        // The connection's task does not read requests until the client has read their answers.
        match (self.queue.is_half_full(), self.is_quick) {
            (true, _) => InKernel::Both,
            (false, true) => InKernel::UnreadOfQuick,
            (false, false) => InKernel::Unread,
        }
    }

    /// True the first time that the client takes something right after it had taken nothing.
    pub(super) fn becomes_quick(&mut self) -> bool {
        let since = self.account.memory().moment().wrapping_sub(self.since);
        let becomes = !self.is_quick && self.account.is_open() && since < QUICK;
        self.is_quick |= becomes;
        becomes
    }

    /// The client takes something, or sends a whole message: it is not stalled.
    pub(super) fn restart(&mut self) {
        if self.account.is_open() {
            self.since = self.account.memory().moment();
        }
    }
}

/// As a number of the size that every connection keeps.
pub(in crate::connection) fn clamped(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}

/// How writing stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::connection) enum Condition {
    /// What is queued can be written.
    Ready,
    /// The socket is full; the connection's task waits for it.
    Blocked,
    /// There is more to write than a share; the connection's task goes on with it.
    Paused,
    /// The socket is gone.
    Broken,
}

impl Condition {
    pub(super) fn after(error: &io::Error) -> Self {
        if error.kind() == io::ErrorKind::WouldBlock { Self::Blocked } else { Self::Broken }
    }
}

/// What the connection's task must know of its queue.
#[derive(Clone, Copy, Debug)]
pub(in crate::connection) struct Backlog {
    pub(in crate::connection) condition: Condition,
    pub(in crate::connection) overflowed: bool,
    pub(in crate::connection) bytes: usize,
}
