//! The HTTP face of the relay: which paths there are and what each does.

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
mod response;
mod sse;

pub(crate) use admission::AcceptedConnection;
pub(crate) use context::{HttpContext, Peer};
pub(crate) use health::health;
pub(crate) use middleware::exchange;
#[cfg(feature = "fuzzing")]
pub(crate) use publish::drafts;
pub(crate) use response::{method_not_allowed, not_found};

use hyper::upgrade::OnUpgrade;
use std::{convert::Infallible, sync::Arc};
use warp::{
    Filter,
    filters::{body as warp_body, ext, header, method},
    http::{HeaderMap, Method},
    reply::Response,
};

/// All endpoints; a request that fits none gets an answer as well.
pub(crate) fn routes(
    context: Arc<HttpContext>,
) -> impl Filter<Extract = (Response,), Error = Infallible> + Clone + Send + Sync + 'static {
    let health = health(context.lifecycle.clone());
    let shared = warp::any().map(move || context.clone());
    let request = shared.and(method::method()).and(header::headers_cloned()).and(ext::get::<Peer>());

    let realtime = warp::path!("v1" / "realtime").and(request.clone()).and(ext::optional::<OnUpgrade>()).map(
        |context: Arc<HttpContext>, method: Method, headers: HeaderMap, peer: Peer, upgrade| {
            let remote = context.proxies.client(peer.origin, &headers);
            realtime::realtime(&context, &method, &headers, (&peer, remote), upgrade)
        },
    );
    let publish = warp::path!("v1" / "publish").and(request.clone()).and(warp_body::stream()).then(
        |context: Arc<HttpContext>, method: Method, headers: HeaderMap, peer: Peer, body| async move {
            let remote = context.proxies.client(peer.origin, &headers);
            publish::publish(&context, method, headers, (&peer, remote), Box::pin(body)).await
        },
    );
    let stream = warp::path!("v1" / "stream").and(request.clone()).map(
        |context: Arc<HttpContext>, method: Method, headers: HeaderMap, peer: Peer| {
            let remote = context.proxies.client(peer.origin, &headers);
            sse::open(&context, &method, &headers, (&peer, remote))
        },
    );
    let send = warp::path!("v1" / "send").and(request.clone()).and(warp_body::stream()).then(
        |context: Arc<HttpContext>, method: Method, headers: HeaderMap, peer: Peer, body| async move {
            sse::send(&context, method, headers, &peer, Box::pin(body)).await
        },
    );
    let disconnect = warp::path!("v1" / "disconnect").and(request).and(warp_body::stream()).then(
        |context: Arc<HttpContext>, method: Method, headers: HeaderMap, peer: Peer, body| async move {
            let remote = context.proxies.client(peer.origin, &headers);
            disconnect::disconnect(&context, method, headers, (&peer, remote), Box::pin(body)).await
        },
    );
    let openapi = warp::path!("v1" / "openapi.json")
        .and(method::method())
        .map(|method: Method| openapi::openapi(&method));
    let nothing = warp::any()
        .map(|| not_found("there is nothing here; /v1/openapi.json describes every path that there is"));
    let messages = realtime.or(publish).unify().or(stream).unify().or(send).unify();
    messages.or(disconnect).unify().or(health).unify().or(openapi).unify().or(nothing).unify()
}
