//! The streams that are open, by the secret that their clients' requests show.

use super::{
    pipe::{Pipe, Pushed, StreamedSocket},
    stream_id::StreamId,
    upload::Batch,
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

/// All streams of a relay.
#[derive(Default)]
pub(crate) struct Streams(Mutex<HashMap<StreamId, Weak<Pipe>>>);

impl Streams {
    /// Opens one, over the connection that is `http_connection`: the connection's end, and the body for the client.
    ///
    /// # Errors
    /// Where the system has no randomness.
    pub(crate) fn open(
        self: &Arc<Self>,
        memory: &Arc<Memory>,
        http_connection: &Arc<HttpConnection>,
    ) -> Result<(StreamedSocket, Events), getrandom::Error> {
        let mut id = [0; 16];
        getrandom::fill(&mut id)?;
        let pipe = Arc::new(Pipe::new(memory.clone()));
        pipe.greet(&format!("event: open\ndata: {}\n\n", encode_base64url(id)));
        let entry = Entry { streams: self.clone(), id: StreamId(id) };
        self.table().insert(entry.id, Arc::downgrade(&pipe));
        Ok((
            StreamedSocket { pipe: pipe.clone(), http_connection: http_connection.clone() },
            Events { pipe, _entry: entry },
        ))
    }

    /// Whether there is such a stream.
    pub(crate) fn has(&self, id: StreamId) -> bool {
        self.table().contains_key(&id)
    }

    /// Hands a client's messages to its connection, once that has room for them.
    pub(crate) async fn push(&self, batch: &Batch) -> Pushed {
        let pipe = self.table().get(&batch.stream).and_then(Weak::upgrade);
        match pipe {
            Some(pipe) => pipe.push(batch.first, &batch.messages).await,
            None => Pushed::Over,
        }
    }

    fn table(&self) -> MutexGuard<'_, HashMap<StreamId, Weak<Pipe>>> {
        critical_task::unpoisoned(self.0.lock())
    }
}

/// The body of the response that a client reads its events from. It goes when the client does, and takes the connection with it.
pub(crate) struct Events {
    pipe: Arc<Pipe>,
    _entry: Entry,
}

impl Stream for Events {
    type Item = Result<Bytes, Infallible>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.pipe.poll_events(context).map(|events| events.map(Ok))
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        self.pipe.leave();
    }
}

/// A stream's entry, for as long as its body.
pub(super) struct Entry {
    streams: Arc<Streams>,
    id: StreamId,
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.streams.table().remove(&self.id);
    }
}
