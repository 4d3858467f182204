//! The recorder of traces: creates spans and hands those that end to the exporter.

use super::{
    collector::{Collector, CollectorError},
    exporter::{Exporter, Sink},
    processor::QueueProcessor,
};
use crate::{
    critical_task,
    metrics::SpanCounts,
    settings::{BrokerAddress, OtlpEndpoint, Settings, TraceRatio},
};
use opentelemetry::{KeyValue, trace::TracerProvider as _};
use opentelemetry_sdk::{
    Resource,
    resource::EnvResourceDetector,
    trace::{Sampler, SdkTracer, SdkTracerProvider},
};
use std::{
    hash::{BuildHasher as _, Hash, RandomState},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{sync::mpsc, task::JoinHandle, time::timeout};
use tokio_util::sync::CancellationToken;

/// The maximum number of spans that wait for the collector. Further ones are dropped and counted.
const MAX_WAITING: usize = 2048;
/// The maximum time for which the end of a relay waits for the collector.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(3);

/// Records the traces of a relay.
pub(crate) struct Recorder {
    pub(super) tracer: SdkTracer,
    /// The setting `trace_ratio`, in millionths.
    ratio: AtomicU32,
    draws: AtomicU64,
    /// The key of hashes and of random decisions. It is random in each process and never leaves it.
    key: RandomState,
    /// The messaging system behind the broker, as the semantic conventions name it.
    pub(super) system: &'static str,
    counts: Arc<SpanCounts>,
    closing: CancellationToken,
    exporter: Mutex<Option<JoinHandle<()>>>,
}

impl Recorder {
    /// Starts the task that sends spans to a collector.
    pub(super) fn start(endpoint: &OtlpEndpoint, settings: &Settings) -> Result<Self, CollectorError> {
        Ok(Self::start_to(Collector::new(endpoint)?, settings))
    }

    pub(super) fn start_to(sink: impl Sink, settings: &Settings) -> Self {
        let (sender, spans) = mpsc::channel(MAX_WAITING);
        let (counts, closing) = (Arc::<SpanCounts>::default(), CancellationToken::new());
        let key = RandomState::new();
        let resource = resource(key.hash_one("instance"));
        let exporter = Exporter::new(sink, spans, &resource, counts.clone(), closing.clone());
        let exporter = tokio::spawn(exporter.run());
        // The relay decides before it creates a span, so the provider records every one.
        let provider = SdkTracerProvider::builder()
            .with_sampler(Sampler::AlwaysOn)
            .with_resource(resource)
            .with_span_processor(QueueProcessor::new(sender, counts.clone()))
            .build();
        Self {
            tracer: provider.tracer("sealwire-relay"),
            ratio: AtomicU32::new(settings.trace_ratio.millionths()),
            draws: AtomicU64::new(0),
            key,
            system: if settings.broker == BrokerAddress::Embedded { "sealwire" } else { "nats" },
            counts,
            closing,
            exporter: Mutex::new(Some(exporter)),
        }
    }

    pub(super) fn counts(&self) -> Arc<SpanCounts> {
        self.counts.clone()
    }

    pub(super) fn set_ratio(&self, ratio: TraceRatio) {
        self.ratio.store(ratio.millionths(), Ordering::Relaxed);
    }

    /// Sends the spans that ended so far, at most for [`FLUSH_TIMEOUT`]. Later spans are dropped.
    pub(super) async fn shut_down(&self) {
        self.closing.cancel();
        let exporter = critical_task::unpoisoned(self.exporter.lock()).take();
        if let Some(exporter) = exporter
            && timeout(FLUSH_TIMEOUT, exporter).await.is_err()
        {
            tracing::warn!("the collector of otlp_endpoint did not take the last spans in time");
        }
    }

    /// Decides whether an operation that belongs to no trace begins one.
    pub(super) fn begins_trace(&self) -> bool {
        let ratio = TraceRatio::from_millionths(self.ratio.load(Ordering::Relaxed));
        // A keyed hash of a counter is random to others, and needs no call of the system.
        ratio.includes(self.hash(("draw", self.draws.fetch_add(1, Ordering::Relaxed))))
    }

    /// Returns a hash that nobody else can compute.
    pub(crate) fn hash(&self, value: impl Hash) -> u64 {
        self.key.hash_one(value)
    }
}

/// The description of this relay, which accompanies every batch. `OTEL_RESOURCE_ATTRIBUTES` adds to it, as in every program
/// with OpenTelemetry.
fn resource(instance: u64) -> Resource {
    Resource::builder_empty()
        .with_service_name("sealwire-relay")
        .with_attributes([
            KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
            KeyValue::new("service.instance.id", format!("{instance:016x}")),
        ])
        .with_detector(Box::new(EnvResourceDetector::new()))
        .build()
}
