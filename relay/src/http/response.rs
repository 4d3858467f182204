//! HTTP responses: JSON bodies for results and for every error.

use crate::{broker::BrokerError, refused::Refused};
use sealwire_protocol::Code;
use serde::Serialize;
use warp::{
    http::{HeaderValue, StatusCode, header},
    reply::Response,
};

/// An error in the body of a response, or in one result of a batch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ErrorBody {
    code: &'static str,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after_ms: Option<u32>,
}

impl From<Refused> for ErrorBody {
    fn from(refused: Refused) -> Self {
        let wait = refused.retry_after_ms();
        Self {
            code: refused.code.name(),
            message: refused.message,
            retry_after_ms: (wait > 0).then_some(wait),
        }
    }
}

/// The error response to a request that is refused as a whole.
#[derive(Clone, Debug)]
pub(crate) struct HttpError {
    status: StatusCode,
    refused: Refused,
    /// A header that the status requires.
    header: Option<(header::HeaderName, &'static str)>,
}

impl HttpError {
    /// An error whose status is more specific than the one of its code.
    pub(crate) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        let code = match status {
            StatusCode::PAYLOAD_TOO_LARGE => Code::RequestTooLarge,
            _ => Code::MalformedRequest,
        };
        Self { status, refused: Refused::new(code, message), header: None }
    }

    pub(super) fn method_not_allowed(allowed: &'static str) -> Self {
        let error =
            Self::new(StatusCode::METHOD_NOT_ALLOWED, format!("this endpoint accepts only {allowed}"));
        Self { header: Some((header::ALLOW, allowed)), ..error }
    }

    /// Adds the header that RFC 6455 or RFC 6750 requires with the status.
    pub(super) fn with_header(self, name: header::HeaderName, value: &'static str) -> Self {
        Self { header: Some((name, value)), ..self }
    }

    pub(super) fn code(&self) -> Code {
        self.refused.code
    }

    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }
}

impl From<BrokerError> for HttpError {
    fn from(error: BrokerError) -> Self {
        Refused::from(error).into()
    }
}

impl From<Refused> for HttpError {
    fn from(refused: Refused) -> Self {
        let status = StatusCode::from_u16(refused.code.close_code().http_status());
        Self { status: status.unwrap_or(StatusCode::BAD_REQUEST), refused, header: None }
    }
}

impl From<HttpError> for Response {
    fn from(HttpError { status, refused, header }: HttpError) -> Self {
        #[derive(Serialize)]
        struct Body {
            error: ErrorBody,
        }
        let wait = refused.retry_after_ms();
        let mut response = json(status, &Body { error: refused.into() });
        if wait > 0 {
            response.headers_mut().insert(header::RETRY_AFTER, wait.div_ceil(1000).into());
        }
        if let Some((name, value)) = header {
            response.headers_mut().insert(name, HeaderValue::from_static(value));
        }
        response
    }
}

/// A response with a JSON body.
pub(crate) fn json(status: StatusCode, body: &impl Serialize) -> Response {
    let body = serde_json::to_vec(body).expect("response bodies have string keys only");
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// A response of one word.
pub(super) fn status(status: StatusCode, word: &str) -> Response {
    json(status, &serde_json::json!({ "status": word }))
}

/// A 404 response. `message` names the paths that exist.
pub(crate) fn not_found(message: &str) -> Response {
    HttpError::new(StatusCode::NOT_FOUND, message).into()
}

/// A 405 response with the methods that are allowed.
pub(crate) fn method_not_allowed(allowed: &'static str) -> Response {
    HttpError::method_not_allowed(allowed).into()
}
