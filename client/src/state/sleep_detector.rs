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

#[cfg(test)]
mod tests {
    use super::*;
    use sealwire_protocol::UnixMillis;

    fn at(instant: u64, unix: u64) -> Now {
        Now { instant: Instant(instant), unix: UnixMillis(unix) }
    }

    #[test]
    fn a_late_timer_or_a_wall_clock_that_ran_on_means_that_the_machine_slept() {
        let mut detector = SleepDetector::default();
        detector.record(at(1_000, 50_000));
        assert!(!detector.has_slept(at(4_000, 53_000), Some(Instant(1_000))));
        assert!(detector.has_slept(at(4_001, 53_001), Some(Instant(1_000))), "a late timer");
        assert!(!detector.has_slept(at(2_000, 54_000), None));
        assert!(detector.has_slept(at(2_000, 54_001), None), "a wall clock that ran on");
        assert!(!detector.has_slept(at(2_000, 10), None), "a wall clock that was set back");
    }
}
