//! From a connection to requests: the proxy's header, the TLS handshake, then HTTP/1.1.

use crate::{
    http::{self, AcceptedConnection, HttpContext},
    http_connections::{HeadTimer, HttpConnection, Paced},
    listener::{Accepted, Listener},
    proxies::{Origin, header},
};
use hyper::{Request, body::Incoming, server::conn::http1, service::Service};
use hyper_util::{rt::TokioIo, service::TowerToHyperService};
use std::{pin::pin, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::{sleep, timeout},
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Pause after the system refused a new connection, which it does when there are too many.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Takes connections until the relay ends.
pub(crate) async fn accept(
    listener: Listener,
    context: Arc<HttpContext>,
    shutdown: CancellationToken,
    tasks: TaskTracker,
) {
    let routes = TowerToHyperService::new(warp::service(http::routes(context.clone())));
    while let Some(accepted) = shutdown.run_until_cancelled(listener.accept()).await {
        let (context, routes, shutdown) = (context.clone(), routes.clone(), shutdown.clone());
        match accepted {
            Ok(Accepted::Tcp(stream, peer)) => {
                // Messages are small and must not wait for each other.
                let _ = stream.set_nodelay(true);
                let has_tls = context.tls.is_some();
                let Ok(handshake) = Handshake::of(Origin::address(peer.ip()), has_tls, &context) else {
                    continue;
                };
                let http_connection = handshake.http_connection().clone();
                let stream = Paced::new(stream, http_connection.clone());
                tasks.spawn(async move {
                    let task = pin!(async {
                        let Some((stream, accepted)) = handshake.open(stream, &context, &shutdown).await
                        else {
                            return;
                        };
                        match &context.tls {
                            None => serve(stream, accepted, &context, routes, &shutdown).await,
                            // Boxed, so that plain text takes no room for it.
                            Some(tls) => {
                                let acceptor = tls.load().config().into();
                                Box::pin(async {
                                    let handshake = shake_hands(acceptor, stream, &context, &shutdown).await;
                                    let Some(stream) = handshake else { return };
                                    accepted.http_connection().handshake_done();
                                    serve(stream, accepted, &context, routes, &shutdown).await;
                                })
                                .await;
                            }
                        }
                    });
                    http_connection.run(task).await;
                });
            }
            Ok(Accepted::Unix(stream)) => {
                let Ok(handshake) = Handshake::of(Origin::unix(), false, &context) else { continue };
                let http_connection = handshake.http_connection().clone();
                let stream = Paced::new(stream, http_connection.clone());
                tasks.spawn(async move {
                    let task = pin!(async {
                        let Some((stream, accepted)) = handshake.open(stream, &context, &shutdown).await
                        else {
                            return;
                        };
                        serve(stream, accepted, &context, routes, &shutdown).await;
                    });
                    http_connection.run(task).await;
                });
            }
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// How far it is known who is there.
enum Handshake {
    Done(AcceptedConnection),
    /// The proxy's header says.
    AwaitingProxyHeader(Origin, Arc<HttpConnection>),
}

/// There is no room, not even to say so.
struct NoRoom;

impl Handshake {
    fn of(origin: Origin, has_tls: bool, context: &HttpContext) -> Result<Self, NoRoom> {
        if context.proxies.sends_header(origin) {
            let http_connection = context
                .http_connections
                .admits_one_more(has_tls)
                .then(|| context.http_connections.register(has_tls));
            return http_connection
                .map(|http_connection| Self::AwaitingProxyHeader(origin, http_connection))
                .ok_or(NoRoom);
        }
        context.admit(origin, context.http_connections.register(has_tls)).map(Self::Done).ok_or(NoRoom)
    }

    fn http_connection(&self) -> &Arc<HttpConnection> {
        match self {
            Self::Done(accepted) => accepted.http_connection(),
            Self::AwaitingProxyHeader(_, http_connection) => http_connection,
        }
    }

    /// Reads the proxy's header, where there is one.
    async fn open<S: AsyncRead + Unpin>(
        self,
        mut stream: S,
        context: &HttpContext,
        shutdown: &CancellationToken,
    ) -> Option<(S, AcceptedConnection)> {
        let (origin, http_connection) = match self {
            Self::Done(accepted) => return Some((stream, accepted)),
            Self::AwaitingProxyHeader(origin, http_connection) => (origin, http_connection),
        };
        let patience = context.limits.settings().head_timeout;
        // Boxed like TLS: few connections begin with a header.
        let header = Box::pin(timeout(patience, header::read(&mut stream)));
        let problem = match shutdown.run_until_cancelled(header).await? {
            Ok(Ok(client)) => {
                let origin = client.map_or(origin, Origin::address);
                return Some((stream, context.admit(origin, http_connection)?));
            }
            Ok(Err(error)) => error.to_string(),
            Err(_) => "it took too long".to_owned(),
        };
        tracing::debug!(proxy = %origin.address, problem, "a connection without a good PROXY header");
        None
    }
}

async fn shake_hands(
    acceptor: TlsAcceptor,
    stream: Paced<TcpStream>,
    context: &HttpContext,
    shutdown: &CancellationToken,
) -> Option<TlsStream<Paced<TcpStream>>> {
    let handshake = timeout(context.limits.settings().head_timeout, acceptor.accept(stream));
    match shutdown.run_until_cancelled(handshake).await? {
        Ok(Ok(stream)) => Some(stream),
        Ok(Err(error)) => {
            tracing::debug!(%error, "a TLS handshake failed");
            None
        }
        Err(_) => {
            tracing::debug!("a TLS handshake took too long");
            None
        }
    }
}

/// Speaks HTTP/1.1 on a connection until it ends or becomes a WebSocket.
async fn serve<IO, S>(
    stream: IO,
    accepted: AcceptedConnection,
    context: &HttpContext,
    routes: S,
    shutdown: &CancellationToken,
) where
    IO: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    S: Service<Request<Incoming>, Response = warp::reply::Response> + Send + Sync,
    S::Future: Send + 'static,
    S::Error: std::error::Error + Send + Sync + 'static,
{
    let (accepted, routes) = (&accepted, &routes);
    let service =
        hyper::service::service_fn(move |request| http::exchange(context, accepted, request, routes));
    let connection = {
        let settings = context.limits.settings();
        http1::Builder::new()
            .timer(HeadTimer::new(
                accepted.http_connection().clone(),
                settings.head_timeout,
                settings.keep_alive,
            ))
            .header_read_timeout(settings.head_timeout)
            .max_header_size(settings.head_bytes)
            .max_buf_size(settings.head_bytes)
            .serve_connection(TokioIo::new(stream), service)
            .with_upgrades()
    };
    let mut connection = pin!(connection);
    let result = tokio::select! {
        biased;
        result = connection.as_mut() => result,
        () = shutdown.cancelled() => {
            connection.as_mut().graceful_shutdown();
            accepted.http_connection().drain();
            connection.await
        }
    };
    if let Err(error) = result {
        tracing::debug!(%error, "an HTTP connection ended");
    }
}
