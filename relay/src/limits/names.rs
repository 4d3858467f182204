//! The names of the installations that have sessions. All sessions of an installation share one copy of its names, which
//! are longer than the rest of what a session remembers of its token.

use crate::{auth::access::Namespace, critical_task, tenant::ByHash};
use std::sync::{Arc, Mutex, MutexGuard, Weak};

/// The number of independently locked tables.
const SHARDS: usize = 16;

/// The names in use, by the key of their installation.
#[derive(Default)]
pub(super) struct NameTable {
    shards: [Mutex<ByHash<Weak<Names>>>; SHARDS],
}

/// The names of an installation and its app. The last session that drops them removes them from the table.
pub(super) struct Names {
    app: Box<str>,
    installation: Box<str>,
    key: u64,
    table: Arc<NameTable>,
}

impl Names {
    pub(super) fn namespace(&self) -> Namespace<'_> {
        Namespace { app: &self.app, installation: &self.installation }
    }
}

impl NameTable {
    /// Returns the shared copy of the names of the installation with this key. Names whose key others have get a copy of
    /// their own.
    pub(super) fn share(self: &Arc<Self>, key: u64, namespace: Namespace<'_>) -> Arc<Names> {
        let mut shard = self.shard(key);
        let known = shard.get(&key).and_then(Weak::upgrade);
        match known {
            Some(names) if names.namespace() == namespace => names,
            known => {
                let Namespace { app, installation } = namespace;
                let (app, installation, table) = (app.into(), installation.into(), self.clone());
                let names = Arc::new(Names { app, installation, key, table });
                if known.is_none() {
                    shard.insert(key, Arc::downgrade(&names));
                }
                // The names of the other installation may be the last ones, whose drop locks the table.
                drop(shard);
                names
            }
        }
    }

    fn shard(&self, key: u64) -> MutexGuard<'_, ByHash<Weak<Names>>> {
        let shard = usize::try_from(key >> 60).unwrap_or(0);
        critical_task::unpoisoned(self.shards[shard].lock())
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.lock().unwrap().len()).sum()
    }
}

impl Drop for Names {
    fn drop(&mut self) {
        let mut shard = self.table.shard(self.key);
        // Another session may have added the names again meanwhile.
        if shard.get(&self.key).is_some_and(|names| names.strong_count() == 0) {
            shard.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_of_an_installation_share_its_names_until_the_last_one_ends() {
        let table = Arc::new(NameTable::default());
        let site = |installation| Namespace { app: "app", installation };
        let first = table.share(7, site("a"));
        let second = table.share(7, site("a"));
        assert!(Arc::ptr_eq(&first, &second));
        let other = table.share(u64::MAX, site("b"));
        assert_eq!((table.len(), other.namespace()), (2, site("b")));
        drop(first);
        assert!(Arc::ptr_eq(&second, &table.share(7, site("a"))));
        drop((second, other));
        assert_eq!(table.len(), 0);
    }

    #[test]
    fn installations_whose_keys_collide_keep_their_own_names() {
        let table = Arc::new(NameTable::default());
        let [first, second] = ["a", "b"].map(|installation| Namespace { app: "app", installation });
        let (held, other) = (table.share(7, first), table.share(7, second));
        assert_eq!((held.namespace(), other.namespace()), (first, second));
        drop(other);
        assert!(Arc::ptr_eq(&held, &table.share(7, first)));
        drop(held);
        assert_eq!(table.len(), 0);
    }
}
