//! Publications that the relay has not acknowledged, in the order of the calls, and the memory that they take.

use crate::{
    ClientError, Config, Instant, PublishId,
    state::{
        flow_control::FlowControl,
        sealing::{Sealed, SealingKey, Unsealed, Unsigned, encode},
        vec_map::VecMap,
    },
};
use sealwire_protocol::{AuthorSignature, Certificate, Numbered, Signature, wire::Publish};

struct PendingPublish {
    deadline: Instant,
    bytes: usize,
    stage: Stage,
    /// The number, once the publication is sealed.
    numbered: Option<Numbered>,
    /// True if the app chose the idempotency id.
    is_repeatable: bool,
    /// A connection was lost before the relay answered on it.
    may_have_arrived: bool,
}

/// The stage of a publication.
enum Stage {
    /// The client has not sent the publication. It is sealed when it is sent, so that its time is not that of a long wait
    /// before. The session has the key, once it is there.
    Unsent(Unsealed, Option<Box<SealingKey>>),
    /// The host signs the publication. Its number and its time stay as they are, also in another session: a later number could
    /// otherwise precede an earlier one.
    AwaitingSignature(Box<(Unsigned, Certificate)>),
    /// The publication awaits the relay's acknowledgement.
    AwaitingPublished(Publish),
    /// The publication is sealed and awaits a connection that has capacity. If it was sent before, it is sent again with the
    /// same bytes.
    AwaitingResend(Publish),
}

/// The frames to send now, and the publications that exceed the relay's frame limit.
#[derive(Default)]
pub(crate) struct Sendable {
    pub(crate) frames: Vec<Vec<u8>>,
    pub(crate) too_long: Vec<PublishId>,
    /// The texts that the host signs.
    pub(crate) to_sign: Vec<(PublishId, Vec<u8>)>,
    /// True if a publication could not be signed because the session has no certificate.
    pub(crate) awaits_certificate: bool,
    /// True if a publication could not be sealed because the time is uncertain.
    pub(crate) awaits_time: bool,
}

/// A publication that is no longer pending.
pub(crate) struct Finished {
    /// The number, if the publication was sealed.
    pub(crate) numbered: Option<Numbered>,
    /// True if the relay can have accepted the publication at one position only, behind all earlier ones of the client: the
    /// app did not choose its idempotency id, and no connection was lost before the relay answered.
    pub(crate) has_one_position: bool,
}

/// The pending publications and their flow control.
#[derive(Default)]
pub(crate) struct Publishes {
    pending: VecMap<PublishId, PendingPublish>,
    bytes: usize,
    flow: FlowControl,
}

impl Publishes {
    pub(crate) fn is_empty(&self) -> bool {
        self.pending.is_empty()
    }

    /// Returns true if no pending publication is sealed.
    pub(crate) fn are_unsealed(&self) -> bool {
        self.pending.values().all(|pending| pending.numbered.is_none())
    }

    pub(crate) fn contains(&self, id: PublishId) -> bool {
        self.pending.contains(&id)
    }

    pub(crate) fn ids(&self) -> Vec<PublishId> {
        self.pending.keys()
    }

