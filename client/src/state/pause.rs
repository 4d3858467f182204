//! Pauses of the page, and the time of the next attempt to connect.

use crate::{
    ClientError, Instant,
    entropy::{Entropy, below},
};

/// The minimum time between attempts while the browser reports that it is offline, and the jitter added to it.
const OFFLINE_RETRY_MS: u64 = 60_000;
const OFFLINE_JITTER_MS: u64 = 30_000;

/// A reason to make no attempt to connect for now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pause {
    /// The browser reports that there is no network. The report may be wrong: a connection that still answers stays open,
    /// and a lost one is retried every 60 to 90 seconds.
    Offline,
    /// The page has been hidden for a long time. A connection that still answers stays open.
    Hidden,
    /// The page is about to be frozen or put into the back/forward cache, where no code runs. The client closes the
    /// connection.
    Frozen,
}

impl Pause {
    /// Returns the error that explains the state [`crate::State::Suspended`].
    pub(crate) fn error(self) -> ClientError {
        ClientError::unreachable(match self {
            Self::Offline => "the browser is offline; the client reconnects when the network is back",
            Self::Hidden => "the page is hidden; the client reconnects when the page is shown",
            Self::Frozen => "the page is frozen; the client reconnects when the page resumes",
        })
    }
}

/// The next attempt to connect.
#[derive(Clone, Copy)]
struct Attempt {
    at: Instant,
    /// The relay named this time, so that nothing may shorten the wait.
    requested_by_relay: bool,
}

/// The pause of the page, if any, and the next attempt.
#[derive(Default)]
pub(crate) struct RetryPlan {
    pause: Option<Pause>,
    next: Option<Attempt>,
}

impl RetryPlan {
    pub(crate) fn pause(&mut self, pause: Pause) {
        self.pause = Some(pause);
    }

    pub(crate) fn resume(&mut self) {
        self.pause = None;
    }

    pub(crate) fn is_paused(&self) -> bool {
        self.pause.is_some()
    }

    /// Plans the next attempt for `at`.
    pub(crate) fn schedule(&mut self, at: Instant, requested_by_relay: bool) {
        self.next = Some(Attempt { at, requested_by_relay });
    }

    /// Returns the time of the next attempt under the current pause, or `None` if it waits for the page to come back.
    pub(crate) fn due_at(&self, now: Instant, entropy: &mut dyn Entropy) -> Option<Instant> {
        let at = self.next?.at;
        match self.pause {
            None => Some(at),
            Some(Pause::Offline) => {
                let rare = OFFLINE_RETRY_MS + below(entropy, OFFLINE_JITTER_MS);
                Some(at.max(now.after(rare)))
            }
            Some(Pause::Hidden | Pause::Frozen) => None,
        }
    }

    /// Returns the time of the next attempt if the relay named it and it is still ahead.
    pub(crate) fn requested_by_relay(&self, now: Instant) -> Option<Instant> {
        self.next.filter(|next| next.requested_by_relay && next.at > now).map(|next| next.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::tests::Constant;

    #[test]
    fn a_pause_delays_or_withholds_the_next_attempt() {
        let now = Instant(1_000);
        let mut plan = RetryPlan::default();
        plan.schedule(Instant(5_000), false);
        for (pause, due) in
            [(Pause::Offline, Some(Instant(61_000))), (Pause::Hidden, None), (Pause::Frozen, None)]
        {
            plan.pause(pause);
            assert_eq!(plan.due_at(now, &mut Constant(0)), due, "{pause:?}");
        }
        plan.resume();
        assert_eq!(plan.due_at(now, &mut Constant(0)), Some(Instant(5_000)));
    }

    #[test]
    fn only_a_time_that_the_relay_requested_and_that_is_ahead_must_be_kept() {
        let mut plan = RetryPlan::default();
        plan.schedule(Instant(5_000), false);
        assert_eq!(plan.requested_by_relay(Instant(1_000)), None);
        plan.schedule(Instant(5_000), true);
        assert_eq!(plan.requested_by_relay(Instant(1_000)), Some(Instant(5_000)));
        assert_eq!(plan.requested_by_relay(Instant(5_000)), None);
    }
}
