//! The streams that are open, by the secret that their clients' requests show.

use super::{
    batch::Batch,
    events::Events,
    pipe::{Pipe, Pushed, StreamedSocket},
};
use crate::{guests::Guest, memory::Memory, vital};
use sealwire_protocol::{decode_base64url, encode_base64url};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, Weak},
};

/// Names a stream. Whoever knows it can send as its client, so it is random, is only ever in bodies, and has no `Debug`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct StreamId([u8; 16]);

impl StreamId {
    pub(super) fn parse(text: &str) -> Option<Self> {
        decode_base64url(text)?.try_into().ok().map(Self)
    }
}

/// All streams of a relay.
#[derive(Default)]
pub(crate) struct Streams(Mutex<HashMap<StreamId, Weak<Pipe>>>);

impl Streams {
    /// Opens one, over the connection that is `guest`: the connection's end, and the body for the client.
    ///
    /// # Errors
    /// Where the system has no randomness.
    pub(crate) fn open(
        self: &Arc<Self>,
        memory: &Arc<Memory>,
        guest: &Arc<Guest>,
    ) -> Result<(StreamedSocket, Events), getrandom::Error> {
        let mut id = [0; 16];
        getrandom::fill(&mut id)?;
        let pipe = Arc::new(Pipe::new(memory.clone()));
        pipe.greet(&format!("event: open\ndata: {}\n\n", encode_base64url(id)));
        let place = Place { streams: self.clone(), id: StreamId(id) };
        self.table().insert(place.id, Arc::downgrade(&pipe));
        Ok((StreamedSocket { pipe: pipe.clone(), guest: guest.clone() }, Events { pipe, _place: place }))
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
        vital::sound(self.0.lock())
    }
}

/// A stream's entry, for as long as its body.
pub(super) struct Place {
    streams: Arc<Streams>,
    id: StreamId,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.streams.table().remove(&self.id);
    }
}
