//! The listener for operators: metrics, and whether the relay lives and is ready. Apart from the one for clients, so that
//! nothing of it can be reached where clients are.

mod exposition;
mod format;
mod process;

pub(crate) use exposition::Exposition;

use crate::http;
use format::Format;
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

/// The longest time of a connection: a scrape takes milliseconds.
const CONNECTION_TIMEOUT: Duration = Duration::from_secs(10);
/// The longest time of a connection without a request.
const HEAD_TIMEOUT: Duration = Duration::from_secs(5);
/// Most connections at a time; one more ends the oldest of them, so that no silent ones keep an operator out.
const MAX_CONNECTIONS: usize = 32;
/// Pause after the system refused a new connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Answers operators until the relay has ended.
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
            .header_read_timeout(HEAD_TIMEOUT)
            .serve_connection(TokioIo::new(socket), routes.clone());
        connections
            .push_back(tokio::spawn(async move { drop(timeout(CONNECTION_TIMEOUT, connection).await) }));
    }
    connections.iter().for_each(JoinHandle::abort);
}

fn routes(
    exposition: Arc<Exposition>,
) -> impl Filter<Extract = (Response,), Error = Infallible> + Clone + Send + Sync + 'static {
    let lifecycle = exposition.lifecycle.clone();
    let metrics = warp::path!("metrics")
        .and(method::method())
        .and(warp::header::headers_cloned())
        .map(move |method, headers| metrics(&exposition, &method, &headers));
    let nothing = warp::any()
        .map(|| http::not_found("operators find /metrics, /healthz and /readyz here, and nothing else"));
    metrics.or(http::health(lifecycle)).unify().or(nothing).unify()
}

fn metrics(exposition: &Arc<Exposition>, method: &Method, headers: &HeaderMap) -> Response {
    if !matches!(*method, Method::GET | Method::HEAD) {
        return http::method_not_allowed("GET, HEAD");
    }
    let format = Format::asked_for(headers);
    let Ok(text) = exposition.render(format) else {
        let mut response = Response::new("the metrics could not be written\n".into());
        *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        return response;
    };
    let mut response = Response::new(text.into());
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(format.content_type()));
    headers.insert(header::VARY, HeaderValue::from_name(header::ACCEPT));
    response
}
