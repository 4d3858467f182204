//! The operations of the relay that become spans, and their attributes. The names follow the semantic conventions of
//! OpenTelemetry for HTTP and messaging; those that begin with `sealwire.` have no counterpart there.

use super::{
    origin::{Origin, Recorded},
    recorder::Recorder,
    span::ActiveSpan,
};
use crate::{
    hub::{Draft, PublishReceipt, Replay},
    tenant::Tenant,
    trace_context::TraceContext,
};
use opentelemetry::{KeyValue, trace::SpanKind};
use sealwire_protocol::{ChannelId, Code, wire::Since};
use std::time::{Duration, Instant};

const OPERATION: &str = "messaging.operation.name";
const OPERATION_TYPE: &str = "messaging.operation.type";
const SYSTEM: &str = "messaging.system";
/// The channel, as a keyed hash.
const DESTINATION: &str = "messaging.destination.name";
/// The position of a publication: its epoch and offset, as in the API.
const MESSAGE_ID: &str = "messaging.message.id";
const BODY_SIZE: &str = "messaging.message.body.size";
const BATCH: &str = "messaging.batch.message_count";
/// The installation, as a keyed hash.
const INSTALLATION: &str = "sealwire.installation";

/// The span of `POST /v1/publish`, if it is recorded.
#[derive(Default)]
pub(crate) struct PublishRequestSpan(Option<ActiveSpan>);

impl PublishRequestSpan {
    /// Returns the origin of the publications of the request.
    pub(crate) fn origin(&self) -> Origin {
        let context = self.0.as_ref().and_then(ActiveSpan::context);
        context.map_or(Origin::Unrecorded, Origin::Parent)
    }

    /// Records the number of messages.
    pub(crate) fn set_messages(&mut self, count: usize) {
        if let Some(span) = &mut self.0 {
            span.set(BATCH, integer(count));
        }
    }

    /// Ends the span with the status of the response.
    pub(crate) fn end(mut self, status: u16) {
        if let Some(span) = &mut self.0 {
            span.set("http.response.status_code", i64::from(status));
            // Errors of the caller are no errors of the server.
            if status >= 500 {
                span.fail("server_error");
            }
        }
    }
}

/// A publication that every subscriber of this relay now has in its queue.
pub(crate) struct Delivered {
    /// The span that published it.
    pub(crate) publisher: TraceContext,
    pub(crate) channel: ChannelId,
    pub(crate) tenant: Tenant,
    pub(crate) offset: u64,
    /// The time at which the broker handed it over.
    pub(crate) accepted_at: Instant,
    /// The number of the channel's subscribers on this relay.
    pub(crate) subscribers: usize,
}

/// The spans of a publication: the publication as a whole, and the broker's part of it.
pub(crate) struct PublicationSpans {
    /// It is declared first, because fields are dropped in order and the child ends before its parent.
    acknowledgement: ActiveSpan,
    publication: ActiveSpan,
    is_answered: bool,
}

impl PublicationSpans {
    /// Returns the context that travels with the message.
    pub(crate) fn context(&self) -> Option<TraceContext> {
        self.publication.context()
    }

    /// Ends the spans with the broker's answer.
    pub(crate) fn end(mut self, answer: Result<&PublishReceipt, Code>) {
        self.is_answered = true;
        match answer {
            Ok(receipt) => self.publication.set(MESSAGE_ID, receipt.position.event_id()),
            Err(code) => self.fail(code.name()),
        }
    }

    fn fail(&mut self, error: &'static str) {
        self.acknowledgement.fail(error);
        self.publication.fail(error);
    }
}

/// Marks a publication whose connection ended, or whose time was over, before the broker answered.
impl Drop for PublicationSpans {
    fn drop(&mut self) {
        if !self.is_answered {
            self.fail("cancelled");
        }
    }
}

/// The span of a subscription that resumes or asks for a replay.
pub(crate) struct ResumptionSpan(ActiveSpan);

impl ResumptionSpan {
    /// Ends the span with the broker's answer.
    pub(crate) fn end(mut self, answer: Result<&Replay, Code>) {
        match answer {
            Ok(Replay { recovered, publications, .. }) => {
                self.0.set(BATCH, integer(publications.iter().count()));
                self.0
                    .set("sealwire.replayed_bytes", i64::try_from(publications.bytes()).unwrap_or(i64::MAX));
                self.0.set("sealwire.recovered", *recovered);
            }
            Err(code) => self.0.fail(code.name()),
        }
    }
}

impl Recorder {
    /// Starts the span of a request whose caller showed a valid token. `request` is the id in the log.
    pub(crate) fn publish_request(&self, origin: Origin, request: &str) -> PublishRequestSpan {
        let span = self.decide(origin).map(|recorded| {
            let attributes = vec![
                KeyValue::new("http.request.method", "POST"),
                KeyValue::new("http.route", "/v1/publish"),
                KeyValue::new("sealwire.request_id", request.to_owned()),
            ];
            self.span(recorded, "POST /v1/publish", SpanKind::Server, Duration::ZERO, attributes)
        });
        PublishRequestSpan(span)
    }

    /// Records a delivery to the subscribers of this relay: one span, however many they are.
    pub(crate) fn delivered(&self, delivered: &Delivered) {
        let Some(recorded) = self.decide(Origin::Parent(delivered.publisher)) else { return };
        let mut attributes = self.messaging("deliver", "process", delivered.channel, delivered.tenant);
        attributes.push(KeyValue::new("sealwire.offset", delivered.offset.to_string()));
        attributes.push(KeyValue::new("sealwire.subscribers", integer(delivered.subscribers)));
        self.span(recorded, "deliver", SpanKind::Consumer, delivered.accepted_at.elapsed(), attributes);
    }

