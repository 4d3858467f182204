//! Connections from when they are accepted until they become a WebSocket or end: handshakes, requests and streams. Each is
//! counted for what it takes, its answers are read at a least rate or it ends, and it can be ended from elsewhere.

mod guest;
mod paced;

pub(crate) use guest::Guest;
pub(crate) use paced::Paced;

use crate::{
    limits::Limits,
    memory::{Holder, Memory},
};
use guest::Protection;
use slab::Slab;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

/// All of a relay.
pub(crate) struct Guests {
    memory: Arc<Memory>,
    limits: Arc<Limits>,
    table: Mutex<Slab<Weak<Guest>>>,
}

impl Guests {
    pub(crate) fn new(memory: Arc<Memory>, limits: Arc<Limits>) -> Self {
        Self { memory, limits, table: Mutex::default() }
    }

    /// Whether there is memory for one more; `tls` says whether it begins with a handshake.
    pub(crate) fn have_room(&self, tls: bool) -> bool {
        self.memory.admits_guest(Protection::of(tls).footprint())
    }

    /// Counts one more. Whether there is room is for the caller to ask: of those who find none, a few are told so.
    pub(crate) fn enter(self: &Arc<Self>, tls: bool) -> Arc<Guest> {
        Arc::new_cyclic(|guest: &Weak<Guest>| {
            let key = self.table().insert(guest.clone());
            Guest::new(self.clone(), key, Protection::of(tls))
        })
    }

    /// All of them, for the shedder.
    pub(crate) fn holders(&self) -> impl Iterator<Item = Arc<dyn Holder>> {
        let all: Vec<Arc<Guest>> = self.table().iter().filter_map(|(_, guest)| guest.upgrade()).collect();
        all.into_iter().map(|guest| guest as Arc<dyn Holder>)
    }

    fn leave(&self, key: usize) {
        let mut table = self.table();
        table.try_remove(key);
        // What a flood has left behind is given back.
        if table.is_empty() && table.capacity() > 1024 {
            *table = Slab::new();
        }
    }

    fn table(&self) -> MutexGuard<'_, Slab<Weak<Guest>>> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A guest for tests of other pieces.
#[cfg(test)]
pub(crate) fn guest(memory: &Arc<Memory>) -> Arc<Guest> {
    let limits = Limits::new(crate::limits::LimitSettings::default(), std::time::Instant::now());
    Arc::new(Guests::new(memory.clone(), Arc::new(limits))).enter(false)
}
