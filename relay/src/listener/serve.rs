//! An admitted connection: the TLS handshake, then HTTP/1.1 until the connection ends or becomes a WebSocket.

use crate::{
    http::{self, AcceptedConnection, HttpContext},
    http_connections::{HeadTimer, Paced},
    listener::net::ClientSocket,
    tls::TlsStream,
};
use hyper::{Request, body::Incoming, server::conn::http1, service::Service};
use hyper_util::rt::TokioIo;
use rustls::ServerConfig;
use std::{pin::pin, sync::Arc};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpStream, UnixStream},
    time::timeout,
};
use tokio_util::sync::CancellationToken;
use warp::reply::Response;

/// Everything that the task of a connection shares with the others.
pub(super) struct Server<R> {
    pub(super) context: Arc<HttpContext>,
    pub(super) routes: R,
    pub(super) shutdown: CancellationToken,
}

/// The endpoints as a service of hyper.
pub(super) trait Routes:
    Service<
        Request<Incoming>,
        Response = Response,
        Error: std::error::Error + Send + Sync + 'static,
        Future: Send + 'static,
    > + Send
    + Sync
    + 'static
{
}

impl<R> Routes for R where
    R: Service<
            Request<Incoming>,
            Response = Response,
            Error: std::error::Error + Send + Sync + 'static,
            Future: Send + 'static,
        > + Send
        + Sync
        + 'static
{
}

/// A kind of socket that the relay accepts.
pub(super) trait Transport:
    ClientSocket + AsyncRead + AsyncWrite + Unpin + Send + Sized + 'static
{
    /// True if connections of this kind begin with a TLS handshake.
    fn uses_tls(context: &HttpContext) -> bool;

    /// Serves a connection until it ends or becomes a WebSocket.
    fn serve<R: Routes>(
        stream: Paced<Self>,
        accepted: AcceptedConnection,
        server: &Server<R>,
    ) -> impl Future<Output = ()> + Send;
}

impl Transport for TcpStream {
    fn uses_tls(context: &HttpContext) -> bool {
        context.tls.is_some()
    }

    async fn serve<R: Routes>(stream: Paced<Self>, accepted: AcceptedConnection, server: &Server<R>) {
        match &server.context.tls {
            None => serve(stream, accepted, server).await,
            // Boxed, so that plain-text connections do not reserve memory for TLS.
            Some(tls) => Box::pin(serve_tls(tls.load().config(), stream, accepted, server)).await,
        }
    }
}

impl Transport for UnixStream {
    /// A Unix domain socket always carries plain text: only this machine reaches it.
    fn uses_tls(_: &HttpContext) -> bool {
        false
    }

    async fn serve<R: Routes>(stream: Paced<Self>, accepted: AcceptedConnection, server: &Server<R>) {
        serve(stream, accepted, server).await;
    }
}

async fn serve_tls<R: Routes>(
    config: Arc<ServerConfig>,
    stream: Paced<TcpStream>,
    accepted: AcceptedConnection,
    server: &Server<R>,
) {
    let handshake = shake_hands(config, stream, &server.context, &server.shutdown).await;
    let Some(stream) = handshake else { return };
    accepted.http_connection().handshake_done();
    serve(stream, accepted, server).await;
}

async fn shake_hands(
    config: Arc<ServerConfig>,
    stream: Paced<TcpStream>,
    context: &HttpContext,
    shutdown: &CancellationToken,
) -> Option<TlsStream<Paced<TcpStream>>> {
    let handshake = timeout(context.limits.settings().header_timeout, TlsStream::accept(config, stream));
    match shutdown.run_until_cancelled(handshake).await? {
        Ok(Ok(stream)) => Some(stream),
        Ok(Err(error)) => {
            tracing::debug!(%error, "a TLS handshake failed");
            None
        }
        Err(_) => {
            tracing::debug!("a TLS handshake was not complete within header_timeout");
            None
        }
    }
}

/// Serves HTTP/1.1 on a connection until it ends or becomes a WebSocket.
async fn serve<S, R>(stream: S, accepted: AcceptedConnection, server: &Server<R>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    R: Routes,
{
    let Server { context, routes, shutdown } = server;
    let accepted = &accepted;
    let service =
        hyper::service::service_fn(move |request| http::handle_request(context, accepted, request, routes));
    let connection = {
        let settings = context.limits.settings();
        let timer = HeadTimer::new(
            accepted.http_connection().clone(),
            settings.header_timeout,
            settings.keep_alive_timeout,
        );
        http1::Builder::new()
            .timer(timer)
            .header_read_timeout(settings.header_timeout)
            .max_header_size(settings.max_header_bytes)
            .max_buf_size(settings.max_header_bytes)
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
        tracing::debug!(%error, "an HTTP connection ended with an error");
    }
}
