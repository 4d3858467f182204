//! The writing side of a connection. Anybody with a frame may queue it and try to write at once; only where the socket
//! is full does the connection's own task take over.

use super::queue::Queue;
use bytes::Bytes;
use std::{
    io::{self, IoSlice},
    sync::{Mutex, MutexGuard, PoisonError},
};
use tokio::{net::TcpStream, sync::Notify};

/// Most frames of one vectored write.
const FRAMES_PER_WRITE: usize = 64;

/// A connection's socket and queue.
pub(crate) struct Outbound {
    socket: TcpStream,
    queue: Mutex<State>,
    changed: Notify,
}

struct State {
    queue: Queue,
    condition: Condition,
    overflowed: bool,
}

/// How writing stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Condition {
    /// What is queued can be written.
    Ready,
    /// The socket is full; the connection's task waits for it.
    Blocked,
    /// The socket is gone.
    Broken,
}

/// What the connection's task must know of its queue.
#[derive(Clone, Copy, Debug)]
pub(super) struct Backlog {
    pub(super) condition: Condition,
    pub(super) overflowed: bool,
    pub(super) bytes: usize,
}

impl Outbound {
    pub(super) fn new(socket: TcpStream, limit: usize) -> Self {
        let state = State { queue: Queue::new(limit), condition: Condition::Ready, overflowed: false };
        Self { socket, queue: Mutex::new(state), changed: Notify::new() }
    }

    pub(super) fn socket(&self) -> &TcpStream {
        &self.socket
    }

    /// Queues a publication; whether the caller should flush: there was nothing to write before.
    pub(crate) fn push_live(&self, frame: &Bytes) -> bool {
        let mut state = self.state();
        match state.queue.push(frame) {
            Ok(was_empty) => was_empty,
            Err(_) => {
                state.overflowed = true;
                drop(state);
                self.changed.notify_one();
                false
            }
        }
    }

    /// Queues a replay; [`Self::flush`] follows.
    pub(crate) fn push_replay<'a>(&self, frames: impl Iterator<Item = &'a Bytes>) {
        let mut state = self.state();
        frames.for_each(|frame| state.queue.push_exempt(frame));
    }

    /// Queues an answer; [`Self::flush`] follows. Past the limit it marks the queue as overflowed.
    pub(super) fn push_answer(&self, frame: Bytes) {
        let mut state = self.state();
        state.overflowed |= state.queue.push_answer(frame).is_err();
    }

    /// An answer is due that goes before what is published meanwhile, though that may be quicker.
    pub(super) fn hold(&self) {
        self.state().queue.hold();
    }

    /// The answer is queued, or something that must not wait for it.
    pub(super) fn release(&self) {
        self.state().queue.release();
    }

    /// Queues the last frames.
    pub(super) fn finish(&self, frames: &[Bytes]) {
        self.state().queue.finish(frames);
    }

    /// Writes as much as the socket takes.
    pub(crate) fn flush(&self) {
        let mut state = self.state();
        if state.condition == Condition::Ready && !self.write(&mut state) {
            drop(state);
            self.changed.notify_one();
        }
    }

    /// The socket has room again.
    pub(super) fn unblock(&self) {
        let mut state = self.state();
        if state.condition == Condition::Blocked {
            state.condition = Condition::Ready;
            self.write(&mut state);
        }
    }

    pub(super) fn backlog(&self) -> Backlog {
        let state = self.state();
        Backlog { condition: state.condition, overflowed: state.overflowed, bytes: state.queue.bytes() }
    }

    /// Waits until the condition changed or the queue overflowed.
    pub(super) async fn changed(&self) {
        self.changed.notified().await;
    }

    /// Whether everything was written.
    fn write(&self, state: &mut State) -> bool {
        while !state.queue.is_empty() {
            let mut slices = [IoSlice::new(&[]); FRAMES_PER_WRITE];
            let count = state.queue.slices(&mut slices);
            match self.socket.try_write_vectored(&slices[..count]) {
                Ok(0) => {
                    state.condition = Condition::Broken;
                    return false;
                }
                Ok(written) => state.queue.advance(written),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    let full = error.kind() == io::ErrorKind::WouldBlock;
                    state.condition = if full { Condition::Blocked } else { Condition::Broken };
                    return false;
                }
            }
        }
        true
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
