//! Who may come in: every connection takes a place before anything is read from it.

use super::{HttpContext, Peer, cross_origin, response::HttpError};
use crate::{
    audit::trace::Source,
    http_connections::HttpConnection,
    limits::{Limit, RefusalPermit},
    proxies::Origin,
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

/// A connection that was accepted.
pub(crate) enum AcceptedConnection {
    /// It has a place.
    Admitted(Peer),
    /// It has none, and is told why.
    Refused {
        /// Where it came from.
        origin: Origin,
        /// The connection as a consumer of memory, which can be ended.
        http_connection: Arc<HttpConnection>,
        /// Why.
        refused: Refused,
        /// Its place among those that are told.
        _place: RefusalPermit,
    },
}

impl AcceptedConnection {
    /// The connection as a consumer of memory, which can be ended.
    pub(crate) fn http_connection(&self) -> &Arc<HttpConnection> {
        match self {
            Self::Admitted(Peer { http_connection, .. }) | Self::Refused { http_connection, .. } => {
                http_connection
            }
        }
    }

    /// Where the connection came from.
    pub(super) fn origin(&self) -> Origin {
        match self {
            Self::Admitted(Peer { origin, .. }) | Self::Refused { origin, .. } => *origin,
        }
    }
}

impl HttpContext {
    /// Takes a place for a connection from this address; `None` where it has none and too many are being told so.
    pub(crate) fn admit(
        &self,
        origin: Origin,
        http_connection: Arc<HttpConnection>,
    ) -> Option<AcceptedConnection> {
        let limits = &self.limits;
        // Behind a proxy, only the requests say where their clients are.
        let address = (!self.proxies.is_proxy(origin)).then_some(origin.address);
        let admitted = match http_connection.has_memory() {
            true => limits.admit_connection(address),
            false => Err(limits.refuse(Limit::Memory)),
        };
        match admitted {
            Ok(admission) => Some(AcceptedConnection::Admitted(Peer {
                origin,
                admission: Arc::new(admission),
                http_connection,
            })),
            Err(refused) => {
                let refusal = Refusal { attempt: "connect", code: refused.code, identity: None };
                self.audit.refused(&refusal, &Source::request(origin.address, &HeaderMap::new()));
                Some(AcceptedConnection::Refused {
                    origin,
                    http_connection,
                    refused,
                    _place: limits.admit_refusal()?,
                })
            }
        }
    }
}

impl HttpContext {
    /// Whether the page that a request comes from may use the relay, where it comes from a page.
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

/// The rest tells nothing that is not the same for everybody.
fn is_for_clients(path: &str) -> bool {
    path.starts_with("/v1/") && path != "/v1/openapi.json"
}

/// The answer to a request of a connection without a place or of a page that may not use the relay; the connection ends with
/// it. A browser shows a page nothing of a WebSocket that was refused, so a page that asks for a stream may read the reason.
pub(super) fn refusal<B>(refused: Refused, request: &Request<B>) -> Response {
    let mut response = Response::from(HttpError::from(refused));
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    match request.uri().path() {
        "/v1/stream" | "/v1/send" => cross_origin::allow(request.headers(), response),
        _ => response,
    }
}

/// The answer to a client that is not let in. If the relay is full or ends, the connection ends as well, and gives up its
/// place.
pub(super) fn turn_away(error: HttpError) -> Response {
    let keeps_a_place = !matches!(error.code(), Code::Overloaded | Code::ShuttingDown);
    let mut response = Response::from(error);
    if !keeps_a_place {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}
