//! Between a connection and the requests that stand for its socket. What lies here is bounded in both directions: a
//! client that does not read fills it and then its connection's queue, one that is not read from has its requests wait.

use super::encode::encode_event;
use crate::{
    http_connections::HttpConnection,
    memory::{Memory, MemoryKind, Reservation},
    websocket,
};
use bytes::{Bytes, BytesMut};
use futures_util::task::AtomicWaker;
use std::{
    io::{self, IoSlice},
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
};
use tokio::sync::Notify;

/// Events that wait for the answer's body, in bytes. The last one may go past it.
const MAX_EVENTS: usize = 32 * 1024;
/// Frames that wait for the connection, in bytes. The last batch may go past it.
const MAX_FRAMES: usize = 32 * 1024;

pub(super) struct Pipe {
    memory: Arc<Memory>,
    state: Mutex<State>,
    /// The connection waits for frames.
    reader: AtomicWaker,
    /// The connection waits for room.
    writer: AtomicWaker,
    /// The body waits for events.
    body: AtomicWaker,
    /// Batches wait for room.
    room: Notify,
}

struct State {
    /// What is counted of `frames` and `events`.
    held: Reservation,
    frames: BytesMut,
    /// The number of the client's next message.
    next: u64,
    events: Vec<u8>,
    /// The client is gone: nobody reads the body.
    left: bool,
    /// The connection is over: nothing follows.
    ended: bool,
}

/// What became of a client's messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pushed {
    /// They are the connection's now, those that were not before. Expected next is this number.
    Taken(u64),
    /// What comes before them is missing; expected was this number.
    Gap(u64),
    /// Nothing was taken: the connection is busy with what came before.
    Full,
    /// The connection is over.
    Over,
}

impl State {
    /// Counts what lies here now.
    fn count(&mut self) {
        self.held.set(self.frames.capacity() + self.events.capacity());
    }
}

impl Pipe {
    pub(super) fn new(memory: Arc<Memory>) -> Self {
        let state = State {
            held: Reservation::new(memory.clone(), MemoryKind::Connections, 0),
            frames: BytesMut::new(),
            next: 0,
            events: Vec::new(),
            left: false,
            ended: false,
        };
        Self {
            memory,
            state: Mutex::new(state),
            reader: AtomicWaker::new(),
            writer: AtomicWaker::new(),
            body: AtomicWaker::new(),
            room: Notify::new(),
        }
    }

    /// Takes the client's messages from number `first` on, whichever of them are new.
    fn try_push(&self, first: u64, messages: &[Bytes]) -> Pushed {
        let mut state = self.state();
        let Some(known) = state.next.checked_sub(first) else { return Pushed::Gap(state.next) };
        if state.ended || state.left {
            return Pushed::Over;
        }
        let known = usize::try_from(known).unwrap_or(usize::MAX);
        let new = messages.get(known..).unwrap_or_default();
        if !new.is_empty() && state.frames.len() >= MAX_FRAMES {
            return Pushed::Full;
        }
        for message in new {
            websocket::encode_as_client(message, &mut state.frames);
        }
        state.count();
        state.next += new.len() as u64;
        let next = state.next;
        drop(state);
        self.reader.wake();
        Pushed::Taken(next)
    }

    /// The same, once there is room.
    pub(super) async fn push(&self, first: u64, messages: &[Bytes]) -> Pushed {
        loop {
            let mut room = pin!(self.room.notified());
            room.as_mut().enable();
            match self.try_push(first, messages) {
                Pushed::Full => room.await,
                pushed => return pushed,
            }
        }
    }

    /// The next part of the body; `None` at its end.
    pub(super) fn poll_events(&self, context: &Context<'_>) -> Poll<Option<Bytes>> {
        self.body.register(context.waker());
        let mut state = self.state();
        if state.events.is_empty() {
            return if state.ended { Poll::Ready(None) } else { Poll::Pending };
        }
        let events = std::mem::take(&mut state.events);
        state.count();
        drop(state);
        self.writer.wake();
        // Counted on, until the client has taken them.
        Poll::Ready(Some(self.memory.count(events.into())))
    }

