//! The task of one connection: reads frames, asks the rules, does what they say.

mod actions;
mod incoming;
mod quantum;

use super::{
    ConnectionContext, Opened, Outbound, close,
    outbound::Condition,
    queue::{Queue, SessionNumber},
    registry::Slot,
    sessions::Sessions,
};
use crate::{
    audit::trace,
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

/// How long the last frames may take to be written.
const LAST_FRAMES_TIMEOUT: Duration = Duration::from_millis(800);
/// The same for a client that was cut off because it reads slowly, or because the relay ends: what was published before
/// is still to reach it.
const SLOW_CLOSE_TIMEOUT: Duration = Duration::from_secs(10);

pub(super) struct Actor {
    context: Arc<ConnectionContext>,
    decoder: Decoder,
    inbound: Inbound,
    /// Bytes that are counted of a message that is not whole yet.
    input: u32,
    /// Bytes that are counted of the sessions.
    session_bytes: u32,
    /// A whole frame came since the last count.
    has_received: bool,
    outbound: Arc<Outbound>,
    sessions: Sessions,
    pending: Option<Pending>,
    phase: Phase,
    /// The earliest timer that was set and has not rung.
    timer: Option<Instant>,
    id: SessionId,
    place: Slot,
    /// The relay is ending, and so is this connection once the answer that it waits for is there.
    shutting_down: bool,
}

/// How a connection ends.
enum End {
    /// The socket is gone.
    Gone,
    /// The last frames are queued; the client may take so long to read them.
    Closing(Duration),
}

/// By hand instead of `async`: what a connection holds while it waits is what lies in [`Actor`], and no more.
impl Future for Actor {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let actor = &mut *self;
        if let Phase::Serving = actor.phase {
            let end = ready!(actor.serve(context));
            // Unregistered before the goodbye is on its way, so that nothing is queued behind it.
            actor.sessions.clear();
            actor.pending = None;
            actor.decoder = Decoder::default();
            actor.outbound.set_held(0, 0, false);
            let End::Closing(patience) = end else { return Poll::Ready(()) };
            let (outbound, metrics) = (actor.outbound.clone(), actor.context.metrics.clone());
            let closing = async move { close::close(&outbound, &metrics, patience).await };
            actor.phase = Phase::Closing(Box::pin(closing));
        }
        match &mut actor.phase {
            Phase::Closing(closing) => closing.as_mut().poll(context),
            Phase::Serving => Poll::Pending,
        }
    }
}

/// Where a connection stands.
enum Phase {
    Serving,
    /// The last frames are on their way.
    Closing(Pin<Box<dyn Future<Output = ()> + Send>>),
}

impl Actor {
    pub(super) fn new(context: Arc<ConnectionContext>, opened: Opened) -> Self {
        let Opened { socket, unread, takes_batches, remote, request, permits } = opened;
        let queue = Queue::new(context.queue_bytes, takes_batches);
        let outbound = Arc::new(Outbound::new(socket, queue, remote, permits, context.memory.clone()));
        let id = context.next_id();
        context.metrics.connections_opened.add(1);
        trace::connected(id, remote, &request);
        Self {
            id,
            place: context.registry.add(id.0, &outbound),
            sessions: Sessions::new(id, &context, &outbound),
            decoder: Decoder::new(&unread),
            inbound: Inbound::default(),
            input: 0,
            session_bytes: 0,
            has_received: false,
            pending: None,
            phase: Phase::Serving,
            timer: None,
            shutting_down: false,
            context,
            outbound,
        }
    }