    /// Starts the spans of a publication, or returns `None` if it is not recorded.
    pub(crate) fn publication(&self, origin: Origin, draft: &Draft) -> Option<PublicationSpans> {
        let recorded = self.decide(origin)?;
        let mut attributes = self.messaging("publish", "send", draft.channel, draft.tenant);
        attributes.push(KeyValue::new(BODY_SIZE, integer(draft.sealed.len())));
        let publication = self.span(recorded, "publish", SpanKind::Producer, Duration::ZERO, attributes);
        let system = vec![KeyValue::new(SYSTEM, self.system), KeyValue::new(OPERATION, "acknowledge")];
        let parent = Recorded(publication.context());
        let acknowledgement = self.span(parent, "acknowledge", SpanKind::Client, Duration::ZERO, system);
        Some(PublicationSpans { acknowledgement, publication, is_answered: false })
    }

    /// Starts the span of a subscription from `since`, or returns `None` if it is not recorded.
    pub(crate) fn resumption(
        &self,
        tenant: Tenant,
        channel: ChannelId,
        since: Since,
    ) -> Option<ResumptionSpan> {
        let recorded = self.decide(Origin::Own)?;
        let mut attributes = self.messaging("resume", "receive", channel, tenant);
        let since = match since {
            Since::Position(_) => "position",
            Since::ReplaySeconds(_) => "seconds",
        };
        attributes.push(KeyValue::new("sealwire.since", since));
        Some(ResumptionSpan(self.span(recorded, "resume", SpanKind::Client, Duration::ZERO, attributes)))
    }

    fn messaging(
        &self,
        name: &'static str,
        kind: &'static str,
        channel: ChannelId,
        tenant: Tenant,
    ) -> Vec<KeyValue> {
        // The id of a channel is a hash that others can compute, and a tenant's is one of the relay's tables: neither may
        // leave the relay. A hash with another key says only which spans belong together.
        let channel = self.hash(("channel", channel.0));
        let installation = self.hash(("installation", tenant.installation));
        vec![
            KeyValue::new(SYSTEM, "sealwire"),
            KeyValue::new(OPERATION, name),
            KeyValue::new(OPERATION_TYPE, kind),
            KeyValue::new(DESTINATION, format!("{channel:016x}")),
            KeyValue::new(INSTALLATION, format!("{installation:016x}")),
        ]
    }
}

fn integer(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        settings::Settings,
        telemetry::exporter::{SendError, Sink},
    };
    use opentelemetry_proto::tonic::{collector::trace::v1::ExportTraceServiceRequest, trace::v1::Span};
    use sealwire_protocol::{UnixMillis, wire::Position};
    use std::sync::{Arc, Mutex};

    /// Keeps every span.
    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<Span>>>);

    impl Sink for Kept {
        async fn send(&self, request: &ExportTraceServiceRequest) -> Result<u64, SendError> {
            let scopes = request.resource_spans.iter().flat_map(|resource| &resource.scope_spans);
            self.0.lock().unwrap().extend(scopes.flat_map(|scope| scope.spans.clone()));
            Ok(0)
        }
    }

    fn draft() -> Draft {
        let (channel, tenant, event) = (ChannelId([1; 16]), Tenant::default(), String::new());
        Draft { channel, tenant, event, sealed: vec![0; 9].into(), id: [0; 16], content: None, trace: None }
    }

    #[tokio::test]
    async fn a_publication_that_the_broker_answered_succeeds_or_has_its_code_and_any_other_was_cancelled() {
        let kept = Kept::default();
        let ratio = "1".parse().unwrap();
        let recorder =
            Recorder::start_to(kept.clone(), &Settings { trace_ratio: ratio, ..Settings::default() });
        let publication = || recorder.publication(Origin::Own, &draft()).unwrap();
        let position = Position { epoch: 1, offset: 2, time_ms: 0 };
        publication().end(Ok(&PublishReceipt { position, time: UnixMillis(3) }));
        publication().end(Err(Code::IdReused));
        drop(publication());
        recorder.shut_down().await;
        let spans = kept.0.lock().unwrap();
        let error = |span: &Span| {
            let error = span.attributes.iter().find(|attribute| attribute.key == "error.type");
            error.map(|error| format!("{:?}", error.value))
        };
        let errors: Vec<_> = spans.iter().map(|span| (span.name.as_str(), error(span))).collect();
        assert_eq!(errors.len(), 6);
        for (index, expected) in [None, Some("ID_REUSED"), Some("cancelled")].into_iter().enumerate() {
            let names = [errors[2 * index].0, errors[2 * index + 1].0];
            assert_eq!(names, ["acknowledge", "publish"], "the broker's part ends first");
            for (name, error) in &errors[2 * index..2 * index + 2] {
                let is_as_expected = match expected {
                    Some(expected) => error.as_ref().is_some_and(|error| error.contains(expected)),
                    None => error.is_none(),
                };
                assert!(is_as_expected, "{name}: {error:?}");
            }
        }
    }

    #[tokio::test]
    async fn hashes_differ_between_processes_and_between_kinds() {
        let recorder = || Recorder::start_to(Kept::default(), &Settings::default());
        let (one, two) = (recorder(), recorder());
        assert_eq!(one.hash(("channel", 1)), one.hash(("channel", 1)));
        assert_ne!(one.hash(("channel", 1)), one.hash(("installation", 1)));
        assert_ne!(one.hash(("channel", 1)), two.hash(("channel", 1)));
    }
}
