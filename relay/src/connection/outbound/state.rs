//! The state of a connection's writing side, and the accounting of the connection's memory.

use crate::{
    connection::queue::Queue,
    memory::{Account, CONNECTION, KernelBuffers, MIN_BACKLOG, ShedClass},
};
use std::io;

/// The part of [`Outbound`](super::Outbound) behind its lock.
pub(super) struct OutboundState {
    pub(super) queue: Queue,
    pub(super) condition: Condition,
    /// True if the session must be ended as a slow consumer.
    pub(super) overflowed: bool,
    /// True if the client was observed to read quickly.
    pub(super) reads_quickly: bool,
    /// The bytes of an incomplete message.
    pub(super) input: u32,
    /// The bytes that the socket occupies in addition to the connection's base.
    pub(super) socket: u32,
    /// A moment of [`Memory::moment`](crate::memory::Memory::moment). Without a session: the time at which the
    /// connection was opened. With a session: the time since which its client has read nothing or has left a message
    /// incomplete.
    pub(super) since: u32,
    /// The account of the connection's memory.
    pub(super) account: Account,
}

/// The bytes by which a connection's memory may change before the account is updated.
pub(in crate::connection) const UNCOUNTED: usize = 1024;

/// The time in milliseconds within which a quick client reads again after its socket was full.
const QUICK_READ_MS: u32 = 50;

impl OutboundState {
    /// Updates the account. Returns false if the connection grew and there is no memory for it.
    pub(super) fn update_account(&mut self) -> bool {
        self.update_account_with(self.account.sessions(), self.account.kernel())
    }

    /// Updates the account with new bytes of the sessions and of kernel buffers.
    pub(super) fn update_account_with(&mut self, sessions: u32, kernel: KernelBuffers) -> bool {
        let idle = CONNECTION as u32 + self.socket;
        let now = idle.saturating_add(clamped(self.queue.footprint())).saturating_add(self.input);
        let counted = self.account.own();
        let is_small = (now.abs_diff(counted) as usize) < UNCOUNTED && (now > idle || counted == idle);
        let own = if is_small { counted } else { now };
        (own, sessions, kernel) == (counted, self.account.sessions(), self.account.kernel())
            || self.account.set(own, sessions, kernel)
    }

    /// Accounts the queue. If there is no memory for it, the queue overflows. Returns whether there was memory.
    pub(super) fn account_queue(&mut self) -> bool {
        let fits = self.update_account();
        if !fits {
            self.queue.overflow();
            self.update_account();
        }
        self.overflowed |= !fits;
        fits
    }

    /// Returns the connection's class for shedding. `buffered` are the bytes that wait in the socket; `http` are further
    /// bytes that ending the connection releases. The socket accounts both.
    pub(super) fn shed_class(&self, buffered: usize, http: usize) -> ShedClass {
        let bytes = self.account.total() + buffered + http;
        if self.account.is_closing() {
            return ShedClass::Closing { bytes };
        }
        let since = self.account.memory().moment().wrapping_sub(self.since);
        if !self.account.is_open() {
            return ShedClass::Unauthenticated { age: since, bytes };
        }
        let queued = self.queue.bytes() + self.queue.footprint();
        let waiting = queued + self.input as usize + buffered + self.account.kernel().bytes();
        if waiting < MIN_BACKLOG {
            return ShedClass::Idle { bytes };
        }
        let is_stalled = self.condition == Condition::Blocked || self.input > 0;
        ShedClass::Backlogged { stalled: if is_stalled { since } else { 0 }, bytes: waiting }
    }

    /// Returns the kernel buffers that the connection occupies while its client reads nothing.
    pub(super) fn kernel_buffers(&self) -> KernelBuffers {
        // With a half-full queue, the connection's task reads no requests, so that the receive buffer fills as well.
        match (self.queue.is_half_full(), self.reads_quickly) {
            (true, _) => KernelBuffers::Both,
            (false, true) => KernelBuffers::UnreadOfQuick,
            (false, false) => KernelBuffers::Unread,
        }
    }

    /// Returns true the first time that the client reads again right after its socket was full.
    pub(super) fn starts_reading_quickly(&mut self) -> bool {
        let since = self.account.memory().moment().wrapping_sub(self.since);
        let becomes = !self.reads_quickly && self.account.is_open() && since < QUICK_READ_MS;
        self.reads_quickly |= becomes;
        becomes
    }

    /// Records that the client is not stalled: it read something, or completed a message.
    pub(super) fn reset_stall(&mut self) {
        if self.account.is_open() {
            self.since = self.account.memory().moment();
        }
    }
}

/// Converts to the number type of the accounts; clamps what is larger.
pub(in crate::connection) fn clamped(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}

/// The condition of a connection's writing side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::connection) enum Condition {
    /// Queued frames can be written.
    Ready,
    /// The socket is full. The connection's task waits until it has room.
    Blocked,
    /// A writer has used up its quantum. The connection's task continues.
    Paused,
    /// The socket is unusable.
    Broken,
}

impl Condition {
    pub(super) fn after(error: &io::Error) -> Self {
        if error.kind() == io::ErrorKind::WouldBlock { Self::Blocked } else { Self::Broken }
    }
}

/// The state of the queue that the connection's task needs.
#[derive(Clone, Copy, Debug)]
pub(in crate::connection) struct Backlog {
    pub(in crate::connection) condition: Condition,
    pub(in crate::connection) overflowed: bool,
    pub(in crate::connection) bytes: usize,
}
