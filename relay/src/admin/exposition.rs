//! The metrics for Prometheus: the name, help text and source of each. docs/operating.md explains the same names, and a test
//! compares the two.

use super::{
    broker,
    format::{ExpositionFormat, to_text},
    page::Page,
    presence, process,
};
use crate::{
    auth::{revocations::Revocations, signing_keys::SigningKeys},
    broker::Broker,
    connection::{Registry, SessionSink},
    fanout::Fanout,
    lifecycle::Lifecycle,
    limits::{Limit, Limits},
    memory::Memory,
    metrics::{Metrics, SpanCounts},
    output,
    presence::Presences,
    tls::Tls,
};
use arc_swap::ArcSwap;
use prometheus_client::{
    collector::Collector,
    encoding::DescriptorEncoder,
    metrics::{counter::ConstCounter, gauge::ConstGauge, info::Info},
    registry::Registry as Names,
};
use std::{
    fmt::{self, Error},
    sync::Arc,
    time::Instant,
};

/// The parts of the relay that a scrape reads.
pub(crate) struct Exposition {
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) fanout: Arc<Fanout<SessionSink>>,
    pub(crate) presences: Arc<Presences>,
    pub(crate) broker: Arc<dyn Broker>,
    pub(crate) registry: Arc<Registry>,
    pub(crate) keys: Arc<SigningKeys>,
    pub(crate) revocations: Arc<Revocations>,
    pub(crate) lifecycle: Arc<Lifecycle>,
    pub(crate) limits: Arc<Limits>,
    pub(crate) memory: Arc<Memory>,
    pub(crate) tls: Option<Arc<ArcSwap<Tls>>>,
    pub(crate) spans: Arc<SpanCounts>,
}

/// Prints no values. The trait `Collector` requires `Debug`.
impl fmt::Debug for Exposition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exposition").finish_non_exhaustive()
    }
}

impl Exposition {
    pub(crate) fn render(self: &Arc<Self>, format: ExpositionFormat) -> Result<String, Error> {
        let mut names = Names::default();
        names.register_collector(Box::new(self.clone()));
        let mut text = String::with_capacity(16 * 1024);
        prometheus_client::encoding::text::encode(&mut text, &names)?;
        Ok(match format {
            ExpositionFormat::OpenMetrics => text,
            ExpositionFormat::Text => to_text(&text),
        })
    }
}

impl Collector for Exposition {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> Result<(), Error> {
        let mut page = Page(encoder);
        self.clients(&mut page)?;
        self.traffic(&mut page)?;
        presence::encode(&self.presences, &mut page)?;
        self.refusals(&mut page)?;
        self.memory_and_limits(&mut page)?;
        broker::encode(self.broker.metrics(), &mut page)?;
        self.configuration(&mut page)?;
        page.gauge(
            "sealwire_draining",
            "1 while the relay drains, 0 otherwise",
            u64::from(self.lifecycle.is_draining()),
        )?;
        page.gauge(
            "sealwire_certificate_expiry_timestamp_seconds",
            "Expiry of the certificate in use, in seconds since 1970; 0 without one",
            self.tls.as_ref().map_or(0, |tls| tls.load().expires().0),
        )?;
        let version = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        page.metric("sealwire_build", "The relay's version", &version)?;
        for reading in process::read() {
            let name = format!("process_{}", reading.name);
            if reading.is_counter {
                page.metric(&name, reading.help, &ConstCounter::new(reading.value))?;
            } else {
                page.metric(&name, reading.help, &ConstGauge::new(reading.value))?;
            }
        }
        Ok(())
    }
}

impl Exposition {
    fn clients(&self, page: &mut Page<'_>) -> Result<(), Error> {
        let metrics = &self.metrics;
        page.gauge("sealwire_connections", "Open WebSockets and streams", self.registry.len() as u64)?;
        page.counter(
            "sealwire_connections_opened",
            "WebSockets and streams opened",
            metrics.connections_opened.total(),
        )?;
        page.gauge("sealwire_sessions", "Open sessions; a connection may carry several", metrics.sessions())?;
        page.counter(
            "sealwire_sessions_opened",
            "Sessions whose token was accepted",
            metrics.sessions_opened.total(),
        )?;
        page.by(
            "sealwire_goodbyes",
            "Sessions that the relay ended, by the code of the reason",
            metrics.goodbyes.iter().map(|(code, count)| ([("code", code.name().to_owned())], count)),
        )?;
        page.gauge("sealwire_subscriptions", "Open subscriptions", self.fanout.subscriptions() as u64)
    }

