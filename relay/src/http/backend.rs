//! The prologue of the endpoints for apps' backends: a backend token, and a body in JSON.

use super::{
    HttpContext,
    body::{self, BodyStream},
    request::ClientRequest,
    response::{HttpError, json},
};
use crate::{audit::trace::Source, clock::Now, refused::Refused, session::Identity};
use headers::{Authorization, HeaderMapExt as _, authorization::Bearer};
use sealwire_protocol::{Code, limits, tokens::BackendClaims};
use serde::Serialize;
use std::sync::Arc;
use warp::{
    http::{Method, StatusCode, header},
    reply::Response,
};

/// The longest explanation of an error in a body, in characters, without the position.
const MAX_EXPLANATION: usize = 300;

/// An app's backend that showed a valid token.
pub(super) struct Caller {
    pub(super) context: Arc<HttpContext>,
    pub(super) claims: BackendClaims,
    pub(super) source: Source,
}

impl Caller {
    /// The identity in the audit log.
    pub(super) fn identity(&self) -> Identity {
        let BackendClaims { iss: app, ins: installation, .. } = &self.claims;
        Identity { app: app.clone(), installation: installation.clone(), account: None }
    }
}

/// Runs an endpoint: checks the request, lets `endpoint` read its body, and responds. A refusal is audited as `attempt`.
pub(super) async fn serve<T: Serialize, S: BodyStream>(
    request: ClientRequest,
    attempt: &'static str,
    mut body: S,
    endpoint: impl AsyncFnOnce(&Caller, &mut S) -> Result<T, HttpError>,
) -> Response {
    let (error, identity) = match authenticate(&request) {
        Err(error) => (error, None),
        Ok(claims) => {
            request.peer.http_connection.mark_authenticated();
            let caller = Caller { context: request.context.clone(), claims, source: request.source() };
            let result = match request.acquire_permits() {
                Ok(_permits) => endpoint(&caller, &mut body).await,
                Err(refused) => Err(refused.into()),
            };
            match result {
                Ok(response) => return json(StatusCode::OK, &response),
                Err(error) => (error, Some(caller.identity())),
            }
        }
    };
    request.audit_refusal(attempt, error.code(), identity);
    body::discard(body).await;
    error.into()
}

/// Performs every check that does not need the body. Returns the claims of the backend token.
fn authenticate(request: &ClientRequest) -> Result<BackendClaims, HttpError> {
    let headers = &request.headers;
    if request.method != Method::POST {
        return Err(HttpError::method_not_allowed("POST"));
    }
    let token = headers.typed_get::<Authorization<Bearer>>().ok_or_else(|| {
        let message = "the header 'Authorization: Bearer <backend token>' is missing";
        HttpError::from(Refused::new(Code::TokenMalformed, message))
            .with_header(header::WWW_AUTHENTICATE, "Bearer")
    })?;
    let keys = &request.context.keys;
    let verified = keys.verify::<BackendClaims>(token.token(), Now::read().wall.seconds());
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

/// Explains an error in a body, with its position. The explanation is cut, because it may quote keys and strings of any
/// length.
pub(super) fn explain(error: &serde_json::Error) -> String {
    let position = format!("at line {} column {}", error.line(), error.column());
    if error.classify() != serde_json::error::Category::Data {
        return format!("not JSON {position}");
    }
    let text = error.to_string();
    match text.char_indices().nth(MAX_EXPLANATION) {
        Some((end, _)) => format!("{}... {position}", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_explanation_is_short_even_if_it_quotes_a_long_key() {
        #[derive(Debug, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Empty {}
        let of = |text: &str| explain(&serde_json::from_str::<Empty>(text).unwrap_err());
        assert_eq!(of("{\"a\": 1}"), "unknown field `a`, there are no fields at line 1 column 4");
        let long = of(&format!("{{\"{}\": 1}}", "\u{e9}".repeat(10_000)));
        assert!(
            long.starts_with("unknown field `\u{e9}") && long.ends_with("... at line 1 column 20003"),
            "{long}"
        );
        assert!(long.chars().count() < 350, "{long}");
        assert_eq!(of("{"), "not JSON at line 1 column 1");
    }
}
