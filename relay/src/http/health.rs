//! `/healthz` and `/readyz`, on the listener for clients (for a load balancer) and on the one for operators.

use super::response::{method_not_allowed, status};
use crate::{auth::revocations::Revocations, broker::Broker, lifecycle::Lifecycle};
use std::sync::Arc;
use warp::{
    Filter,
    filters::method,
    http::{Method, StatusCode},
    reply::Response,
};

/// The two routes. `/healthz` responds with 200 while the process runs; `/readyz` responds with 503 while it drains, and
/// while a relay of a cluster cannot reach its broker or has not read the cluster's revocations.
pub(crate) fn health(
    lifecycle: Arc<Lifecycle>,
    broker: Arc<dyn Broker>,
    revocations: Arc<Revocations>,
) -> impl Filter<Extract = (Response,), Error = warp::Rejection> + Clone + Send + Sync + 'static {
    let live = warp::path!("healthz").and(method::method()).map(|method: Method| match method {
        Method::GET | Method::HEAD => status(StatusCode::OK, "ok"),
        _ => method_not_allowed("GET, HEAD"),
    });
    let ready = warp::path!("readyz").and(method::method()).map(move |method: Method| match method {
        Method::GET | Method::HEAD => match unreadiness(&lifecycle, &*broker, &revocations) {
            Some(reason) => status(StatusCode::SERVICE_UNAVAILABLE, reason),
            None => status(StatusCode::OK, "ready"),
        },
        _ => method_not_allowed("GET, HEAD"),
    });
    live.or(ready).unify()
}

/// Returns the reason for which a load balancer should send the relay no clients; `None` if it is ready.
pub(crate) fn unreadiness(
    lifecycle: &Lifecycle,
    broker: &dyn Broker,
    revocations: &Revocations,
) -> Option<&'static str> {
    if lifecycle.is_draining() {
        Some("draining")
    } else if !broker.is_ready() {
        Some("the broker cannot be reached")
    } else if !revocations.is_complete() {
        Some("broker unavailable")
    } else {
        None
    }
}
