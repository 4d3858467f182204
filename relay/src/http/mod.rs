//! The HTTP face of the relay: which paths there are and what each does.

mod answer;
mod backend;
mod body;
mod cross_origin;
mod disconnect;
mod door;
mod exchange;
mod openapi;
mod publish;
mod realtime;
mod stream;

pub(crate) use door::Visitor;
pub(crate) use exchange::exchange;
#[cfg(feature = "fuzzing")]
pub(crate) use publish::drafts;

use crate::{
    access::Refused,
    admin,
    audit::Audit,
    broker::Broker,
    connection::{ConnectionContext, Places},
    guests::{Guest, Guests},
    lifecycle::Lifecycle,
    limits::{Admission, Limits},
    metrics::Metrics,
    proxies::{Origin, Proxies},
    reloadable::Reloadable,
    revocations::Revocations,
    signing::SigningKeys,
    streaming::Streams,
    tls::Tls,
};
use answer::{HttpError, json};
use hyper::upgrade::OnUpgrade;
use sealwire_protocol::Code;
use std::{convert::Infallible, net::IpAddr, sync::Arc};
use tokio_util::task::TaskTracker;
use warp::{
    Filter,
    filters::{body as warp_body, ext, header, method},
    http::{HeaderMap, Method, StatusCode},
    reply::Response,
};

/// The connection that a request came over, put into every request by the listener.
#[derive(Clone)]
pub(crate) struct Peer {
    /// Where it came from.
    pub(crate) origin: Origin,
    /// Its place among all.
    pub(crate) admission: Arc<Admission>,
    /// The connection as a consumer of memory, which can be ended.
    pub(crate) guest: Arc<Guest>,
}

/// What the endpoints share.
pub(crate) struct HttpContext {
    pub(crate) keys: Arc<SigningKeys>,
    pub(crate) broker: Arc<dyn Broker>,
    pub(crate) connection: Arc<ConnectionContext>,
    pub(crate) streams: Arc<Streams>,
    pub(crate) tasks: TaskTracker,
    pub(crate) lifecycle: Arc<Lifecycle>,
    pub(crate) audit: Arc<Audit>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) revocations: Arc<Revocations>,
    pub(crate) proxies: Proxies,
    pub(crate) tls: Option<Arc<Reloadable<Tls>>>,
    pub(crate) limits: Arc<Limits>,
    pub(crate) guests: Arc<Guests>,
}

impl HttpContext {
    /// What a request's connection holds among the limits: the client's address is known from the request alone where
    /// a proxy is in between.
    fn places(&self, peer: &Peer, remote: IpAddr) -> Result<Places, Refused> {
        let address =
            self.proxies.is_proxy(peer.origin).then(|| self.limits.admit_address(remote)).transpose()?;
        Ok((peer.admission.clone(), address))
    }

    /// The same for a client that is to stay.
    fn enter(&self, peer: &Peer, remote: IpAddr) -> Result<Places, Refused> {
        if self.lifecycle.is_draining() {
            return Err(Refused::new(Code::ShuttingDown, "the relay is shutting down; try again later"));
        }
        self.limits.check_memory(0)?;
        self.places(peer, remote)
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
            stream::open(&context, &method, &headers, (&peer, remote))
        },
    );
    let send = warp::path!("v1" / "send").and(request.clone()).and(warp_body::stream()).then(
        |context: Arc<HttpContext>, method: Method, headers: HeaderMap, peer: Peer, body| async move {
            stream::send(&context, method, headers, &peer, Box::pin(body)).await
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
