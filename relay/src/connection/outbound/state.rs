//! How writing to a connection stands, and what the connection holds of the relay's memory.

use crate::{
    connection::queue::Queue,
    memory::{Account, CONNECTION, LEAST, Parts, Standing},
};
use std::io;

pub(super) struct State {
    pub(super) queue: Queue,
    pub(super) condition: Condition,
    pub(super) overflowed: bool,
    /// Bytes of a message that is not whole yet.
    pub(super) input: u32,
    /// What the socket occupies besides, in bytes.
    pub(super) socket: u32,
    /// The moment of [`Memory::moment`](crate::memory::Memory::moment) at which the connection came to be.
    pub(super) opened: u32,
    /// The moment since which the client takes nothing of what waits for it, or leaves a message unfinished.
    pub(super) stalled: u32,
    /// What is counted of all that.
    pub(super) account: Account,
}

/// Changes of what a connection holds that are too small to count, in bytes.
pub(in crate::connection) const UNCOUNTED: usize = 1024;

impl State {
    /// Counts what the connection holds now. False where that became more, and there is no memory for more.
    pub(super) fn settle(&mut self) -> bool {
        let Parts { sessions, kernel, .. } = self.account.parts();
        self.settle_with(sessions, kernel)
    }

    /// The same where the sessions and the system hold so much now.
    pub(super) fn settle_with(&mut self, sessions: u32, kernel: u32) -> bool {
        let idle = CONNECTION as u32 + self.socket;
        let now = idle.saturating_add(clamped(self.queue.footprint())).saturating_add(self.input);
        let counted = self.account.parts();
        let is_small =
            (now.abs_diff(counted.own) as usize) < UNCOUNTED && (now > idle || counted.own == idle);
        let own = if is_small { counted.own } else { now };
        let parts = Parts { own, sessions, kernel };
        parts == counted || self.account.set(parts)
    }

    /// Counts what was queued. Returns whether it fits: where there is no memory for it, the queue is given up.
    pub(super) fn settle_queued(&mut self) -> bool {
        let fits = self.settle();
        if !fits {
            self.queue.overflow();
            self.settle();
        }
        self.overflowed |= !fits;
        fits
    }

    /// What ending the connection would give back; `held` is what waits in its socket and is counted there, `beside` what
    /// goes with it besides.
    pub(super) fn standing(&self, held: usize, beside: usize) -> Standing {
        let now = self.account.memory().moment();
        let parts = self.account.parts();
        let total = parts.own as usize + parts.sessions as usize + held + beside;
        if self.account.is_leaving() {
            return Standing::Leaving { bytes: total + parts.kernel as usize };
        }
        if !self.account.is_open() {
            return Standing::Stranger { age: now.wrapping_sub(self.opened), bytes: total };
        }
        let queued = self.queue.bytes() + self.queue.footprint();
        let waiting = queued + self.input as usize + held + parts.kernel as usize;
        if waiting < LEAST {
            return Standing::Settled { bytes: total };
        }
        let is_stalled = self.condition == Condition::Blocked || self.input > 0;
        Standing::Waiting {
            stalled: if is_stalled { now.wrapping_sub(self.stalled) } else { 0 },
            bytes: waiting,
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
