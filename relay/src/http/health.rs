//! The routes that tell if the relay lives and if it is ready, for operators and for a load balancer in front of clients.

use super::response::{method_not_allowed, status};
use crate::lifecycle::Lifecycle;
use std::sync::Arc;
use warp::{
    Filter,
    filters::method,
    http::{Method, StatusCode},
    reply::Response,
};

/// `/healthz` and `/readyz`, the same for operators and for a load balancer among the clients.
pub(crate) fn health(
    lifecycle: Arc<Lifecycle>,
) -> impl Filter<Extract = (Response,), Error = warp::Rejection> + Clone + Send + Sync + 'static {
    let live = warp::path!("healthz").and(method::method()).map(|method: Method| match method {
        Method::GET | Method::HEAD => status(StatusCode::OK, "ok"),
        _ => method_not_allowed("GET, HEAD"),
    });
    let ready = warp::path!("readyz").and(method::method()).map(move |method: Method| match method {
        Method::GET | Method::HEAD if lifecycle.is_draining() => {
            status(StatusCode::SERVICE_UNAVAILABLE, "draining")
        }
        Method::GET | Method::HEAD => status(StatusCode::OK, "ready"),
        _ => method_not_allowed("GET, HEAD"),
    });
    live.or(ready).unify()
}
