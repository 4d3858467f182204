//! The queue of lines for an output. It is bounded in bytes, and counts the lines that are dropped.

use std::{
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// The capacity that an idle queue keeps, in bytes.
const IDLE_CAPACITY: usize = 16 * 1024;

#[derive(Debug)]
pub(super) struct Queue {
    state: Mutex<QueueState>,
    /// Notified when lines are queued.
    filled: Condvar,
    /// Notified when a batch was written or dropped.
    completed: Condvar,
    max_bytes: usize,
}

#[derive(Debug, Default)]
struct QueueState {
    bytes: Vec<u8>,
    /// The size of the batch in progress, in bytes.
    writing: usize,
    /// The number of lines queued so far.
    queued: u64,
    /// The number of queued lines that were written or dropped after they were queued.
    completed: u64,
    dropped: u64,
    reported: u64,
    /// True if a whole batch was written after the last dropped line.
    has_recovered: bool,
}

impl Queue {
    pub(super) fn new(max_bytes: usize) -> Self {
        Self { state: Mutex::default(), filled: Condvar::new(), completed: Condvar::new(), max_bytes }
    }

    pub(super) fn push(&self, lines: &[u8]) {
        let mut state = self.state();
        if state.bytes.len() + state.writing + lines.len() > self.max_bytes {
            state.dropped += count(lines);
            state.has_recovered = false;
            return;
        }
        state.queued += count(lines);
        state.bytes.extend_from_slice(lines);
        drop(state);
        self.filled.notify_one();
    }

    /// Waits for lines and moves all of them into the empty batch.
    pub(super) fn take(&self, batch: &mut Vec<u8>) {
        let mut state = self.state();
        while state.bytes.is_empty() {
            state = self.filled.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        std::mem::swap(&mut state.bytes, batch);
        state.writing = batch.len();
    }

    /// Completes a batch of which `written` bytes were written, and counts the lines of the rest as dropped.
    pub(super) fn complete(&self, batch: &mut Vec<u8>, written: usize) {
        let mut state = self.state();
        let dropped = count(&batch[written..]);
        state.completed += count(batch);
        state.dropped += dropped;
        state.has_recovered = dropped == 0;
        state.writing = 0;
        drop(state);
        batch.clear();
        batch.shrink_to(IDLE_CAPACITY);
        self.completed.notify_all();
    }

    /// Waits until all lines queued so far were written or dropped. Returns false after `timeout`.
    pub(super) fn wait_until_completed(&self, timeout: Duration) -> bool {
        let state = self.state();
        let queued = state.queued;
        let waited = self.completed.wait_timeout_while(state, timeout, |state| state.completed < queued);
        !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }

    pub(super) fn dropped(&self) -> u64 {
        self.state().dropped
    }

    /// The number of lines dropped since the last report; 0 until the output accepts lines again.
    pub(super) fn take_unreported(&self) -> u64 {
        let mut state = self.state();
        if !state.has_recovered {
            return 0;
        }
        let unreported = state.dropped - state.reported;
        state.reported = state.dropped;
        unreported
    }

    /// Locks the state. A poisoned lock is used as it is: the state is consistent, and the panic's message must be written.
    fn state(&self) -> MutexGuard<'_, QueueState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn count(lines: &[u8]) -> u64 {
    lines.iter().filter(|byte| **byte == b'\n').count() as u64
}
