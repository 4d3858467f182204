//! The task of one connection: reads frames, passes them to the sessions, and performs their actions.

mod actions;
mod incoming;
mod quantum;

use super::{
    ConnectionContext, NewConnection, Outbound, close,
    outbound::Condition,
    queue::{Queue, SessionNumber},
    registry::Slot,
    sessions::Sessions,
};
use crate::{
    audit::trace,
    clock::Elapsed,
    limits::Inbound,
    session::EndReason,
    session_id::SessionId,
    websocket::{self, CloseStatus, Decoder},
};
use actions::Pending;
use bytes::Bytes;
use quantum::Quantum;
use sealwire_protocol::CloseCode;
use std::{
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll, ready},
    time::{Duration, Instant},
};

/// The time limit for writing the last frames.
const LAST_FRAMES_TIMEOUT: Duration = Duration::from_millis(800);
/// The time limit for writing the last frames to a slow client, or during a shutdown: the publications before the end
/// should still reach the client.
const SLOW_CLOSE_TIMEOUT: Duration = Duration::from_secs(10);

pub(super) struct Actor {
    context: Arc<ConnectionContext>,
    decoder: Decoder,
    inbound: Inbound,
    /// The accounted bytes of an incomplete message.
    input: u32,
    /// The accounted bytes of the sessions.
    session_bytes: u32,
    /// True if a complete frame arrived since the memory was last accounted.
    has_received: bool,
    outbound: Arc<Outbound>,
    sessions: Sessions,
    phase: Phase,
    /// The earliest scheduled wakeup that has not fired.
    timer: Option<Elapsed>,
    id: SessionId,
    slot: Slot,
    /// True if the relay is shutting down. The connection then ends once its pending request has completed.
    shutting_down: bool,
}

/// The end of a connection.
enum End {
    /// The socket is unusable.
    Gone,
    /// The last frames are queued; the client has this much time to read them.
    Closing(Duration),
}

/// Implemented by hand instead of with `async`, so that a waiting connection holds the fields of [`Actor`] and nothing
/// else.
impl Future for Actor {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let actor = &mut *self;
        if !matches!(actor.phase, Phase::Closing(_)) {
            let end = ready!(actor.serve(context));
            // Unregistered before the goodbye is written, so that no publication is queued after it.
            actor.sessions.clear(&actor.context);
            actor.phase = Phase::Serving;
            actor.decoder = Decoder::default();
            actor.outbound.set_input_and_sessions(0, 0, false);
            let End::Closing(timeout) = end else { return Poll::Ready(()) };
            let (outbound, metrics) = (actor.outbound.clone(), actor.context.metrics.clone());
            let closing = async move { close::close(&outbound, &metrics, timeout).await };
            actor.phase = Phase::Closing(Box::pin(closing));
        }
        match &mut actor.phase {
            Phase::Closing(closing) => closing.as_mut().poll(context),
            Phase::Serving | Phase::AwaitingBroker(_) => Poll::Pending,
        }
    }
}

/// The phase of a connection.
enum Phase {
    /// The connection handles requests.
    Serving,
    /// A request waits for the broker. The connection handles no further request of any session meanwhile.
    AwaitingBroker(Pending),
    /// The last frames are being written.
    Closing(Pin<Box<dyn Future<Output = ()> + Send>>),
}

impl Actor {
    pub(super) fn new(context: Arc<ConnectionContext>, new: NewConnection) -> Self {
        let NewConnection { socket, unread, takes_batches, remote, request, permits } = new;
        let queue = Queue::new(context.queue_bytes, takes_batches);
        let outbound = Arc::new(Outbound::new(socket, queue, remote, permits, context.memory.clone()));
        let id = context.next_id();
        context.metrics.connections_opened.add(1);
        trace::connected(id, remote, &request);
        Self {
            id,
            slot: context.registry.add(id.0, &outbound),
            sessions: Sessions::new(id, &context, &outbound),
            decoder: Decoder::new(&unread),
            inbound: Inbound::default(),
            input: 0,
            session_bytes: 0,
            has_received: false,
            phase: Phase::Serving,
            timer: None,
            shutting_down: false,
            context,
            outbound,
        }
    }

