//! Publishing. The client seals a publication when it first sends it, keeps it until the relay acknowledges it, and sends the
//! same bytes under the same idempotency id again after a lost connection. The order of the calls is kept even if the relay
//! refuses a publication temporarily: `Publish.follows` makes the relay refuse everything in flight behind it, and the client
//! sends all of it again ([`crate::state::flow_control`]).

use crate::{
    Client, ClientError, Entropy, Event, Now, PublishId, Receipt, SigningId,
    entropy::array,
    state::{
        channel_spec::{ChannelSpec, CheckedSpec},
        phase::Phase,
        publishes::{Finished, Sendable},
        requests::Request,
        sealing::{Sealed, SealingKey, Unsealed, Unsigned},
        session::{Identity, Session},
    },
};
use sealwire_protocol::{
    Code, Numberings, SenderId, check_event_name, decimal, limits, repeatable_ids,
    wire::{Publish, Published},
};
use zeroize::Zeroizing;

/// A publication as an app requests it.
pub struct Draft {
    /// The channel.
    pub spec: ChannelSpec,
    /// The event name.
    pub event: String,
    /// The payload, as JSON text.
    pub payload: String,
    /// An idempotency id that the app chose. The relay accepts the same message once under it, for as long as it remembers
    /// the id. `None` lets the client choose a random id.
    pub id: Option<String>,
    /// The time after which the call fails. Default: [`crate::Config::publish_timeout_ms`].
    pub timeout_ms: Option<u64>,
    /// True if the page signs the message ([`Event::SignRequested`]), with the certificate of its session.
    pub signed: bool,
}

impl Client {
    /// Publishes one payload of JSON text, and connects if necessary. [`Event::PublishDone`] completes the call.
    pub fn publish(&mut self, now: Now, spec: ChannelSpec, event: String, payload: String) -> PublishId {
        self.publish_draft(now, Draft { spec, event, payload, id: None, timeout_ms: None, signed: false })
    }

    /// Publishes like [`Self::publish`], with an optional idempotency id and timeout.
    pub fn publish_draft(&mut self, now: Now, draft: Draft) -> PublishId {
        let publish = PublishId(self.next_id());
        let Draft { spec, event, payload, id, timeout_ms, signed } = draft;
        let payload = Zeroizing::new(payload);
        match self.check_publish(spec, &event, id.as_deref(), payload.len()) {
            Ok(spec) => {
                let deadline = now.instant.after(timeout_ms.unwrap_or(self.config.publish_timeout_ms));
                self.publishes.insert(
                    publish,
                    deadline,
                    Unsealed { spec, event, payload, app_id: id, signed },
                );
                self.signs |= signed;
                self.advance(now);
            }
            Err(error) => self.events.push_back(Event::PublishDone { publish, result: Err(error) }),
        }
        publish
    }

    /// Cancels a publish, which the client no longer sends. [`Event::PublishDone`] completes the publish with an error, unless
    /// it is already complete.
    pub fn withdraw_publish(&mut self, now: Now, id: PublishId) {
        if self.publishes.contains(id) {
            self.fail_publish(
                id,
                ClientError::unreachable("the app cancelled the call before the relay answered"),
            );
        }
        self.advance(now);
    }

    fn check_publish(
        &self,
        spec: ChannelSpec,
        event: &str,
        id: Option<&str>,
        bytes: usize,
    ) -> Result<CheckedSpec, ClientError> {
        if self.phase.is_closed() {
            return Err(ClientError::closed());
        }
        check_event_name(event).map_err(|invalid| ClientError::new(Code::NameInvalid, invalid.message()))?;
        if id.is_some_and(|id| !(1..=limits::MAX_APP_ID).contains(&id.len())) {
            let max = decimal(limits::MAX_APP_ID as u64);
            let message = ["an idempotency id must have 1 to ", &max, " bytes"].concat();
            return Err(ClientError::new(Code::InvalidArgument, message));
        }
        if bytes > limits::MAX_PAYLOAD {
            return Err(too_large(bytes));
        }
        if self.publishes.is_full(&self.config, bytes) {
            let message =
                "too many publications wait for the relay's acknowledgement; await the earlier ones";
            return Err(ClientError::new(Code::RateLimited, message));
        }
        CheckedSpec::check(spec)
    }

    /// Derives the keys of the publications, once there is a session. Fails those that cannot be sealed.
    pub(super) fn derive_publish_keys(&mut self) {
        let (Some(session), Some(identity)) = (&self.session, &self.identity) else { return };
        for (id, error) in
            self.publishes.derive_keys(|publication| sealing_key(publication, session, identity))
        {
            self.finish_publish(id, Err(error));
        }
    }

