//! The buffer between a connection and the HTTP requests that replace its socket. It is bounded in both directions: if the
//! client does not read, the buffer fills and then the connection's queue; if the connection does not read, the client's
//! requests wait.

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

/// The capacity for events that wait for the response body, in bytes. The last event may exceed it.
const MAX_EVENTS: usize = 32 * 1024;
/// The capacity for frames that wait for the connection, in bytes. The last upload may exceed it.
const MAX_FRAMES: usize = 32 * 1024;

pub(super) struct Pipe {
    memory: Arc<Memory>,
    state: Mutex<PipeState>,
    /// Wakes the connection when there are frames to read.
    reader: AtomicWaker,
    /// Wakes the connection when there is capacity for events.
    writer: AtomicWaker,
    /// Wakes the response body when there are events.
    body: AtomicWaker,
    /// Wakes uploads when there is capacity for frames.
    capacity: Notify,
}

struct PipeState {
    /// The reserved memory of `frames` and `events`.
    reservation: Reservation,
    frames: BytesMut,
    /// The number of the client's next message.
    next: u64,
    events: Vec<u8>,
    /// True once the client is gone and nobody reads the response body.
    has_client_left: bool,
    /// True once the connection has ended and no event follows.
    has_ended: bool,
}

/// The result of passing a client's messages to its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PushOutcome {
    /// The connection has all of the messages; repeated ones were skipped. Holds the number of the next expected message.
    PublishReceipt(u64),
    /// Messages before these are missing. Holds the number of the next expected message.
    Gap(u64),
    /// No message was accepted, because the connection still processes earlier ones.
    Full,
    /// The connection has ended.
    Closed,
}

impl PipeState {
    /// Updates the reservation to the current buffers.
    fn update_reservation(&mut self) {
        self.reservation.set(self.frames.capacity() + self.events.capacity());
    }
}

impl Pipe {
    pub(super) fn new(memory: Arc<Memory>) -> Self {
        let state = PipeState {
            reservation: Reservation::new(memory.clone(), MemoryKind::Connections, 0),
            frames: BytesMut::new(),
            next: 0,
            events: Vec::new(),
            has_client_left: false,
            has_ended: false,
        };
        Self {
            memory,
            state: Mutex::new(state),
            reader: AtomicWaker::new(),
            writer: AtomicWaker::new(),
            body: AtomicWaker::new(),
            capacity: Notify::new(),
        }
    }

    /// Accepts those of the client's messages that are new. `first_number` is the number of the first message.
    fn try_push(&self, first_number: u64, messages: &[Bytes]) -> PushOutcome {
        let mut state = self.state();
        let Some(known) = state.next.checked_sub(first_number) else { return PushOutcome::Gap(state.next) };
        if state.has_ended || state.has_client_left {
            return PushOutcome::Closed;
        }
        let known = usize::try_from(known).unwrap_or(usize::MAX);
        let new = messages.get(known..).unwrap_or_default();
        if !new.is_empty() && state.frames.len() >= MAX_FRAMES {
            return PushOutcome::Full;
        }
        for message in new {
            websocket::encode_as_client(message, &mut state.frames);
        }
        state.update_reservation();
        state.next += new.len() as u64;
        let next = state.next;
        drop(state);
        self.reader.wake();
        PushOutcome::PublishReceipt(next)
    }

    /// Waits for capacity, then accepts those of the client's messages that are new.
    pub(super) async fn push(&self, first_number: u64, messages: &[Bytes]) -> PushOutcome {
        loop {
            let mut capacity = pin!(self.capacity.notified());
            capacity.as_mut().enable();
            match self.try_push(first_number, messages) {
                PushOutcome::Full => capacity.await,
                outcome => return outcome,
            }
        }
    }

