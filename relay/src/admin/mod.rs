//! The listener for operators, with metrics and health. It is separate from the listener for clients, so that clients cannot
//! reach the metrics.

mod broker;
mod exposition;
mod format;
mod page;
mod process;

pub(crate) use exposition::Exposition;

use crate::{http, listener::ACCEPT_PAUSE};
use format::ExpositionFormat;
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use std::{collections::VecDeque, convert::Infallible, sync::Arc, time::Duration};
use tokio::{
    net::TcpListener,
    task::JoinHandle,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;
use warp::{
    Filter,
    filters::method,
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    reply::Response,
};

/// The maximum duration of a connection. A scrape takes milliseconds.
const CONNECTION_TIMEOUT: Duration = Duration::from_secs(10);
/// The maximum time until the header of a request is complete.
const HEADER_TIMEOUT: Duration = Duration::from_secs(5);
/// The maximum number of connections. A further connection ends the oldest one, so that silent connections do not lock an
/// operator out.
const MAX_CONNECTIONS: usize = 32;

/// Serves operators until the relay has ended.
pub(crate) async fn serve(listener: TcpListener, exposition: Arc<Exposition>, ended: CancellationToken) {
    let routes = TowerToHyperService::new(warp::service(routes(exposition)));
    let mut connections: VecDeque<JoinHandle<()>> = VecDeque::with_capacity(MAX_CONNECTIONS);
    while let Some(accepted) = ended.run_until_cancelled(listener.accept()).await {
        let Ok((socket, _)) = accepted else {
            sleep(ACCEPT_PAUSE).await;
            continue;
        };
        connections.retain(|connection| !connection.is_finished());
        if connections.len() == MAX_CONNECTIONS
            && let Some(oldest) = connections.pop_front()
        {
            oldest.abort();
        }
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADER_TIMEOUT)
            .serve_connection(TokioIo::new(socket), routes.clone());
        connections
            .push_back(tokio::spawn(async move { drop(timeout(CONNECTION_TIMEOUT, connection).await) }));
    }
    connections.iter().for_each(JoinHandle::abort);
}

fn routes(
    exposition: Arc<Exposition>,
) -> impl Filter<Extract = (Response,), Error = Infallible> + Clone + Send + Sync + 'static {
    let (lifecycle, broker) = (exposition.lifecycle.clone(), exposition.broker.clone());
    let health = http::health(lifecycle, broker, exposition.revocations.clone());
    let metrics = warp::path!("metrics")
        .and(method::method())
        .and(warp::header::headers_cloned())
        .map(move |method, headers| metrics(&exposition, &method, &headers));
    let unknown =
        warp::any().map(|| http::not_found("this listener has only /metrics, /healthz and /readyz"));
    metrics.or(health).unify().or(unknown).unify()
}

fn metrics(exposition: &Arc<Exposition>, method: &Method, headers: &HeaderMap) -> Response {
    if !matches!(*method, Method::GET | Method::HEAD) {
        return http::method_not_allowed("GET, HEAD");
    }
    let format = ExpositionFormat::negotiate(headers);
    let Ok(text) = exposition.render(format) else {
        let mut response = Response::new("the relay could not encode its metrics\n".into());
        *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        return response;
    };
    let mut response = Response::new(text.into());
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(format.content_type()));
    headers.insert(header::VARY, HeaderValue::from_name(header::ACCEPT));
    response
}
