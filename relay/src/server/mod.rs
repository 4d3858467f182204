//! The relay as a whole: starts everything, accepts connections, and ends in good order.

mod drain;
mod reload;

pub use reload::Reloaded;

use crate::{
    admin::{self, Exposition},
    audit::Audit,
    auth::{revocations::Revocations, signing_keys::SigningKeys},
    broker::{Broker, EmbeddedBroker},
    config::Config,
    connection::{ConnectionContext, Registry, Timers},
    critical_task,
    fanout::{Deliveries, Fanout},
    http::HttpContext,
    http_connections::HttpConnections,
    hub::HubLimits,
    lifecycle::Lifecycle,
    limits::Limits,
    listener::{Endpoint, Listener, accept::accept, net},
    memory::{self, Holder, Memory},
    metrics::Metrics,
    output,
    proxies::Proxies,
    settings::Listen,
    stall_detector::{self, StallDetector},
};
use arc_swap::ArcSwap;
use drain::{Drain, DrainConfig};
use reload::Reload;
use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, atomic::AtomicU64},
    time::{Duration, Instant},
};
use tokio::{
    net::TcpListener,
    time::{MissedTickBehavior, interval},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// How often a quiet relay lets go of what is too old, and says what it did not write into the audit log.
const EXPIRY_INTERVAL: Duration = Duration::from_secs(1);

/// A standstill that an operator should know of.
const LONG_STANDSTILL: Duration = Duration::from_secs(5);

/// Why a relay does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The address cannot be listened on.
    #[error(
        "cannot listen on {address}: {source}; is another process using the port, or is the address not this machine's?"
    )]
    Listen {
        /// Where.
        address: Listen,
        /// What the system said.
        source: io::Error,
    },
    /// systemd handed over a socket that other machines can reach.
    #[error(
        "systemd handed over a socket on {0}, which other machines can reach, and the relay has no certificate; give it \
         one (tls_certificate, tls_key), or set proxy_terminates_tls = true where a proxy in front ends TLS"
    )]
    PlainText(SocketAddr),
    /// The system has no randomness.
    #[error("the system gave no random bytes: {0}")]
    Random(getrandom::Error),
}

/// A running relay. Dropping it without [`Self::shut_down`] leaves its tasks to the runtime.
pub struct Relay {
    endpoint: Endpoint,
    admin_address: Option<SocketAddr>,
    drain: Drain,
    reload: Mutex<Reload>,
}

