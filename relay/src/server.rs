//! The relay as a whole: starts everything, accepts connections, and ends in good order.

use crate::{
    admin,
    audit::Audit,
    broker::{Broker, EmbeddedBroker},
    config::Config,
    connection::{Alarms, ConnectionContext, Registry},
    drain::{Drain, DrainTerms},
    fanout::{Deliveries, Fanout},
    http::{self, HttpContext, Visitor},
    hub::HubLimits,
    lifecycle::Lifecycle,
    limits::Limits,
    memory::{self, Memory},
    metrics::{Exposition, Metrics},
    reload::{self, Reload, Reloaded},
    reloadable::Reloadable,
    revocations::Revocations,
    signing::SigningKeys,
};
use hyper::{Request, body::Incoming, server::conn::http1, service::Service};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use std::{
    io,
    net::SocketAddr,
    pin::pin,
    sync::{Arc, Mutex, PoisonError, atomic::AtomicU64},
    time::{Duration, Instant},
};
use tokio::{
    net::{TcpListener, TcpStream},
    time::{MissedTickBehavior, interval, sleep},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Largest head of a request, in bytes.
const MAX_HEAD: usize = 16 * 1024;
/// How often a quiet relay lets go of what is too old, and says what it did not write into the audit log.
const EXPIRY_INTERVAL: Duration = Duration::from_secs(1);
/// Pause after the system refused a new connection, which it does when there are too many.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

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
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The system has no randomness.
    #[error("the system gave no random bytes: {0}")]
    Random(getrandom::Error),
}

/// A running relay. Dropping it without [`Self::shut_down`] leaves its tasks to the runtime.
pub struct Relay {
    address: SocketAddr,
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
        let limits = HubLimits { replay_window: config.replay_window, replay_bytes: config.replay_bytes };
        let epoch = getrandom::u64().map_err(StartError::Random)?;
        let mut embedded = None;
        let relay = Self::start_with_broker(config, |deliveries| {
            let broker = Arc::new(EmbeddedBroker::new(epoch, limits, deliveries));
            embedded = Some(broker.clone());
            broker
        })
        .await?;
        if let Some(broker) = embedded {
            tokio::spawn(every_second(relay.drain.ended.clone(), move || broker.expire()));
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
        let (listener, address) = listen(config.listen).await?;
        let admin = match config.admin_listen {
            Some(address) => Some(listen(address).await?),
            None => None,
        };
        let (ended, tasks) = (CancellationToken::new(), TaskTracker::new());
        let (lifecycle, registry) = (Arc::<Lifecycle>::default(), Arc::<Registry>::default());
        let metrics = Arc::<Metrics>::default();
        let audit = Arc::new(Audit::new(metrics.clone()));
        let revocations = Arc::<Revocations>::default();

        let memory = Arc::new(Memory::new(config.limits.memory_bytes));
        let shards = std::thread::available_parallelism().map_or(1, usize::from);
        let (fanout, deliveries) = Fanout::start(shards, memory.clone());
        let broker = broker(deliveries.clone());
        let keys = Arc::new(SigningKeys::new(config.keyring.clone()));
        let limits = Arc::new(Limits::new(config.limits.clone(), Instant::now()));
        let alarms = Arc::new(Alarms::default());
        let connection = Arc::new(ConnectionContext {
            terms: Reloadable::new(reload::terms(&config, keys.clone(), revocations.clone(), limits.clone())),
            broker: broker.clone(),
            fanout: fanout.clone(),
            queue_bytes: config.queue_bytes,
            limits: limits.clone(),
            memory: memory.clone(),
            alarms: alarms.clone(),
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
            behind_proxy: config.proxy_terminates_tls,
            limits: limits.clone(),
        });
        tokio::spawn(alarms.run(ended.clone()));
        let (cache, connections) = (broker.clone(), registry.clone());
        let evict = move |bytes| cache.evict(bytes);
        tokio::spawn(memory::shed(memory.clone(), evict, move || connections.all(), ended.clone()));
        tokio::spawn(every_second(ended.clone(), move || audit.summarize()));
        tokio::spawn(accept(listener, context.clone(), ended.clone(), tasks.clone()));
        let admin_address = admin.as_ref().map(|(_, address)| *address);
        if let Some((listener, _)) = admin {
            let (registry, lifecycle) = (registry.clone(), lifecycle.clone());
            let (limits, memory, revocations) = (limits.clone(), memory.clone(), revocations.clone());
            let exposition =
                Exposition { metrics, fanout, broker, registry, revocations, lifecycle, limits, memory };
            tokio::spawn(admin::serve(listener, Arc::new(exposition), ended.clone()));
        }
        let terms = DrainTerms { window: config.drain_window, deadline: config.drain_deadline };
        let reload =
            Reload { config, keys, revocations, connection, registry: registry.clone(), http: context };
        Ok(Self {
            address,
            admin_address,
            reload: Mutex::new(reload),
            drain: Drain { terms, lifecycle, registry, deliveries, ended, tasks },
        })
    }

