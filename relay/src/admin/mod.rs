//! The listener for operators, with metrics, health and the console. It is separate from the listener for clients, so that
//! clients cannot reach the metrics.

mod broker;
mod console;
mod exposition;
mod format;
mod listener;
mod page;
mod presence;
mod process;

pub(crate) use console::Console;
pub(crate) use exposition::Exposition;
pub(crate) use listener::serve;

use crate::http;
use format::ExpositionFormat;
use std::{convert::Infallible, sync::Arc};
use warp::{
    Filter,
    filters::method,
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    reply::Response,
};

/// The parts of the relay that operators see.
pub(crate) struct OperatorState {
    pub(crate) exposition: Arc<Exposition>,
    pub(crate) console: Arc<Console>,
}

fn routes(
    state: &OperatorState,
) -> impl Filter<Extract = (Response,), Error = Infallible> + Clone + Send + Sync + 'static {
    let OperatorState { exposition, console } = state;
    let (exposition, console) = (exposition.clone(), console::routes(console.clone()));
    let (lifecycle, broker) = (exposition.lifecycle.clone(), exposition.broker.clone());
    let health = http::health(lifecycle, broker, exposition.revocations.clone());
    let metrics = warp::path!("metrics")
        .and(method::method())
        .and(warp::header::headers_cloned())
        .map(move |method, headers| metrics(&exposition, &method, &headers));
    let unknown = warp::any()
        .map(|| http::not_found("this listener has only /console, /metrics, /healthz and /readyz"));
    metrics.or(health).unify().or(console).unify().or(unknown).unify()
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
