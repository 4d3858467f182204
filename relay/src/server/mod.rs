//! The relay as a whole: starts the listeners and tasks, applies a reloaded configuration, and shuts down in order.

mod bind;
mod client_effects;
mod cluster;
mod drain;
mod reload;
mod state;
mod tasks;

pub use crate::metrics::ReloadScope;
pub use bind::StartError;
pub use reload::{Reloaded, ReloadedApps};

use crate::{
    activity::{Observation, Observer},
    broker::{Broker, EmbeddedBroker, jetstream::JetStreamBroker},
    config::Config,
    critical_task,
    fanout::Deliveries,
    hub::HubLimits,
    listener::Endpoint,
    metrics::BrokerMetrics,
    nats::NatsConnection,
    settings::{BrokerAddress, NatsServer},
    telemetry::Telemetry,
};
use client_effects::RelayClients;
use drain::{Drain, DrainConfig};
use reload::Reloader;
use state::SharedState;
use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

/// A running relay. If it is dropped without [`Self::shut_down`], its tasks keep running in the runtime.
pub struct Relay {
    endpoint: Endpoint,
    admin_address: Option<SocketAddr>,
    drain: Drain,
    reloader: Mutex<Reloader>,
    telemetry: Telemetry,
}

impl Relay {
    /// Starts a relay with the broker of the configuration. It accepts connections once this returns. A NATS cluster may
    /// still be away then.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn start(config: Config) -> Result<Self, StartError> {
        match config.settings.broker.clone() {
            BrokerAddress::Embedded => Self::start_embedded(config, Observation::default()).await,
            BrokerAddress::Nats(servers) => Self::start_in_cluster(config, &servers).await,
        }
    }

    async fn start_in_cluster(config: Config, servers: &[NatsServer]) -> Result<Self, StartError> {
        let addresses = servers.iter().map(NatsServer::to_string);
        let metrics = Arc::new(BrokerMetrics::new(addresses, config.settings.broker_streams));
        let connections = cluster::connect(&config.settings, servers, &metrics).await?;
        let settings = config.settings.clone();
        let mut started = None;
        let for_broker = connections.clone();
        let observation = Observation::default();
        let relay = Self::start_with(config, connections, observation, |deliveries, clients| {
            let broker =
                JetStreamBroker::start(&settings, for_broker, deliveries, Arc::new(clients), metrics);
            started = Some(broker.clone());
            broker
        })
        .await?;
        if let Some(broker) = started {
            let ended = relay.drain.ended.clone();
            let tend = tasks::every(JetStreamBroker::TEND_INTERVAL, ended, move || broker.tend());
            critical_task::spawn("expiry", tend);
        }
        Ok(relay)
    }

    /// Starts a relay that stands alone, whatever its configuration says, and tells an observer of its activity.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn start_observed(config: Config, observer: Arc<dyn Observer>) -> Result<Self, StartError> {
        Self::start_embedded(config, Observation::by(observer)).await
    }

    async fn start_embedded(config: Config, observation: Observation) -> Result<Self, StartError> {
        let limits = HubLimits {
            replay_window: config.settings.replay_window,
            replay_bytes: config.settings.replay_bytes,
        };
        let epoch = getrandom::u64().map_err(StartError::Random)?;
        let mut embedded = None;
        let relay = Self::start_with(config, Vec::new(), observation, |deliveries, _| {
            let broker = Arc::new(EmbeddedBroker::new(epoch, limits, deliveries));
            embedded = Some(broker.clone());
            broker
        })
        .await?;
        if let Some(broker) = embedded {
            let ended = relay.drain.ended.clone();
            let expire = tasks::every(tasks::HOUSEKEEPING_INTERVAL, ended, move || broker.expire());
            critical_task::spawn("expiry", expire);
        }
        Ok(relay)
    }

    /// Starts a relay with another broker. `broker` makes it from the deliveries that it publishes to.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn start_with_broker(
        config: Config,
        broker: impl FnOnce(Deliveries) -> Arc<dyn Broker>,
    ) -> Result<Self, StartError> {
        let observation = Observation::default();
        Self::start_with(config, Vec::new(), observation, |deliveries, _| broker(deliveries)).await
    }

    async fn start_with(
        config: Config,
        connections: Vec<NatsConnection>,
        observation: Observation,
        broker: impl FnOnce(Deliveries, RelayClients) -> Arc<dyn Broker>,
    ) -> Result<Self, StartError> {
        let (listener, endpoint) = bind::clients(&config).await?;
        let (admin_listener, admin_address) = bind::operators(&config).await?.unzip();
        let telemetry = Telemetry::start(&config.settings)?;
        let relay = getrandom::u64().map_err(StartError::Random)?;
        let mut state = SharedState::new(&config, relay, telemetry.clone(), observation, broker);
        state.cluster = cluster::join(&state, &config.settings, relay, connections);
        let connection = state.connection_context(&config);
        let http = state.http_context(&config, connection.clone());
        tasks::spawn(&state, &http, listener, admin_listener);
        let drain = Drain {
            config: DrainConfig {
                window: config.settings.drain_window,
                deadline: config.settings.drain_deadline,
            },
            lifecycle: state.lifecycle,
            registry: state.registry.clone(),
            deliveries: state.deliveries,
            ended: state.ended,
            tasks: state.tasks,
        };
        let reloader = Reloader {
            config,
            keys: state.keys,
            revocations: state.revocations,
            stall_detector: state.stall_detector,
            marks: state.marks,
            connection,
            registry: state.registry,
            http,
        };
        Ok(Self { endpoint, admin_address, drain, reloader: Mutex::new(reloader), telemetry })
    }

    /// The endpoint for clients, with the port that the system assigned if port 0 was configured.
    #[must_use]
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// The address of the listener for operators, if one is configured.
    #[must_use]
    pub fn admin_address(&self) -> Option<SocketAddr> {
        self.admin_address
    }

    /// Applies the settings of a new configuration that can change in a running relay. Connections stay open, except those
    /// that a removed signing key authenticated.
    pub fn reload(&self, config: Config) -> Reloaded {
        critical_task::unpoisoned(self.reloader.lock()).apply(config)
    }

    /// Applies the apps and keys of a new configuration, and nothing else of it. Connections stay open, except those that a
    /// removed signing key authenticated.
    pub fn reload_apps(&self, config: Config) -> ReloadedApps {
        critical_task::unpoisoned(self.reloader.lock()).apply_apps(config)
    }

    /// Counts a reload that was refused, so that the metrics show that the relay keeps a former configuration.
    pub fn refuse_reload(&self, scope: ReloadScope) {
        critical_task::unpoisoned(self.reloader.lock()).refuse(scope);
    }

    /// Notes that the apps and keys in force are those of `apps_dir`. Once this was called after a reload, the metrics show
    /// an outdated configuration if it is not called for 30 seconds.
    pub fn confirm_apps_dir(&self) {
        critical_task::unpoisoned(self.reloader.lock()).confirm_apps_dir();
    }

    /// Shuts down: refuses new connections and publications, delivers accepted publications, says goodbye to every client
    /// and waits until all have left, at most until `drain_deadline`. Returns the number of connections that were cut off.
    /// With traces, up to three more seconds pass until the collector has the last spans.
    pub async fn shut_down(self) -> usize {
        let left = self.drain.run().await;
        self.telemetry.shut_down().await;
        left
    }
}
