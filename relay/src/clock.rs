//! The two clocks. Timers use the monotonic clock; tokens and publication times use the wall clock. The state machines
//! receive both as an argument and never read a clock themselves.

use sealwire_protocol::UnixMillis;
use std::time::{Duration, Instant, SystemTime};

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
