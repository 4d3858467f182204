//! `POST /v1/stream` and `POST /v1/send`: a connection for clients whose network blocks WebSockets. The response to the
//! first request carries messages to the client for as long as the connection lasts; each `send` request carries messages
//! from it.
//!
//! A page of another origin sends both without a preflight, as they are simple requests in the sense of the Fetch standard.
//! They are authorised by a token and a secret in their bodies, and by nothing that a browser adds on its own.

use super::{
    HttpContext, Peer, admission,
    body::{self, BodyStream},
    cross_origin,
    request::ClientRequest,
    response::{HttpError, json},
};
use crate::{
    audit::trace::RequestId,
    connection::{self, NewConnection, Socket},
    refused::Refused,
    sse::{MAX_UPLOAD_BODY, PushOutcome, Upload, UploadError},
};
use bytes::Bytes;
use sealwire_protocol::Code;
use serde_json::json;
use std::time::Duration;
use tokio::time::timeout;
use warp::{
    Reply as _,
    http::{HeaderValue, Method, StatusCode, header},
    reply::Response,
};

/// The time for which messages wait for a connection that still processes earlier ones.
const PUSH_TIMEOUT: Duration = Duration::from_secs(5);

/// Opens a stream.
pub(super) fn open(request: &ClientRequest) -> Response {
    let response = match request.method {
        Method::OPTIONS => cross_origin::preflight(),
        Method::POST => open_stream(request).unwrap_or_else(|error| {
            request.audit_refusal("connect", error.code(), None);
            admission::refuse_session(error)
        }),
        _ => HttpError::method_not_allowed("POST, OPTIONS").into(),
    };
    cross_origin::allow(&request.headers, response)
}

fn open_stream(request: &ClientRequest) -> Result<Response, HttpError> {
    let ClientRequest { context, headers, peer, remote, .. } = request;
    let permits = request.acquire_session_permits()?;
    let (socket, events) =
        context.streams.open(&context.connection.memory, &peer.http_connection).map_err(|error| {
            tracing::error!(%error, "cannot open a stream: the system returned no random bytes");
            Refused::new(Code::Overloaded, "the relay cannot open a stream; try again later")
        })?;
    let (socket, request) = (Socket::Streamed(socket), RequestId::of(headers));
    let (unread, remote) = (Bytes::new(), *remote);
    let opened = NewConnection { socket, unread, takes_batches: false, remote, request, permits };
    peer.http_connection.begin_stream();
    context.tasks.spawn(connection::run(context.connection.clone(), opened));
    let mut response = warp::reply::stream(events).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    // A proxy must neither buffer the events nor compress them, which would buffer them too.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store, no-transform"));
    // Proxies do not compress a body that has an encoding; some compress `text/*` despite `no-transform`.
    headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("identity"));
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    // The connection ends with the stream.
    headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    Ok(response)
}

/// Delivers messages to a stream's connection.
pub(super) async fn send<S: BodyStream>(request: ClientRequest, mut body: S) -> Response {
    let response = match request.method {
        Method::OPTIONS => cross_origin::preflight(),
        Method::POST => match deliver(&request.context, &request.peer, &mut body).await {
            Ok(next) => json(StatusCode::OK, &json!({ "next": next })),
            Err(error) => {
                body::discard(body).await;
                error.into()
            }
        },
        _ => HttpError::method_not_allowed("POST, OPTIONS").into(),
    };
    cross_origin::allow(&request.headers, response)
}

/// Reads the messages of a body and passes them to their stream's connection. Returns the number of the next message that
/// the stream expects.
async fn deliver<S: BodyStream>(context: &HttpContext, peer: &Peer, body: &mut S) -> Result<u64, HttpError> {
    let mut is_known = false;
    // A body without the id of an open stream is refused after its first line, before it takes more memory.
    let body = body::read(context, body, MAX_UPLOAD_BODY, |start| {
        if !is_known && let Some(stream) = Upload::stream_id(start)? {
            is_known = context.streams.has(stream);
            if !is_known {
                return Err(unknown_stream());
            }
            peer.http_connection.mark_authenticated();
        }
        Ok(())
    });
    let body = body.await?;
    let upload = Upload::parse(&body)?;
    let _reservation = body.into_reservation();
    match timeout(PUSH_TIMEOUT, context.streams.push(&upload)).await {
        Ok(PushOutcome::PublishReceipt(next)) => Ok(next),
        Ok(PushOutcome::Gap(next)) => {
            let message =
                format!("the stream expects message {next} first; send the messages from {next} on");
            Err(HttpError::new(StatusCode::CONFLICT, message))
        }
        Ok(PushOutcome::Closed) => Err(unknown_stream()),
        Ok(PushOutcome::Full) | Err(_) => {
            let message = "the connection still processes earlier messages; send these again";
            Err(Refused::new(Code::Overloaded, message).into())
        }
    }
}

fn unknown_stream() -> HttpError {
    HttpError::new(StatusCode::NOT_FOUND, "no stream has this id; open another with POST /v1/stream")
}

impl From<UploadError> for HttpError {
    fn from(error: UploadError) -> Self {
        Self::new(StatusCode::BAD_REQUEST, error.to_string())
    }
}