    /// Runs until the task must wait, or must yield to other tasks.
    fn serve(&mut self, context: &mut Context<'_>) -> Poll<End> {
        let mut quantum = Quantum::new(Instant::now());
        // Signals are handled first, so that a busy client cannot delay them.
        self.handle_signals(context);
        loop {
            if let Err(end) = self.progress(context, &mut quantum) {
                return Poll::Ready(end);
            }
            self.schedule_wakeup();
            if quantum.is_over(Instant::now()) {
                // The memory of a client that sends without pause is accounted too. Without memory, its queue
                // overflows.
                let _ = self.account_memory();
                return yield_to_others(context);
            }
            match self.wait(context, &mut quantum) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(end)) => return Poll::Ready(end),
                Poll::Pending if self.account_memory() => return Poll::Pending,
                Poll::Pending => {}
            }
        }
    }

    /// Handles the signals that woke the task. Returns whether there were any.
    fn handle_signals(&mut self, context: &Context<'_>) -> bool {
        let signals = self.outbound.poll_signals(context);
        if signals.shutdown() {
            self.shutting_down = true;
        }
        if signals.timer() {
            self.timer = None;
            self.sessions.handle_timeout();
        }
        if signals.revocation() {
            self.sessions.handle_revocations();
        }
        if signals.lost() {
            self.sessions.handle_lost();
        }
        if signals.keys() {
            self.sessions.handle_keys_removed();
        }
        !signals.is_empty()
    }

    /// Waits for a signal, for room in the socket, or for bytes from the client.
    fn wait(&mut self, context: &mut Context<'_>, quantum: &mut Quantum) -> Poll<Result<(), End>> {
        if self.handle_signals(context) {
            return Poll::Ready(Ok(()));
        }
        let backlog = self.outbound.backlog();
        let can_resume = match backlog.condition {
            Condition::Blocked => self.outbound.socket().poll_write_ready(context).is_ready(),
            Condition::Paused => true,
            Condition::Ready | Condition::Broken => false,
        };
        if can_resume {
            let written = self.outbound.resume_writing();
            quantum.wrote(written);
            self.context.metrics.sent.add(written);
            // The client reads. The relay has not read its frames meanwhile, which must not count as silence.
            self.sessions.handle_activity();
            return Poll::Ready(Ok(()));
        }
        if self.has_pending() || !self.takes_requests(backlog.bytes) {
            return Poll::Pending;
        }
        let is_open = ready!(self.outbound.socket().poll_read_ready(context)).and_then(|()| self.read());
        Poll::Ready(if is_open.unwrap_or(false) { Ok(()) } else { Err(End::Gone) })
    }

    /// Does everything that needs no waiting, then flushes once, so that the answers to several requests are written
    /// together.
    fn progress(&mut self, context: &mut Context<'_>, quantum: &mut Quantum) -> Result<(), End> {
        loop {
            self.run_actions()?;
            if let Phase::AwaitingBroker(pending) = &mut self.phase
                && let Poll::Ready(completion) = pending.answer.as_mut().poll(context)
            {
                self.complete(completion)?;
                continue;
            }
            if self.shutting_down && !self.has_pending() {
                self.sessions.end_all(EndReason::ShuttingDown);
                self.run_actions()?;
            }
            let mut backlog = self.outbound.backlog();
            let is_full = !self.takes_requests(backlog.bytes);
            if is_full {
                self.flush(quantum);
                backlog = self.outbound.backlog();
            }
            if backlog.overflowed {
                self.sessions.end_all(EndReason::SlowConsumer);
                self.run_actions()?;
            }
            let takes_frame =
                !self.has_pending() && self.takes_requests(backlog.bytes) && !quantum.is_over(Instant::now());
            let next = if takes_frame { self.decoder.decode() } else { Ok(None) };
            match next {
                Ok(Some(incoming)) => {
                    quantum.take_frame();
                    self.receive(incoming)?;
                }
                Ok(None) => break,
                Err(violation) => self.violated(violation)?,
            }
        }
        self.flush(quantum);
        match self.outbound.backlog().condition {
            Condition::Broken => Err(End::Gone),
            _ => Ok(()),
        }
    }

    fn flush(&self, quantum: &mut Quantum) {
        let written = self.outbound.flush_from_task();
        quantum.wrote(written);
        self.context.metrics.sent.add(written);
    }

    /// Schedules a wakeup for the next deadline. A wakeup that turns out to be too early schedules another one.
    fn schedule_wakeup(&mut self) {
        let Some(deadline) = self.sessions.poll_timeout() else { return };
        let deadline = self.context.timers.elapsed(deadline);
        if self.timer.is_none_or(|timer| deadline < timer) {
            self.timer = Some(deadline);
            self.context.timers.set(deadline, &self.outbound);
        }
    }

    /// Returns whether a request waits for the broker.
    fn has_pending(&self) -> bool {
        matches!(self.phase, Phase::AwaitingBroker(_))
    }

    /// Returns whether the relay reads further requests. It does not while half of the queue is full: replays do not
    /// count against the queue's limit, so reading on would let a slow client queue many of them.
    fn takes_requests(&self, queued: usize) -> bool {
        queued <= self.context.queue_bytes / 2
    }

    fn close(&self, session: SessionNumber, goodbye: Option<Bytes>, status: CloseStatus) -> End {
        let frames: Vec<Bytes> = goodbye.into_iter().chain([websocket::encode_close(status)]).collect();
        self.outbound.finish(session, &frames);
        End::Closing(match status {
            CloseStatus::Sealwire(CloseCode::TooManyRequests | CloseCode::Unavailable) => SLOW_CLOSE_TIMEOUT,
            _ => LAST_FRAMES_TIMEOUT,
        })
    }
}

/// Yields to other ready tasks and to the I/O driver. A task that only wakes itself may run again before the runtime
/// polls the sockets.
fn yield_to_others<T>(context: &mut Context<'_>) -> Poll<T> {
    let _ = pin!(tokio::task::yield_now()).poll(context);
    Poll::Pending
}

impl Drop for Actor {
    fn drop(&mut self) {
        self.context.registry.remove(self.slot);
        self.sessions.clear(&self.context);
        trace::disconnected(self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The bytes that tokio and the tracker of connections add to a task.
    const TASK: usize = 32 + 16 + 8 + 8 + 48;

    #[test]
    fn the_task_of_a_connection_has_at_most_256_bytes() {
        // tokio rounds up to a multiple of 128.
        assert!(TASK + size_of::<Actor>() <= 256, "{}", size_of::<Actor>());
    }
}
