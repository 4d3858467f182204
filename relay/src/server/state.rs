//! The shared state of a relay: everything that its tasks and endpoints use together, before any task runs.

use crate::{
    activity::Observation,
    admin::Exposition,
    audit::Audit,
    auth::{revocations::Revocations, signing_keys::SigningKeys},
    broker::Broker,
    cluster::Cluster,
    config::Config,
    connection::{ConnectionContext, Registry, SessionSink, Timers},
    fanout::{Deliveries, Fanout},
    http::HttpContext,
    http_connections::HttpConnections,
    lifecycle::Lifecycle,
    limits::Limits,
    memory::Memory,
    metrics::Metrics,
    presence::Presences,
    proxies::Proxies,
    server::{client_effects::RelayClients, reload::session_config},
    session::Marks,
    settings::BrokerAddress,
    stall_detector::StallDetector,
    telemetry::Telemetry,
};
use arc_swap::{ArcSwap, ArcSwapOption};
use std::{
    sync::{Arc, atomic::AtomicU64},
    thread,
    time::Instant,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// The parts of a relay that several tasks share.
pub(super) struct SharedState {
    /// Cancelled when the relay ends.
    pub(super) ended: CancellationToken,
    /// The tasks of connections.
    pub(super) tasks: TaskTracker,
    pub(super) lifecycle: Arc<Lifecycle>,
    pub(super) registry: Arc<Registry>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) audit: Arc<Audit>,
    pub(super) revocations: Arc<Revocations>,
    /// `None` if this relay is alone.
    pub(super) cluster: Option<Arc<Cluster>>,
    pub(super) keys: Arc<SigningKeys>,
    pub(super) memory: Arc<Memory>,
    pub(super) limits: Arc<Limits>,
    pub(super) http_connections: Arc<HttpConnections>,
    pub(super) fanout: Arc<Fanout<SessionSink>>,
    pub(super) deliveries: Deliveries,
    pub(super) presences: Arc<Presences>,
    pub(super) broker: Arc<dyn Broker>,
    pub(super) timers: Arc<Timers>,
    pub(super) stall_detector: Arc<StallDetector>,
    /// The marks of the broker's history, which it sets as it delivers.
    pub(super) marks: Arc<Marks>,
    pub(super) telemetry: Telemetry,
    pub(super) observation: Observation,
}

impl SharedState {
    /// Creates the state. `relay` is a random id of this process, and `broker` makes the broker from the deliveries that it publishes to, and the clients of the relay.
    pub(super) fn new(
        config: &Config,
        relay: u64,
        telemetry: Telemetry,
        observation: Observation,
        broker: impl FnOnce(Deliveries, RelayClients) -> Arc<dyn Broker>,
    ) -> Self {
        let settings = &config.settings;
        let metrics = Arc::<Metrics>::default();
        let memory = Arc::new(Memory::new(settings.memory_bytes));
        let limits = Limits::new(settings.clone(), Instant::now()).with_memory(memory.clone());
        let limits = match settings.broker {
            BrokerAddress::Embedded => Arc::new(limits),
            _ => Arc::new(limits.shared()),
        };
        let shards = thread::available_parallelism().map_or(1, usize::from);
        let (fanout, deliveries) = Fanout::start(shards, memory.clone(), telemetry.clone());
        let marks = Arc::<Marks>::default();
        let clients = RelayClients { fanout: fanout.clone(), marks: marks.clone() };
        let broker = broker(deliveries.clone(), clients);
        let shared_by = (settings.broker != BrokerAddress::Embedded).then_some(relay);
        let presences = Presences::new(limits.clone(), &memory, metrics.clone(), broker.clone(), shared_by)
            .observed_by(observation.clone());
        Self {
            presences: Arc::new(presences),
            ended: CancellationToken::new(),
            tasks: TaskTracker::new(),
            lifecycle: Arc::default(),
            registry: Arc::default(),
            audit: Arc::new(Audit::new(metrics.clone(), limits.clone(), observation.clone())),
            metrics,
            revocations: Arc::default(),
            cluster: None,
            keys: Arc::new(SigningKeys::new(config.keyring.clone())),
            http_connections: Arc::new(HttpConnections::new(memory.clone(), limits.clone())),
            memory,
            limits,
            fanout,
            broker,
            deliveries,
            timers: Arc::default(),
            stall_detector: Arc::default(),
            marks,
            telemetry,
            observation,
        }
    }

    /// The part of the state that connections use.
    pub(super) fn connection_context(&self, config: &Config) -> Arc<ConnectionContext> {
        let session_config = session_config(
            config,
            self.keys.clone(),
            self.revocations.clone(),
            self.limits.clone(),
            self.stall_detector.clone(),
            self.marks.clone(),
            (self.broker.has_presence(), self.observation.is_on()),
        );
        Arc::new(ConnectionContext {
            session_config: ArcSwap::from_pointee(session_config),
            broker: self.broker.clone(),
            fanout: self.fanout.clone(),
            presences: self.presences.clone(),
            queue_bytes: config.settings.queue_bytes,
            limits: self.limits.clone(),
            memory: self.memory.clone(),
            timers: self.timers.clone(),
            registry: self.registry.clone(),
            lifecycle: self.lifecycle.clone(),
            audit: self.audit.clone(),
            metrics: self.metrics.clone(),
            telemetry: self.telemetry.clone(),
            observation: self.observation.clone(),
            next_id: AtomicU64::new(1),
        })
    }

    /// The part of the state that the endpoints use.
    pub(super) fn http_context(
        &self,
        config: &Config,
        connection: Arc<ConnectionContext>,
    ) -> Arc<HttpContext> {
        let settings = &config.settings;
        Arc::new(HttpContext {
            keys: self.keys.clone(),
            broker: self.broker.clone(),
            connection,
            streams: Arc::default(),
            tasks: self.tasks.clone(),
            lifecycle: self.lifecycle.clone(),
            audit: self.audit.clone(),
            metrics: self.metrics.clone(),
            revocations: self.revocations.clone(),
            cluster: self.cluster.clone(),
            proxies: Proxies::new(
                settings.trusted_proxies.clone(),
                settings.proxy_terminates_tls,
                settings.proxy_protocol,
            ),
            tls: config.tls.clone().map(|tls| Arc::new(ArcSwap::from_pointee(tls))),
            admin_token: ArcSwapOption::new(config.admin_token.clone().map(Arc::new)),
            limits: self.limits.clone(),
            http_connections: self.http_connections.clone(),
        })
    }

    /// The part of the state that a scrape of the metrics reads.
    pub(super) fn exposition(&self, http: &HttpContext) -> Arc<Exposition> {
        Arc::new(Exposition {
            metrics: self.metrics.clone(),
            fanout: self.fanout.clone(),
            presences: self.presences.clone(),
            broker: self.broker.clone(),
            registry: self.registry.clone(),
            keys: self.keys.clone(),
            revocations: self.revocations.clone(),
            lifecycle: self.lifecycle.clone(),
            limits: self.limits.clone(),
            memory: self.memory.clone(),
            tls: http.tls.clone(),
            spans: self.telemetry.counts(),
        })
    }
}
