//! The queue of spans that wait for the collector.

use crate::metrics::SpanCounts;
use opentelemetry::Context;
use opentelemetry_sdk::{
    error::OTelSdkResult,
    trace::{Span, SpanData, SpanProcessor},
};
use std::{fmt, sync::Arc, time::Duration};
use tokio::sync::mpsc;

/// Queues every span that ends. It never waits: without room in the queue, the span is dropped and counted.
pub(super) struct QueueProcessor {
    queue: mpsc::Sender<SpanData>,
    counts: Arc<SpanCounts>,
}

impl QueueProcessor {
    pub(super) fn new(queue: mpsc::Sender<SpanData>, counts: Arc<SpanCounts>) -> Self {
        Self { queue, counts }
    }
}

impl SpanProcessor for QueueProcessor {
    fn on_start(&self, _: &mut Span, _: &Context) {}

    fn on_end(&self, span: SpanData) {
        if self.queue.try_send(span).is_err() {
            self.counts.dropped.add(1);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
}

/// Prints no spans. The trait requires `Debug`.
impl fmt::Debug for QueueProcessor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("QueueProcessor").finish_non_exhaustive()
    }
}