    /// Polls the next part of the response body; `None` at its end.
    pub(super) fn poll_events(&self, context: &Context<'_>) -> Poll<Option<Bytes>> {
        self.body.register(context.waker());
        let mut state = self.state();
        if state.events.is_empty() {
            return if state.has_ended { Poll::Ready(None) } else { Poll::Pending };
        }
        let events = std::mem::take(&mut state.events);
        state.update_reservation();
        drop(state);
        self.writer.wake();
        // The events stay counted until the client has received them.
        Poll::Ready(Some(self.memory.count(events.into())))
    }

    /// Records that the client is gone: nobody reads the response body any more.
    pub(super) fn client_left(&self) {
        self.state().has_client_left = true;
        self.reader.wake();
        self.writer.wake();
        self.capacity.notify_waiters();
    }

    /// Adds the first event, before the connection starts.
    pub(super) fn push_first_event(&self, event: &str) {
        let mut state = self.state();
        state.events.extend_from_slice(event.as_bytes());
        state.update_reservation();
    }

    fn state(&self) -> MutexGuard<'_, PipeState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The connection's end of the pipe, with the operations that a connection uses of a socket.
pub(crate) struct StreamedSocket {
    pub(super) pipe: Arc<Pipe>,
    /// The HTTP connection of the response.
    pub(super) http_connection: Arc<HttpConnection>,
}

impl StreamedSocket {
    /// Writes as many whole frames as there is capacity for. Each slice must be one frame.
    pub(crate) fn try_write_vectored(&self, frames: &[IoSlice<'_>]) -> io::Result<usize> {
        let mut state = self.pipe.state();
        if state.has_client_left || state.has_ended {
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
        state.update_reservation();
        drop(state);
        if written == 0 {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        self.pipe.body.wake();
        Ok(written)
    }

    /// The size of the buffers in both directions, in bytes. The pipe reserves it itself; events that the HTTP connection
    /// already took count as frames.
    pub(crate) fn held(&self) -> usize {
        self.pipe.state().reservation.bytes()
    }

    /// Reads all frames in the buffer; 0 bytes once the client is gone.
    pub(crate) fn try_read_buf(&self, buffer: &mut BytesMut) -> io::Result<usize> {
        let mut state = self.pipe.state();
        if state.frames.is_empty() {
            return if state.has_client_left { Ok(0) } else { Err(io::ErrorKind::WouldBlock.into()) };
        }
        let frames = std::mem::take(&mut state.frames);
        state.update_reservation();
        drop(state);
        self.pipe.capacity.notify_waiters();
        buffer.extend_from_slice(&frames);
        Ok(frames.len())
    }

    pub(crate) fn poll_read_ready(&self, context: &Context<'_>) -> Poll<io::Result<()>> {
        self.pipe.reader.register(context.waker());
        let state = self.pipe.state();
        if state.has_client_left || !state.frames.is_empty() { Poll::Ready(Ok(())) } else { Poll::Pending }
    }

    pub(crate) fn poll_write_ready(&self, context: &Context<'_>) -> Poll<io::Result<()>> {
        self.pipe.writer.register(context.waker());
        let state = self.pipe.state();
        let is_ready = state.has_client_left || state.events.len() < MAX_EVENTS;
        if is_ready { Poll::Ready(Ok(())) } else { Poll::Pending }
    }

    /// The bytes that the HTTP connection reserves.
    pub(crate) fn request(&self) -> usize {
        self.http_connection.accounted_bytes()
    }

    /// Records that the stream has a session.
    pub(crate) fn open_session(&self) {
        self.http_connection.open_session();
    }

    /// Ends the response body after the events in the buffer. The client has a moment to read them.
    pub(crate) fn shut_down(&self) {
        self.pipe.state().has_ended = true;
        self.pipe.body.wake();
        self.pipe.capacity.notify_waiters();
        self.http_connection.finish();
    }

    /// Ends the HTTP connection at once, and drops everything that its client has not read.
    pub(crate) fn abort(&self) {
        let mut state = self.pipe.state();
        (state.events, state.frames, state.has_client_left) = (Vec::new(), BytesMut::new(), true);
        state.update_reservation();
        drop(state);
        self.pipe.capacity.notify_waiters();
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
