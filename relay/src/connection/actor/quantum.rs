//! The bound on the work of a connection's task before it yields. The cost of a frame varies from nothing to a
//! signature check or a whole replay, so the quantum bounds the time in addition to frames and bytes.

use std::time::{Duration, Instant};

/// The maximum number of handled frames.
const FRAMES: usize = 128;
/// The number of written bytes after which the quantum is over.
const BYTES: usize = 64 * 1024;
/// The time after which the quantum is over.
const TIME: Duration = Duration::from_millis(1);

/// The remaining work of a task before it yields.
pub(super) struct Quantum {
    frames: usize,
    bytes: usize,
    end: Instant,
}

impl Quantum {
    pub(super) fn new(now: Instant) -> Self {
        Self { frames: FRAMES, bytes: BYTES, end: now + TIME }
    }

    /// Counts a handled frame.
    pub(super) fn take_frame(&mut self) {
        self.frames = self.frames.saturating_sub(1);
    }

    /// Counts written bytes.
    pub(super) fn wrote(&mut self, bytes: usize) {
        self.bytes = self.bytes.saturating_sub(bytes);
    }

    /// Returns whether the task must yield.
    pub(super) fn is_over(&self, now: Instant) -> bool {
        self.frames == 0 || self.bytes == 0 || now >= self.end
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_bytes_and_time_each_end_the_quantum() {
        let start = Instant::now();
        let mut quantum = Quantum::new(start);
        (1..FRAMES).for_each(|_| quantum.take_frame());
        quantum.wrote(BYTES - 1);
        let last = start + TIME - Duration::from_nanos(1);
        assert!(!quantum.is_over(last));
        assert!(quantum.is_over(start + TIME));
        quantum.take_frame();
        assert!(quantum.is_over(start));
        let mut quantum = Quantum::new(start);
        quantum.wrote(10 * BYTES);
        assert!(quantum.is_over(start));
    }
}
