//! CORS: the headers that let a page of another origin read a response (Fetch standard, section 3.2).

use warp::{
    http::{HeaderMap, HeaderValue, StatusCode, header},
    reply::Response,
};

/// The time for which a browser may cache the response to a preflight: a day, which is more than any browser keeps it.
const MAX_AGE: HeaderValue = HeaderValue::from_static("86400");

/// The response to a preflight. The SDK's requests need none; headers that a page's monitoring adds to them may.
pub(super) fn preflight() -> Response {
    let mut response = Response::default();
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("POST"));
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("*"));
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, MAX_AGE);
    response
}

/// Adds the headers that let the requesting page read the response.
pub(super) fn allow(request: &HeaderMap, mut response: Response) -> Response {
    let headers = response.headers_mut();
    if let Some(origin) = request.get(header::ORIGIN) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
    }
    headers.append(header::VARY, HeaderValue::from_static("origin"));
    response
}
