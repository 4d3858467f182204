//! Detects that the relay's process or its machine was suspended. After a stall, all deadlines have passed at once
//! while the clients' messages are still unread, so the session rules ask here before they end a silent client. No I/O:
//! time is an argument.

use crate::critical_task;
use std::{
    sync::Mutex,
    time::{Duration, Instant},
};

/// The interval at which the relay's own task calls [`StallDetector::tick`].
pub(crate) const TICK_INTERVAL: Duration = Duration::from_millis(100);
/// A tick that comes this long after the previous one means that the relay was stalled.
const STALL_THRESHOLD: Duration = Duration::from_secs(1);

/// Records the ticks of a relay. A detector that is never ticked reports no stall.
#[derive(Debug, Default)]
pub struct StallDetector {
    ticks: Mutex<Option<Ticks>>,
}

#[derive(Clone, Copy, Debug)]
struct Ticks {
    last: Instant,
    /// The first tick after the last stall, if there was a stall.
    resumed: Option<Instant>,
}

impl StallDetector {
    /// Records that the relay is running. Returns the duration of the stall that this tick ends, if it ends one.
    pub fn tick(&self, now: Instant) -> Option<Duration> {
        let mut ticks = critical_task::unpoisoned(self.ticks.lock());
        let stalled_for = ticks.and_then(|ticks| ticks.stall_before(now));
        let resumed = stalled_for.map(|_| now).or_else(|| ticks.and_then(|ticks| ticks.resumed));
        *ticks = Some(Ticks { last: now, resumed });
        stalled_for
    }

    /// The end of the last stall, if there was one; `now` if a stall ends at this moment.
    pub(crate) fn last_resumed(&self, now: Instant) -> Option<Instant> {
        let ticks = (*critical_task::unpoisoned(self.ticks.lock()))?;
        ticks.stall_before(now).map(|_| now).or(ticks.resumed)
    }
}

impl Ticks {
    fn stall_before(self, now: Instant) -> Option<Duration> {
        Some(now.saturating_duration_since(self.last)).filter(|stalled_for| *stalled_for >= STALL_THRESHOLD)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stall_is_reported_by_the_first_call_after_it() {
        let (detector, start) = (StallDetector::default(), Instant::now());
        let at = |millis| start + Duration::from_millis(millis);
        assert_eq!(detector.last_resumed(at(0)), None);
        for beat in 0..10 {
            assert_eq!(detector.tick(at(100 * beat)), None);
        }
        assert_eq!(detector.last_resumed(at(1_899)), None);
        // The stall is visible before the next tick, and after it.
        assert_eq!(detector.last_resumed(at(60_000)), Some(at(60_000)));
        assert_eq!(detector.tick(at(60_001)), Some(Duration::from_millis(59_101)));
        assert_eq!(detector.last_resumed(at(60_002)), Some(at(60_001)));
        assert_eq!(detector.tick(at(60_101)), None);
        assert_eq!(detector.last_resumed(at(60_102)), Some(at(60_001)));
    }
}
