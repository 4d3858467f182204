//! Connections from their beginning until they become a WebSocket or end: handshakes, requests and streams. Each counts its
//! memory, ends if its client does not read, and can be ended from elsewhere.

mod footprint;
mod guest;
mod head_timer;
mod paced;

pub(crate) use guest::Guest;
pub(crate) use head_timer::HeadTimer;
pub(crate) use paced::Paced;

use crate::{
    limits::Limits,
    memory::{Holder, Memory},
};
use footprint::Protection;
use slab::Slab;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

/// All guests of a relay.
pub(crate) struct Guests {
    memory: Arc<Memory>,
    limits: Arc<Limits>,
    table: Mutex<Slab<Weak<Guest>>>,
}

impl Guests {
    pub(crate) fn new(memory: Arc<Memory>, limits: Arc<Limits>) -> Self {
        Self { memory, limits, table: Mutex::default() }
    }

    /// True if there is memory for one more; with `tls` it begins with a handshake.
    pub(crate) fn have_room(&self, tls: bool) -> bool {
        self.memory.admits_guest(Protection::of(tls).idle())
    }

    /// Counts one more, also if there is no memory for it: the caller tells a few of those that are refused.
    pub(crate) fn enter(self: &Arc<Self>, tls: bool) -> Arc<Guest> {
        Arc::new_cyclic(|guest: &Weak<Guest>| {
            let key = self.table().insert(guest.clone());
            Guest::new(self.clone(), key, Protection::of(tls))
        })
    }

    /// All guests, for the shedder.
    pub(crate) fn holders(&self) -> impl Iterator<Item = Arc<dyn Holder>> {
        let all: Vec<Arc<Guest>> = self.table().iter().filter_map(|(_, guest)| guest.upgrade()).collect();
        all.into_iter().map(|guest| guest as Arc<dyn Holder>)
    }

    fn leave(&self, key: usize) {
        let mut table = self.table();
        table.try_remove(key);
        // BacklogPermit that a flood has taken is given back.
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
    let limits = Limits::new(crate::settings::Settings::default(), std::time::Instant::now());
    Arc::new(Guests::new(memory.clone(), Arc::new(limits))).enter(false)
}
