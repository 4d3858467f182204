//! The bound on the lines about messages, presence and refusals, so that a busy app leaves a log that a person can read.

use std::time::{Duration, SystemTime};

/// The lines in each window.
const MAX_LINES: u32 = 20;
const WINDOW: Duration = Duration::from_secs(1);

/// Counts the lines of the current window.
pub(super) struct Pace {
    start: SystemTime,
    lines: u32,
    left_out: u64,
}

impl Pace {
    pub(super) fn new(now: SystemTime) -> Self {
        Self { start: now, lines: 0, left_out: 0 }
    }

    /// Counts a line. Returns whether to show it.
    pub(super) fn admit(&mut self) -> bool {
        let is_shown = self.lines < MAX_LINES;
        self.lines += u32::from(is_shown);
        self.left_out += u64::from(!is_shown);
        is_shown
    }

    /// Begins a new window if the current one is over. Returns the number of lines that it left out, unless that is 0.
    pub(super) fn rotate(&mut self, now: SystemTime) -> Option<u64> {
        // A clock that was set back begins a new window as well.
        if now.duration_since(self.start).is_ok_and(|passed| passed < WINDOW) {
            return None;
        }
        self.start = now;
        self.lines = 0;
        Some(std::mem::take(&mut self.left_out)).filter(|left_out| *left_out > 0)
    }
}
