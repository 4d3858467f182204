//! The task that sends spans to the collector in batches. Only this task waits for the collector.

use crate::metrics::SpanCounts;
use opentelemetry_proto::{
    tonic::collector::trace::v1::ExportTraceServiceRequest,
    transform::{
        common::tonic::ResourceAttributesWithSchema, trace::tonic::group_spans_by_resource_and_scope,
    },
};
use opentelemetry_sdk::{Resource, trace::SpanData};
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::mpsc,
    time::{Instant, sleep, timeout},
};
use tokio_util::sync::CancellationToken;

/// The maximum number of spans in one request.
const MAX_BATCH: usize = 256;
/// The time for which a span waits for others.
const BATCH_DELAY: Duration = Duration::from_secs(1);
/// The maximum time of one request.
const SEND_TIMEOUT: Duration = Duration::from_secs(5);
/// The delays before a batch is sent again, after errors that may be temporary.
const RETRY_DELAYS: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(4)];
/// The minimum time between two log lines about lost spans.
const LOG_INTERVAL: Duration = Duration::from_secs(60);

/// The error of sending a batch.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum SendError {
    #[error("it cannot be reached: {0}")]
    Unreachable(String),
    #[error("it did not answer within 5 s")]
    TimedOut,
    #[error("it answered with status {0}")]
    Status(u16),
    #[error("it rejected them")]
    Rejected,
}

impl SendError {
    /// Returns whether the same request may succeed later, by OTLP's table of statuses.
    fn is_temporary(&self) -> bool {
        match self {
            Self::Unreachable(_) | Self::TimedOut => true,
            Self::Status(status) => matches!(status, 429 | 502 | 503 | 504),
            Self::Rejected => false,
        }
    }
}

/// The receiver of batches.
pub(super) trait Sink: Send + Sync + 'static {
    /// Sends a batch once. Returns the number of spans that the receiver rejected.
    fn send(
        &self,
        request: &ExportTraceServiceRequest,
    ) -> impl Future<Output = Result<u64, SendError>> + Send;
}

/// The state of the task.
pub(super) struct Exporter<S> {
    sink: S,
    spans: mpsc::Receiver<SpanData>,
    resource: ResourceAttributesWithSchema,
    counts: Arc<SpanCounts>,
    closing: CancellationToken,
    losses: Losses,
}

impl<S: Sink> Exporter<S> {
    pub(super) fn new(
        sink: S,
        spans: mpsc::Receiver<SpanData>,
        resource: &Resource,
        counts: Arc<SpanCounts>,
        closing: CancellationToken,
    ) -> Self {
        Self { sink, spans, resource: resource.into(), counts, closing, losses: Losses::default() }
    }

    /// Sends batches until `closing` is cancelled and the queue is empty.
    pub(super) async fn run(mut self) {
        while let Some(batch) = self.next_batch().await {
            self.export(batch).await;
        }
    }

    /// Waits for a span, and for others that end soon after it. Returns `None` at the end.
    async fn next_batch(&mut self) -> Option<Vec<SpanData>> {
        let first = match self.closing.run_until_cancelled(self.spans.recv()).await {
            Some(first) => first,
            None => {
                self.spans.close();
                self.spans.recv().await
            }
        };
        let mut batch = vec![first?];
        let fill = async {
            loop {
                let room = MAX_BATCH - batch.len();
                if room == 0 || self.spans.recv_many(&mut batch, room).await == 0 {
                    return;
                }
            }
        };
        let _ = self.closing.run_until_cancelled(timeout(BATCH_DELAY, fill)).await;
        while batch.len() < MAX_BATCH
            && let Ok(span) = self.spans.try_recv()
        {
            batch.push(span);
        }
        Some(batch)
    }

    /// Sends a batch, again if that may help, and counts the result.
    async fn export(&mut self, batch: Vec<SpanData>) {
        let count = batch.len() as u64;
        let resource_spans = group_spans_by_resource_and_scope(batch, &self.resource);
        let request = ExportTraceServiceRequest { resource_spans };
        let mut delays = RETRY_DELAYS.into_iter();
        let (lost, error) = loop {
            let sent = timeout(SEND_TIMEOUT, self.sink.send(&request)).await;
            match sent.unwrap_or(Err(SendError::TimedOut)) {
                Ok(rejected) => break (rejected.min(count), SendError::Rejected),
                Err(error) => {
                    let may_help = error.is_temporary() && !self.closing.is_cancelled();
                    let Some(delay) = delays.next().filter(|_| may_help) else { break (count, error) };
                    let _ = self.closing.run_until_cancelled(sleep(delay)).await;
                }
            }
        };
        if lost > 0 {
            self.losses.log(lost, &error);
        }
        self.counts.exported.add(count - lost);
        self.counts.failed.add(lost);
    }
}

/// The spans that were lost since the last log line.
#[derive(Default)]
struct Losses {
    spans: u64,
    logged_at: Option<Instant>,
}

impl Losses {
    fn log(&mut self, spans: u64, error: &SendError) {
        if let Some(spans) = self.add(spans, Instant::now()) {
            tracing::warn!(spans, "the collector of otlp_endpoint does not take spans: {error}");
        }
    }

    /// Adds lost spans. Returns their number if a line is due.
    fn add(&mut self, spans: u64, now: Instant) -> Option<u64> {
        self.spans += spans;
        let is_due = self.logged_at.is_none_or(|logged_at| now - logged_at >= LOG_INTERVAL);
        is_due.then(|| {
            self.logged_at = Some(now);
            std::mem::take(&mut self.spans)
        })
    }
}

#[cfg(test)]
mod tests;
