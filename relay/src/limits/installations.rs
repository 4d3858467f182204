//! The installations that have sessions. All sessions of an installation share one copy of its names and keys, which are
//! longer than the rest of what a session remembers of its token.

use super::{Limits, Publisher};
use crate::{auth::access::Namespace, critical_task, tenant::ByHash};
use std::sync::{Arc, Mutex, MutexGuard, Weak};

/// The number of independently locked tables.
const SHARDS: usize = 16;

/// The installations with sessions, by their key.
#[derive(Default)]
pub(super) struct InstallationTable {
    shards: [Mutex<ByHash<Weak<Installation>>>; SHARDS],
}

/// The names and keys of an installation and its app. The last session that drops them removes them from the table.
pub(super) struct Installation {
    app: Box<str>,
    installation: Box<str>,
    pub(super) publisher: Publisher,
    pub(super) limits: Arc<Limits>,
}

impl Installation {
    pub(super) fn namespace(&self) -> Namespace<'_> {
        Namespace { app: &self.app, installation: &self.installation }
    }

    fn key(&self) -> u64 {
        self.publisher.tenant().installation
    }
}

impl Limits {
    /// Returns the shared copy of an installation's names and keys. An installation whose key another one has gets a copy for
    /// each session.
    pub(super) fn share_installation(
        self: &Arc<Self>,
        namespace: Namespace<'_>,
        publisher: Publisher,
    ) -> Arc<Installation> {
        let key = publisher.tenant().installation;
        let mut shard = self.installations.shard(key);
        let known = shard.get(&key).and_then(Weak::upgrade);
        match known {
            Some(shared) if shared.namespace() == namespace => shared,
            known => {
                let (app, installation) = (namespace.app.into(), namespace.installation.into());
                let new = Arc::new(Installation { app, installation, publisher, limits: self.clone() });
                if known.is_none() {
                    shard.insert(key, Arc::downgrade(&new));
                }
                // The other installation may have no other session any more, and its drop locks the table.
                drop(shard);
                new
            }
        }
    }
}

impl InstallationTable {
    fn shard(&self, key: u64) -> MutexGuard<'_, ByHash<Weak<Installation>>> {
        let shard = usize::try_from(key >> 60).unwrap_or(0);
        critical_task::unpoisoned(self.shards[shard].lock())
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.lock().unwrap().len()).sum()
    }
}

impl Drop for Installation {
    fn drop(&mut self) {
        let mut shard = self.limits.installations.shard(self.key());
        // Another session may have added the installation again meanwhile.
        if shard.get(&self.key()).is_some_and(|known| known.strong_count() == 0) {
            shard.remove(&self.key());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{settings::Settings, tenant::Tenant};
    use std::time::Instant;

    fn limits() -> Arc<Limits> {
        Arc::new(Limits::new(Settings::default(), Instant::now()))
    }

    /// Shares an installation of this name with this key.
    fn share(limits: &Arc<Limits>, name: &str, key: u64) -> Arc<Installation> {
        let publisher = Publisher::with_keys(Tenant { app: 1, installation: key });
        limits.share_installation(Namespace { app: "app", installation: name }, publisher)
    }

    #[test]
    fn sessions_share_their_installation_until_the_last_one_ends() {
        let limits = limits();
        let first = share(&limits, "a", 7);
        let second = share(&limits, "a", 7);
        assert!(Arc::ptr_eq(&first, &second));
        let other = share(&limits, "b", u64::MAX);
        assert_eq!((limits.installations.len(), other.namespace().installation), (2, "b"));
        drop(first);
        assert!(Arc::ptr_eq(&second, &share(&limits, "a", 7)));
        drop((second, other));
        assert_eq!(limits.installations.len(), 0);
    }

    #[test]
    fn installations_whose_keys_collide_keep_their_own_names() {
        let limits = limits();
        let (held, other) = (share(&limits, "a", 7), share(&limits, "b", 7));
        assert_eq!((held.namespace().installation, other.namespace().installation), ("a", "b"));
        drop(other);
        assert!(Arc::ptr_eq(&held, &share(&limits, "a", 7)));
        drop(held);
        assert_eq!(limits.installations.len(), 0);
    }
}
