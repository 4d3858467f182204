//! Reads the body of a request, with limits on its size and time that do not depend on its headers.

use super::{HttpContext, response::HttpError};
use crate::{
    broker::BrokerError,
    memory::{MemoryKind, Reservation},
};
use futures_util::{Stream, StreamExt as _};
use sealwire_protocol::limits;
use std::{ops::Deref, pin::pin, time::Duration};
use tokio::time::timeout;
use warp::{Buf, http::StatusCode};

/// The time for which the relay discards a refused body. A client that still sends would otherwise not read the response.
const DISCARD_TIMEOUT: Duration = Duration::from_secs(2);
/// The number of bytes of a refused body that the relay discards.
const MAX_DISCARDED: usize = 4 * limits::MAX_BODY;

/// The body of a request as it arrives.
pub(super) trait BodyStream: Stream<Item = Result<Self::Chunk, warp::Error>> + Unpin {
    type Chunk: Buf;
}

impl<B: Buf, S: Stream<Item = Result<B, warp::Error>> + Unpin> BodyStream for S {
    type Chunk = B;
}

/// A complete body. Its memory stays reserved until it is dropped.
pub(super) struct Body {
    bytes: Vec<u8>,
    reservation: Reservation,
}

impl Body {
    /// Drops the bytes and returns their reservation, for the values that were decoded from them.
    pub(super) fn into_reservation(self) -> Reservation {
        self.reservation
    }
}

impl Deref for Body {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

/// Reads a whole body of at most `limit` bytes. `check` sees the bytes so far after each chunk; its error ends the reading.
pub(super) async fn read<S: BodyStream>(
    context: &HttpContext,
    body: &mut S,
    limit: usize,
    mut check: impl FnMut(&[u8]) -> Result<(), HttpError>,
) -> Result<Body, HttpError> {
    let body_timeout = context.limits.settings().body_timeout;
    let read = async {
        let mut bytes = Vec::new();
        let mut reservation = Reservation::new(context.connection.memory.clone(), MemoryKind::Requests, 0);
        while let Some(chunk) = body.next().await {
            let mut chunk = chunk.map_err(|_| {
                HttpError::new(StatusCode::BAD_REQUEST, "the body ended before its last byte")
            })?;
            if bytes.len() + chunk.remaining() > limit {
                return Err(too_large(limit));
            }
            while chunk.has_remaining() {
                let part = chunk.chunk();
                bytes.extend_from_slice(part);
                let len = part.len();
                chunk.advance(len);
            }
            if !reservation.set(bytes.capacity()) {
                return Err(BrokerError::Full.into());
            }
            check(&bytes)?;
        }
        Ok(Body { bytes, reservation })
    };
    timeout(body_timeout, read).await.unwrap_or_else(|_| {
        let message = "the body did not arrive within the relay's body_timeout; send it again";
        Err(HttpError::new(StatusCode::REQUEST_TIMEOUT, message))
    })
}

/// Discards the rest of a refused body.
pub(super) async fn discard(body: impl BodyStream) {
    let mut body = pin!(body);
    let discard = async {
        let mut discarded = 0;
        while let Some(Ok(chunk)) = body.next().await {
            discarded += chunk.remaining();
            if discarded > MAX_DISCARDED {
                return;
            }
        }
    };
    let _ = timeout(DISCARD_TIMEOUT, discard).await;
}

/// The error for a body of more than `limit` bytes.
pub(super) fn too_large(limit: usize) -> HttpError {
    let message =
        format!("the body is longer than the limit of {limit} bytes; split it into several requests");
    HttpError::new(StatusCode::PAYLOAD_TOO_LARGE, message)
}
