//! The clocks. Timers use the monotonic clock. The clock that the backend vouches for dates and judges messages, and the
//! relay's clock judges tokens. The local wall clock, which may be wrong, judges a session until a relay has said what time it
//! is, and shows that the monotonic clock stood still.

use sealwire_protocol::{UnixMillis, limits};

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
    /// Wall-clock time, which may be wrong and may jump.
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

/// The backend's wall clock, as a session grant gave it. It is behind by the travel time of the grant.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BackendClock {
    received: Now,
    unix_ms: u64,
}

/// The time for which a grant confirms the time.
const MAX_CONFIRMED_MS: u64 = 10_000;
/// The monotonic clocks of some browsers stand still while the machine sleeps. A wall clock that is so far ahead shows it.
const MIN_SLEEP_MS: u64 = 3_000;

impl BackendClock {
    pub(crate) fn new(received: Now, unix_ms: u64) -> Self {
        Self { received, unix_ms }
    }

    /// Returns the backend's Unix milliseconds.
    pub(crate) fn at(self, now: Now) -> UnixMillis {
        let elapsed = now.instant.since(self.received.instant);
        let wall = now.unix.0.saturating_sub(self.received.unix.0);
        let elapsed = if wall > elapsed.saturating_add(MIN_SLEEP_MS) { wall } else { elapsed };
        UnixMillis(self.unix_ms.saturating_add(elapsed))
    }

    /// Returns true if the machine slept, or if its wall clock was set. The time is then uncertain until the next grant.
    pub(crate) fn is_uncertain(self, now: Now) -> bool {
        let elapsed = now.instant.since(self.received.instant);
        now.unix.0.abs_diff(self.received.unix.0.saturating_add(elapsed)) > limits::CLOCK_SKEW * 1000
    }

    /// Returns true if the grant came so short a time ago that no clock can have gone wrong since.
    pub(crate) fn is_confirmed(self, now: Now) -> bool {
        !self.is_uncertain(now) && now.instant.since(self.received.instant) <= MAX_CONFIRMED_MS
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

    #[test]
    fn the_backends_clock_runs_on_while_the_monotonic_clock_stands_still() {
        let at = |instant, unix| Now { instant: Instant(instant), unix: UnixMillis(unix) };
        let clock = BackendClock::new(at(1_000, 7_000), 50_000);
        assert_eq!(clock.at(at(1_500, 7_500)).0, 50_500);
        assert_eq!(clock.at(at(1_500, 3)).0, 50_500, "a wall clock that was set back");
        assert_eq!(clock.at(at(1_500, 3_607_000)).0, 3_650_000, "a sleep of an hour");
        assert!(!clock.is_uncertain(at(1_500, 67_500)) && clock.is_uncertain(at(1_500, 67_501)));
        assert!(clock.is_confirmed(at(11_000, 17_000)) && !clock.is_confirmed(at(11_001, 17_001)));
        assert!(!clock.is_confirmed(at(1_500, 67_501)));
        // The wall clock may have been set back during a sleep in which the monotonic clock stood still.
        let set_back = BackendClock::new(at(1_000, 70_000), 50_000);
        assert!(!set_back.is_uncertain(at(1_000, 10_000)) && set_back.is_uncertain(at(1_000, 9_999)));
    }
}
