//! Lines on their way to an output: bounded in bytes, and counted where they are dropped.

use std::{
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// BacklogPermit that an idle queue keeps, in bytes.
const KEPT: usize = 16 * 1024;

#[derive(Debug)]
pub(super) struct Queue {
    state: Mutex<State>,
    /// There is something to write.
    filled: Condvar,
    /// Something was written or dropped.
    settled: Condvar,
    max_bytes: usize,
}

#[derive(Debug, Default)]
struct State {
    bytes: Vec<u8>,
    /// Bytes of the batch that is being written.
    writing: usize,
    /// Lines that were queued, and those of them that were written or dropped since.
    queued: u64,
    done: u64,
    dropped: u64,
    reported: u64,
    /// A batch was written as a whole after the last line that was dropped.
    works: bool,
}

impl Queue {
    pub(super) fn new(max_bytes: usize) -> Self {
        Self { state: Mutex::default(), filled: Condvar::new(), settled: Condvar::new(), max_bytes }
    }

    pub(super) fn push(&self, lines: &[u8]) {
        let mut state = self.state();
        if state.bytes.len() + state.writing + lines.len() > self.max_bytes {
            state.dropped += count(lines);
            state.works = false;
            return;
        }
        state.queued += count(lines);
        state.bytes.extend_from_slice(lines);
        drop(state);
        self.filled.notify_one();
    }

    /// Waits for lines and takes all there are. The batch must be empty.
    pub(super) fn take(&self, batch: &mut Vec<u8>) {
        let mut state = self.state();
        while state.bytes.is_empty() {
            state = self.filled.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        std::mem::swap(&mut state.bytes, batch);
        state.writing = batch.len();
    }

    /// So many bytes of the batch were written, and the rest is dropped.
    pub(super) fn settle(&self, batch: &mut Vec<u8>, written: usize) {
        let mut state = self.state();
        let dropped = count(&batch[written..]);
        state.done += count(batch);
        state.dropped += dropped;
        state.works = dropped == 0;
        state.writing = 0;
        drop(state);
        batch.clear();
        batch.shrink_to(KEPT);
        self.settled.notify_all();
    }

    /// True if everything that is queued now was written or dropped within `patience`.
    pub(super) fn wait_until_settled(&self, patience: Duration) -> bool {
        let state = self.state();
        let queued = state.queued;
        let waited = self.settled.wait_timeout_while(state, patience, |state| state.done < queued);
        !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }

    pub(super) fn dropped(&self) -> u64 {
        self.state().dropped
    }

    /// Lines that were dropped since the last report, if the output takes lines again.
    pub(super) fn take_report(&self) -> u64 {
        let mut state = self.state();
        if !state.works {
            return 0;
        }
        let missing = state.dropped - state.reported;
        state.reported = state.dropped;
        missing
    }

    /// Plain bytes and numbers are never half changed, and what a panic says must still get out.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn count(lines: &[u8]) -> u64 {
    lines.iter().filter(|byte| **byte == b'\n').count() as u64
}
