//! The writing side of a connection. Any task may queue a frame and write at once. The connection's own task takes over
//! when the socket is full or there is much to write.

mod state;
mod writing;

pub(super) use state::{Condition, UNCOUNTED, clamped};

use super::{
    ConnectionPermits,
    queue::{Queue, SessionNumber},
    signals::Signals,
    socket::Socket,
};
use crate::{
    fanout::CatchUp,
    memory::{Account, CONNECTION, Holder, Memory, ShedClass},
};
use bytes::Bytes;
use futures_util::task::AtomicWaker;
use state::{Backlog, OutboundState};
use std::{
    net::IpAddr,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicU8, Ordering},
    },
    task::Context,
};

/// The socket and the write queue of a connection.
pub(crate) struct Outbound {
    socket: Socket,
    state: Mutex<OutboundState>,
    /// The pending [`Signals`] of the connection's task.
    signals: AtomicU8,
    task: AtomicWaker,
    remote: IpAddr,
    _permits: ConnectionPermits,
}

/// Shedding discards the queue and ends the connection: with a session like a slow consumer, without one at once.
impl Holder for Outbound {
    fn shed_class(&self) -> ShedClass {
        self.state().shed_class(self.socket.buffered_bytes(), self.socket.http_bytes())
    }

    fn shed(&self) {
        let mut state = self.state();
        let is_ending = state.queue.shed();
        if is_ending || !state.account.is_open() {
            state.condition = Condition::Broken;
            self.socket.abort();
        }
        state.overflowed = true;
        state.update_account();
        state.account.mark_closing();
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
        let state = OutboundState {
            queue,
            condition: Condition::Ready,
            overflowed: false,
            reads_quickly: false,
            input: 0,
            socket: footprint,
            since: memory.moment(),
            account: Account::new(memory, CONNECTION as u32 + footprint),
        };
        Self {
            socket,
            state: Mutex::new(state),
            signals: AtomicU8::new(0),
            task: AtomicWaker::new(),
            remote,
            _permits: permits,
        }
    }

    /// Records that a token was accepted: the connection is now authenticated.
    pub(super) fn open_session(&self) {
        let mut state = self.state();
        state.account.open();
        state.reset_stall();
        drop(state);
        self.socket.open_session();
    }

    /// Returns the client's address.
    pub(super) fn remote(&self) -> IpAddr {
        self.remote
    }

    pub(super) fn socket(&self) -> &Socket {
        &self.socket
    }

    /// Queues a publication. Returns whether the queue was empty, so that the caller must flush.
    pub(super) fn push_live(&self, session: SessionNumber, frame: &Bytes) -> bool {
        let mut state = self.state();
        let pushed = state.queue.push_publication(session, frame);
        let fits = state.account_queue();
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

    /// Queues the replay of a new subscriber, and the publications since. The caller flushes afterwards.
    pub(super) fn push_catch_up(&self, session: SessionNumber, catch_up: CatchUp<'_>) {
        let mut state = self.state();
        if state.account.memory().is_at_limit() {
            state.queue.overflow();
            state.overflowed = true;
        }
        state.queue.push_replay(session, catch_up.replay.clone(), catch_up.events.clone());
        for publication in catch_up.later {
            state.overflowed |= state.queue.push_publication(session, publication.frame()).is_err();
        }
        state.account_queue();
    }

    /// Queues an answer, or marks the queue as overflowed if the limit is exceeded. The caller flushes afterwards.
    pub(super) fn push_answer(&self, session: SessionNumber, frame: Bytes) {
        let mut state = self.state();
        state.overflowed |= state.queue.push_answer(session, frame).is_err();
        state.account_queue();
    }

    /// Queues a control frame of the WebSocket. The caller flushes afterwards.
    pub(super) fn push_control(&self, frame: Bytes) {
        let mut state = self.state();
        state.overflowed |= state.queue.push_control(frame).is_err();
    }

    /// Defers publications until [`Self::flush_deferred`], so that an answer can precede them.
    pub(super) fn defer(&self) {
        self.state().queue.defer();
    }

    /// Queues the deferred publications.
    pub(super) fn flush_deferred(&self) {
        self.state().queue.flush_deferred();
    }

    /// Queues the last frames, which belong to one session.
    pub(super) fn finish(&self, session: SessionNumber, frames: &[Bytes]) {
        let mut state = self.state();
        state.queue.finish(session, frames);
        state.update_account();
    }

    /// Accounts the bytes of an incomplete message and of the sessions. `moved` tells whether the client has completed
    /// another message meanwhile. Returns whether there is memory for the message.
    pub(super) fn set_input_and_sessions(&self, input: u32, sessions: u32, moved: bool) -> bool {
        let mut state = self.state();
        if sessions != state.account.sessions() {
            // If memory is short, the next subscription is refused.
            let kernel = state.account.kernel();
            let _ = state.update_account_with(sessions, kernel);
        }
        if (moved || state.input == 0) && state.condition == Condition::Ready {
            state.reset_stall();
        }
        if state.input == input {
            return true;
        }
        state.input = input;
        state.account_queue()
    }

    /// Returns the state of the queue for the connection's task.
    pub(super) fn backlog(&self) -> Backlog {
        let state = self.state();
        Backlog { condition: state.condition, overflowed: state.overflowed, bytes: state.queue.bytes() }
    }

    /// Takes the pending signals, and registers the task to be woken by the next one.
    pub(super) fn poll_signals(&self, context: &Context<'_>) -> Signals {
        self.task.register(context.waker());
        Signals(self.signals.swap(0, Ordering::AcqRel))
    }

    pub(super) fn wake_for_timer(&self) {
        self.wake(Signals::TIMER);
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

    pub(crate) fn wake_for_lost(&self) {
        self.wake(Signals::LOST);
    }

    fn wake(&self, signal: u8) {
        self.signals.fetch_or(signal, Ordering::AcqRel);
        self.task.wake();
    }

    fn state(&self) -> MutexGuard<'_, OutboundState> {
        self.state.lock().unwrap_or_else(|poisoned| {
            // A panic may have left the queue inconsistent. Only this connection ends, and its client resumes.
            let mut state = poisoned.into_inner();
            state.condition = Condition::Broken;
            self.wake(Signals::QUEUE);
            state
        })
    }
}

#[cfg(test)]
mod tests;