impl Relay {
    /// Starts a relay that stands alone; it accepts connections once this returns.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn start(config: Config) -> Result<Self, StartError> {
        let limits = HubLimits {
            replay_window: config.settings.replay_window,
            replay_bytes: config.settings.replay_bytes,
        };
        let epoch = getrandom::u64().map_err(StartError::Random)?;
        let mut embedded = None;
        let relay = Self::start_with_broker(config, |deliveries| {
            let broker = Arc::new(EmbeddedBroker::new(epoch, limits, deliveries));
            embedded = Some(broker.clone());
            broker
        })
        .await?;
        if let Some(broker) = embedded {
            let ended = relay.drain.ended.clone();
            critical_task::spawn("expiry", every(EXPIRY_INTERVAL, ended, move || broker.expire()));
        }
        Ok(relay)
    }

    /// Starts a relay with another broker, made from what it hands its publications to.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn start_with_broker(
        config: Config,
        broker: impl FnOnce(Deliveries) -> Arc<dyn Broker>,
    ) -> Result<Self, StartError> {
        let (listener, endpoint) = listen(&config).await?;
        let admin = match config.settings.admin_listen {
            Some(address) => Some(listen_for_operators(address).await?),
            None => None,
        };
        let (ended, tasks) = (CancellationToken::new(), TaskTracker::new());
        let (lifecycle, registry) = (Arc::<Lifecycle>::default(), Arc::<Registry>::default());
        let metrics = Arc::<Metrics>::default();
        let audit = Arc::new(Audit::new(metrics.clone()));
        let revocations = Arc::<Revocations>::default();

        let memory = Arc::new(Memory::new(config.settings.memory_bytes));
        let shards = std::thread::available_parallelism().map_or(1, usize::from);
        let (fanout, deliveries) = Fanout::start(shards, memory.clone());
        let broker = broker(deliveries.clone());
        let keys = Arc::new(SigningKeys::new(config.keyring.clone()));
        let limits =
            Arc::new(Limits::new(config.settings.clone(), Instant::now()).with_memory(memory.clone()));
        let http_connections = Arc::new(HttpConnections::new(memory.clone(), limits.clone()));
        let timers = Arc::new(Timers::default());
        let stall_detector = Arc::<StallDetector>::default();
        let terms =
            reload::terms(&config, keys.clone(), revocations.clone(), limits.clone(), stall_detector.clone());
        let connection = Arc::new(ConnectionContext {
            session_config: ArcSwap::from_pointee(terms),
            broker: broker.clone(),
            fanout: fanout.clone(),
            queue_bytes: config.settings.queue_bytes,
            limits: limits.clone(),
            memory: memory.clone(),
            timers: timers.clone(),
            registry: registry.clone(),
            lifecycle: lifecycle.clone(),
            audit: audit.clone(),
            metrics: metrics.clone(),
            next_id: AtomicU64::new(1),
        });
        let context = Arc::new(HttpContext {
            keys: keys.clone(),
            broker: broker.clone(),
            connection: connection.clone(),
            streams: Arc::default(),
            tasks: tasks.clone(),
            lifecycle: lifecycle.clone(),
            audit: audit.clone(),
            metrics: metrics.clone(),
            revocations: revocations.clone(),
            proxies: Proxies::new(
                config.settings.trusted_proxies.clone(),
                config.settings.proxy_terminates_tls,
                config.settings.proxy_protocol,
            ),
            tls: config.tls.clone().map(|tls| Arc::new(ArcSwap::from_pointee(tls))),
            limits: limits.clone(),
            http_connections: http_connections.clone(),
        });
        critical_task::spawn("timers", timers.run(ended.clone()));
        let ticking = stall_detector.clone();
        critical_task::spawn(
            "stall detector",
            every(stall_detector::TICK_INTERVAL, ended.clone(), move || tick(&ticking)),
        );
        let (cache, connections) = (broker.clone(), registry.clone());
        let evict = move |bytes| cache.evict(bytes);
        let holders = move || {
            let connections = connections.all().into_iter().map(|connection| connection as Arc<dyn Holder>);
            http_connections.holders().chain(connections).collect()
        };
        let shed = memory::shed(memory.clone(), evict, holders, ended.clone());
        critical_task::spawn("shedding", shed);
        let tell = move || {
            audit.summarize();
            output::report_dropped();
        };
        tokio::spawn(every(EXPIRY_INTERVAL, ended.clone(), tell));
        critical_task::spawn("accept", accept(listener, context.clone(), ended.clone(), tasks.clone()));
        let admin_address = admin.as_ref().map(|(_, address)| *address);
        if let Some((listener, _)) = admin {
            let (registry, lifecycle) = (registry.clone(), lifecycle.clone());
            let (keys, limits, memory) = (keys.clone(), limits.clone(), memory.clone());
            let (revocations, tls) = (revocations.clone(), context.tls.clone());
            let exposition = Exposition {
                metrics,
                fanout,
                broker,
                registry,
                keys,
                revocations,
                lifecycle,
                limits,
                memory,
                tls,
            };
            tokio::spawn(admin::serve(listener, Arc::new(exposition), ended.clone()));
        }
        let terms =
            DrainConfig { window: config.settings.drain_window, deadline: config.settings.drain_deadline };
        let reload = Reload {
            config,
            keys,
            revocations,
            stall_detector,
            connection,
            registry: registry.clone(),
            http: context,
        };
        Ok(Self {
            endpoint,
            admin_address,
            reload: Mutex::new(reload),
            drain: Drain { terms, lifecycle, registry, deliveries, ended, tasks },
        })
    }

    /// Where it listens; the real port where port 0 was asked for.
    #[must_use]
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Where operators are answered, if anywhere.
    #[must_use]
    pub fn admin_address(&self) -> Option<SocketAddr> {
        self.admin_address
    }

    /// Takes over what can change of a new configuration. Connections stay, but those that a removed signing key let in.
    pub fn reload(&self, config: Config) -> Reloaded {
        critical_task::unpoisoned(self.reload.lock()).apply(config)
    }

    /// Takes nothing new, delivers what was taken, says goodbye to every client and waits until they are gone, for as long
    /// as the configuration says at most. Returns how many connections were left then.
    pub async fn shut_down(self) -> usize {
        self.drain.run().await
    }
}

/// Listens for clients, and says where.
async fn listen(config: &Config) -> Result<(Listener, Endpoint), StartError> {
    let failed = |source| StartError::Listen { address: config.settings.listen.clone(), source };
    let listener =
        Listener::open(&config.settings.listen, config.settings.socket_mode).await.map_err(failed)?;
    let endpoint = listener.endpoint(config.tls.is_some()).map_err(failed)?;
    // Of an address in the configuration this was checked already.
    if let Endpoint::Tcp { address, tls: false } = endpoint
        && !address.ip().is_loopback()
        && !config.settings.proxy_terminates_tls
    {
        return Err(StartError::PlainText(address));
    }
    Ok((listener, endpoint))
}

/// Listens for operators, and says where.
async fn listen_for_operators(address: SocketAddr) -> Result<(TcpListener, SocketAddr), StartError> {
    let failed = |source| StartError::Listen { address: address.into(), source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    net::prepare(&listener).map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok((listener, address))
}

/// Notes that the relay runs, and says in the log where it did not for long.
fn tick(detector: &StallDetector) {
    if let Some(stood) = detector.tick(Instant::now()).filter(|stood| *stood >= LONG_STANDSTILL) {
        tracing::warn!(
            ?stood,
            "the relay stood still: its process or its machine was stopped, or overloaded"
        );
    }
}

/// Does something now and then until the relay has ended.
async fn every(period: Duration, ended: CancellationToken, act: impl Fn()) {
    let mut ticks = interval(period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while ended.run_until_cancelled(ticks.tick()).await.is_some() {
        act();
    }
}
