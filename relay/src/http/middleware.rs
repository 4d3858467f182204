//! The middleware round every endpoint: assigns the request id, checks the origin, counts the request and writes the access
//! log.

use super::{AcceptedConnection, HttpContext, admission};
use crate::{
    audit::trace::{ACCESS, REQUEST_ID, RequestId},
    metrics::Route,
};
use hyper::{Request, body::Incoming, service::Service};
use std::time::Instant;
use warp::reply::Response;

/// Handles one request of a connection.
pub(crate) async fn handle_request<S>(
    context: &HttpContext,
    accepted: &AcceptedConnection,
    mut request: Request<Incoming>,
    routes: &S,
) -> Result<Response, S::Error>
where
    S: Service<Request<Incoming>, Response = Response>,
{
    let started = Instant::now();
    let id = RequestId::assign(request.headers_mut(), context.proxies.is_proxy(accepted.address()));
    let (route, method) = (Route::of(request.uri().path()), request.method().clone());
    let remote = context.proxies.client(accepted.address(), request.headers());
    let mut response = match accepted {
        AcceptedConnection::Admitted(_) if let Err(refused) = context.check_origin(&request, remote) => {
            admission::refuse_connection(refused, &request)
        }
        AcceptedConnection::Admitted(peer) => {
            request.extensions_mut().insert(peer.clone());
            routes.call(request).await?
        }
        AcceptedConnection::Refused { refused, .. } => {
            admission::refuse_connection(refused.clone(), &request)
        }
    };
    accepted.http_connection().answered();
    response.headers_mut().insert(REQUEST_ID, id.header());
    let status = response.status().as_u16();
    context.metrics.requests.add(route, status);
    let millis = started.elapsed().as_millis();
    tracing::debug!(target: ACCESS, %method, route = route.path(), status, millis, %remote, trace = %id, "answered");
    Ok(response)
}
