//! The HTTP face of the relay: which paths there are and what each does.

mod answer;
mod body;
mod exchange;
mod openapi;
mod publish;
mod realtime;

pub(crate) use exchange::exchange;
#[cfg(feature = "fuzzing")]
pub(crate) use publish::drafts;

use crate::{
    admin, audit::Audit, broker::Broker, connection::ConnectionContext, lifecycle::Lifecycle,
    metrics::Metrics, signing::SigningKeys,
};
use answer::{HttpError, json};
use hyper::upgrade::OnUpgrade;
use std::{
    convert::Infallible,
    net::IpAddr,
    sync::{Arc, atomic::AtomicUsize},
};
use tokio_util::task::TaskTracker;
use warp::{
    Filter,
    filters::{body as warp_body, ext, header, method},
    http::{HeaderMap, Method, StatusCode},
    reply::Response,
};

/// The address that a connection came from, put into every request by the listener.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) IpAddr);

/// What the endpoints share.
pub(crate) struct HttpContext {
    pub(crate) keys: Arc<SigningKeys>,
    pub(crate) broker: Arc<dyn Broker>,
    pub(crate) connection: Arc<ConnectionContext>,
    pub(crate) tasks: TaskTracker,
    pub(crate) lifecycle: Arc<Lifecycle>,
    pub(crate) audit: Arc<Audit>,
    pub(crate) metrics: Arc<Metrics>,
    /// Whether `X-Forwarded-For` is the work of a proxy of ours.
    pub(crate) behind_proxy: bool,
    pub(crate) max_connections: AtomicUsize,
    pub(crate) connections: Arc<AtomicUsize>,
}

impl HttpContext {
    /// The client's address. Of `X-Forwarded-For` only the last entry is the proxy's own word.
    fn remote(&self, peer: Peer, headers: &HeaderMap) -> IpAddr {
        let forwarded = headers.get_all("x-forwarded-for").iter().next_back();
        let last = forwarded.and_then(|value| value.to_str().ok()?.rsplit(',').next()?.trim().parse().ok());
        last.filter(|_| self.behind_proxy).unwrap_or(peer.0)
    }
}

/// All endpoints; a request that fits none gets an answer as well.
pub(crate) fn routes(
    context: Arc<HttpContext>,
) -> impl Filter<Extract = (Response,), Error = Infallible> + Clone + Send + Sync + 'static {
    let health = admin::health(context.lifecycle.clone());
    let shared = warp::any().map(move || context.clone());
    let request = shared.and(method::method()).and(header::headers_cloned()).and(ext::get::<Peer>());

    let realtime = warp::path!("v1" / "realtime").and(request.clone()).and(ext::optional::<OnUpgrade>()).map(
        |context: Arc<HttpContext>, method: Method, headers: HeaderMap, peer, upgrade| {
            let remote = context.remote(peer, &headers);
            realtime::realtime(&context, &method, &headers, remote, upgrade)
        },
    );
    let publish = warp::path!("v1" / "publish").and(request).and(warp_body::stream()).then(
        |context: Arc<HttpContext>, method: Method, headers: HeaderMap, peer, body| async move {
            let remote = context.remote(peer, &headers);
            publish::publish(&context, method, headers, remote, Box::pin(body)).await
        },
    );
    let openapi = warp::path!("v1" / "openapi.json")
        .and(method::method())
        .map(|method: Method| openapi::openapi(&method));
    let nothing = warp::any()
        .map(|| not_found("there is nothing here; /v1/openapi.json describes every path that there is"));
    realtime.or(publish).unify().or(health).unify().or(openapi).unify().or(nothing).unify()
}

/// An answer of one word.
pub(crate) fn status(status: StatusCode, word: &str) -> Response {
    json(status, &serde_json::json!({ "status": word }))
}

/// Says which paths there are.
pub(crate) fn not_found(message: &str) -> Response {
    HttpError::new(StatusCode::NOT_FOUND, message).into()
}

/// Says which methods there are.
pub(crate) fn method_not_allowed(allowed: &'static str) -> Response {
    HttpError::method_not_allowed(allowed).into()
}
