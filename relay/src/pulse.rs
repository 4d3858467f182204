//! The relay's pulse, which tells whether it runs. A process that was stopped, or whose machine was, finds all its
//! deadlines passed at once, while the messages of its clients lie unread. Rules that end a silent client ask here first.
//! No I/O: time is an argument.

use crate::critical_task;
use std::{
    sync::Mutex,
    time::{Duration, Instant},
};

/// Time between two beats of the relay's own task.
pub(crate) const PERIOD: Duration = Duration::from_millis(100);
/// A beat that is so late means that the relay stood still.
const STANDSTILL: Duration = Duration::from_secs(1);

/// The beats of a relay. Without any, it counts as running all the time.
#[derive(Debug, Default)]
pub struct Pulse {
    beats: Mutex<Option<Beats>>,
}

#[derive(Clone, Copy, Debug)]
struct Beats {
    last: Instant,
    /// The first beat after the last standstill, where there was one.
    resumed: Option<Instant>,
}

impl Pulse {
    /// The relay runs. Returns for how long it stood still before, where it did.
    pub fn beat(&self, now: Instant) -> Option<Duration> {
        let mut beats = critical_task::sound(self.beats.lock());
        let stood = beats.and_then(|beats| beats.stood_until(now));
        let resumed = stood.map(|_| now).or_else(|| beats.and_then(|beats| beats.resumed));
        *beats = Some(Beats { last: now, resumed });
        stood
    }

    /// When the last standstill ended, where there was one. Now, where it ends just now.
    pub(crate) fn resumed(&self, now: Instant) -> Option<Instant> {
        let beats = (*critical_task::sound(self.beats.lock()))?;
        beats.stood_until(now).map(|_| now).or(beats.resumed)
    }
}

impl Beats {
    fn stood_until(self, now: Instant) -> Option<Duration> {
        Some(now.saturating_duration_since(self.last)).filter(|late| *late >= STANDSTILL)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_standstill_is_found_by_whoever_looks_first() {
        let (pulse, start) = (Pulse::default(), Instant::now());
        let at = |millis| start + Duration::from_millis(millis);
        assert_eq!(pulse.resumed(at(0)), None);
        for beat in 0..10 {
            assert_eq!(pulse.beat(at(100 * beat)), None);
        }
        assert_eq!(pulse.resumed(at(1_899)), None);
        // Before the next beat, and after it.
        assert_eq!(pulse.resumed(at(60_000)), Some(at(60_000)));
        assert_eq!(pulse.beat(at(60_001)), Some(Duration::from_millis(59_101)));
        assert_eq!(pulse.resumed(at(60_002)), Some(at(60_001)));
        assert_eq!(pulse.beat(at(60_101)), None);
        assert_eq!(pulse.resumed(at(60_102)), Some(at(60_001)));
    }
}