    /// Sends the publications that flow control admits, in the order of the calls.
    pub(super) fn send_publishes(&mut self, now: Now) {
        let Phase::Connected(connection) = &self.phase else { return };
        let Some(session) = &self.session else { return };
        let max_frame = connection.max_frame();
        let is_time_certain = !session.clock.is_uncertain(now);
        let mut sealing = Sealing { session, numberings: &mut self.numberings, entropy: &mut *self.entropy };
        let Sendable { frames, too_long, to_sign, awaits_time, awaits_certificate } =
            self.publishes.take_sendable(
                now.instant,
                max_frame,
                is_time_certain,
                |publication, key| sealing.seal(now, publication, key),
                |id, deadline| self.requests.add(now.instant, deadline, Request::Publish(id)),
            );
        for frame in frames {
            self.send_bytes(frame);
        }
        for (publish, text) in to_sign {
            self.events.push_back(Event::SignRequested { signing: SigningId(publish.0), text });
        }
        if awaits_time {
            self.request_time(now);
        }
        if awaits_certificate {
            self.request_certificate(now);
        }
        for id in too_long {
            let max = decimal(max_frame as u64);
            let message = ["the message exceeds the relay's limit of ", &max, " bytes; send less"].concat();
            self.finish_publish(id, Err(ClientError::new(Code::FrameTooLarge, message)));
        }
    }

    /// Handles the relay's acknowledgement of a publication.
    pub(super) fn published(&mut self, now: Now, id: PublishId, published: &Published) {
        let Some(position) = published.position else { return };
        self.publishes.accepted(now.instant);
        self.finish_publish(id, Ok(Receipt { position, time_ms: published.time_ms }));
    }

    /// Handles the relay's refusal of a publication. After a temporary refusal the client sends it again, unless its deadline
    /// comes first.
    pub(super) fn publish_refused(&mut self, now: Now, id: PublishId, error: ClientError) {
        let Some(deadline) = self.publishes.deadline_of(id) else { return };
        // The relay may have accepted it on a connection that was lost afterwards.
        let may_have_arrived = self.publishes.was_interrupted(id).then_some(true);
        let final_error = ClientError { may_have_arrived, ..error.clone() };
        let Some(after) = error.retry_after_ms else { return self.finish_publish(id, Err(final_error)) };
        self.publishes.refused(now.instant, id, error);
        self.requests.forget_publishes(|other| other >= id);
        if now.instant.after(u64::from(after)) >= deadline {
            self.finish_publish(id, Err(final_error));
        }
    }

    /// Completes a publish.
    pub(super) fn finish_publish(&mut self, id: PublishId, result: Result<Receipt, ClientError>) {
        self.requests.forget_publishes(|other| other == id);
        let Some(Finished { numbered, has_one_position }) = self.publishes.remove(id) else { return };
        if let Some(numbered) = numbered
            && has_one_position
            && result.is_ok()
        {
            self.numberings.iter_mut().for_each(|numberings| numberings.confirm(numbered));
        }
        self.events.push_back(Event::PublishDone { publish: id, result });
    }
}

/// The state of the client that sealing needs.
struct Sealing<'a> {
    session: &'a Session,
    numberings: &'a mut [Numberings; 2],
    entropy: &'a mut dyn Entropy,
}

impl Sealing<'_> {
    /// Seals a publication, unless the page has to sign it first.
    fn seal(&mut self, now: Now, publication: &mut Unsealed, sealing_key: &SealingKey) -> Sealed {
        let Unsealed { spec, payload, app_id, signed, .. } = publication;
        let SealingKey { channel, event, key } = sealing_key;
        let published_at = self.session.clock.at(now);
        let certificate = self.session.certificate(key.id(), published_at).filter(|_| *signed);
        if *signed && certificate.is_none() {
            return Sealed::AwaitsCertificate;
        }
        let numbered =
            self.numberings[usize::from(*signed)].assign(channel.id, || SenderId(array(&mut *self.entropy)));
        let (id, content) = match app_id {
            Some(app_id) => {
                let ids = repeatable_ids(key, &self.session.sender, app_id, event, payload);
                (ids.id, ids.content.to_vec())
            }
            None => (array(&mut *self.entropy), Vec::new()),
        };
        let frame = Publish {
            request: 0,
            follows: 0,
            channel: Some(spec.to_wire(channel)),
            event: event.clone(),
            sealed: Default::default(),
            id: id.to_vec().into(),
            content: content.into(),
        };
        let unsigned = Unsigned {
            frame,
            payload: core::mem::take(payload),
            published_at,
            channel: channel.id,
            key: key.clone(),
            random: array(&mut *self.entropy),
        };
        match certificate {
            None => Sealed::Complete(unsigned.seal(numbered, None), numbered),
            Some(certificate) => Sealed::Unsigned(Box::new((unsigned, certificate.clone())), numbered),
        }
    }
}

/// Returns the channel and the event of a publication, and the newest key of the channel.
fn sealing_key(
    Unsealed { spec, event, .. }: &Unsealed,
    session: &Session,
    identity: &Identity,
) -> Result<SealingKey, ClientError> {
    let channel = spec.resolve(identity)?;
    let event = identity.names.event(event)?;
    let key = spec.keys(session, &channel).next().ok_or_else(no_key)?;
    Ok(SealingKey { channel, event, key })
}

fn too_large(bytes: usize) -> ClientError {
    let (bytes, max) = (decimal(bytes as u64), decimal(limits::MAX_PAYLOAD as u64));
    let message = ["the payload has ", &bytes, " bytes as JSON; send at most ", &max, " bytes"].concat();
    ClientError::new(Code::MessageSize, message)
}

fn no_key() -> ClientError {
    ClientError::new(
        Code::TokenMalformed,
        "the channel token and the session share no encryption key; sign the token again with signRealtimeToken()",
    )
}
