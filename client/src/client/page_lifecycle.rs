//! The page's lifecycle: offline, hidden, frozen, and back.
//!
//! While the page is paused, the client makes no attempt to reconnect, or, if the browser reports that it is offline, a rare
//! one. A connection that still answers stays open. When the page is back, the client acts at once: it makes the attempt
//! that it postponed, or checks the connection with a `Ping`.

use crate::{
    Client, Instant, Now, Pause,
    state::{phase::Phase, recovery::CLOSE_NORMAL, timers::Timer},
};

impl Client {
    /// Handles that the page is paused, until [`Self::handle_wake`].
    pub fn handle_pause(&mut self, now: Now, pause: Pause) {
        if self.phase.is_closed() {
            return;
        }
        self.retry.pause(pause);
        match self.phase {
            Phase::AwaitingRetry => {
                self.set_retry_timer(now);
                self.report_state(Some(pause.error()));
            }
            _ if pause == Pause::Frozen => self.connection_lost(now, pause.error(), Some(CLOSE_NORMAL)),
            Phase::Connected(_) => self.send_probe(now, false),
            _ => {}
        }
    }

    /// Handles that the network is back, or that the page is shown or resumed.
    pub fn handle_wake(&mut self, now: Now) {
        self.retry.resume();
        self.probe_connection(now);
        self.advance(now);
    }

    /// Plans the next attempt to connect for `at`, or later if the page is paused.
    pub(super) fn schedule_retry(&mut self, now: Now, at: Instant, requested_by_relay: bool) {
        self.retry.schedule(at, requested_by_relay);
        self.set_retry_timer(now);
    }

    fn set_retry_timer(&mut self, now: Now) {
        match self.retry.due_at(now.instant, &mut *self.entropy) {
            Some(at) => self.timers.set(Timer::Retry, at),
            None => self.timers.stop(Timer::Retry),
        }
    }
}