    /// Nobody reads the body any more.
    pub(super) fn leave(&self) {
        self.state().left = true;
        self.reader.wake();
        self.writer.wake();
        self.room.notify_waiters();
    }

    /// The first event, before there is a connection.
    pub(super) fn greet(&self, event: &str) {
        let mut state = self.state();
        state.events.extend_from_slice(event.as_bytes());
        state.count();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The connection's end. It has what a connection uses of a socket.
pub(crate) struct StreamedSocket {
    pub(super) pipe: Arc<Pipe>,
    /// The HTTP connection of the answer.
    pub(super) http_connection: Arc<HttpConnection>,
}

impl StreamedSocket {
    /// Writes whole frames, as many as there is room for. Each slice must be one.
    pub(crate) fn try_write_vectored(&self, frames: &[IoSlice<'_>]) -> io::Result<usize> {
        let mut state = self.pipe.state();
        if state.left || state.ended {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        let mut written = 0;
        for frame in frames {
            if state.events.len() >= MAX_EVENTS {
                break;
            }
            encode_event(&websocket::read_back(frame), &mut state.events);
            written += frame.len();
        }
        state.count();
        drop(state);
        if written == 0 {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        self.pipe.body.wake();
        Ok(written)
    }

    /// What lies here in both directions, in bytes. It is counted here, and what the HTTP connection has of it counts as
    /// frames.
    pub(crate) fn held(&self) -> usize {
        self.pipe.state().held.bytes()
    }

    /// Reads what there is; nothing at the end.
    pub(crate) fn try_read_buf(&self, buffer: &mut BytesMut) -> io::Result<usize> {
        let mut state = self.pipe.state();
        if state.frames.is_empty() {
            return if state.left { Ok(0) } else { Err(io::ErrorKind::WouldBlock.into()) };
        }
        let frames = std::mem::take(&mut state.frames);
        state.count();
        drop(state);
        self.pipe.room.notify_waiters();
        buffer.extend_from_slice(&frames);
        Ok(frames.len())
    }

    pub(crate) fn poll_read_ready(&self, context: &Context<'_>) -> Poll<io::Result<()>> {
        self.pipe.reader.register(context.waker());
        let state = self.pipe.state();
        if state.left || !state.frames.is_empty() { Poll::Ready(Ok(())) } else { Poll::Pending }
    }

    pub(crate) fn poll_write_ready(&self, context: &Context<'_>) -> Poll<io::Result<()>> {
        self.pipe.writer.register(context.waker());
        let state = self.pipe.state();
        if state.left || state.events.len() < MAX_EVENTS { Poll::Ready(Ok(())) } else { Poll::Pending }
    }

    /// Bytes that the HTTP connection counts.
    pub(crate) fn request(&self) -> usize {
        self.http_connection.accounted_bytes()
    }

    /// The stream has a session.
    pub(crate) fn open_session(&self) {
        self.http_connection.open_session();
    }

    /// Nothing more is written: the body ends with the events that it has, and the client has a moment to read them.
    pub(crate) fn shut_down(&self) {
        self.pipe.state().ended = true;
        self.pipe.body.wake();
        self.pipe.room.notify_waiters();
        self.http_connection.finish();
    }

    /// Ends the HTTP connection at once, with all that its client has not read.
    pub(crate) fn abort(&self) {
        let mut state = self.pipe.state();
        (state.events, state.frames, state.left) = (Vec::new(), BytesMut::new(), true);
        state.count();
        drop(state);
        self.pipe.room.notify_waiters();
        self.http_connection.close_now();
    }
}

impl Drop for StreamedSocket {
    fn drop(&mut self) {
        self.shut_down();
    }
}

#[cfg(test)]
mod tests;
