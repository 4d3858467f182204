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
        Method::GET | Method::HEAD if lifecycle.is_draining() => {
            status(StatusCode::SERVICE_UNAVAILABLE, "draining")
        }
        Method::GET | Method::HEAD if !broker.is_ready() => {
            status(StatusCode::SERVICE_UNAVAILABLE, "the broker cannot be reached")
        }
        Method::GET | Method::HEAD if !revocations.is_complete() => {
            status(StatusCode::SERVICE_UNAVAILABLE, "broker unavailable")
        }
        Method::GET | Method::HEAD => status(StatusCode::OK, "ready"),
        _ => method_not_allowed("GET, HEAD"),
    });
    live.or(ready).unify()
}