    /// Where it listens; the real port where port 0 was asked for.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where operators are answered, if anywhere.
    #[must_use]
    pub fn admin_address(&self) -> Option<SocketAddr> {
        self.admin_address
    }

    /// Takes over what can change of a new configuration. Connections stay, but those that a removed signing key let in.
    pub fn reload(&self, config: Config) -> Reloaded {
        self.reload.lock().unwrap_or_else(PoisonError::into_inner).apply(config)
    }

    /// Takes nothing new, delivers what was taken, says goodbye to every client and waits until they are gone, for as long
    /// as the configuration says at most. Returns how many connections were left then.
    pub async fn shut_down(self) -> usize {
        self.drain.run().await
    }
}

/// Listens, and says where.
async fn listen(address: SocketAddr) -> Result<(TcpListener, SocketAddr), StartError> {
    let failed = |source| StartError::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok((listener, address))
}

/// Does something now and then until the relay has ended.
async fn every_second(ended: CancellationToken, act: impl Fn()) {
    let mut ticks = interval(EXPIRY_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while ended.run_until_cancelled(ticks.tick()).await.is_some() {
        act();
    }
}

async fn accept(
    listener: TcpListener,
    context: Arc<HttpContext>,
    shutdown: CancellationToken,
    tasks: TaskTracker,
) {
    let routes = TowerToHyperService::new(warp::service(http::routes(context.clone())));
    while let Some(accepted) = shutdown.run_until_cancelled(listener.accept()).await {
        match accepted {
            Ok((socket, peer)) => {
                if let Some(visitor) = context.admit(peer.ip().to_canonical()) {
                    tasks.spawn(serve(socket, visitor, context.clone(), routes.clone(), shutdown.clone()));
                }
            }
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Speaks HTTP/1.1 on a connection until it ends or becomes a WebSocket.
async fn serve<S>(
    socket: TcpStream,
    visitor: Visitor,
    context: Arc<HttpContext>,
    routes: S,
    shutdown: CancellationToken,
) where
    S: Service<Request<Incoming>, Response = warp::reply::Response> + Send + Sync,
    S::Future: Send + 'static,
    S::Error: std::error::Error + Send + Sync + 'static,
{
    // Messages are small and must not wait for each other.
    let _ = socket.set_nodelay(true);
    let (context, visitor, routes) = (&*context, &visitor, &routes);
    let service =
        hyper::service::service_fn(move |request| http::exchange(context, visitor, request, routes));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(context.limits.settings().head_timeout)
        .max_buf_size(MAX_HEAD)
        .serve_connection(TokioIo::new(socket), service)
        .with_upgrades();
    let mut connection = pin!(connection);
    let result = tokio::select! {
        result = connection.as_mut() => result,
        () = shutdown.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = result {
        tracing::debug!(%error, "an HTTP connection ended");
    }
}
