//! The two clocks. Timers use the monotonic clock. The wall clock only stamps sealed messages, and judges a session until
//! a relay has said what time it is.

use sealwire_protocol::UnixMillis;

/// Milliseconds on a clock that never runs backwards, from an arbitrary start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Instant(pub u64);

impl Instant {
    /// Returns the instant `ms` milliseconds later.
    #[must_use]
    pub const fn after(self, ms: u64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    /// Returns the milliseconds since `earlier`, or 0 if `earlier` is later than `self`.
    #[must_use]
    pub const fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// The moment of an input, on both clocks.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    /// Monotonic time, for timers.
    pub instant: Instant,
    /// Wall-clock time, for the publish time inside sealed messages.
    pub unix: UnixMillis,
}

/// The relay's wall clock, as its `Welcome` gave it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RelayClock {
    received_at: Instant,
    unix_ms: u64,
}

impl RelayClock {
    pub(crate) fn new(received_at: Instant, unix_ms: u64) -> Self {
        Self { received_at, unix_ms }
    }

    /// Returns the relay's Unix milliseconds at `instant`. The result is behind by the travel time of the `Welcome`.
    pub(crate) fn at(self, instant: Instant) -> u64 {
        let ahead = self.unix_ms.saturating_add(instant.since(self.received_at));
        ahead.saturating_sub(self.received_at.since(instant))
    }

    /// Returns the instant at which the relay's clock reads `unix_ms`; never before the `Welcome` arrived.
    pub(crate) fn when(self, unix_ms: u64) -> Instant {
        self.received_at.after(unix_ms.saturating_sub(self.unix_ms))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_relays_clock_follows_the_monotonic_clock_in_both_directions() {
        let clock = RelayClock::new(Instant(1_000), 50_000);
        assert_eq!(clock.at(Instant(1_500)), 50_500);
        assert_eq!(clock.at(Instant(400)), 49_400);
        assert_eq!((clock.when(50_500), clock.when(7)), (Instant(1_500), Instant(1_000)));
    }
}
