//! HTTP connections, from the accept until they become a WebSocket or end: TLS handshakes, requests and SSE streams.
//! Each accounts its memory, ends if its client does not read, and can be closed by the shedder or a shutdown.

mod footprint;
mod head_timer;
mod http_connection;
mod paced;

pub(crate) use head_timer::HeadTimer;
pub(crate) use http_connection::HttpConnection;
pub(crate) use paced::Paced;

use crate::{
    limits::Limits,
    memory::{Holder, Memory},
};
use footprint::Protection;
use slab::Slab;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

/// All HTTP connections of a relay.
pub(crate) struct HttpConnections {
    memory: Arc<Memory>,
    limits: Arc<Limits>,
    table: Mutex<Slab<Weak<HttpConnection>>>,
}

impl HttpConnections {
    pub(crate) fn new(memory: Arc<Memory>, limits: Arc<Limits>) -> Self {
        Self { memory, limits, table: Mutex::default() }
    }

    /// Returns whether there is memory for another connection, with or without TLS.
    pub(crate) fn admits_one_more(&self, tls: bool) -> bool {
        self.memory.admits_unauthenticated(Protection::of(tls).idle())
    }

    /// Adds a connection and accounts its memory, even if memory is short: some refused connections receive an error.
    pub(crate) fn register(self: &Arc<Self>, tls: bool) -> Arc<HttpConnection> {
        Arc::new_cyclic(|connection: &Weak<HttpConnection>| {
            let key = self.table().insert(connection.clone());
            HttpConnection::new(self.clone(), key, Protection::of(tls))
        })
    }

    /// Returns all connections, for the shedder.
    pub(crate) fn holders(&self) -> impl Iterator<Item = Arc<dyn Holder>> {
        let all: Vec<Arc<HttpConnection>> =
            self.table().iter().filter_map(|(_, connection)| connection.upgrade()).collect();
        all.into_iter().map(|connection| connection as Arc<dyn Holder>)
    }

    fn unregister(&self, key: usize) {
        let mut table = self.table();
        table.try_remove(key);
        // After a flood, the capacity is released.
        if table.is_empty() && table.capacity() > 1024 {
            *table = Slab::new();
        }
    }

    fn table(&self) -> MutexGuard<'_, Slab<Weak<HttpConnection>>> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns an HTTP connection for the tests of other modules.
#[cfg(test)]
pub(crate) fn test_connection(memory: &Arc<Memory>) -> Arc<HttpConnection> {
    let limits = Limits::new(crate::settings::Settings::default(), std::time::Instant::now());
    Arc::new(HttpConnections::new(memory.clone(), Arc::new(limits))).register(false)
}
