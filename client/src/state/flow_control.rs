//! The flow of publications to the relay: how many may be under way, and when.
//!
//! All of them may, until the relay refuses one for a while. After the pause that it asked for they go on with half as many
//! as it took since the last refusal. Every second one that is taken makes room for another one more, so that their number
//! grows by half with every round trip, until the relay refuses again. A relay with a rate limit thus gets nearly what it
//! admits, and as much again at most.

use crate::{ClientError, Instant};

/// After so long without a publication the relay admits as many at once as ever.
const QUIET_MS: u64 = 1_000;
/// The shortest pause: a relay that admits hundreds a second names a pause for the next one alone.
const SHORTEST_PAUSE_MS: u64 = 50;

#[derive(Default)]
pub(crate) struct Flow {
    /// Until when nothing is sent, and why.
    pause: Option<(Instant, ClientError)>,
    /// The number of publications that may be under way; none stands for any number.
    window: Option<usize>,
    /// The number that the relay took since it refused one.
    taken: usize,
    /// The time of the relay's last answer.
    answered_at: Option<Instant>,
    /// The request of the publication that was sent last, while any is under way; none is after a refusal.
    last: u32,
}

impl Flow {
    pub(crate) fn pause_ends(&self) -> Option<Instant> {
        self.pause.as_ref().map(|(until, _)| *until)
    }

    pub(crate) fn why_paused(&self) -> Option<ClientError> {
        self.pause.as_ref().map(|(_, error)| error.clone())
    }

    /// The number that may be sent now, beside those that are under way.
    pub(crate) fn room(&mut self, now: Instant, under_way: usize) -> usize {
        self.pause.take_if(|(until, _)| *until <= now);
        if let Some((until, _)) = &self.pause {
            self.answered_at = Some(*until);
            return 0;
        }
        if under_way == 0 {
            // Nothing is left to overtake. Of a publication that was given up, nobody knows whether the relay refused it.
            self.last = 0;
            if self.answered_at.is_some_and(|at| now.since(at) >= QUIET_MS) {
                (self.window, self.taken) = (None, 0);
            }
        }
        self.window.map_or(usize::MAX, |window| window.saturating_sub(under_way))
    }

    /// The request that the next one follows.
    pub(crate) fn last(&self) -> u32 {
        self.last
    }

    pub(crate) fn sent(&mut self, request: u32) {
        self.last = request;
    }

    pub(crate) fn taken(&mut self, now: Instant) {
        self.answered_at = Some(now);
        self.taken = self.taken.saturating_add(1);
        self.window = self.window.and_then(|window| window.checked_add(self.taken % 2));
    }

    pub(crate) fn refused(&mut self, now: Instant, error: ClientError) {
        let pause = u64::from(error.retry_after_ms.unwrap_or(0)).max(SHORTEST_PAUSE_MS);
        self.pause = Some((now.after(pause), error));
        self.window = Some((core::mem::take(&mut self.taken) / 2).max(1));
    }

    /// The connection is gone, and with it the pause that its relay asked for.
    pub(crate) fn detach(&mut self) {
        self.pause = None;
    }
}
