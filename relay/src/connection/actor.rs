//! The task of one connection: reads frames, asks the rules, does what they say.

use super::{ConnectionContext, Outbound, linger, memberships::Memberships, outbound::Condition};
use crate::{
    audit,
    broker::BrokerError,
    clock::Now,
    hub::{Accepted, Replay},
    session::{Fault, Joined, Publishing, SessionAction, SessionRules},
    websocket::{self, CloseStatus, Decoder, Incoming, Violation},
};
use bytes::Bytes;
use futures_util::{FutureExt as _, future::FusedFuture};
use sealwire_protocol::{ChannelId, CloseCode, wire::ToClient};
use std::{
    io,
    net::IpAddr,
    pin::{Pin, pin},
    sync::Arc,
    time::Duration,
};
use tokio::time::{Instant, Sleep, sleep_until, timeout};

/// How long a client's request waits for the broker.
const BROKER_TIMEOUT: Duration = Duration::from_secs(5);
/// How long the last frames may take to be written.
const PATIENCE: Duration = Duration::from_millis(800);
/// The same for a client that was cut off because it reads slowly.
const SLOW_PATIENCE: Duration = Duration::from_secs(10);

pub(super) struct Actor {
    pub(super) context: Arc<ConnectionContext>,
    pub(super) rules: SessionRules,
    pub(super) decoder: Decoder,
    pub(super) outbound: Arc<Outbound>,
    pub(super) memberships: Memberships,
    pub(super) pending: Option<Pending>,
    pub(super) remote: IpAddr,
}

/// A request whose answer the broker owes.
pub(super) type Pending = Pin<Box<dyn Future<Output = Completion> + Send>>;

pub(super) enum Completion {
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

/// What a connection waits for.
enum Event {
    Readable(io::Result<()>),
    Writable,
    Backlog,
    Answered(Completion),
    Timeout,
    ShuttingDown,
}

impl Actor {
    pub(super) async fn run(mut self) {
        let end = self.serve().await;
        let Self { outbound, memberships, .. } = self;
        // Unregistered before the goodbye is on its way, so that nothing is queued behind it.
        drop(memberships);
        if let End::Closing(patience) = end {
            linger::close(&outbound, patience).await;
        }
    }

    async fn serve(&mut self) -> End {
        let shutdown = self.context.shutdown.clone();
        let mut shutdown = pin!(shutdown.cancelled().fuse());
        let mut alarm = pin!(sleep_until(Instant::now()));
        loop {
            if let Err(end) = self.progress() {
                return end;
            }
            let event = self.wait(shutdown.as_mut(), alarm.as_mut()).await;
            if let Err(end) = self.handle(event) {
                return end;
            }
        }
    }

