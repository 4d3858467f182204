//! Publishing: sealed once, kept until the relay acknowledges it, and sent again under the same idempotency id when the
//! connection was lost in between. They are taken in the order of the calls, also where the relay refuses one for a while:
//! `Publish.follows` has it refuse what is under way behind that one, and all of it is sent again ([`crate::flow`]).

use crate::{
    Client, ClientError, Event, Instant, Now, PublishId, Receipt,
    connection::Phase,
    entropy::array,
    flow::Flow,
    requests::Request,
    spec::{ChannelSpec, CheckedSpec},
    table::Table,
};
use sealwire_protocol::{
    Code, check_event_name, limits, seal,
    wire::{Publish, Published, ToRelay},
};
use zeroize::Zeroizing;

struct Pending {
    deadline: Instant,
    bytes: usize,
    stage: Stage,
}

/// Named for what it waits for.
#[expect(clippy::enum_variant_names, reason = "each name says what is awaited")]
enum Stage {
    /// A session, for the channel's id and key.
    AwaitingSession { spec: CheckedSpec, event: String, payload: Zeroizing<String> },
    /// A connection, and its turn.
    AwaitingConnection(Publish),
    /// The relay's acknowledgement.
    AwaitingPublished(Publish),
}

/// Publications without an acknowledgement, oldest first.
#[derive(Default)]
pub(crate) struct Publishes {
    pending: Table<PublishId, Pending>,
    bytes: usize,
    flow: Flow,
}

impl Publishes {
    pub(crate) fn is_empty(&self) -> bool {
        self.pending.is_empty()
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        let waits = |pending: &Pending| matches!(pending.stage, Stage::AwaitingConnection(_));
        let pause = self.flow.pause_ends().filter(|_| self.pending.values().any(waits));
        self.pending.values().map(|pending| pending.deadline).chain(pause).min()
    }

    /// Gives those that are overdue until `later`.
    pub(crate) fn postpone(&mut self, now: Instant, later: Instant) {
        for pending in self.pending.values_mut() {
            if pending.deadline <= now {
                pending.deadline = later;
            }
        }
    }

    /// What was sent may or may not have arrived; it is sent again. A wait that the relay asked for ends with it.
    pub(crate) fn detach(&mut self) {
        self.flow.detach();
        self.take_back(|_| true);
    }

    /// Those that are under way and that `which` picks are sent again, in their place.
    fn take_back(&mut self, which: impl Fn(PublishId) -> bool) {
        for (id, pending) in self.pending.iter_mut() {
            if let Stage::AwaitingPublished(frame) = &mut pending.stage
                && which(id)
            {
                pending.stage = Stage::AwaitingConnection(core::mem::take(frame));
            }
        }
    }

    fn under_way(&self) -> usize {
        let under_way = |pending: &&Pending| matches!(pending.stage, Stage::AwaitingPublished(_));
        self.pending.values().filter(under_way).count()
    }

    fn insert(&mut self, id: PublishId, pending: Pending) {
        self.bytes += pending.bytes;
        self.pending.insert(id, pending);
    }

    fn remove(&mut self, id: PublishId) -> bool {
        let Some(pending) = self.pending.remove(&id) else { return false };
        self.bytes -= pending.bytes;
        true
    }
}

impl Client {
    /// Publishes one payload of JSON text; connects if need be. Ends with [`Event::PublishDone`].
    pub fn publish(&mut self, now: Now, spec: ChannelSpec, event: String, payload: String) -> PublishId {
        let id = PublishId(self.next_id());
        let payload = Zeroizing::new(payload);
        let bytes = payload.len();
        match self.check_publish(spec, &event, bytes) {
            Ok(spec) => {
                let deadline = now.instant.after(self.config.request_timeout_ms);
                let stage = Stage::AwaitingSession { spec, event, payload };
                self.publishes.insert(id, Pending { deadline, bytes, stage });
                self.settle(now);
            }
            Err(error) => self.events.push_back(Event::PublishDone { publish: id, result: Err(error) }),
        }
        id
    }

    fn check_publish(
        &self,
        spec: ChannelSpec,
        event: &str,
        bytes: usize,
    ) -> Result<CheckedSpec, ClientError> {
        if matches!(self.phase, Phase::Closed) {
            return Err(ClientError::closed());
        }
        check_event_name(event)
            .map_err(|invalid| ClientError::new(Code::NameInvalid, invalid.to_string()))?;
        if bytes > limits::MAX_PAYLOAD {
            let message = format!("a payload has at most {} bytes as JSON, not {bytes}", limits::MAX_PAYLOAD);
            return Err(ClientError::new(Code::MessageSize, message));
        }
        let full = self.publishes.pending.len() >= self.config.max_pending_publishes
            || self.publishes.bytes + bytes > self.config.max_pending_bytes;
        if full {
            let message =
                "too many publications wait for the relay's acknowledgement; await the earlier ones";
            return Err(ClientError::new(Code::RateLimited, message));
        }
        CheckedSpec::check(spec)
    }

