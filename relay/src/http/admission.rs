//! Connection admission: a connection must acquire a permit before the relay reads from it. Also the check of a page's
//! origin, and the responses to connections that are not admitted.

use super::{HttpContext, Peer, cross_origin, response::HttpError};
use crate::{
    audit::trace::Source,
    http_connections::HttpConnection,
    limits::{Limit, RefusalPermit},
    proxies::PeerAddress,
    refused::Refused,
    session::Refusal,
    settings::AllowedOrigins,
};
use sealwire_protocol::Code;
use std::{net::IpAddr, sync::Arc};
use warp::{
    http::{HeaderMap, HeaderValue, Request, header},
    reply::Response,
};

/// A connection after the decision on its admission.
pub(crate) enum AcceptedConnection {
    /// The connection has a permit.
    Admitted(Peer),
    /// The connection has no permit. Its first request is answered with the reason.
    Refused {
        address: PeerAddress,
        http_connection: Arc<HttpConnection>,
        refused: Refused,
        /// The permit that bounds how many refused connections may still receive an error.
        _permit: RefusalPermit,
    },
}

impl AcceptedConnection {
    /// The connection's memory account, which can also end the connection.
    pub(crate) fn http_connection(&self) -> &Arc<HttpConnection> {
        match self {
            Self::Admitted(Peer { http_connection, .. }) | Self::Refused { http_connection, .. } => {
                http_connection
            }
        }
    }

    pub(super) fn address(&self) -> PeerAddress {
        match self {
            Self::Admitted(Peer { address, .. }) | Self::Refused { address, .. } => *address,
        }
    }
}

impl HttpContext {
    /// Acquires the permit of a connection. `None` if there is no permit, and too many refused connections wait for their
    /// error already.
    pub(crate) fn admit(
        &self,
        address: PeerAddress,
        http_connection: Arc<HttpConnection>,
    ) -> Option<AcceptedConnection> {
        let limits = &self.limits;
        // Behind a proxy, only the requests state the addresses of their clients.
        let client = (!self.proxies.is_proxy(address)).then_some(address.ip);
        let admitted = match http_connection.has_memory() {
            true => limits.admit_connection(client),
            false => Err(limits.refuse(Limit::Memory)),
        };
        match admitted {
            Ok(admission) => Some(AcceptedConnection::Admitted(Peer {
                address,
                admission: Arc::new(admission),
                http_connection,
            })),
            Err(refused) => {
                let refusal = Refusal { attempt: "connect", code: refused.code, identity: None };
                self.audit.refused(&refusal, &Source::request(address.ip, &HeaderMap::new()));
                Some(AcceptedConnection::Refused {
                    address,
                    http_connection,
                    refused,
                    _permit: limits.admit_refusal()?,
                })
            }
        }
    }

    /// Refuses the request of a page whose origin is not in `allowed_origins`. Requests without an origin pass.
    pub(super) fn check_origin<B>(&self, request: &Request<B>, remote: IpAddr) -> Result<(), Refused> {
        let settings = self.limits.settings();
        let admits = |origin: &HeaderValue| {
            origin.to_str().is_ok_and(|origin| settings.allowed_origins.admits(origin, remote))
        };
        let headers = request.headers();
        if !is_for_clients(request.uri().path()) || headers.get_all(header::ORIGIN).iter().all(admits) {
            return Ok(());
        }
        let origin = headers.get(header::ORIGIN).and_then(|origin| origin.to_str().ok());
        let message = AllowedOrigins::refusal(origin.unwrap_or_default());
        let refused = Refused::new(Code::OriginRefused, message);
        let refusal = Refusal { attempt: "connect", code: refused.code, identity: None };
        self.audit.refused(&refusal, &Source::request(remote, headers));
        Err(refused)
    }
}

/// True for the endpoints that act on behalf of a client. The others respond to everybody alike.
fn is_for_clients(path: &str) -> bool {
    path.starts_with("/v1/") && path != "/v1/openapi.json"
}

/// The response to a request on a connection without a permit, or of a page from a refused origin. It closes the
/// connection. A browser hides from the page why a WebSocket was refused, so the page may read the reason from a stream
/// request.
pub(super) fn refuse_connection<B>(refused: Refused, request: &Request<B>) -> Response {
    let mut response = Response::from(HttpError::from(refused));
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    match request.uri().path() {
        "/v1/stream" | "/v1/send" => cross_origin::allow(request.headers(), response),
        _ => response,
    }
}

/// The response to a client that may not open a WebSocket or a stream. If the relay is full or shutting down, the response
/// also closes the connection, which releases its permit.
pub(super) fn refuse_session(error: HttpError) -> Response {
    let closes = matches!(error.code(), Code::Overloaded | Code::ShuttingDown);
    let mut response = Response::from(error);
    if closes {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}
