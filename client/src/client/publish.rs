//! Publishing: sealed once, kept until the relay acknowledges it, and sent again under the same idempotency id when the
//! connection was lost in between. They are taken in the order of the calls, also where the relay refuses one for a while:
//! `Publish.follows` has it refuse what is under way behind that one, and all of it is sent again ([`crate::state::flow_control`]).

use crate::{
    Client, ClientError, Event, Instant, Now, PublishId, Receipt,
    client::connect::Phase,
    entropy::array,
    state::channel_spec::{ChannelSpec, CheckedSpec},
    state::flow_control::Flow,
    state::requests::Request,
    state::vec_map::Table,
};
use sealwire_protocol::{
    Code, check_event_name, limits, seal, seal_repeatable,
    wire::{Publish, Published, ToRelay},
};
use zeroize::Zeroizing;

/// One publication as an app asks for it.
pub struct Draft {
    /// The channel.
    pub spec: ChannelSpec,
    /// The label.
    pub event: String,
    /// JSON text.
    pub payload: String,
    /// The app's own idempotency id: the relay takes the same message under it once, as long as it remembers it.
    pub id: Option<String>,
    /// The whole wait of the call; [`crate::Config::publish_timeout_ms`] where it is none.
    pub timeout_ms: Option<u64>,
}

struct Pending {
    deadline: Instant,
    bytes: usize,
    stage: Stage,
    /// A connection was lost before the relay answered on it.
    may_have_arrived: bool,
}

/// Named for what it waits for.
#[expect(clippy::enum_variant_names, reason = "each name says what is awaited")]
enum Stage {
    /// A session, for the channel's id and key.
    AwaitingSession { spec: CheckedSpec, event: String, payload: Zeroizing<String>, id: Option<String> },
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

    /// Bytes of payload that wait for the relay's acknowledgement.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes as u64
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
        for pending in self.pending.values_mut() {
            pending.may_have_arrived |= matches!(pending.stage, Stage::AwaitingPublished(_));
        }
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
        self.publish_draft(now, Draft { spec, event, payload, id: None, timeout_ms: None })
    }

    /// As [`Self::publish`], with an id of the app's own and a limit to the wait.
    pub fn publish_draft(&mut self, now: Now, draft: Draft) -> PublishId {
        let publish = PublishId(self.next_id());
        let Draft { spec, event, payload, id, timeout_ms } = draft;
        let payload = Zeroizing::new(payload);
        let bytes = payload.len();
        match self.check_publish(spec, &event, id.as_deref(), bytes) {
            Ok(spec) => {
                let deadline = now.instant.after(timeout_ms.unwrap_or(self.config.publish_timeout_ms));
                let stage = Stage::AwaitingSession { spec, event, payload, id };
                self.publishes.insert(publish, Pending { deadline, bytes, stage, may_have_arrived: false });
                self.settle(now);
            }
            Err(error) => self.events.push_back(Event::PublishDone { publish, result: Err(error) }),
        }
        publish
    }

    /// Stops waiting for a publication, which is not sent any more. Ends with [`Event::PublishDone`] and an error, unless
    /// the publish was over before.
    pub fn withdraw_publish(&mut self, now: Now, id: PublishId) {
        if self.publishes.pending.contains(&id) {
            self.fail_publish(id, ClientError::unreachable("the call was ended before the relay answered"));
        }
        self.settle(now);
    }

    fn check_publish(
        &self,
        spec: ChannelSpec,
        event: &str,
        id: Option<&str>,
        bytes: usize,
    ) -> Result<CheckedSpec, ClientError> {
        if matches!(self.phase, Phase::Closed) {
            return Err(ClientError::closed());
        }
        check_event_name(event)
            .map_err(|invalid| ClientError::new(Code::NameInvalid, invalid.to_string()))?;
        if id.is_some_and(|id| !(1..=limits::MAX_APP_ID).contains(&id.len())) {
            let message = format!("an idempotency id has 1 to {} bytes", limits::MAX_APP_ID);
            return Err(ClientError::new(Code::InvalidArgument, message));
        }
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
            let Stage::AwaitingSession { spec, event, payload, id: own } = &mut pending.stage else {
                continue;
            };
            let sealed = spec.resolve(identity).and_then(|resolved| {
                let keys = spec.keys(session, &resolved.scope);
                let key = keys.first().ok_or_else(no_key)?;
                let (sealed, id) = match own {
                    Some(own) => seal_repeatable(key, resolved.id, &session.sender, own, event, payload),
                    None => {
                        let nonce = array(&mut *self.entropy);
                        let sealed = seal(key, nonce, resolved.id, event, now.unix, payload);
                        sealed.map(|sealed| (sealed, array(&mut *self.entropy)))
                    }
                }
                .map_err(|too_large| ClientError::new(Code::MessageSize, too_large.to_string()))?;
                Ok(Publish {
                    request: 0,
                    follows: 0,
                    channel: Some(spec.on_the_wire(&resolved.scope)),
                    event: core::mem::take(event),
                    sealed: sealed.into(),
                    id: id.to_vec().into(),
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
            let request = self.requests.open(now.instant, deadline, Request::Publish(id));
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
        // The relay may have taken it on a connection that was lost since.
        let may_have_arrived = pending.may_have_arrived.then_some(true);
        let final_error = ClientError { may_have_arrived, ..error.clone() };
        let Some(after) = error.retry_after_ms else { return self.finish_publish(id, Err(final_error)) };
        let in_time = now.instant.after(u64::from(after)) < pending.deadline;
        // The relay refuses what is under way behind it as well.
        self.publishes.flow.refused(now.instant, error);
        self.requests.forget_publishes(|other| other >= id);
        self.publishes.take_back(|other| other >= id);
        if !in_time {
            self.finish_publish(id, Err(final_error));
        }
    }

    pub(crate) fn expire_publishes(&mut self, now: Now) {
        let late = |pending: &Pending| pending.deadline <= now.instant;
        let late: Vec<PublishId> =
            self.publishes.pending.iter().filter(|(_, pending)| late(pending)).map(|(id, _)| id).collect();
        let refused = self.publishes.flow.why_paused();
        let unanswered = |id: &PublishId| {
            let stage = self.publishes.pending.get(id).map(|pending| &pending.stage);
            matches!(stage, Some(Stage::AwaitingPublished(_)))
        };
        if late.iter().any(unanswered) {
            self.probe_in_doubt(now);
        }
        for id in late {
            let error = match self.publishes.pending.get(&id).map(|pending| &pending.stage) {
                // It was refused, or waited behind one that was.
                Some(Stage::AwaitingConnection(_)) if let Some(error) = &refused => error.clone(),
                _ => self.why_no_answer(),
            };
            self.fail_publish(id, error);
        }
    }

    pub(crate) fn fail_publishes(&mut self, error: &ClientError) {
        for id in self.publishes.pending.keys() {
            self.fail_publish(id, error.clone());
        }
    }

    /// Ends a publication without the relay's answer.
    fn fail_publish(&mut self, id: PublishId, error: ClientError) {
        let Some(pending) = self.publishes.pending.get(&id) else { return };
        let arrived = pending.may_have_arrived || matches!(pending.stage, Stage::AwaitingPublished(_));
        self.finish_publish(id, Err(error.about_publication(arrived)));
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
