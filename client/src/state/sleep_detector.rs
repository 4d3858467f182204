//! Detects that the machine slept, which nothing reports to the client.

use crate::{Instant, Now};

/// A timer that is this late, or a wall clock that is this far ahead of the monotonic clock, means that the machine slept.
const SLEEP_THRESHOLD_MS: u64 = 3_000;

/// The clocks at the last comparison.
#[derive(Default)]
pub(crate) struct SleepDetector {
    last: Option<Now>,
}

impl SleepDetector {
    /// Records the clocks.
    pub(crate) fn record(&mut self, now: Now) {
        self.last = Some(now);
    }

    /// Returns true if the timer due at `due` is late, or if the wall clock ran on while the monotonic clock stood still.
    pub(crate) fn has_slept(&self, now: Now, due: Option<Instant>) -> bool {
        let late = due.is_some_and(|due| now.instant.since(due) > SLEEP_THRESHOLD_MS);
        let ahead = self.last.is_some_and(|last| {
            let wall = now.unix.0.saturating_sub(last.unix.0);
            wall.saturating_sub(now.instant.since(last.instant)) > SLEEP_THRESHOLD_MS
        });
        late || ahead
    }
}
