//! The viewers of the console: server-sent events with a snapshot each, the same bytes for all viewers.

use super::{super::listener::OperatorConnection, snapshot::Snapshot};
use crate::http::HttpError;
use bytes::Bytes;
use futures_util::stream;
use std::{convert::Infallible, sync::Arc};
use tokio::sync::{Notify, Semaphore, watch};
use warp::{
    Reply as _,
    http::{HeaderValue, StatusCode, header},
    reply::Response,
};

/// The maximum number of viewers.
const MAX_VIEWERS: usize = 8;

/// The open streams, and the latest snapshot.
pub(super) struct Viewers {
    /// The latest event; empty while nobody looks.
    latest: watch::Sender<Bytes>,
    arrived: Notify,
    permits: Arc<Semaphore>,
}

impl Default for Viewers {
    fn default() -> Self {
        let permits = Arc::new(Semaphore::new(MAX_VIEWERS));
        Self { latest: watch::Sender::new(Bytes::new()), arrived: Notify::new(), permits }
    }
}

impl Viewers {
    /// Waits for a viewer.
    pub(super) async fn first(&self) {
        while !self.are_present() {
            self.arrived.notified().await;
        }
    }

    pub(super) fn are_present(&self) -> bool {
        self.latest.receiver_count() > 0
    }

    /// Shows a snapshot to all viewers. A viewer that reads slowly gets the latest one next.
    pub(super) fn show(&self, snapshot: &Snapshot) {
        let json = serde_json::to_string(snapshot).expect("a snapshot has string keys only");
        self.latest.send_replace(format!("event: snapshot\ndata: {json}\n\n").into());
    }

    /// Forgets the latest snapshot, which would be outdated for the next viewer.
    pub(super) fn clear(&self) {
        self.latest.send_replace(Bytes::new());
    }

    /// Opens a stream, with the latest snapshot first.
    pub(super) fn open(&self, connection: &OperatorConnection) -> Response {
        let Ok(permit) = self.permits.clone().try_acquire_owned() else {
            let message =
                format!("{MAX_VIEWERS} consoles of this relay are open, which is the maximum; close one");
            return HttpError::new(StatusCode::SERVICE_UNAVAILABLE, message).into();
        };
        let mut receiver = self.latest.subscribe();
        receiver.mark_changed();
        self.arrived.notify_one();
        let viewer = (receiver, permit, connection.open_stream());
        let events = stream::unfold(viewer, |mut viewer| async move {
            loop {
                viewer.0.changed().await.ok()?;
                let event = viewer.0.borrow_and_update().clone();
                if !event.is_empty() {
                    return Some((Ok::<_, Infallible>(event), viewer));
                }
            }
        });
        let mut response = warp::reply::stream(events).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
        // The connection ends with the stream.
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        response
    }
}
