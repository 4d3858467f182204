//! Flow control of publications: the number that may be in flight, and pauses.
//!
//! The number is unlimited until the relay refuses a publication temporarily. After the pause that the relay requested, half
//! as many may be in flight as the relay accepted since the previous refusal. Every second acknowledgement admits one more,
//! so that the number grows by half with every round trip until the next refusal. A relay with a rate limit thus receives
//! nearly what it admits, and at most twice as much.

use crate::{ClientError, Instant};

/// The time without a publication after which the relay admits a full burst again.
const WINDOW_RESET_MS: u64 = 1_000;
/// The minimum pause. A relay that admits hundreds of publications a second requests a pause for the next one alone.
const MIN_PAUSE_MS: u64 = 50;

#[derive(Default)]
pub(crate) struct FlowControl {
    /// The end of the pause, and the refusal that caused it.
    pause: Option<(Instant, ClientError)>,
    /// The number of publications that may be in flight; `None` means unlimited.
    window: Option<usize>,
    /// The number of publications that the relay accepted since its last refusal.
    accepted: usize,
    /// The time of the relay's last answer.
    last_answer_at: Option<Instant>,
    /// The request number of the last publication in flight; 0 if there is none, and after a refusal.
    last_request: u32,
}

impl FlowControl {
    pub(crate) fn pause_ends_at(&self) -> Option<Instant> {
        self.pause.as_ref().map(|(until, _)| *until)
    }

    /// Returns the refusal that caused the pause.
    pub(crate) fn refusal(&self) -> Option<&ClientError> {
        self.pause.as_ref().map(|(_, error)| error)
    }

    /// Returns the number of publications that may be sent now, in addition to those in flight.
    pub(crate) fn capacity(&mut self, now: Instant, in_flight: usize) -> usize {
        self.pause.take_if(|(until, _)| *until <= now);
        if let Some((until, _)) = &self.pause {
            self.last_answer_at = Some(*until);
            return 0;
        }
        if in_flight == 0 {
            // Nothing is left to overtake. The relay may have refused a publication that the client gave up.
            self.last_request = 0;
            if self.last_answer_at.is_some_and(|at| now.since(at) >= WINDOW_RESET_MS) {
                (self.window, self.accepted) = (None, 0);
            }
        }
        self.window.map_or(usize::MAX, |window| window.saturating_sub(in_flight))
    }

    /// Returns the request number for `Publish.follows` of the next publication.
    pub(crate) fn last_request(&self) -> u32 {
        self.last_request
    }

    pub(crate) fn sent(&mut self, request: u32) {
        self.last_request = request;
    }

    pub(crate) fn accepted(&mut self, now: Instant) {
        self.last_answer_at = Some(now);
        self.accepted = self.accepted.saturating_add(1);
        self.window = self.window.and_then(|window| window.checked_add(self.accepted % 2));
    }

    pub(crate) fn refused(&mut self, now: Instant, error: ClientError) {
        let pause = u64::from(error.retry_after_ms.unwrap_or(0)).max(MIN_PAUSE_MS);
        self.pause = Some((now.after(pause), error));
        self.window = Some((core::mem::take(&mut self.accepted) / 2).max(1));
    }

    /// Ends the pause, because the connection whose relay requested it is gone.
    pub(crate) fn detach(&mut self) {
        self.pause = None;
    }
}
