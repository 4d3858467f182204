//! Reading a request's body: bounded in bytes and time, whatever its headers promise.

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

/// How long and how much of a refused body is thrown away, so that its sender gets to read why.
const DISCARD_TIMEOUT: Duration = Duration::from_secs(2);
const DISCARD: usize = 4 * limits::MAX_BODY;

/// A body that was read; counted among the memory while it is there.
pub(super) struct Body {
    bytes: Vec<u8>,
    held: Reservation,
}

impl Body {
    /// Gives the bytes up. Counted on as long as the value is there, for what was made of them.
    pub(super) fn into_held(self) -> Reservation {
        self.held
    }
}

impl Deref for Body {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

/// The whole body, of so many bytes at most. `check` is shown what has come so far, and ends the reading with its error.
pub(super) async fn read<B: Buf>(
    context: &HttpContext,
    body: &mut (impl Stream<Item = Result<B, warp::Error>> + Unpin),
    limit: usize,
    mut check: impl FnMut(&[u8]) -> Result<(), HttpError>,
) -> Result<Body, HttpError> {
    let patience = context.limits.settings().body_timeout;
    let read = async {
        let (mut bytes, mut held) =
            (Vec::new(), Reservation::new(context.connection.memory.clone(), MemoryKind::Requests, 0));
        while let Some(chunk) = body.next().await {
            let mut chunk =
                chunk.map_err(|_| HttpError::new(StatusCode::BAD_REQUEST, "the body broke off"))?;
            if bytes.len() + chunk.remaining() > limit {
                return Err(too_large(limit));
            }
            while chunk.has_remaining() {
                let part = chunk.chunk();
                bytes.extend_from_slice(part);
                let len = part.len();
                chunk.advance(len);
            }
            if !held.set(bytes.capacity()) {
                return Err(BrokerError::Full.into());
            }
            check(&bytes)?;
        }
        Ok(Body { bytes, held })
    };
    timeout(patience, read).await.unwrap_or_else(|_| {
        Err(HttpError::new(StatusCode::REQUEST_TIMEOUT, "the body took too long to arrive"))
    })
}

/// Throws the rest of a refused body away.
pub(super) async fn discard<B: Buf>(body: impl Stream<Item = Result<B, warp::Error>>) {
    let mut body = pin!(body);
    let discard = async {
        let mut discarded = 0;
        while let Some(Ok(chunk)) = body.next().await {
            discarded += chunk.remaining();
            if discarded > DISCARD {
                return;
            }
        }
    };
    let _ = timeout(DISCARD_TIMEOUT, discard).await;
}

/// The body is past the limit.
pub(super) fn too_large(limit: usize) -> HttpError {
    let message = format!("a request has at most {limit} bytes; split the batch");
    HttpError::new(StatusCode::PAYLOAD_TOO_LARGE, message)
}
