//! One span of a trace.

use super::{origin::Recorded, recorder::Recorder};
use crate::trace_context::TraceContext;
use opentelemetry::{
    Context, KeyValue, SpanId, TraceFlags, TraceId, Value,
    trace::{Span as _, SpanBuilder, SpanContext, SpanKind, Status, TraceContextExt as _, TraceState},
};
use opentelemetry_sdk::trace::Span;
use std::time::{Duration, SystemTime};

/// A span that is recorded. It ends when it is dropped.
pub(crate) struct ActiveSpan(Span);

impl ActiveSpan {
    /// Returns the context of the span, for the spans below it.
    pub(crate) fn context(&self) -> Option<TraceContext> {
        let context = self.0.span_context();
        TraceContext::new(context.trace_id().to_bytes(), context.span_id().to_bytes(), context.is_sampled())
    }

    /// Sets an attribute.
    pub(super) fn set(&mut self, key: &'static str, value: impl Into<Value>) {
        self.0.set_attribute(KeyValue::new(key, value));
    }

    /// Marks the span as failed. `error` is the name of a code and contains nothing of a client.
    pub(super) fn fail(&mut self, error: &'static str) {
        self.set("error.type", error);
        self.0.set_status(Status::error(""));
    }
}

impl Recorder {
    /// Starts a span that began `ago`.
    pub(super) fn span(
        &self,
        Recorded(parent): Recorded,
        name: &'static str,
        kind: SpanKind,
        ago: Duration,
        attributes: Vec<KeyValue>,
    ) -> ActiveSpan {
        let now = SystemTime::now();
        let builder = SpanBuilder::from_name(name)
            .with_kind(kind)
            .with_start_time(now.checked_sub(ago).unwrap_or(now))
            .with_attributes(attributes);
        // The context is always explicit: a task of the relay works for many clients.
        let context = parent.map_or_else(Context::new, |parent| {
            Context::new().with_remote_span_context(SpanContext::new(
                TraceId::from_bytes(parent.trace_id()),
                SpanId::from_bytes(parent.span_id()),
                TraceFlags::SAMPLED,
                true,
                TraceState::NONE,
            ))
        });
        ActiveSpan(builder.start_with_context(&self.tracer, &context))
    }
}
