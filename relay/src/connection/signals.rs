//! What a connection's task is woken for.

/// What the connection's task is to look at.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Signals(pub(super) u8);

impl Signals {
    /// The condition changed, or the queue overflowed.
    pub(super) const QUEUE: u8 = 1;
    /// Its timer rang.
    pub(super) const ALARM: u8 = 2;
    /// The relay shuts down.
    pub(super) const SHUTDOWN: u8 = 4;
    /// Signing keys were removed.
    pub(super) const KEYS: u8 = 8;
    /// Sessions were revoked.
    pub(super) const REVOCATION: u8 = 16;

    pub(super) fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(super) fn timer(self) -> bool {
        self.0 & Self::ALARM != 0
    }

    pub(super) fn keys(self) -> bool {
        self.0 & Self::KEYS != 0
    }

    pub(super) fn revocation(self) -> bool {
        self.0 & Self::REVOCATION != 0
    }

    pub(super) fn shutdown(self) -> bool {
        self.0 & Self::SHUTDOWN != 0
    }
}
