//! The two clocks. Timers use the monotonic one; the wall clock only stamps sealed messages and judges a session that
//! no relay has judged yet.

use sealwire_protocol::UnixMillis;

/// Milliseconds on a clock that never goes back, from an arbitrary start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Instant(pub u64);

impl Instant {
    /// This many milliseconds later.
    #[must_use]
    pub const fn after(self, ms: u64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    /// Milliseconds since `earlier`; 0 where that is later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// The moment of an input, on both clocks.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    /// For timers.
    pub instant: Instant,
    /// For the publish time inside sealed messages.
    pub unix: UnixMillis,
}

/// What the relay's clock shows, as far as its `Welcome` tells.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RelayClock {
    heard_at: Instant,
    shown_ms: u64,
}

impl RelayClock {
    pub(crate) fn new(heard_at: Instant, shown_ms: u64) -> Self {
        Self { heard_at, shown_ms }
    }

    /// The relay's milliseconds since 1970 at `instant`. Behind by the time that `Welcome` travelled.
    pub(crate) fn at(self, instant: Instant) -> u64 {
        let ahead = self.shown_ms.saturating_add(instant.since(self.heard_at));
        ahead.saturating_sub(self.heard_at.since(instant))
    }

    /// When the relay's clock shows so many milliseconds since 1970; not before it was heard of.
    pub(crate) fn when(self, unix_ms: u64) -> Instant {
        self.heard_at.after(unix_ms.saturating_sub(self.shown_ms))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_relays_clock_runs_with_the_monotonic_one_in_both_directions() {
        let clock = RelayClock::new(Instant(1_000), 50_000);
        assert_eq!(clock.at(Instant(1_500)), 50_500);
        assert_eq!(clock.at(Instant(400)), 49_400);
        assert_eq!((clock.when(50_500), clock.when(7)), (Instant(1_500), Instant(1_000)));
    }
}