    /// Goes on until there is nothing to do but wait, or others get their turn.
    fn serve(&mut self, context: &mut Context<'_>) -> Poll<End> {
        let mut quantum = Quantum::new(Instant::now());
        // A client that keeps the task busy does not keep it from this.
        self.attend(context);
        loop {
            if let Err(end) = self.progress(context, &mut quantum) {
                return Poll::Ready(end);
            }
            self.set_alarm();
            if quantum.is_over(Instant::now()) {
                // A client that sends without a pause is counted as well. If there is no memory, its queue overflows.
                let _ = self.count_held();
                return let_others_run(context);
            }
            match self.wait(context, &mut quantum) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(end)) => return Poll::Ready(end),
                Poll::Pending if self.count_held() => return Poll::Pending,
                Poll::Pending => {}
            }
        }
    }

    /// Takes in what the task was woken for. Whether there was anything.
    fn attend(&mut self, context: &Context<'_>) -> bool {
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
        if signals.keys() {
            self.sessions.handle_keys_removed();
        }
        !signals.is_empty()
    }

    /// Takes in what happened, if anything did.
    fn wait(&mut self, context: &mut Context<'_>, quantum: &mut Quantum) -> Poll<Result<(), End>> {
        if self.attend(context) {
            return Poll::Ready(Ok(()));
        }
        let backlog = self.outbound.backlog();
        let goes_on = match backlog.condition {
            Condition::Blocked => self.outbound.socket().poll_write_ready(context).is_ready(),
            Condition::Paused => true,
            Condition::Ready | Condition::Broken => false,
        };
        if goes_on {
            let written = self.outbound.go_on();
            quantum.wrote(written);
            self.context.metrics.sent.add(written);
            // It reads; that its own frames are not read meanwhile must not count as silence.
            self.sessions.heard();
            return Poll::Ready(Ok(()));
        }
        if self.pending.is_some() || !self.takes_requests(backlog.bytes) {
            return Poll::Pending;
        }
        let is_open = ready!(self.outbound.socket().poll_read_ready(context)).and_then(|()| self.read());
        Poll::Ready(if is_open.unwrap_or(false) { Ok(()) } else { Err(End::Gone) })
    }

    /// Does what can be done without waiting, and writes once at its end: the answers to requests that came together go
    /// together.
    fn progress(&mut self, context: &mut Context<'_>, quantum: &mut Quantum) -> Result<(), End> {
        loop {
            self.act()?;
            if let Some(pending) = &mut self.pending
                && let Poll::Ready(completion) = pending.answer.as_mut().poll(context)
            {
                self.complete(completion)?;
                continue;
            }
            if self.shutting_down && self.pending.is_none() {
                self.sessions.fail(EndReason::ShuttingDown);
                self.act()?;
            }
            let mut backlog = self.outbound.backlog();
            let is_full = !self.takes_requests(backlog.bytes);
            if is_full {
                self.flush(quantum);
                backlog = self.outbound.backlog();
            }
            if backlog.overflowed {
                self.sessions.fail(EndReason::SlowConsumer);
                self.act()?;
            }
            let takes_frame = self.pending.is_none()
                && self.takes_requests(backlog.bytes)
                && !quantum.is_over(Instant::now());
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
        let written = self.outbound.flush_own();
        quantum.wrote(written);
        self.context.metrics.sent.add(written);
    }

    /// Sees to it that the connection is woken for its next deadline. An timer that turns out to be too early is set anew
    /// when it rings.
    fn set_alarm(&mut self) {
        if let Some(deadline) = self.sessions.poll_timeout()
            && self.timer.is_none_or(|timer| deadline < timer)
        {
            self.timer = Some(deadline);
            self.context.timers.set(deadline, &self.outbound);
        }
    }

    /// A client that does not read its answers is not asked for more requests: their answers are not bounded by the
    /// queue's limit alone, a replay may be long.
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

/// Lets the other ready tasks and the I/O driver run first. A task that only wakes itself may run again before the
/// runtime looks at the sockets.
fn let_others_run<T>(context: &mut Context<'_>) -> Poll<T> {
    let _ = pin!(tokio::task::yield_now()).poll(context);
    Poll::Pending
}

impl Drop for Actor {
    fn drop(&mut self) {
        self.context.registry.remove(self.place);
        trace::disconnected(self.id);
    }
}
