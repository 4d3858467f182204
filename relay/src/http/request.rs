//! The extractor of the endpoints under `/v1`: the parts of a request that they all use, besides its body.

use super::{HttpContext, Peer};
use crate::{
    audit::trace::Source,
    connection::ConnectionPermits,
    refused::Refused,
    session::{Identity, Refusal},
};
use sealwire_protocol::Code;
use std::{net::IpAddr, sync::Arc};
use warp::{
    Filter,
    filters::{ext, header, method},
    http::{HeaderMap, Method},
};

/// A request under `/v1` without its body.
pub(super) struct ClientRequest {
    pub(super) context: Arc<HttpContext>,
    pub(super) method: Method,
    pub(super) headers: HeaderMap,
    pub(super) peer: Peer,
    /// The address of the client, which a trusted proxy states if there is one.
    pub(super) remote: IpAddr,
}

impl ClientRequest {
    /// Returns the filter that extracts it.
    pub(super) fn extract(
        context: Arc<HttpContext>,
    ) -> impl Filter<Extract = (Self,), Error = warp::Rejection> + Clone + Send + Sync + 'static {
        warp::any()
            .map(move || context.clone())
            .and(method::method())
            .and(header::headers_cloned())
            .and(ext::get::<Peer>())
            .map(|context: Arc<HttpContext>, method, headers, peer: Peer| {
                let remote = context.proxies.client(peer.address, &headers);
                Self { context, method, headers, peer, remote }
            })
    }

    pub(super) fn source(&self) -> Source {
        Source::request(self.remote, &self.headers)
    }

    /// Writes a refusal of this request to the audit log.
    pub(super) fn audit_refusal(&self, attempt: &'static str, code: Code, identity: Option<Identity>) {
        self.context.audit.refused(&Refusal { attempt, code, identity }, &self.source());
    }

    /// Acquires the permits of the request's connection. Behind a proxy, the permit of the client's address is acquired
    /// here, because the connection itself shows only the proxy's address.
    pub(super) fn acquire_permits(&self) -> Result<ConnectionPermits, Refused> {
        let context = &self.context;
        let is_proxied = context.proxies.is_proxy(self.peer.address);
        let address = is_proxied.then(|| context.limits.admit_address(self.remote)).transpose()?;
        Ok((self.peer.admission.clone(), address))
    }

    /// Acquires the permits for a connection that outlives the request: a WebSocket or a stream.
    pub(super) fn acquire_session_permits(&self) -> Result<ConnectionPermits, Refused> {
        if self.context.lifecycle.is_draining() {
            return Err(Refused::new(Code::ShuttingDown, "the relay is shutting down; try again later"));
        }
        self.context.limits.check_memory(0)?;
        self.acquire_permits()
    }
}
