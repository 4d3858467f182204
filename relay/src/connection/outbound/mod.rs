//! The writing side of a connection. Anybody with a frame may queue it and try to write at once; only where the socket
//! is full, or there is much to write, does the connection's own task take over.

mod state;

pub(super) use state::{Condition, UNCOUNTED, clamped};

use super::{
    ConnectionPermits,
    queue::{Queue, SessionNumber},
    signals::Signals,
    socket::Socket,
};
use crate::{
    fanout::Opening,
    memory::{Account, CONNECTION, Holder, InKernel, Memory, Standing},
};
use bytes::Bytes;
use futures_util::task::AtomicWaker;
use state::{Backlog, State};
use std::{
    io::{self, IoSlice},
    net::IpAddr,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicU8, Ordering},
    },
    task::Context,
};

/// Most frames of one vectored write.
const FRAMES_PER_WRITE: usize = 64;
/// After so many bytes, a writer leaves the rest to the connection's own task.
const SHARE: usize = 64 * 1024;

/// A connection's socket and queue.
pub(crate) struct Outbound {
    socket: Socket,
    queue: Mutex<State>,
    /// What the connection's task was woken for: a set of [`Signals`].
    signals: AtomicU8,
    task: AtomicWaker,
    remote: IpAddr,
    _permits: ConnectionPermits,
}

/// Gives up the queue and ends the connection: with a session like one that reads slowly, without one at once.
impl Holder for Outbound {
    fn standing(&self) -> Standing {
        self.state().standing(self.socket.held(), self.socket.beside())
    }

    fn shed(&self) {
        let mut state = self.state();
        let is_ending = state.queue.shed();
        if is_ending || !state.account.is_open() {
            state.condition = Condition::Broken;
            self.socket.abort();
        }
        state.overflowed = true;
        state.settle();
        state.account.leave();
        drop(state);
        self.wake(Signals::QUEUE);
    }
}

impl Outbound {
    pub(super) fn new(
        socket: Socket,
        queue: Queue,
        remote: IpAddr,
        permits: ConnectionPermits,
        memory: Arc<Memory>,
    ) -> Self {
        let footprint = socket.footprint(false);
        let state = State {
            queue,
            condition: Condition::Ready,
            overflowed: false,
            is_quick: false,
            input: 0,
            socket: footprint,
            since: memory.moment(),
            account: Account::new(memory, CONNECTION as u32 + footprint),
        };
        Self {
            socket,
            queue: Mutex::new(state),
            signals: AtomicU8::new(0),
            task: AtomicWaker::new(),
            remote,
            _permits: permits,
        }
    }

    /// A token was accepted: the connection is no longer a stranger's.
    pub(super) fn open_session(&self) {
        let mut state = self.state();
        state.account.open();
        state.restart();
        drop(state);
        self.socket.open_session();
    }

    /// Where the client is.
    pub(super) fn remote(&self) -> IpAddr {
        self.remote
    }

    pub(super) fn socket(&self) -> &Socket {
        &self.socket
    }

    /// Queues a publication; whether the caller should flush: there was nothing to write before.
    pub(super) fn push_live(&self, session: SessionNumber, frame: &Bytes) -> bool {
        let mut state = self.state();
        let pushed = state.queue.push(session, frame);
        let fits = state.settle_queued();
        match pushed {
            Ok(was_empty) if fits => was_empty,
            _ => {
                state.overflowed = true;
                drop(state);
                self.wake(Signals::QUEUE);
                false
            }
        }
    }

    /// Queues what a subscription starts with; [`Self::flush`] follows.
    pub(super) fn push_opening(&self, session: SessionNumber, opening: Opening<'_>) {
        let mut state = self.state();
        if state.account.memory().is_at_limit() {
            state.queue.overflow();
            state.overflowed = true;
        }
        state.queue.push_replay(session, opening.replay.clone(), opening.events.clone());
        for publication in opening.later {
            state.overflowed |= state.queue.push(session, publication.frame()).is_err();
        }
        state.settle_queued();
    }

    /// Queues an answer; [`Self::flush`] follows. Past the limit it marks the queue as overflowed.
    pub(super) fn push_answer(&self, session: SessionNumber, frame: Bytes) {
        let mut state = self.state();
        state.overflowed |= state.queue.push_answer(session, frame).is_err();
        state.settle_queued();
    }

    /// Queues a frame of the WebSocket itself; [`Self::flush`] follows.
    pub(super) fn push_control(&self, frame: Bytes) {
        let mut state = self.state();
        state.overflowed |= state.queue.push_control(frame).is_err();
    }

    /// An answer is due that goes before what is published meanwhile, though that may be quicker.
    pub(super) fn defer(&self) {
        self.state().queue.defer();
    }

    /// The answer is queued, or something that must not wait for it.
    pub(super) fn flush_deferred(&self) {
        self.state().queue.flush_deferred();
    }

