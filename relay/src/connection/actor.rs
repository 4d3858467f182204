//! The task of one connection: reads frames, asks the rules, does what they say.

use super::{
    ConnectionContext, Opened, Outbound, linger,
    outbound::{Condition, UNCOUNTED},
    queue::SessionNumber,
    registry::Place,
    seats::{Seats, Turn},
};
use crate::{
    broker::BrokerError,
    clock::Now,
    fanout::ConnectionId,
    hub::{Accepted, Replay},
    limits::Intake,
    memory::{CONNECTION, Held},
    metrics::OpenSession,
    session::{Fault, Joined, Publishing, SessionAction, too_many_sessions},
    trace::{self, Source},
    websocket::{self, CloseStatus, Decoder, Incoming, Violation},
};
use bytes::Bytes;
use sealwire_protocol::{
    ChannelId, CloseCode,
    wire::{ToClient, ToRelay},
};
use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::{Duration, Instant},
};
use tokio::time::timeout;

/// How long a client's request waits for the broker.
const BROKER_TIMEOUT: Duration = Duration::from_secs(5);
/// Most frames of one client that are taken in before others get their turn.
const FRAMES_PER_TURN: usize = 128;
/// How long the last frames may take to be written.
const PATIENCE: Duration = Duration::from_millis(800);
/// The same for a client that was cut off because it reads slowly, or because the relay ends: what was published before
/// is still to reach it.
const SLOW_PATIENCE: Duration = Duration::from_secs(10);

pub(super) struct Actor {
    context: Arc<ConnectionContext>,
    decoder: Decoder,
    intake: Intake,
    /// Bytes that are counted of a message that is not whole yet.
    input: usize,
    outbound: Arc<Outbound>,
    seats: Seats,
    pending: Option<Pending>,
    phase: Phase,
    /// The earliest alarm that was set and has not rung.
    alarm: Option<Instant>,
    id: ConnectionId,
    place: Place,
    /// The relay is ending, and so is this connection once the answer that it waits for is there.
    shutting_down: bool,
}

/// A request whose answer the broker owes to a session. Meanwhile no request of any session is read.
struct Pending {
    session: SessionNumber,
    answer: Pin<Box<dyn Future<Output = Completion> + Send>>,
}

