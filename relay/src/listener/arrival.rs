//! A connection between `accept` and the first request: the decision whether it is admitted, which may need the header of
//! the PROXY protocol.

use crate::{
    http::{AcceptedConnection, HttpContext},
    http_connections::HttpConnection,
    proxies::{PeerAddress, header},
};
use std::sync::Arc;
use tokio::{io::AsyncRead, time::timeout};
use tokio_util::sync::CancellationToken;

/// A connection that was just accepted.
pub(super) enum Arrival {
    /// The decision is made, because the client's address is known.
    Decided(AcceptedConnection),
    /// The client's address is in the PROXY header, which the relay reads first.
    AwaitingProxyHeader(PeerAddress, Arc<HttpConnection>),
}

impl Arrival {
    /// Decides on a connection as far as its address allows. `None` means that the relay drops the connection, because it
    /// has neither memory for it nor a permit to answer with an error.
    pub(super) fn new(address: PeerAddress, uses_tls: bool, context: &HttpContext) -> Option<Self> {
        let http_connections = &context.http_connections;
        if context.proxies.sends_header(address) {
            return http_connections
                .admits_one_more(uses_tls)
                .then(|| Self::AwaitingProxyHeader(address, http_connections.register(uses_tls)));
        }
        context.admit(address, http_connections.register(uses_tls)).map(Self::Decided)
    }

    pub(super) fn http_connection(&self) -> &Arc<HttpConnection> {
        match self {
            Self::Decided(accepted) => accepted.http_connection(),
            Self::AwaitingProxyHeader(_, http_connection) => http_connection,
        }
    }

    /// Reads the PROXY header if one is expected, and completes the decision. `None` means that the connection ends.
    pub(super) async fn admit<S: AsyncRead + Unpin>(
        self,
        mut stream: S,
        context: &HttpContext,
        shutdown: &CancellationToken,
    ) -> Option<(S, AcceptedConnection)> {
        let (proxy, http_connection) = match self {
            Self::Decided(accepted) => return Some((stream, accepted)),
            Self::AwaitingProxyHeader(proxy, http_connection) => (proxy, http_connection),
        };
        let deadline = context.limits.settings().header_timeout;
        // Boxed, because few connections begin with a PROXY header and all others would reserve memory for it.
        let header = Box::pin(timeout(deadline, header::read(&mut stream)));
        let problem = match shutdown.run_until_cancelled(header).await? {
            Ok(Ok(client)) => {
                let address = client.map_or(proxy, PeerAddress::tcp);
                return Some((stream, context.admit(address, http_connection)?));
            }
            Ok(Err(error)) => error.to_string(),
            Err(_) => "the header did not arrive within header_timeout".to_owned(),
        };
        tracing::debug!(proxy = %proxy.ip, problem, "closing a connection without a valid PROXY header");
        None
    }
}