    /// Queues the last frames, of one session.
    pub(super) fn finish(&self, session: SessionNumber, frames: &[Bytes]) {
        let mut state = self.state();
        state.queue.finish(session, frames);
        state.settle();
    }

    /// The client's message that is not whole yet takes so many bytes, and the sessions so many; `moved` says whether
    /// another one was whole meanwhile. Returns whether there is memory for the message.
    pub(super) fn set_held(&self, input: u32, sessions: u32, moved: bool) -> bool {
        let mut state = self.state();
        if sessions != state.account.sessions() {
            // If there is too little memory, the next subscription is refused.
            let kernel = state.account.kernel();
            let _ = state.settle_with(sessions, kernel);
        }
        if (moved || state.input == 0) && state.condition == Condition::Ready {
            state.restart();
        }
        if state.input == input {
            return true;
        }
        state.input = input;
        state.settle_queued()
    }

    /// Writes as much as the socket takes, and no more than a share. Returns how many bytes that was.
    pub(crate) fn flush(&self) -> usize {
        let (written, is_done) = self.write_ready();
        if !is_done {
            self.wake(Signals::QUEUE);
        }
        written
    }

    /// The same for the connection's own task, which looks at the condition by itself.
    pub(super) fn flush_own(&self) -> usize {
        self.write_ready().0
    }

    /// Returns the bytes written, and whether nothing is left to write.
    fn write_ready(&self) -> (usize, bool) {
        let mut state = self.state();
        if state.condition != Condition::Ready {
            return (0, true);
        }
        let written = self.write(&mut state, false);
        (written, state.condition == Condition::Ready)
    }

    /// Goes on writing: the socket has room again, or others had their turn. Returns how many bytes it took.
    pub(super) fn go_on(&self) -> usize {
        let mut state = self.state();
        let was_blocked = match state.condition {
            Condition::Blocked => true,
            Condition::Paused => false,
            Condition::Ready | Condition::Broken => return 0,
        };
        if was_blocked && state.becomes_quick() {
            self.socket.let_wait_more();
        }
        state.condition = Condition::Ready;
        self.write(&mut state, was_blocked)
    }

    pub(super) fn backlog(&self) -> Backlog {
        let state = self.state();
        Backlog { condition: state.condition, overflowed: state.overflowed, bytes: state.queue.bytes() }
    }

    /// What happened since the last time; the task is woken when something does.
    pub(super) fn poll_signals(&self, context: &Context<'_>) -> Signals {
        self.task.register(context.waker());
        Signals(self.signals.swap(0, Ordering::AcqRel))
    }

    pub(super) fn wake_for_timer(&self) {
        self.wake(Signals::ALARM);
    }

    pub(crate) fn wake_for_shutdown(&self) {
        self.wake(Signals::SHUTDOWN);
    }

    pub(crate) fn wake_for_keys(&self) {
        self.wake(Signals::KEYS);
    }

    pub(crate) fn wake_for_revocation(&self) {
        self.wake(Signals::REVOCATION);
    }

    fn wake(&self, signal: u8) {
        self.signals.fetch_or(signal, Ordering::AcqRel);
        self.task.wake();
    }

    /// How many bytes were written.
    fn write(&self, state: &mut State, was_blocked: bool) -> usize {
        let written = self.write_queued(state);
        let is_blocked = state.condition == Condition::Blocked;
        if is_blocked && (written > 0 || !was_blocked) {
            state.restart();
        }
        state.socket = self.socket.footprint(is_blocked);
        let kernel = match is_blocked && self.socket.is_counted_here() {
            true => state.in_kernel(),
            false => InKernel::Nothing,
        };
        let sessions = state.account.sessions();
        state.settle_with(sessions, kernel);
        written
    }

    fn write_queued(&self, state: &mut State) -> usize {
        let (mut sum, mut cost) = (0, 0);
        while !state.queue.is_empty() {
            if sum + cost >= SHARE {
                state.condition = Condition::Paused;
                return sum;
            }
            cost += state.queue.unfold();
            if !state.queue.is_ready() {
                continue;
            }
            state.queue.form_batch();
            let result = match state.queue.only() {
                Some(frame) => self.socket.try_write(frame),
                None => {
                    let mut slices = [IoSlice::new(&[]); FRAMES_PER_WRITE];
                    let count = state.queue.slices(&mut slices);
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
        // The queue is empty, but what was encrypted may still have to wait.
        if let Err(error) = self.socket.try_flush() {
            state.condition = Condition::after(&error);
        }
        sum
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.queue.lock().unwrap_or_else(|poisoned| {
            // A panic may have left the queue half changed. One connection ends for that, and its client resumes.
            let mut state = poisoned.into_inner();
            state.condition = Condition::Broken;
            self.wake(Signals::QUEUE);
            state
        })
    }
}

#[cfg(test)]
mod tests;
