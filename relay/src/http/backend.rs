//! What the endpoints for apps' resolvers have in common: a backend token, and a body in JSON.

use super::{
    HttpContext, Peer, body,
    response::{HttpError, json},
};
use crate::{
    audit::trace::Source,
    clock::Now,
    refused::Refused,
    session::{Identity, Refusal},
};
use futures_util::Stream;
use headers::{Authorization, HeaderMapExt as _, authorization::Bearer};
use sealwire_protocol::{Code, limits, tokens::BackendClaims};
use serde::Serialize;
use std::net::IpAddr;
use warp::{
    Buf,
    http::{HeaderMap, Method, StatusCode, header},
    reply::Response,
};

/// Longest explanation of what is wrong with a body, in characters, before its place.
const MAX_EXPLANATION: usize = 300;

/// Why a request was refused, and whose it was where its token was verified.
type Failure = (HttpError, Option<BackendClaims>);

/// Runs an endpoint: checks the request, has `read` take its body, and answers. What is refused is audited as `attempt`.
pub(super) async fn serve<T: Serialize, B: Buf, S>(
    context: &HttpContext,
    attempt: &'static str,
    (method, headers): (Method, HeaderMap),
    (peer, remote): (&Peer, IpAddr),
    mut body: S,
    read: impl AsyncFnOnce(&BackendClaims, &Source, &mut S) -> Result<T, HttpError>,
) -> Response
where
    S: Stream<Item = Result<B, warp::Error>> + Unpin,
{
    let source = Source::request(remote, &headers);
    let result: Result<T, Failure> = match check_request(context, &method, &headers) {
        Ok(claims) => {
            peer.http_connection.mark_authenticated();
            let result = match context.permits(peer, remote) {
                Ok(_places) => read(&claims, &source, &mut body).await,
                Err(refused) => Err(refused.into()),
            };
            result.map_err(|error| (error, Some(claims)))
        }
        Err(error) => Err((error, None)),
    };
    match result {
        Ok(answer) => json(StatusCode::OK, &answer),
        Err((error, claims)) => {
            let identity = claims.as_ref().map(identity);
            context.audit.refused(&Refusal { attempt, code: error.code(), identity }, &source);
            body::discard(body).await;
            error.into()
        }
    }
}

/// Everything that can be refused before the body is read.
fn check_request(
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

/// What is wrong and where. It may quote the input, whose keys and strings are as long as their author likes.
pub(super) fn place(error: &serde_json::Error) -> String {
    let place = format!("at line {} column {}", error.line(), error.column());
    if error.classify() != serde_json::error::Category::Data {
        return format!("not JSON {place}");
    }
    let text = error.to_string();
    match text.char_indices().nth(MAX_EXPLANATION) {
        Some((end, _)) => format!("{}... {place}", &text[..end]),
        None => text,
    }
}

pub(super) fn identity(claims: &BackendClaims) -> Identity {
    Identity { app: claims.iss.clone(), installation: claims.ins.clone(), account: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_explanation_is_short_whatever_it_quotes() {
        #[derive(Debug, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Empty {}
        let of = |text: &str| place(&serde_json::from_str::<Empty>(text).unwrap_err());
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
