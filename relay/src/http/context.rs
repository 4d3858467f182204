//! The state that all endpoints share, and the connection of a request.

use crate::{
    audit::Audit,
    auth::{revocations::Revocations, signing_keys::SigningKeys},
    broker::Broker,
    cluster::Cluster,
    config::AdminToken,
    connection::ConnectionContext,
    http_connections::{HttpConnection, HttpConnections},
    lifecycle::Lifecycle,
    limits::{Admission, Limits},
    metrics::Metrics,
    proxies::{PeerAddress, Proxies},
    sse::StreamRegistry,
    tls::Tls,
};
use arc_swap::{ArcSwap, ArcSwapOption};
use std::sync::Arc;
use tokio_util::task::TaskTracker;

/// The admitted connection that a request arrived on. The middleware adds it to the extensions of every request.
#[derive(Clone)]
pub(crate) struct Peer {
    pub(crate) address: PeerAddress,
    /// The connection's permit among all connections.
    pub(crate) admission: Arc<Admission>,
    /// The connection's memory account, which can also end the connection.
    pub(crate) http_connection: Arc<HttpConnection>,
}

/// The state that all endpoints share.
pub(crate) struct HttpContext {
    pub(crate) keys: Arc<SigningKeys>,
    pub(crate) broker: Arc<dyn Broker>,
    pub(crate) connection: Arc<ConnectionContext>,
    pub(crate) streams: Arc<StreamRegistry>,
    pub(crate) tasks: TaskTracker,
    pub(crate) lifecycle: Arc<Lifecycle>,
    pub(crate) audit: Arc<Audit>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) revocations: Arc<Revocations>,
    /// `None` if this relay is alone.
    pub(crate) cluster: Option<Arc<Cluster>>,
    pub(crate) proxies: Proxies,
    pub(crate) tls: Option<Arc<ArcSwap<Tls>>>,
    /// The token with which operators change things in the console; `None` permits no changes.
    pub(crate) admin_token: ArcSwapOption<AdminToken>,
    pub(crate) limits: Arc<Limits>,
    pub(crate) http_connections: Arc<HttpConnections>,
}
