//! What a browser asks before a page may read the answer of another origin (Fetch standard, section 3.2).

use warp::{
    http::{HeaderMap, HeaderValue, StatusCode, header},
    reply::Response,
};

/// How long a browser may remember the answer to a preflight: a day, which is more than any keeps it.
const MAX_AGE: HeaderValue = HeaderValue::from_static("86400");

/// The answer to a preflight. The SDK needs none; what a page's monitoring adds to its requests may.
pub(super) fn preflight() -> Response {
    let mut response = Response::default();
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("POST"));
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("*"));
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, MAX_AGE);
    response
}

/// Lets the page that asked read the answer.
pub(super) fn allow(request: &HeaderMap, mut response: Response) -> Response {
    let headers = response.headers_mut();
    if let Some(origin) = request.get(header::ORIGIN) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
    }
    headers.append(header::VARY, HeaderValue::from_static("origin"));
    response
}
