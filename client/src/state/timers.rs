//! The table of the connection's deadlines. Requests carry their own.

use crate::Instant;

/// What a deadline is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub(crate) enum Timer {
    /// The app has not provided a session.
    Session,
    /// The relay has not answered with `Welcome`.
    Welcome,
    /// The relay has been silent.
    Silence,
    /// Time for the next attempt.
    Retry,
    /// Time to ask for the next session.
    Refresh,
    /// Nothing has needed the connection.
    Idle,
    /// The relay has not answered a `Ping`.
    Probe,
    /// A look at the clocks: has this machine slept?
    Watch,
}

impl Timer {
    const ALL: [Self; 8] = [
        Self::Session,
        Self::Welcome,
        Self::Silence,
        Self::Retry,
        Self::Refresh,
        Self::Idle,
        Self::Probe,
        Self::Watch,
    ];
}

#[derive(Debug, Default)]
pub(crate) struct Timers([Option<Instant>; Timer::ALL.len()]);

impl Timers {
    pub(crate) fn set(&mut self, timer: Timer, at: Instant) {
        self.0[timer as usize] = Some(at);
    }

    /// Sets it, unless it is due earlier.
    pub(crate) fn hasten(&mut self, timer: Timer, at: Instant) {
        let deadline = &mut self.0[timer as usize];
        *deadline = Some(deadline.map_or(at, |earlier| earlier.min(at)));
    }

    pub(crate) fn stop(&mut self, timer: Timer) {
        self.0[timer as usize] = None;
    }

    pub(crate) fn is_set(&self, timer: Timer) -> bool {
        self.0[timer as usize].is_some()
    }

    pub(crate) fn next(&self) -> Option<Instant> {
        self.0.iter().flatten().min().copied()
    }

    /// Takes one timer whose deadline has come.
    pub(crate) fn take_due(&mut self, now: Instant) -> Option<Timer> {
        let timer =
            Timer::ALL.into_iter().find(|timer| self.0[*timer as usize].is_some_and(|at| at <= now))?;
        self.stop(timer);
        Some(timer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_timers_that_are_due_are_taken_and_each_once() {
        let mut timers = Timers::default();
        timers.set(Timer::Silence, Instant(20));
        timers.set(Timer::Idle, Instant(10));
        assert_eq!(timers.next(), Some(Instant(10)));
        assert_eq!(timers.take_due(Instant(9)), None);
        assert_eq!(timers.take_due(Instant(10)), Some(Timer::Idle));
        assert_eq!(timers.take_due(Instant(10)), None);
        assert_eq!(timers.next(), Some(Instant(20)));
    }

    #[test]
    fn each_timer_has_a_place_of_its_own() {
        for (index, timer) in Timer::ALL.into_iter().enumerate() {
            assert_eq!(timer as usize, index);
        }
    }
}
