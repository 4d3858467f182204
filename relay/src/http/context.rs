//! The state that the endpoints share, and the connection that a request comes over.

use crate::{
    audit::Audit,
    auth::{revocations::Revocations, signing_keys::SigningKeys},
    broker::Broker,
    connection::{ConnectionContext, ConnectionPermits},
    http_connections::{HttpConnection, HttpConnections},
    lifecycle::Lifecycle,
    limits::{Admission, Limits},
    metrics::Metrics,
    proxies::{Origin, Proxies},
    refused::Refused,
    sse::Streams,
    tls::Tls,
};
use arc_swap::ArcSwap;
use sealwire_protocol::Code;
use std::{net::IpAddr, sync::Arc};
use tokio_util::task::TaskTracker;

/// The connection that a request came over, put into every request by the listener.
#[derive(Clone)]
pub(crate) struct Peer {
    /// Where it came from.
    pub(crate) origin: Origin,
    /// Its place among all.
    pub(crate) admission: Arc<Admission>,
    /// The connection as a consumer of memory, which can be ended.
    pub(crate) http_connection: Arc<HttpConnection>,
}

/// What the endpoints share.
pub(crate) struct HttpContext {
    pub(crate) keys: Arc<SigningKeys>,
    pub(crate) broker: Arc<dyn Broker>,
    pub(crate) connection: Arc<ConnectionContext>,
    pub(crate) streams: Arc<Streams>,
    pub(crate) tasks: TaskTracker,
    pub(crate) lifecycle: Arc<Lifecycle>,
    pub(crate) audit: Arc<Audit>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) revocations: Arc<Revocations>,
    pub(crate) proxies: Proxies,
    pub(crate) tls: Option<Arc<ArcSwap<Tls>>>,
    pub(crate) limits: Arc<Limits>,
    pub(crate) http_connections: Arc<HttpConnections>,
}

impl HttpContext {
    /// What a request's connection holds among the limits: the client's address is known from the request alone where
    /// a proxy is in between.
    pub(super) fn permits(&self, peer: &Peer, remote: IpAddr) -> Result<ConnectionPermits, Refused> {
        let address =
            self.proxies.is_proxy(peer.origin).then(|| self.limits.admit_address(remote)).transpose()?;
        Ok((peer.admission.clone(), address))
    }

    /// The same for a client that is to stay.
    pub(super) fn enter(&self, peer: &Peer, remote: IpAddr) -> Result<ConnectionPermits, Refused> {
        if self.lifecycle.is_draining() {
            return Err(Refused::new(Code::ShuttingDown, "the relay is shutting down; try again later"));
        }
        self.limits.check_memory(0)?;
        self.permits(peer, remote)
    }
}
