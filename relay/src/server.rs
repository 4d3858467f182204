//! The relay as a whole: starts everything, accepts connections, and ends in good order.

use crate::{
    broker::{Broker, EmbeddedBroker},
    config::Config,
    connection::{Alarms, ConnectionContext},
    fanout::{Deliveries, Fanout},
    http::{self, HttpContext, Peer},
    hub::HubLimits,
    session::SessionTerms,
};
use hyper::{Request, body::Incoming, server::conn::http1, service::Service};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use sealwire_protocol::limits;
use std::{
    io,
    net::SocketAddr,
    pin::pin,
    sync::{Arc, atomic::AtomicU64},
    time::Duration,
};
use tokio::{
    net::{TcpListener, TcpStream},
    time::{MissedTickBehavior, interval, sleep, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// How long the head of a request may take.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// Largest head of a request, in bytes.
const MAX_HEAD: usize = 16 * 1024;
/// How long connections may take to end when the relay does.
const SHUTDOWN_PATIENCE: Duration = Duration::from_secs(5);
/// How often a quiet relay lets go of what is too old.
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
    shutdown: CancellationToken,
    tasks: TaskTracker,
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
            tokio::spawn(expire(broker, relay.shutdown.clone()));
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
        let listen = config.listen;
        let failed = |source| StartError::Listen { address: listen, source };
        let listener = TcpListener::bind(listen).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let (shutdown, tasks) = (CancellationToken::new(), TaskTracker::new());

        let (fanout, deliveries) = Fanout::start(std::thread::available_parallelism().map_or(1, usize::from));
        let broker = broker(deliveries);
        let terms = Arc::new(SessionTerms {
            keyring: config.keyring,
            hello_timeout: config.hello_timeout,
            heartbeat: config.heartbeat,
            replay_window: config.replay_window,
            max_subscriptions: limits::MAX_SUBSCRIPTIONS,
        });
        let alarms = Arc::new(Alarms::default());
        let connection = Arc::new(ConnectionContext {
            terms: terms.clone(),
            broker: broker.clone(),
            fanout,
            queue_bytes: config.queue_bytes,
            alarms: alarms.clone(),
            next_id: AtomicU64::new(1),
        });
        let context = Arc::new(HttpContext {
            terms,
            broker,
            connection,
            tasks: tasks.clone(),
            behind_proxy: config.proxy_terminates_tls,
            max_connections: config.max_connections,
            connections: Arc::default(),
        });
        tokio::spawn(alarms.run(shutdown.clone()));
        tokio::spawn(accept(listener, context, shutdown.clone(), tasks.clone()));
        Ok(Self { address, shutdown, tasks })
    }

    /// Where it listens; the real port where port 0 was asked for.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Says goodbye to every client and waits until they are gone, for a few seconds at most.
    pub async fn shut_down(self) {
        self.shutdown.cancel();
        self.tasks.close();
        let _ = timeout(SHUTDOWN_PATIENCE, self.tasks.wait()).await;
    }
}

async fn expire(broker: Arc<EmbeddedBroker>, shutdown: CancellationToken) {
    let mut ticks = interval(EXPIRY_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while shutdown.run_until_cancelled(ticks.tick()).await.is_some() {
        broker.expire();
    }
}

async fn accept(
    listener: TcpListener,
    context: Arc<HttpContext>,
    shutdown: CancellationToken,
    tasks: TaskTracker,
) {
    let routes = TowerToHyperService::new(warp::service(http::routes(context)));
    while let Some(accepted) = shutdown.run_until_cancelled(listener.accept()).await {
        match accepted {
            Ok((socket, peer)) => {
                tasks.spawn(serve(socket, peer, routes.clone(), shutdown.clone()));
            }
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Speaks HTTP/1.1 on a connection until it ends or becomes a WebSocket.
async fn serve<S>(socket: TcpStream, peer: SocketAddr, routes: S, shutdown: CancellationToken)
where
    S: Service<Request<Incoming>, Response = warp::reply::Response> + Send,
    S::Future: Send + 'static,
    S::Error: std::error::Error + Send + Sync + 'static,
{
    // Messages are small and must not wait for each other.
    let _ = socket.set_nodelay(true);
    let peer = Peer(peer.ip().to_canonical());
    let service = hyper::service::service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(peer);
        routes.call(request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
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
