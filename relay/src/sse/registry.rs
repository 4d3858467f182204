//! The registry of open streams, by the secret id in their clients' requests.

use super::{
    pipe::{Pipe, PushOutcome, StreamedSocket},
    stream_id::StreamId,
    upload::Upload,
};
use crate::{critical_task, http_connections::HttpConnection, memory::Memory};
use bytes::Bytes;
use futures_util::Stream;
use sealwire_protocol::encode_base64url;
use std::{
    collections::HashMap,
    convert::Infallible,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, Weak},
    task::{Context, Poll},
};

/// All open streams of a relay.
#[derive(Default)]
pub(crate) struct StreamRegistry(Mutex<HashMap<StreamId, Weak<Pipe>>>);

impl StreamRegistry {
    /// Opens a stream on the HTTP connection `http_connection`. Returns the connection's end and the response body.
    ///
    /// # Errors
    /// The system's error if it returns no random bytes.
    pub(crate) fn open(
        self: &Arc<Self>,
        memory: &Arc<Memory>,
        http_connection: &Arc<HttpConnection>,
    ) -> Result<(StreamedSocket, EventBody), getrandom::Error> {
        let mut id = [0; 16];
        getrandom::fill(&mut id)?;
        let pipe = Arc::new(Pipe::new(memory.clone()));
        pipe.push_first_event(&format!("event: open\ndata: {}\n\n", encode_base64url(id)));
        let registration = Registration { streams: self.clone(), id: StreamId(id) };
        self.table().insert(registration.id, Arc::downgrade(&pipe));
        let socket = StreamedSocket { pipe: pipe.clone(), http_connection: http_connection.clone() };
        Ok((socket, EventBody { pipe, _registration: registration }))
    }

    /// True if a stream with this id is open.
    pub(crate) fn has(&self, id: StreamId) -> bool {
        self.table().contains_key(&id)
    }

    /// Passes a client's messages to its connection. Waits until the connection has capacity for them.
    pub(crate) async fn push(&self, upload: &Upload) -> PushOutcome {
        let pipe = self.table().get(&upload.stream).and_then(Weak::upgrade);
        match pipe {
            Some(pipe) => pipe.push(upload.first_number, &upload.messages).await,
            None => PushOutcome::Closed,
        }
    }

    fn table(&self) -> MutexGuard<'_, HashMap<StreamId, Weak<Pipe>>> {
        critical_task::unpoisoned(self.0.lock())
    }
}

/// The response body with the client's events. It is dropped when the client leaves, which ends the connection.
pub(crate) struct EventBody {
    pipe: Arc<Pipe>,
    _registration: Registration,
}

impl Stream for EventBody {
    type Item = Result<Bytes, Infallible>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.pipe.poll_events(context).map(|events| events.map(Ok))
    }
}

impl Drop for EventBody {
    fn drop(&mut self) {
        self.pipe.client_left();
    }
}

/// The entry of a stream in the registry. Dropping it removes the entry.
pub(super) struct Registration {
    streams: Arc<StreamRegistry>,
    id: StreamId,
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.streams.table().remove(&self.id);
    }
}
