//! What happens to every request, whatever its endpoint: it gets an id, is counted, and is written to the access log.

use super::{AcceptedConnection, HttpContext, admission};
use crate::{
    audit::trace::{ACCESS, REQUEST_ID, RequestId},
    metrics::Route,
};
use hyper::{Request, body::Incoming, service::Service};
use std::time::Instant;
use warp::reply::Response;

/// Has a request answered.
pub(crate) async fn exchange<S>(
    context: &HttpContext,
    accepted: &AcceptedConnection,
    mut request: Request<Incoming>,
    routes: &S,
) -> Result<Response, S::Error>
where
    S: Service<Request<Incoming>, Response = Response>,
{
    let started = Instant::now();
    let id = RequestId::assign(request.headers_mut(), context.proxies.is_proxy(accepted.origin()));
    let (route, method) = (Route::of(request.uri().path()), request.method().clone());
    let remote = context.proxies.client(accepted.origin(), request.headers());
    let mut response = match accepted {
        AcceptedConnection::Admitted(_) if let Err(refused) = context.check_origin(&request, remote) => {
            admission::refusal(refused, &request)
        }
        AcceptedConnection::Admitted(peer) => {
            request.extensions_mut().insert(peer.clone());
            routes.call(request).await?
        }
        AcceptedConnection::Refused { refused, .. } => admission::refusal(refused.clone(), &request),
    };
    accepted.http_connection().answered();
    response.headers_mut().insert(REQUEST_ID, id.header());
    let status = response.status().as_u16();
    context.metrics.requests.add(route, status);
    let millis = started.elapsed().as_millis();
    tracing::debug!(target: ACCESS, %method, route = route.path(), status, millis, %remote, trace = %id, "answered");
    Ok(response)
}