    async fn wait(
        &mut self,
        mut shutdown: Pin<&mut (impl FusedFuture<Output = ()> + Send)>,
        mut alarm: Pin<&mut Sleep>,
    ) -> Event {
        let backlog = self.outbound.backlog();
        let reads = self.takes_requests(backlog.bytes);
        let deadline = self.rules.poll_timeout().map(Instant::from_std);
        if let Some(deadline) = deadline.filter(|deadline| *deadline != alarm.deadline()) {
            alarm.as_mut().reset(deadline);
        }
        let socket = self.outbound.socket();
        let is_pending = self.pending.is_some();
        let pending = async {
            match &mut self.pending {
                Some(pending) => pending.await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            () = shutdown.as_mut(), if !shutdown.is_terminated() => Event::ShuttingDown,
            completion = pending, if is_pending => Event::Answered(completion),
            () = self.outbound.changed() => Event::Backlog,
            _ = socket.writable(), if backlog.condition == Condition::Blocked => Event::Writable,
            result = socket.readable(), if reads && !is_pending => Event::Readable(result),
            () = alarm.as_mut(), if deadline.is_some() => Event::Timeout,
        }
    }

    fn handle(&mut self, event: Event) -> Result<(), End> {
        match event {
            Event::Readable(result) => {
                if !result.and_then(|()| self.read()).unwrap_or(false) {
                    return Err(End::Gone);
                }
            }
            Event::Writable => {
                self.outbound.unblock();
                // It reads; that its own frames are not read meanwhile must not count as silence.
                self.rules.handle_heard(Now::read());
            }
            Event::Backlog => {}
            Event::Answered(completion) => return self.complete(completion),
            Event::Timeout => self.rules.handle_timeout(Now::read()),
            Event::ShuttingDown => self.rules.handle_fault(Fault::ShuttingDown),
        }
        Ok(())
    }

    /// Does everything that can be done without waiting.
    fn progress(&mut self) -> Result<(), End> {
        loop {
            self.act()?;
            self.outbound.flush();
            let backlog = self.outbound.backlog();
            if backlog.condition == Condition::Broken {
                return Err(End::Gone);
            }
            if backlog.overflowed {
                self.rules.handle_fault(Fault::SlowConsumer);
                self.act()?;
            }
            if self.pending.is_some() || !self.takes_requests(backlog.bytes) {
                return Ok(());
            }
            match self.decoder.decode() {
                Ok(Some(incoming)) => self.receive(incoming)?,
                Ok(None) => return Ok(()),
                Err(violation) => self.violated(violation)?,
            }
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
            Ok(count) => Ok(count > 0),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(true),
            Err(error) => Err(error),
        }
    }

    fn receive(&mut self, incoming: Incoming) -> Result<(), End> {
        match incoming {
            Incoming::Message(message) => self.rules.handle_frame(message, Now::read()),
            Incoming::Pong => self.rules.handle_heard(Now::read()),
            Incoming::Ping(payload) => {
                self.rules.handle_heard(Now::read());
                self.outbound.push_answer(websocket::encode_pong(&payload));
            }
            Incoming::Close => return Err(self.close(None, CloseStatus::Normal)),
        }
        Ok(())
    }

    fn violated(&mut self, violation: Violation) -> Result<(), End> {
        match Fault::of(violation) {
            Some(fault) => self.rules.handle_fault(fault),
            None => {
                audit::violation(self.rules.identity().as_ref(), violation, self.remote);
                return Err(self.close(None, CloseStatus::ProtocolError));
            }
        }
        Ok(())
    }

    fn complete(&mut self, completion: Completion) -> Result<(), End> {
        self.pending = None;
        match completion {
            Completion::Joined { channel, result: Ok(replay) } => {
                self.memberships.joined(channel);
                let Replay { position, recovered, .. } = replay;
                self.rules.handle_joined(Ok(Joined { position, recovered }), Now::read());
                // `Subscribed` goes first, then the replay, then what is live.
                self.act()?;
                self.memberships.open(channel, &replay);
            }
            Completion::Joined { channel, result: Err(error) } => {
                self.memberships.not_joined(channel);
                self.rules.handle_joined(Err(error.into()), Now::read());
            }
            Completion::Published { result } => {
                self.rules.handle_published(result.map_err(Into::into));
                self.act()?;
                self.outbound.release();
            }
        }
        Ok(())
    }

    fn act(&mut self) -> Result<(), End> {
        let mut goodbye = None;
        while let Some(action) = self.rules.poll_action() {
            match action {
                SessionAction::Send(message) => {
                    let frame = websocket::encode_message(&message).0;
                    match message {
                        ToClient::Goodbye(_) => goodbye = Some(frame),
                        ToClient::Published(_) | ToClient::Failed(_) => self.outbound.push_answer(frame),
                        _ => {
                            self.outbound.release();
                            self.outbound.push_answer(frame);
                        }
                    }
                }
                SessionAction::Join { channel, since, events } => {
                    let answer = self.memberships.join(channel, since, events);
                    self.pending = Some(Box::pin(async move {
                        let result = timeout(BROKER_TIMEOUT, answer).await;
                        Completion::Joined {
                            channel,
                            result: result.unwrap_or(Err(BrokerError::Unavailable)),
                        }
                    }));
                }
                SessionAction::Leave(channel) => self.memberships.leave(channel),
                SessionAction::Publish(Publishing(draft)) => {
                    // The publisher is answered first, also where it gets its own message.
                    self.outbound.hold();
                    let answer = self.context.broker.publish(draft);
                    self.pending = Some(Box::pin(async move {
                        let result = timeout(BROKER_TIMEOUT, answer).await;
                        Completion::Published { result: result.unwrap_or(Err(BrokerError::Unavailable)) }
                    }));
                }
                SessionAction::Audit(refusal) => audit::refused(&refusal, self.remote),
                SessionAction::Close(code) => {
                    return Err(self.close(goodbye, CloseStatus::Sealwire(code)));
                }
            }
        }
        Ok(())
    }

    fn close(&self, goodbye: Option<Bytes>, status: CloseStatus) -> End {
        let frames: Vec<Bytes> = goodbye.into_iter().chain([websocket::encode_close(status)]).collect();
        self.outbound.finish(&frames);
        let slow = status == CloseStatus::Sealwire(CloseCode::TooManyRequests);
        End::Closing(if slow { SLOW_PATIENCE } else { PATIENCE })
    }
}