enum Completion {
    Joined { channel: ChannelId, result: Result<Replay, BrokerError> },
    Published { result: Result<Accepted, BrokerError> },
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
            actor.seats.clear();
            actor.pending = None;
            actor.decoder = Decoder::default();
            actor.outbound.set_input(0);
            let End::Closing(patience) = end else { return Poll::Ready(()) };
            let (outbound, metrics) = (actor.outbound.clone(), actor.context.metrics.clone());
            let closing = async move { linger::close(&outbound, &metrics, patience).await };
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
        let Opened { socket, unread, remote, request, places } = opened;
        let held = Held::new(context.memory.clone(), CONNECTION);
        let outbound = Arc::new(Outbound::new(socket, context.queue_bytes, remote, places, held));
        let id = context.next_id();
        context.metrics.connections_opened.add(1);
        trace::connected(id, remote, &request);
        Self {
            id,
            place: context.registry.add(id.0, &outbound),
            seats: Seats::new(id, &context, &outbound),
            decoder: Decoder::new(&unread),
            intake: Intake::default(),
            input: 0,
            pending: None,
            phase: Phase::Serving,
            alarm: None,
            shutting_down: false,
            context,
            outbound,
        }
    }

    /// Goes on until there is nothing to do but wait.
    fn serve(&mut self, context: &mut Context<'_>) -> Poll<End> {
        let mut frames = 0;
        loop {
            if let Err(end) = self.progress(context, &mut frames) {
                return Poll::Ready(end);
            }
            self.set_alarm();
            if frames >= FRAMES_PER_TURN {
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
            match self.wait(context) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(end)) => return Poll::Ready(end),
                Poll::Pending if self.count_input() => return Poll::Pending,
                Poll::Pending => {}
            }
        }
    }

    /// Counts what is there of a message that is not whole yet. Returns whether there is memory for it.
    fn count_input(&mut self) -> bool {
        let now = self.decoder.held();
        if now.abs_diff(self.input) < UNCOUNTED && (now > 0 || self.input == 0) {
            return true;
        }
        self.input = now;
        self.outbound.set_input(now)
    }

    /// Takes in what happened, if anything did.
    fn wait(&mut self, context: &mut Context<'_>) -> Poll<Result<(), End>> {
        let signals = self.outbound.poll_signals(context);
        if signals.shutdown() {
            self.shutting_down = true;
        }
        if signals.alarm() {
            self.alarm = None;
            self.seats.handle_timeout();
        }
        if signals.revocation() {
            self.seats.handle_revocations();
        }
        if signals.keys() {
            self.seats.handle_keys_removed();
        }
        if !signals.is_empty() {
            return Poll::Ready(Ok(()));
        }
        let backlog = self.outbound.backlog();
        if backlog.condition == Condition::Blocked
            && self.outbound.socket().poll_write_ready(context).is_ready()
        {
            self.context.metrics.sent.add(self.outbound.unblock());
            // It reads; that its own frames are not read meanwhile must not count as silence.
            self.seats.heard();
            return Poll::Ready(Ok(()));
        }
        if self.pending.is_some() || !self.takes_requests(backlog.bytes) {
            return Poll::Pending;
        }
        let is_open = ready!(self.outbound.socket().poll_read_ready(context)).and_then(|()| self.read());
        Poll::Ready(if is_open.unwrap_or(false) { Ok(()) } else { Err(End::Gone) })
    }

    /// Does everything that can be done without waiting, and writes once at its end: the answers to requests that came
    /// together go together.
    fn progress(&mut self, context: &mut Context<'_>, frames: &mut usize) -> Result<(), End> {
        loop {
            self.act()?;
            if let Some(pending) = &mut self.pending
                && let Poll::Ready(completion) = pending.answer.as_mut().poll(context)
            {
                self.complete(completion)?;
                continue;
            }
            if self.shutting_down && self.pending.is_none() {
                self.seats.fail(Fault::ShuttingDown);
                self.act()?;
            }
            let mut backlog = self.outbound.backlog();
            let is_full = !self.takes_requests(backlog.bytes);
            if is_full {
                self.flush();
                backlog = self.outbound.backlog();
            }
            if backlog.overflowed {
                self.seats.fail(Fault::SlowConsumer);
                self.act()?;
            }
            let next = match self.pending {
                None if *frames < FRAMES_PER_TURN && self.takes_requests(backlog.bytes) => {
                    *frames += 1;
                    self.decoder.decode()
                }
                _ => Ok(None),
            };
            match next {
                Ok(Some(incoming)) => self.receive(incoming)?,
                Ok(None) => break,
                Err(violation) => self.violated(violation)?,
            }
        }
        self.flush();
        match self.outbound.backlog().condition {
            Condition::Broken => Err(End::Gone),
            _ => Ok(()),
        }
    }

    fn flush(&self) {
        self.context.metrics.sent.add(self.outbound.flush());
    }

    /// Sees to it that the connection is woken for its next deadline. An alarm that turns out to be too early is set anew
    /// when it rings.
    fn set_alarm(&mut self) {
        if let Some(deadline) = self.seats.poll_timeout()
            && self.alarm.is_none_or(|alarm| deadline < alarm)
        {
            self.alarm = Some(deadline);
            self.context.alarms.set(deadline, &self.outbound);
        }
    }

    /// A client that does not read its answers is not asked for more requests: their answers are not bounded by the
    /// queue's limit alone, a replay may be long.
    fn takes_requests(&self, queued: usize) -> bool {
        queued <= self.context.queue_bytes / 2
    }

    /// Whether the client is still there.
    fn read(&mut self) -> io::Result<bool> {
        match self.outbound.socket().try_read_buf(self.decoder.space()) {
            Ok(count) => {
                self.context.metrics.received.add(count);
                Ok(count > 0)
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(true),
            Err(error) => Err(error),
        }
    }

    fn receive(&mut self, incoming: Incoming) -> Result<(), End> {
        let now = Now::read();
        if let Err(refused) = self.intake.take(incoming.payload_len(), &self.context.limits, now.monotonic) {
            self.seats.refuse(&refused);
            return Ok(());
        }
        match incoming {
            Incoming::Message(message) if ToRelay::is_about_sessions(&message) => return self.turn(message),
            Incoming::Message(message) => {
                if let Some(seat) = self.seats.selected() {
                    seat.rules.handle_frame(message, now);
                }
            }
            Incoming::Fragment(_) => {}
            Incoming::Pong => self.seats.heard(),
            Incoming::Ping(payload) => {
                self.seats.heard();
                self.outbound.push_control(websocket::encode_pong(&payload));
            }
            Incoming::Close => return Err(self.close(0, None, CloseStatus::Normal)),
        }
        Ok(())
    }

    /// Turns to another session, or ends one.
    fn turn(&mut self, message: Bytes) -> Result<(), End> {
        match ToRelay::from_bytes(message.clone()) {
            Ok(ToRelay::Session(session)) => {
                let turn = self.seats.select(session.number, &self.context, &self.outbound);
                if let Turn::Full = turn {
                    let frame = websocket::encode_message(&too_many_sessions()).0;
                    self.outbound.push_answer(session.number, frame);
                }
            }
            Ok(ToRelay::End(_)) => {
                if let Some(number) = self.seats.selected().map(|seat| seat.number) {
                    self.leave(number);
                }
                if self.seats.len() == 0 {
                    return Err(self.close(0, None, CloseStatus::Normal));
                }
            }
            // Refused by the rules of the session that sent it.
            _ => {
                if let Some(seat) = self.seats.selected() {
                    seat.rules.handle_frame(message, Now::read());
                }
            }
        }
        Ok(())
    }

    /// Ends a session, and with it what it waits for.
    fn leave(&mut self, number: SessionNumber) {
        if self.pending.as_ref().is_some_and(|pending| pending.session == number) {
            self.pending = None;
            self.outbound.release();
        }
        self.seats.remove(number);
    }

    fn violated(&mut self, violation: Violation) -> Result<(), End> {
        match Fault::of(violation) {
            Some(fault) => self.seats.fail(fault),
            None => {
                let source = Source::connection(self.outbound.remote(), self.id);
                self.context.audit.violation(self.seats.identity().as_ref(), violation, &source);
                return Err(self.close(0, None, CloseStatus::ProtocolError));
            }
        }
        Ok(())
    }

    fn complete(&mut self, completion: Completion) -> Result<(), End> {
        let Some(number) = self.pending.take().map(|pending| pending.session) else { return Ok(()) };
        let Some(seat) = self.seats.find(number) else { return Ok(()) };
        match completion {
            Completion::Joined { channel, result: Ok(replay) } => {
                seat.memberships.joined(channel);
                let Replay { position, recovered, .. } = replay;
                seat.rules.handle_joined(Ok(Joined { position, recovered }), Now::read());
                // `Subscribed` goes first, then the replay, then what is live.
                self.act()?;
                if let Some(seat) = self.seats.find(number) {
                    seat.memberships.open(channel, &replay);
                }
            }
            Completion::Joined { channel, result: Err(error) } => {
                seat.memberships.not_joined(channel);
                seat.rules.handle_joined(Err(error.into()), Now::read());
            }
            Completion::Published { result } => {
                seat.rules.handle_published(result.map_err(Into::into));
                self.act()?;
                self.outbound.release();
            }
        }
        Ok(())
    }

    /// Does what the rules of every session ask for.
    fn act(&mut self) -> Result<(), End> {
        let mut index = 0;
        while let Some(number) = self.seats.at(index).map(|seat| seat.number) {
            match self.act_for(index) {
                None => index += 1,
                Some((goodbye, code)) if self.seats.len() == 1 => {
                    return Err(self.close(number, goodbye, CloseStatus::Sealwire(code)));
                }
                // The connection stays for the others.
                Some((goodbye, _)) => {
                    self.leave(number);
                    if let Some(goodbye) = goodbye {
                        self.outbound.push_answer(number, goodbye);
                    }
                }
            }
        }
        Ok(())
    }

    /// The goodbye and the code to close with, where that was the session's end.
    fn act_for(&mut self, index: usize) -> Option<(Option<Bytes>, CloseCode)> {
        let mut goodbye = None;
        let seat = self.seats.at(index)?;
        let session = seat.number;
        while let Some(action) = seat.rules.poll_action() {
            match action {
                SessionAction::Send(message) => {
                    let frame = websocket::encode_message(&message).0;
                    match message {
                        ToClient::Goodbye(said) => {
                            self.context.metrics.said_goodbye(said.code);
                            goodbye = Some(frame);
                        }
                        ToClient::Welcome(_) => {
                            seat.opened = Some(OpenSession::new(&self.context.metrics));
                            self.decoder.session_opened();
                            self.outbound.push_answer(session, frame);
                        }
                        ToClient::Published(_) | ToClient::Failed(_) => {
                            self.outbound.push_answer(session, frame);
                        }
                        _ => {
                            self.outbound.release();
                            self.outbound.push_answer(session, frame);
                        }
                    }
                }
                SessionAction::Join { channel, since, events } => {
                    let answer = seat.memberships.join(channel, since, events);
                    let answer = Box::pin(async move {
                        let result = timeout(BROKER_TIMEOUT, answer).await;
                        Completion::Joined {
                            channel,
                            result: result.unwrap_or(Err(BrokerError::Unavailable)),
                        }
                    });
                    self.pending = Some(Pending { session, answer });
                }
                SessionAction::Leave(channel) => seat.memberships.leave(channel),
                SessionAction::Publish(Publishing(draft)) => {
                    let Some(under_way) = self.context.lifecycle.publish() else {
                        // Not refused: the client comes back and sends it again, to a relay that takes it.
                        seat.rules.handle_fault(Fault::ShuttingDown);
                        continue;
                    };
                    // The publisher is answered first, also where it gets its own message.
                    self.outbound.hold();
                    let answer = self.context.broker.publish(draft);
                    let answer = Box::pin(async move {
                        let result = timeout(BROKER_TIMEOUT, answer).await;
                        drop(under_way);
                        Completion::Published { result: result.unwrap_or(Err(BrokerError::Unavailable)) }
                    });
                    self.pending = Some(Pending { session, answer });
                }
                SessionAction::Audit(refusal) => {
                    let source = Source::connection(self.outbound.remote(), self.id);
                    self.context.audit.refused(&refusal, &source);
                }
                SessionAction::Close(code) => return Some((goodbye, code)),
            }
        }
        None
    }

    fn close(&self, session: SessionNumber, goodbye: Option<Bytes>, status: CloseStatus) -> End {
        let frames: Vec<Bytes> = goodbye.into_iter().chain([websocket::encode_close(status)]).collect();
        self.outbound.finish(session, &frames);
        End::Closing(match status {
            CloseStatus::Sealwire(CloseCode::TooManyRequests | CloseCode::Unavailable) => SLOW_PATIENCE,
            _ => PATIENCE,
        })
    }
}

impl Drop for Actor {
    fn drop(&mut self) {
        self.context.registry.remove(self.place);
        trace::disconnected(self.id);
    }
}
