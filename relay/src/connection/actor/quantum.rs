//! The bound on what a connection's task does before other tasks run. A frame costs next to nothing, or the check of a
//! signature, or a whole replay, so the quantum bounds the time besides the frames and the bytes.

use std::time::{Duration, Instant};

/// Most frames that are taken in.
const FRAMES: usize = 128;
/// Most bytes that are written, but for one write.
const BYTES: usize = 64 * 1024;
/// Longest time, but for one frame.
const TIME: Duration = Duration::from_millis(1);

pub(super) struct Quantum {
    frames: usize,
    bytes: usize,
    end: Instant,
}

impl Quantum {
    pub(super) fn new(now: Instant) -> Self {
        Self { frames: FRAMES, bytes: BYTES, end: now + TIME }
    }

    /// A frame is taken in.
    pub(super) fn take_frame(&mut self) {
        self.frames = self.frames.saturating_sub(1);
    }

    /// So many bytes were written.
    pub(super) fn wrote(&mut self, bytes: usize) {
        self.bytes = self.bytes.saturating_sub(bytes);
    }

    /// Returns whether the task has to let others run now.
    pub(super) fn is_over(&self, now: Instant) -> bool {
        self.frames == 0 || self.bytes == 0 || now >= self.end
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_bytes_and_time_each_end_it() {
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