    /// Seals what waits for a session, once there is one.
    pub(crate) fn seal_publishes(&mut self, now: Now) {
        let (Some(session), Some(identity)) = (&self.session, &self.identity) else { return };
        let mut refused = Vec::new();
        for (id, pending) in self.publishes.pending.iter_mut() {
            let Stage::AwaitingSession { spec, event, payload } = &mut pending.stage else { continue };
            let sealed = spec.resolve(identity).and_then(|resolved| {
                let keys = spec.keys(session, &resolved.scope);
                let key = keys.first().ok_or_else(no_key)?;
                let nonce = array(&mut *self.entropy);
                let sealed = seal(key, nonce, resolved.id, event, now.unix, payload)
                    .map_err(|too_large| ClientError::new(Code::MessageSize, too_large.to_string()))?;
                Ok(Publish {
                    request: 0,
                    follows: 0,
                    channel: Some(spec.on_the_wire(&resolved.scope)),
                    event: core::mem::take(event),
                    sealed: sealed.into(),
                    id: array::<{ limits::IDEMPOTENCY_ID }>(&mut *self.entropy).to_vec().into(),
                })
            });
            match sealed {
                Ok(frame) => pending.stage = Stage::AwaitingConnection(frame),
                Err(error) => refused.push((id, error)),
            }
        }
        for (id, error) in refused {
            self.finish_publish(id, Err(error));
        }
    }

    /// Sends what can be sent, in the order of the calls.
    pub(crate) fn send_publishes(&mut self, now: Now) {
        let Phase::Live(live) = &self.phase else { return };
        let max_frame = live.max_frame;
        let (mut frames, mut too_long) = (Vec::new(), Vec::new());
        let room = self.publishes.flow.room(now.instant, self.publishes.under_way());
        for (id, pending) in self.publishes.pending.iter_mut() {
            if frames.len() >= room {
                break;
            }
            let Stage::AwaitingConnection(frame) = &mut pending.stage else { continue };
            let frame = core::mem::take(frame);
            let deadline = pending.deadline;
            let request = self.requests.open(deadline, Request::Publish(id));
            let frame = Publish { request, follows: self.publishes.flow.last(), ..frame };
            let message = ToRelay::Publish(frame.clone());
            pending.stage = Stage::AwaitingPublished(frame);
            if message.encoded_len() > max_frame {
                too_long.push(id);
            } else {
                self.publishes.flow.sent(request);
                frames.push(message);
            }
        }
        for frame in frames {
            self.send(&frame);
        }
        for id in too_long {
            let message = format!("the message is longer than this relay takes ({max_frame} bytes)");
            self.finish_publish(id, Err(ClientError::new(Code::FrameTooLarge, message)));
        }
    }

    pub(crate) fn published(&mut self, now: Now, id: PublishId, published: &Published) {
        let Some(position) = published.position else { return };
        self.publishes.flow.taken(now.instant);
        self.finish_publish(id, Ok(Receipt { position, time_ms: published.time_ms }));
    }

    /// The relay refused a publication: for good, or until a time that the caller may still wait for.
    pub(crate) fn publish_refused(&mut self, now: Now, id: PublishId, error: ClientError) {
        let Some(pending) = self.publishes.pending.get(&id) else { return };
        let Some(after) = error.retry_after_ms else { return self.finish_publish(id, Err(error)) };
        let in_time = now.instant.after(u64::from(after)) < pending.deadline;
        // The relay refuses what is under way behind it as well.
        self.publishes.flow.refused(now.instant, error.clone());
        self.requests.forget_publishes(|other| other >= id);
        self.publishes.take_back(|other| other >= id);
        if !in_time {
            self.finish_publish(id, Err(error));
        }
    }

    pub(crate) fn expire_publishes(&mut self, now: Now) {
        let late = |pending: &Pending| pending.deadline <= now.instant;
        let late: Vec<PublishId> =
            self.publishes.pending.iter().filter(|(_, pending)| late(pending)).map(|(id, _)| id).collect();
        let refused = self.publishes.flow.why_paused();
        for id in late {
            let error = match self.publishes.pending.get(&id).map(|pending| &pending.stage) {
                // It was refused, or waited behind one that was.
                Some(Stage::AwaitingConnection(_)) if let Some(error) = &refused => error.clone(),
                _ => self.why_no_answer(),
            };
            self.finish_publish(id, Err(error));
        }
    }

    pub(crate) fn fail_publishes(&mut self, error: &ClientError) {
        for id in self.publishes.pending.keys() {
            self.finish_publish(id, Err(error.clone()));
        }
    }

    fn finish_publish(&mut self, id: PublishId, result: Result<Receipt, ClientError>) {
        self.requests.forget_publishes(|other| other == id);
        if self.publishes.remove(id) {
            self.events.push_back(Event::PublishDone { publish: id, result });
        }
    }
}

fn no_key() -> ClientError {
    ClientError::new(
        Code::TokenMalformed,
        "the channel token has no key of the session's; sign it again with signRealtimeToken()",
    )
}
