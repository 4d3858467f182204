//! Writes the queue to the socket, in shares: a writer that reaches its share leaves the rest to the connection's task.

use super::{Condition, Outbound, Signals, state::OutboundState};
use crate::memory::KernelBuffers;
use std::io::{self, IoSlice};

/// The maximum number of frames in one vectored write.
const FRAMES_PER_WRITE: usize = 64;
/// The number of bytes after which a writer leaves the rest to the connection's task.
pub(super) const WRITE_QUANTUM: usize = 64 * 1024;

impl Outbound {
    /// Writes as much as the socket accepts, up to [`WRITE_QUANTUM`], and wakes the connection's task if more is left.
    /// Returns the number of bytes written.
    pub(crate) fn flush(&self) -> usize {
        let (written, is_done) = self.write_ready();
        if !is_done {
            self.wake(Signals::QUEUE);
        }
        written
    }

    /// Writes like [`Self::flush`], for the connection's own task, which checks the condition itself.
    pub(in crate::connection) fn flush_from_task(&self) -> usize {
        self.write_ready().0
    }

    /// Returns the number of bytes written, and whether nothing is left for the connection's task.
    fn write_ready(&self) -> (usize, bool) {
        let mut state = self.state();
        if state.condition != Condition::Ready {
            return (0, true);
        }
        let written = self.write(&mut state, false);
        (written, state.condition == Condition::Ready)
    }

    /// Continues to write after the socket was full or the writer paused. Returns the number of bytes written.
    pub(in crate::connection) fn resume_writing(&self) -> usize {
        let mut state = self.state();
        let was_blocked = match state.condition {
            Condition::Blocked => true,
            Condition::Paused => false,
            Condition::Ready | Condition::Broken => return 0,
        };
        if was_blocked && state.starts_reading_quickly() {
            self.socket.raise_unsent_limit();
        }
        state.condition = Condition::Ready;
        self.write(&mut state, was_blocked)
    }

    /// Writes the queue and updates the accounted memory. Returns the number of bytes written.
    fn write(&self, state: &mut OutboundState, was_blocked: bool) -> usize {
        let written = self.write_queued(state);
        let is_blocked = state.condition == Condition::Blocked;
        if is_blocked && (written > 0 || !was_blocked) {
            state.reset_stall();
        }
        state.socket = self.socket.footprint(is_blocked);
        let kernel = match is_blocked && self.socket.counts_kernel_buffers() {
            true => state.kernel_buffers(),
            false => KernelBuffers::Nothing,
        };
        let sessions = state.account.sessions();
        state.update_account_with(sessions, kernel);
        written
    }

    /// Writes the queue until it is empty, the socket is full, or the quantum is used up.
    fn write_queued(&self, state: &mut OutboundState) -> usize {
        let (mut sum, mut cost) = (0, 0);
        while !state.queue.is_empty() {
            if sum + cost >= WRITE_QUANTUM {
                state.condition = Condition::Paused;
                return sum;
            }
            cost += state.queue.expand_replay();
            if !state.queue.has_writable_frame() {
                continue;
            }
            state.queue.form_batch();
            let result = match state.queue.single_frame() {
                Some(frame) => self.socket.try_write(frame),
                None => {
                    let mut slices = [IoSlice::new(&[]); FRAMES_PER_WRITE];
                    let count = state.queue.fill_slices(&mut slices);
                    self.socket.try_write_vectored(&slices[..count])
                }
            };
            match result {
                Ok(0) => {
                    state.condition = Condition::Broken;
                    return sum;
                }
                Ok(written) => {
                    state.queue.advance(written);
                    sum += written;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    state.condition = Condition::after(&error);
                    return sum;
                }
            }
        }
        // The queue is empty, but encrypted bytes may still wait for the socket.
        if let Err(error) = self.socket.try_flush() {
            state.condition = Condition::after(&error);
        }
        sum
    }
}
