//! `GET /v1/openapi.json`: the OpenAPI description of the HTTP API.

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
    // The description changes only with the relay's version.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
    response
}
