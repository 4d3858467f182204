//! How writing to a connection stands, and what the connection holds of the relay's memory.

use crate::{
    connection::queue::Queue,
    memory::{CONNECTION, Held},
};
use std::io;

pub(super) struct State {
    pub(super) queue: Queue,
    pub(super) condition: Condition,
    pub(super) overflowed: bool,
    /// Bytes of a message that is not whole yet.
    pub(super) input: usize,
    /// What the socket occupies besides, in bytes.
    pub(super) socket: u32,
    /// What is counted of all that.
    pub(super) held: Held,
}

/// Changes of what a connection holds that are too small to count, in bytes.
pub(in crate::connection) const UNCOUNTED: usize = 1024;

impl State {
    /// Counts what the connection holds now. False where that became more, and there is no memory for more.
    pub(super) fn settle(&mut self) -> bool {
        let idle = CONNECTION + self.socket as usize;
        let now = idle + self.queue.footprint() + self.input;
        let counted = self.held.bytes();
        if now.abs_diff(counted) < UNCOUNTED && (now > idle || counted == idle) {
            return true;
        }
        self.held.set(now)
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
