//! The HTTP API: the routes, and the middleware that runs round every request.

mod admission;
mod backend;
mod body;
mod context;
mod cross_origin;
mod disconnect;
mod health;
mod middleware;
mod openapi;
mod publish;
mod realtime;
mod request;
mod request_trace;
mod response;
mod sse;

pub(crate) use admission::AcceptedConnection;
pub(crate) use context::{HttpContext, Peer};
pub(crate) use disconnect::{after_all_issued, end_sessions};
pub(crate) use health::{health, unreadiness};
pub(crate) use middleware::handle_request;
#[cfg(feature = "fuzzing")]
pub(crate) use publish::drafts;
pub(crate) use response::{HttpError, json, method_not_allowed, not_found};

use hyper::upgrade::OnUpgrade;
use request::ClientRequest;
use std::{convert::Infallible, sync::Arc};
use warp::{
    Filter,
    filters::{body as warp_body, ext, method},
    http::Method,
    reply::Response,
};

/// All endpoints. A request that matches none of them is answered with 404.
pub(crate) fn routes(
    context: Arc<HttpContext>,
) -> impl Filter<Extract = (Response,), Error = Infallible> + Clone + Send + Sync + 'static {
    let health = health(context.lifecycle.clone(), context.broker.clone(), context.revocations.clone());
    let request = ClientRequest::extract(context);
    let realtime = warp::path!("v1" / "realtime")
        .and(request.clone())
        .and(ext::optional::<OnUpgrade>())
        .map(|request: ClientRequest, upgrade| realtime::realtime(&request, upgrade));
    // The endpoints that wait are boxed: otherwise each connection, also a stream, holds the largest of their futures.
    let publish = warp::path!("v1" / "publish")
        .and(request.clone())
        .and(warp_body::stream())
        .then(|request, body| Box::pin(publish::publish(request, Box::pin(body))));
    let stream =
        warp::path!("v1" / "stream").and(request.clone()).map(|request: ClientRequest| sse::open(&request));
    let send = warp::path!("v1" / "send")
        .and(request.clone())
        .and(warp_body::stream())
        .then(|request, body| Box::pin(sse::send(request, Box::pin(body))));
    let disconnect = warp::path!("v1" / "disconnect")
        .and(request)
        .and(warp_body::stream())
        .then(|request, body| Box::pin(disconnect::disconnect(request, Box::pin(body))));
    let openapi = warp::path!("v1" / "openapi.json")
        .and(method::method())
        .map(|method: Method| openapi::openapi(&method));
    let unknown =
        warp::any().map(|| not_found("no endpoint has this path; /v1/openapi.json describes all of them"));
    let messages = realtime.or(publish).unify().or(stream).unify().or(send).unify();
    messages.or(disconnect).unify().or(health).unify().or(openapi).unify().or(unknown).unify()
}
