//! The established sessions by installation, so that an event of one installation wakes only its connections.

use super::Outbound;
use crate::{audit::Subject, critical_task, tenant::ByHash};
use slab::Slab;
use std::sync::{Arc, Mutex, MutexGuard, Weak};

/// The number of independently locked shards, so that many sessions can be established at once.
const SHARDS: usize = 8;
/// The maximum number of sessions that are examined under one lock.
const MAX_SLICE: usize = 1024;

/// The established sessions of a relay.
#[derive(Default)]
pub(crate) struct SessionIndex {
    shards: Arc<[Mutex<ByHash<Slab<IndexedSession>>>; SHARDS]>,
}

struct IndexedSession {
    connection: Weak<Outbound>,
    /// Part of the account's key. A collision only wakes another session, which finds nothing to do.
    account: u32,
}

/// The entry of an established session, which is removed when this is dropped.
pub(crate) struct SessionRegistration {
    shards: Arc<[Mutex<ByHash<Slab<IndexedSession>>>; SHARDS]>,
    installation: u64,
    key: u32,
}

impl SessionIndex {
    /// Adds a session. The caller then checks revocations that were made before.
    pub(in crate::connection) fn insert(
        &self,
        installation: u64,
        account: u64,
        connection: &Arc<Outbound>,
    ) -> SessionRegistration {
        let session =
            IndexedSession { connection: Arc::downgrade(connection), account: account_tag(account) };
        let mut shard = lock(&self.shards, installation);
        let key = shard.entry(installation).or_insert_with(|| Slab::with_capacity(1)).insert(session);
        let key = u32::try_from(key).expect("a process has fewer than four billion sessions");
        SessionRegistration { shards: self.shards.clone(), installation, key }
    }

    /// Returns connections with a session of the installation, or of one of its accounts. Some may be closing. Examines
    /// a slice from `first` on, and also returns the start of the next slice, if there is one.
    pub(crate) fn connections_of(
        &self,
        installation: u64,
        account: Option<u64>,
        first: usize,
    ) -> (Vec<Arc<Outbound>>, Option<usize>) {
        let shard = lock(&self.shards, installation);
        let Some(sessions) = shard.get(&installation) else { return (Vec::new(), None) };
        let end = sessions.capacity().min(first + MAX_SLICE);
        let slice = (first..end).filter_map(|key| sessions.get(key));
        let matching =
            slice.filter(|session| account.is_none_or(|account| session.account == account_tag(account)));
        let connections = matching.filter_map(|session| session.connection.upgrade()).collect();
        (connections, (end < sessions.capacity()).then_some(end))
    }

    /// Visits up to `max` installations of a shard with their number of sessions. Returns the number of its installations, or
    /// `None` if there is no such shard.
    pub(crate) fn visit_installations(
        &self,
        shard: usize,
        max: usize,
        mut visit: impl FnMut(u64, usize),
    ) -> Option<usize> {
        let sessions = critical_task::unpoisoned(self.shards.get(shard)?.lock());
        sessions.iter().take(max).for_each(|(installation, sessions)| visit(*installation, sessions.len()));
        Some(sessions.len())
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.lock().unwrap().values().map(Slab::len).sum::<usize>()).sum()
    }
}

impl Drop for SessionRegistration {
    fn drop(&mut self) {
        let mut shard = lock(&self.shards, self.installation);
        let Some(sessions) = shard.get_mut(&self.installation) else { return };
        sessions.try_remove(self.key as usize);
        if sessions.is_empty() {
            shard.remove(&self.installation);
        }
    }
}

impl SessionRegistration {
    /// Returns the party of the session.
    pub(in crate::connection) fn subject(&self) -> Subject {
        let shard = lock(&self.shards, self.installation);
        let session = shard.get(&self.installation).and_then(|sessions| sessions.get(self.key as usize));
        Subject { installation: self.installation, account: session.map(|session| session.account) }
    }
}