    fn traffic(&self, page: &mut Page<'_>) -> Result<(), Error> {
        let (fanout, broker) = (self.fanout.counts(), self.broker.status());
        page.counter("sealwire_publications", "Publications accepted", broker.counts.publications)?;
        page.counter(
            "sealwire_publications_repeated",
            "Repeats of publications that were accepted before",
            broker.counts.repeats,
        )?;
        page.counter(
            "sealwire_deliveries",
            "Publications queued for a subscriber, without replays",
            fanout.deliveries,
        )?;
        page.histogram(
            "sealwire_fanout_seconds",
            "Time from accepting a publication until it was written to every subscriber that reads",
            &fanout.latency,
        )?;
        page.counter(
            "sealwire_received_bytes",
            "Bytes read from WebSockets and streams",
            self.metrics.received.total(),
        )?;
        page.counter(
            "sealwire_sent_bytes",
            "Bytes written to WebSockets and streams",
            self.metrics.sent.total() + fanout.sent,
        )?;
        page.gauge("sealwire_channels", "Channels with a subscription or a history", broker.channels as u64)?;
        page.gauge(
            "sealwire_replay_bytes",
            "Publications kept for replay, in bytes",
            broker.cached_bytes as u64,
        )?;
        page.by(
            "sealwire_replay_evictions",
            "Publications evicted from the replay cache, by reason: their age, or the size of the cache",
            [("age", broker.counts.expired), ("size", broker.counts.evicted)]
                .map(|(reason, count)| ([("reason", reason.to_owned())], count)),
        )
    }

    fn memory_and_limits(&self, page: &mut Page<'_>) -> Result<(), Error> {
        let usage = self.memory.usage();
        page.gauges(
            "sealwire_memory_bytes",
            "Memory in the budget of memory_bytes, by what it is used for",
            usage.parts().map(|(kind, bytes)| ([("kind", kind.to_owned())], bytes as u64)),
        )?;
        page.gauge(
            "sealwire_memory_limit_bytes",
            "The setting memory_bytes",
            self.limits.settings().memory_bytes as u64,
        )?;
        page.counter(
            "sealwire_memory_evicted_bytes",
            "Publications evicted because memory was short, in bytes",
            self.memory.evicted_bytes(),
        )?;
        page.counter(
            "sealwire_connections_shed",
            "Connections ended because memory was short",
            self.memory.shed_connections(),
        )?;
        page.gauge(
            "sealwire_permits_in_use",
            "Connections of any kind, limited by max_connections",
            self.limits.connections() as u64,
        )?;
        page.by(
            "sealwire_limit_refusals",
            "Refusals because of a limit, by its setting",
            Limit::ALL.map(|limit| ([("limit", limit.name().to_owned())], self.limits.refusals(limit))),
        )
    }

    fn configuration(&self, page: &mut Page<'_>) -> Result<(), Error> {
        let reloads = &self.metrics.reloads;
        page.by(
            "sealwire_config_reloads",
            "Reloads of the configuration or of apps_dir, by result",
            reloads.totals().map(|(result, count)| ([("result", result.to_owned())], count)),
        )?;
        page.gauge(
            "sealwire_config_current",
            "1 if the configuration in force is the current one, 0 while the relay keeps a former one",
            u64::from(reloads.is_current(Instant::now())),
        )?;
        page.gauge("sealwire_signing_keys", "Signing keys in force, of all apps", self.keys.count() as u64)
    }

    fn refusals(&self, page: &mut Page<'_>) -> Result<(), Error> {
        let metrics = &self.metrics;
        page.by(
            "sealwire_refusals",
            "Refused attempts by code, which the audit log lists",
            metrics.refusals.iter().map(|(code, count)| ([("code", code.name().to_owned())], count)),
        )?;
        page.by(
            "sealwire_token_verifications",
            "Token verifications, by kind of token and result",
            self.keys.verifications().iter().map(|(kind, result, count)| {
                ([("token", kind.to_owned()), ("result", result.to_owned())], count)
            }),
        )?;
        page.gauge("sealwire_revocations", "Revocations in force", self.revocations.len() as u64)?;
        page.counter(
            "sealwire_audit_suppressed",
            "Refused attempts that the audit log only counted",
            metrics.audit_suppressed.total(),
        )?;
        page.counter(
            "sealwire_log_lines_dropped",
            "Log lines dropped because nobody read them or writing them failed",
            output::dropped_log_lines(),
        )?;
        page.by(
            "sealwire_trace_spans",
            "Spans of traces, by outcome: exported, dropped because too many waited, or failed at the collector",
            self.spans.iter().map(|(outcome, count)| ([("outcome", outcome.to_owned())], count)),
        )?;
        page.by(
            "sealwire_http_requests",
            "HTTP responses, by endpoint and status",
            metrics.requests.iter().map(|(route, status, count)| {
                ([("route", route.path().to_owned()), ("status", status)], count)
            }),
        )
    }
}
