//! The signals that wake a connection's task.

/// A set of signals, as bits.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Signals(pub(super) u8);

impl Signals {
    /// The write state changed, or the queue overflowed.
    pub(super) const QUEUE: u8 = 1;
    /// A scheduled wakeup fired.
    pub(super) const TIMER: u8 = 2;
    /// The relay is shutting down.
    pub(super) const SHUTDOWN: u8 = 4;
    /// Signing keys were removed.
    pub(super) const KEYS: u8 = 8;
    /// Sessions were revoked.
    pub(super) const REVOCATION: u8 = 16;

    /// The relay lost track of a channel.
    pub(super) const LOST: u8 = 32;

    pub(super) fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(super) fn timer(self) -> bool {
        self.0 & Self::TIMER != 0
    }

    pub(super) fn keys(self) -> bool {
        self.0 & Self::KEYS != 0
    }

    pub(super) fn revocation(self) -> bool {
        self.0 & Self::REVOCATION != 0
    }

    pub(super) fn lost(self) -> bool {
        self.0 & Self::LOST != 0
    }

    pub(super) fn shutdown(self) -> bool {
        self.0 & Self::SHUTDOWN != 0
    }
}
