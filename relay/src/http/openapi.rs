//! `GET /v1/openapi.json`: what the relay answers over HTTP, for people and for generators of clients.

use super::response::HttpError;
use sealwire_protocol::OPENAPI;
use warp::{
    http::{HeaderValue, Method, header},
    reply::Response,
};

pub(super) fn openapi(method: &Method) -> Response {
    if !matches!(*method, Method::GET | Method::HEAD) {
        return HttpError::method_not_allowed("GET, HEAD").into();
    }
    let mut response = Response::new(OPENAPI.into());
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    // It changes with the relay's version only.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
    response
}
