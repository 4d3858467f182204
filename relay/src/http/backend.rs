//! What the endpoints for apps' resolvers have in common: a backend token, and a body in JSON.

use super::{HttpContext, answer::HttpError, body};
use crate::{access::Refused, clock::Now, session::Identity};
use headers::{Authorization, HeaderMapExt as _, authorization::Bearer};
use sealwire_protocol::{Code, limits, tokens::BackendClaims};
use warp::http::{HeaderMap, Method, StatusCode, header};

/// Everything that can be refused before the body is read.
pub(super) fn check_request(
    context: &HttpContext,
    method: &Method,
    headers: &HeaderMap,
) -> Result<BackendClaims, HttpError> {
    if method != Method::POST {
        return Err(HttpError::method_not_allowed("POST"));
    }
    let token = headers.typed_get::<Authorization<Bearer>>().ok_or_else(|| {
        let message = "the header 'Authorization: Bearer <backend token>' is missing";
        HttpError::from(Refused::new(Code::TokenMalformed, message))
            .with_header(header::WWW_AUTHENTICATE, "Bearer")
    })?;
    let verified = context.keys.verify::<BackendClaims>(token.token(), Now::read().wall.seconds());
    let claims = verified.map(|signed| signed.claims).map_err(|error| {
        HttpError::from(Refused::from(error)).with_header(header::WWW_AUTHENTICATE, "Bearer")
    })?;
    let is_json = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"));
    if !is_json {
        let message = "the body must be JSON; set 'Content-Type: application/json'";
        return Err(HttpError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, message));
    }
    let announced = headers.typed_get::<headers::ContentLength>().map_or(0, |length| length.0);
    if announced > limits::MAX_BODY as u64 { Err(body::too_large(limits::MAX_BODY)) } else { Ok(claims) }
}

/// What is wrong and where; serde_json quotes short strings of the input, and keys of ours are no secret.
pub(super) fn place(error: &serde_json::Error) -> String {
    match error.classify() {
        serde_json::error::Category::Data => error.to_string(),
        _ => format!("not JSON at line {} column {}", error.line(), error.column()),
    }
}

pub(super) fn identity(claims: &BackendClaims) -> Identity {
    Identity { app: claims.iss.clone(), installation: claims.ins.clone(), account: None }
}
