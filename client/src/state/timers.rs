//! The deadlines of the connection. Requests, publications and tokens keep their own.

use crate::Instant;

/// The purpose of a deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub(crate) enum Timer {
    /// The deadline of the app's answer to a session request.
    SessionRequest,
    /// The deadline of the relay's `Welcome`.
    Welcome,
    /// The end of the time that the relay may be silent.
    Silence,
    /// The next attempt to connect.
    Retry,
    /// The request for the next session.
    SessionRefresh,
    /// The close of a connection that nothing needs.
    Idle,
    /// The deadline of the relay's answer to a `Ping`.
    Probe,
    /// The next comparison of the clocks, which detects that the machine slept.
    SleepCheck,
}

impl Timer {
    const ALL: [Self; 8] = [
        Self::SessionRequest,
        Self::Welcome,
        Self::Silence,
        Self::Retry,
        Self::SessionRefresh,
        Self::Idle,
        Self::Probe,
        Self::SleepCheck,
    ];
}

/// One optional deadline for each [`Timer`].
#[derive(Debug, Default)]
pub(crate) struct Timers([Option<Instant>; Timer::ALL.len()]);

impl Timers {
    pub(crate) fn set(&mut self, timer: Timer, at: Instant) {
        self.0[timer as usize] = Some(at);
    }

    /// Sets a timer, unless it is due earlier already.
    pub(crate) fn set_earlier(&mut self, timer: Timer, at: Instant) {
        let deadline = &mut self.0[timer as usize];
        *deadline = Some(deadline.map_or(at, |earlier| earlier.min(at)));
    }

    pub(crate) fn stop(&mut self, timer: Timer) {
        self.0[timer as usize] = None;
    }

    pub(crate) fn is_set(&self, timer: Timer) -> bool {
        self.0[timer as usize].is_some()
    }

    /// Returns the earliest deadline.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.0.iter().flatten().min().copied()
    }

    /// Stops and returns one timer that is due.
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
    fn due_timers_are_taken_once_each() {
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
    fn each_timer_has_its_own_index() {
        for (index, timer) in Timer::ALL.into_iter().enumerate() {
            assert_eq!(timer as usize, index);
        }
    }
}