/// Returns the part of an account's key that the index holds.
pub(crate) fn account_tag(account: u64) -> u32 {
    (account >> 32) as u32
}

fn lock(
    shards: &[Mutex<ByHash<Slab<IndexedSession>>>; SHARDS],
    installation: u64,
) -> MutexGuard<'_, ByHash<Slab<IndexedSession>>> {
    critical_task::unpoisoned(shards[(installation % SHARDS as u64) as usize].lock())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        connection::{Socket, queue::Queue},
        http_connections::test_connection,
        limits::Limits,
        memory::Memory,
        settings::Settings,
        sse::StreamRegistry,
    };
    use std::{net::Ipv4Addr, time::Instant};

    #[test]
    fn an_entry_is_two_words() {
        assert_eq!(size_of::<Option<IndexedSession>>(), 2 * size_of::<usize>());
    }

    fn connection() -> Arc<Outbound> {
        let limits = Arc::new(Limits::new(Settings::default(), Instant::now()));
        let (memory, permits) =
            (Arc::<Memory>::default(), (Arc::new(limits.admit_connection(None).unwrap()), None));
        let (socket, _) =
            Arc::new(StreamRegistry::default()).open(&memory, &test_connection(&memory)).unwrap();
        let (socket, queue) = (Socket::Streamed(socket), Queue::new(1000, false));
        Arc::new(Outbound::new(socket, queue, Ipv4Addr::LOCALHOST.into(), permits, memory))
    }

    /// Returns the connections of all slices.
    fn all(sessions: &SessionIndex, installation: u64, account: Option<u64>) -> Vec<*const Outbound> {
        let (mut all, mut next) = (Vec::new(), Some(0));
        while let Some(first) = next {
            let some;
            (some, next) = sessions.connections_of(installation, account, first);
            all.extend(some.iter().map(Arc::as_ptr));
        }
        all
    }

    #[tokio::test]
    async fn a_lookup_finds_only_the_sessions_of_its_installation_and_account() {
        let (sessions, connections) = (SessionIndex::default(), [(); 3].map(|()| connection()));
        let [first, second, third] = &connections;
        let registrations = [
            sessions.insert(1, 10 << 32, first),
            sessions.insert(1, 11 << 32, second),
            // This is a session of another installation on the same socket.
            sessions.insert(2, 20 << 32, first),
            sessions.insert(9, 10 << 32, third),
        ];
        let names = |connections: &[&Arc<Outbound>]| {
            connections.iter().map(|one| Arc::as_ptr(one)).collect::<Vec<_>>()
        };
        for (installation, account, expected) in [
            (1, None, names(&[first, second])),
            (1, Some(11 << 32), names(&[second])),
            (1, Some(20 << 32), vec![]),
            (2, None, names(&[first])),
            (9, Some(10 << 32), names(&[third])),
            (17, None, vec![]),
        ] {
            assert_eq!(all(&sessions, installation, account), expected, "{installation} {account:?}");
        }
        let [one, two, others @ ..] = registrations;
        drop(one);
        assert_eq!(all(&sessions, 1, None), names(&[second]));
        drop(two);
        assert_eq!((all(&sessions, 1, None).len(), sessions.len()), (0, 2));
        drop(others);
        assert!(sessions.shards.iter().all(|shard| shard.lock().unwrap().is_empty()));
    }

    #[tokio::test]
    async fn many_sessions_are_examined_in_slices() {
        let (sessions, connection) = (SessionIndex::default(), connection());
        let registrations: Vec<_> =
            (0..3 * MAX_SLICE as u64).map(|account| sessions.insert(1, account << 32, &connection)).collect();
        let (some, next) = sessions.connections_of(1, None, 0);
        assert_eq!((some.len(), next), (MAX_SLICE, Some(MAX_SLICE)));
        assert_eq!(all(&sessions, 1, None).len(), registrations.len());
        assert_eq!(all(&sessions, 1, Some((2 * MAX_SLICE as u64 + 5) << 32)).len(), 1);
    }
}
