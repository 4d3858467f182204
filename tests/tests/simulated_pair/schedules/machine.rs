//! A client core and the machine that it runs on.

use sealwire_client::{Client, ConnectionId};

pub(super) struct Machine {
    pub(super) core: Client,
    /// True if the machine verifies signatures.
    pub(super) verifies: bool,
    /// True if the page signs half of its messages.
    pub(super) signs: bool,
    pub(super) connection: Option<ConnectionId>,
    /// The number of connections that the client has opened.
    pub(super) connects: usize,
    /// The result of every connection attempt, if the machine is offline.
    pub(super) offline: Option<Offline>,
    /// True if the page has paused the client.
    pub(super) paused: bool,
    pub(super) asleep_until: u64,
    pub(super) asleep_since: u64,
    /// The time by which the timers' clock fell behind in earlier sleeps.
    pub(super) timer_lag_ms: u64,
    /// True if the timers' clock stands still in the newest sleep.
    pub(super) timers_stopped: bool,
    /// The difference between the machine's wall clock and the true time.
    pub(super) clock_offset_ms: i64,
}

/// The result of a connection attempt without a network.
#[derive(Clone, Copy)]
pub(super) enum Offline {
    Fails,
    GetsNoAnswer,
}

impl Machine {
    /// Returns whether its timers' clock ever stood still.
    pub(super) fn timers_ever_stopped(&self) -> bool {
        self.timers_stopped || self.timer_lag_ms > 0
    }

    /// Returns the time by which the timers' clock is behind at `now_ms`.
    pub(super) fn timer_lag_ms(&self, now_ms: u64) -> u64 {
        let slept = self.asleep_until.min(now_ms) - self.asleep_since;
        self.timer_lag_ms + if self.timers_stopped { slept } else { 0 }
    }
}
