//! The two clocks. Timers run on the monotonic one, tokens and publication times on the wall clock; rules get both as
//! an argument and never read them.

use sealwire_protocol::UnixMillis;
use std::time::{Duration, Instant, SystemTime};

/// One moment on both clocks.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    /// For timers and ages.
    pub monotonic: Instant,
    /// For tokens and what people read.
    pub wall: UnixMillis,
}

impl Now {
    /// Reads both clocks.
    #[must_use]
    pub fn read() -> Self {
        let wall = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Self { monotonic: Instant::now(), wall: UnixMillis(wall.as_millis().try_into().unwrap_or(u64::MAX)) }
    }

    /// The monotonic moment at which the wall clock will show `wall`; now, where it has passed.
    pub(crate) fn when(self, wall: UnixMillis) -> Instant {
        self.monotonic + Duration::from_millis(wall.0.saturating_sub(self.wall.0))
    }
}
