//! Who may come in: every connection takes a place before anything is read from it.

use super::{HttpContext, Peer, answer::HttpError};
use crate::{access::Refused, limits::RefusalPlace, session::Refusal, trace::Source};
use std::{net::IpAddr, sync::Arc};
use warp::{
    http::{HeaderMap, HeaderValue, header},
    reply::Response,
};

/// A connection that was accepted.
pub(crate) enum Visitor {
    /// It has a place.
    Admitted(Peer),
    /// It has none, and is told why.
    Refused {
        /// Where it came from.
        address: IpAddr,
        /// Why.
        refused: Refused,
        /// Its place among those that are told.
        _place: RefusalPlace,
    },
}

impl Visitor {
    /// Where the connection came from.
    pub(super) fn address(&self) -> IpAddr {
        match self {
            Self::Admitted(Peer { address, .. }) | Self::Refused { address, .. } => *address,
        }
    }
}

impl HttpContext {
    /// Takes a place for a connection from this address; `None` where it has none and too many are being told so.
    pub(crate) fn admit(&self, address: IpAddr) -> Option<Visitor> {
        let limits = &self.limits;
        // Behind a proxy, only the requests say where their clients are.
        match limits.admit_connection((!self.behind_proxy).then_some(address)) {
            Ok(admission) => Some(Visitor::Admitted(Peer { address, admission: Arc::new(admission) })),
            Err(refused) => {
                let refusal = Refusal { attempt: "connect", code: refused.code, identity: None };
                self.audit.refused(&refusal, &Source::request(address, &HeaderMap::new()));
                Some(Visitor::Refused { address, refused, _place: limits.admit_refusal()? })
            }
        }
    }
}

/// What every request of a connection without a place is answered with; the connection ends with it.
pub(super) fn refusal(refused: Refused) -> Response {
    let mut response = Response::from(HttpError::from(refused));
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}
