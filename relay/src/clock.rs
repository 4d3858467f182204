//! The two clocks. Timers use the monotonic clock; tokens and publication times use the wall clock. The state machines
//! receive both as an argument and never read a clock themselves.

use sealwire_protocol::UnixMillis;
use std::{
    num::NonZeroU64,
    time::{Duration, Instant, SystemTime},
};

/// One moment on both clocks.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    /// The monotonic time, for timers and ages.
    pub monotonic: Instant,
    /// The wall-clock time, for tokens and publication times.
    pub wall: UnixMillis,
}

impl Now {
    /// Reads both clocks.
    #[must_use]
    pub fn read() -> Self {
        let wall = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Self { monotonic: Instant::now(), wall: UnixMillis(wall.as_millis().try_into().unwrap_or(u64::MAX)) }
    }

    /// Converts a wall-clock time to the monotonic clock. Returns the present if `wall` has passed.
    pub(crate) fn instant_of(self, wall: UnixMillis) -> Instant {
        self.monotonic + Duration::from_millis(wall.0.saturating_sub(self.wall.0))
    }
}

/// A monotonic time as the nanoseconds since a start that its owner stores, plus one. It has half the size of an [`Instant`],
/// also as an `Option`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Elapsed(NonZeroU64);

impl Elapsed {
    /// Converts a time. A time before the start becomes the start.
    pub(crate) fn new(start: Instant, at: Instant) -> Self {
        let nanos = at.saturating_duration_since(start).as_nanos();
        Self(NonZeroU64::MIN.saturating_add(u64::try_from(nanos).unwrap_or(u64::MAX)))
    }

    /// Converts the time back.
    pub(crate) fn instant(self, start: Instant) -> Instant {
        start + Duration::from_nanos(self.0.get() - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_elapsed_time_is_exact_and_has_eight_bytes() {
        let start = Instant::now();
        for nanos in [0, 1, 2_500_000_000, 40 * 365 * 86_400 * 1_000_000_000] {
            let at = start + Duration::from_nanos(nanos);
            assert_eq!(Elapsed::new(start, at).instant(start), at);
        }
        assert_eq!(Elapsed::new(start + Duration::from_secs(1), start), Elapsed::new(start, start));
        assert!(Elapsed::new(start, start) < Elapsed::new(start, start + Duration::from_nanos(1)));
        assert_eq!(size_of::<Option<Elapsed>>(), 8);
    }
}
