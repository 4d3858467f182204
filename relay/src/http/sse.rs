//! `POST /v1/stream` and `POST /v1/send`: a connection for clients whose network lets no WebSocket through. The answer
//! to the first request brings what the relay sends, for as long as it lasts; each of the others takes messages to it.
//!
//! A page of another origin sends both without asking first, as they are simple requests in the sense of the Fetch
//! standard: what lets them in are a token and a secret in their bodies, and nothing that a browser would add by itself.

use super::{
    HttpContext, Peer, admission, body, cross_origin,
    response::{HttpError, json},
};
use crate::{
    audit::trace::{RequestId, Source},
    connection::{self, NewConnection, Socket},
    refused::Refused,
    session::Refusal,
    sse::{Batch, BatchError, MAX_BATCH_BODY, Pushed},
};
use bytes::Bytes;
use futures_util::Stream;
use sealwire_protocol::Code;
use serde_json::json;
use std::{net::IpAddr, time::Duration};
use tokio::time::timeout;
use warp::{
    Buf, Reply as _,
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    reply::Response,
};

/// How long messages wait for a connection that is busy with those before.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Opens a stream.
pub(super) fn open(
    context: &HttpContext,
    method: &Method,
    headers: &HeaderMap,
    (peer, remote): (&Peer, IpAddr),
) -> Response {
    let response = match *method {
        Method::OPTIONS => cross_origin::preflight(),
        Method::POST => open_stream(context, headers, (peer, remote)).unwrap_or_else(|error| {
            let refusal = Refusal { attempt: "connect", code: error.code(), identity: None };
            context.audit.refused(&refusal, &Source::request(remote, headers));
            admission::turn_away(error)
        }),
        _ => HttpError::method_not_allowed("POST, OPTIONS").into(),
    };
    cross_origin::allow(headers, response)
}

fn open_stream(
    context: &HttpContext,
    headers: &HeaderMap,
    (peer, remote): (&Peer, IpAddr),
) -> Result<Response, HttpError> {
    let permits = context.enter(peer, remote)?;
    let (socket, events) =
        context.streams.open(&context.connection.memory, &peer.http_connection).map_err(|error| {
            tracing::error!(%error, "the system gave no random bytes");
            Refused::new(Code::Overloaded, "the relay cannot open a stream; try again later")
        })?;
    let (socket, request) = (Socket::Streamed(socket), RequestId::of(headers));
    let opened =
        NewConnection { socket, unread: Bytes::new(), takes_batches: false, remote, request, permits };
    peer.http_connection.begin_stream();
    context.tasks.spawn(connection::run(context.connection.clone(), opened));
    let mut response = warp::reply::stream(events).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    // Nobody on the way may keep events back until there are more, or pack them, which comes to the same.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store, no-transform"));
    // A proxy leaves alone what is encoded already; some pack `text/*` whatever `no-transform` says.
    headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("identity"));
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    // The connection ends with the stream.
    headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    Ok(response)
}

/// Takes messages to a stream's connection.
pub(super) async fn send<B: Buf>(
    context: &HttpContext,
    method: Method,
    headers: HeaderMap,
    peer: &Peer,
    mut body: impl Stream<Item = Result<B, warp::Error>> + Unpin,
) -> Response {
    let response = match method {
        Method::OPTIONS => cross_origin::preflight(),
        Method::POST => match take(context, peer, &mut body).await {
            Ok(next) => json(StatusCode::OK, &json!({ "next": next })),
            Err(error) => {
                body::discard(body).await;
                error.into()
            }
        },
        _ => HttpError::method_not_allowed("POST, OPTIONS").into(),
    };
    cross_origin::allow(&headers, response)
}

/// The number of the message that is expected next.
async fn take<B: Buf>(
    context: &HttpContext,
    peer: &Peer,
    body: &mut (impl Stream<Item = Result<B, warp::Error>> + Unpin),
) -> Result<u64, HttpError> {
    let mut is_known = false;
    // Who names no stream gets none of the relay's memory.
    let body = body::read(context, body, MAX_BATCH_BODY, |start| {
        if !is_known && let Some(stream) = Batch::stream(start)? {
            is_known = context.streams.has(stream);
            if !is_known {
                return Err(unknown());
            }
            peer.http_connection.mark_authenticated();
        }
        Ok(())
    });
    let body = body.await?;
    let batch = Batch::parse(&body)?;
    let _waiting = body.into_held();
    match timeout(BUSY_TIMEOUT, context.streams.push(&batch)).await {
        Ok(Pushed::Taken(next)) => Ok(next),
        Ok(Pushed::Gap(next)) => {
            let message = format!("messages before these are missing: number {next} is expected");
            Err(HttpError::new(StatusCode::CONFLICT, message))
        }
        Ok(Pushed::Over) => Err(unknown()),
        Ok(Pushed::Full) | Err(_) => {
            let message = "the connection is busy with the messages before; send these again";
            Err(Refused::new(Code::Overloaded, message).into())
        }
    }
}

fn unknown() -> HttpError {
    HttpError::new(StatusCode::NOT_FOUND, "there is no such stream; open another with POST /v1/stream")
}

impl From<BatchError> for HttpError {
    fn from(error: BatchError) -> Self {
        Self::new(StatusCode::BAD_REQUEST, error.to_string())
    }
}