    /// Returns the number of payload bytes in all pending publications.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes as u64
    }

    /// Returns true if another publication of `bytes` would exceed the limits of `config`.
    pub(crate) fn is_full(&self, config: &Config, bytes: usize) -> bool {
        self.pending.len() >= config.max_pending_publishes || self.bytes + bytes > config.max_pending_bytes
    }

    pub(crate) fn insert(&mut self, id: PublishId, deadline: Instant, publication: Unsealed) {
        let bytes = publication.payload.len();
        self.bytes += bytes;
        let is_repeatable = publication.app_id.is_some();
        let stage = Stage::Unsent(publication, None);
        let pending =
            PendingPublish { deadline, bytes, stage, numbered: None, is_repeatable, may_have_arrived: false };
        self.pending.insert(id, pending);
    }

    /// Removes a publication. Returns `None` if it was not pending.
    pub(crate) fn remove(&mut self, id: PublishId) -> Option<Finished> {
        let PendingPublish { bytes, numbered, is_repeatable, may_have_arrived, .. } =
            self.pending.remove(&id)?;
        self.bytes -= bytes;
        Some(Finished { numbered, has_one_position: !is_repeatable && !may_have_arrived })
    }

    /// Derives the key of every publication that has none. Returns those for which the session has no key.
    pub(crate) fn derive_keys(
        &mut self,
        derive: impl Fn(&Unsealed) -> Result<SealingKey, ClientError>,
    ) -> Vec<(PublishId, ClientError)> {
        let mut failed = Vec::new();
        for (id, pending) in self.pending.iter_mut() {
            if let Stage::Unsent(publication, key @ None) = &mut pending.stage {
                match derive(publication) {
                    Ok(derived) => *key = Some(Box::new(derived)),
                    Err(error) => failed.push((id, error)),
                }
            }
        }
        failed
    }

    /// Forgets the keys of the previous session.
    pub(crate) fn forget_keys(&mut self) {
        for pending in self.pending.values_mut() {
            if let Stage::Unsent(_, key) = &mut pending.stage {
                *key = None;
            }
        }
    }

    /// Takes the publications that flow control admits now, in the order of the calls. `seal` seals one that was not sent
    /// before, unless the time is uncertain. `request` assigns a request number to a publication, given its id and deadline.
    ///
    /// A publication that awaits its signature holds back those behind it. Numbers are assigned in the order of the calls, too,
    /// so that only signed publications behind it get theirs, and their signatures, at the same time.
    pub(crate) fn take_sendable(
        &mut self,
        now: Instant,
        max_frame: usize,
        is_time_certain: bool,
        mut seal: impl FnMut(&mut Unsealed, &SealingKey) -> Sealed,
        mut request: impl FnMut(PublishId, Instant) -> u32,
    ) -> Sendable {
        let mut sendable = Sendable::default();
        // The publications that await a signature, and the sealed ones behind them.
        let mut held = 0;
        let in_flight = self.pending.values().filter(|pending| pending.is_in_flight()).count();
        let capacity = self.flow.capacity(now, in_flight);
        for (id, pending) in self.pending.iter_mut() {
            if sendable.frames.len() + held >= capacity {
                break;
            }
            let frame = match &mut pending.stage {
                Stage::Unsent(_, None) | Stage::AwaitingPublished(_) => continue,
                Stage::AwaitingResend(frame) if held == 0 => core::mem::take(frame),
                Stage::AwaitingResend(_) | Stage::AwaitingSignature(_) => {
                    held += 1;
                    continue;
                }
                Stage::Unsent(..) if !is_time_certain => {
                    // The publications behind it must not overtake it.
                    sendable.awaits_time = true;
                    break;
                }
                Stage::Unsent(publication, _) if held > 0 && !publication.signed => break,
                Stage::Unsent(publication, Some(key)) => match seal(publication, key) {
                    Sealed::Complete(frame, numbered) => {
                        pending.numbered = Some(numbered);
                        frame
                    }
                    Sealed::Unsigned(publication, numbered) => {
                        sendable.to_sign.push((id, publication.0.text(numbered)));
                        pending.numbered = Some(numbered);
                        pending.stage = Stage::AwaitingSignature(publication);
                        held += 1;
                        continue;
                    }
                    Sealed::AwaitsCertificate => {
                        sendable.awaits_certificate = true;
                        break;
                    }
                },
            };
            let request = request(id, pending.deadline);
            let bytes = pending.send(Publish { request, follows: self.flow.last_request(), ..frame });
            if bytes.len() > max_frame {
                sendable.too_long.push(id);
            } else {
                self.flow.sent(request);
                sendable.frames.push(bytes);
            }
        }
        sendable
    }

    /// Seals a publication that the host signed.
    pub(crate) fn signed(&mut self, id: PublishId, signature: Signature) {
        let Some(PendingPublish { stage, numbered: Some(numbered), .. }) = self.pending.get_mut(&id) else {
            return;
        };
        if let Stage::AwaitingSignature(_) = stage
            && let Stage::AwaitingSignature(unsigned) =
                core::mem::replace(stage, Stage::AwaitingResend(Publish::default()))
        {
            let (unsigned, certificate) = *unsigned;
            let signature = AuthorSignature { certificate: Some(certificate), signature };
            *stage = Stage::AwaitingResend(unsigned.seal(*numbered, Some(&signature)));
        }
    }

    /// Returns true if the host signs the publication.
    pub(crate) fn awaits_signature(&self, id: PublishId) -> bool {
        self.pending.get(&id).is_some_and(|pending| matches!(pending.stage, Stage::AwaitingSignature(_)))
    }

    /// Returns the publications that the page has yet to sign.
    pub(crate) fn unsigned(&self) -> impl Iterator<Item = PublishId> {
        let is_unsigned = |pending: &PendingPublish| matches!(&pending.stage, Stage::Unsent(publication, _) if publication.signed);
        self.pending.iter().filter(move |(_, pending)| is_unsigned(pending)).map(|(id, _)| id)
    }

    /// Records that the relay acknowledged a publication.
    pub(crate) fn accepted(&mut self, now: Instant) {
        self.flow.accepted(now);
    }

    /// Records that the relay refused `id` temporarily. The relay also refuses everything in flight behind it, so all of
    /// that is sent again, in the same order.
    pub(crate) fn refused(&mut self, now: Instant, id: PublishId, error: ClientError) {
        self.flow.refused(now, error);
        self.requeue(|other| other >= id);
    }

    /// Records the loss of the connection: the relay may or may not have accepted what was in flight, and all of it is sent
    /// again. A pause that the relay requested ends with its connection.
    pub(crate) fn detach(&mut self) {
        for pending in self.pending.values_mut() {
            pending.may_have_arrived |= pending.is_in_flight();
        }
        self.flow.detach();
        self.requeue(|_| true);
    }

    fn requeue(&mut self, matches: impl Fn(PublishId) -> bool) {
        for (id, pending) in self.pending.iter_mut() {
            if let Stage::AwaitingPublished(frame) = &mut pending.stage
                && matches(id)
            {
                pending.stage = Stage::AwaitingResend(core::mem::take(frame));
            }
        }
    }

    /// Returns the time of the next deadline, or of the end of a pause that publications wait for.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let waits = |pending: &PendingPublish| pending.awaits_connection();
        let pause = self.flow.pause_ends_at().filter(|_| self.pending.values().any(waits));
        self.pending.values().map(|pending| pending.deadline).chain(pause).min()
    }

    /// Moves deadlines that have passed to `later`.
    pub(crate) fn postpone(&mut self, now: Instant, later: Instant) {
        for pending in self.pending.values_mut() {
            if pending.deadline <= now {
                pending.deadline = later;
            }
        }
    }

    /// Returns the publications whose deadline has passed.
    pub(crate) fn expired(&self, now: Instant) -> Vec<PublishId> {
        let expired = self.pending.iter().filter(|(_, pending)| pending.deadline <= now);
        expired.map(|(id, _)| id).collect()
    }

    pub(crate) fn deadline_of(&self, id: PublishId) -> Option<Instant> {
        self.pending.get(&id).map(|pending| pending.deadline)
    }

    /// Returns true if the client sent the publication on the current connection and waits for the answer.
    pub(crate) fn is_in_flight(&self, id: PublishId) -> bool {
        self.pending.get(&id).is_some_and(PendingPublish::is_in_flight)
    }

    /// Returns true if a connection was lost before the relay answered the publication on it.
    pub(crate) fn was_interrupted(&self, id: PublishId) -> bool {
        self.pending.get(&id).is_some_and(|pending| pending.may_have_arrived)
    }

    /// Returns the relay's refusal that the publication waits for, if it was refused temporarily or waits behind one that
    /// was.
    pub(crate) fn refusal_of(&self, id: PublishId) -> Option<&ClientError> {
        let pending = self.pending.get(&id)?;
        self.flow.refusal().filter(|_| pending.awaits_connection())
    }
}

impl PendingPublish {
    /// Records that the publication is sent, and returns its bytes.
    fn send(&mut self, frame: Publish) -> Vec<u8> {
        let (frame, bytes) = encode(frame);
        self.stage = Stage::AwaitingPublished(frame);
        bytes
    }

    fn awaits_connection(&self) -> bool {
        matches!(self.stage, Stage::Unsent(_, Some(_)) | Stage::AwaitingResend(_))
    }

    fn is_in_flight(&self) -> bool {
        matches!(self.stage, Stage::AwaitingPublished(_))
    }
}
