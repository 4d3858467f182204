//! All connections of a relay, for the rare occasions on which something concerns every one of them, and the sessions of
//! each installation, for what concerns those alone. A few words for each, and no order.

mod sessions;

pub(crate) use sessions::Listing;

use super::Outbound;
use crate::critical_task;
use sessions::Sessions;
use slab::Slab;
use std::sync::{Arc, Mutex, MutexGuard, Weak};

/// Connections are spread over so many tables, so that opening many at once does not queue.
const TABLES: usize = 8;

#[derive(Default)]
pub(crate) struct Registry {
    tables: [Mutex<Table>; TABLES],
    sessions: Sessions,
}

#[derive(Default)]
struct Table {
    connections: Slab<Weak<Outbound>>,
    closing: bool,
}

/// Where a connection stands in the registry.
#[derive(Clone, Copy)]
pub(super) struct Slot(u32);

impl Registry {
    /// Adds a connection. One that comes while the relay shuts down is told so at once.
    pub(super) fn add(&self, number: u64, connection: &Arc<Outbound>) -> Slot {
        let index = (number % TABLES as u64) as usize;
        let mut table = self.table(index);
        let key = table.connections.insert(Arc::downgrade(connection));
        if table.closing {
            connection.wake_for_shutdown();
        }
        let place = u32::try_from(key * TABLES + index);
        Slot(place.expect("a process has fewer than four billion connections"))
    }

    pub(super) fn remove(&self, Slot(place): Slot) {
        let place = place as usize;
        self.table(place % TABLES).connections.try_remove(place / TABLES);
    }

    /// The open sessions.
    pub(crate) fn sessions(&self) -> &Sessions {
        &self.sessions
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        (0..TABLES).map(|index| self.table(index).connections.len()).sum()
    }

    /// Every connection, some of which may be ending.
    pub(crate) fn all(&self) -> Vec<Arc<Outbound>> {
        let mut all = Vec::with_capacity(self.len());
        for index in 0..TABLES {
            all.extend(
                self.table(index).connections.iter().filter_map(|(_, connection)| connection.upgrade()),
            );
        }
        all
    }

    /// Every connection; those that come later are told that the relay shuts down, without anybody's doing.
    pub(crate) fn close(&self) -> Vec<Arc<Outbound>> {
        (0..TABLES).for_each(|index| self.table(index).closing = true);
        self.all()
    }

    fn table(&self, index: usize) -> MutexGuard<'_, Table> {
        critical_task::sound(self.tables[index].lock())
    }
}
