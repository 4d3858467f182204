//! The open sessions by installation: what happens to one installation wakes nobody else.

use super::Outbound;
use crate::{critical_task, tenant::ByHash};
use slab::Slab;
use std::sync::{Arc, Mutex, MutexGuard, Weak};

/// Installations are spread over so many tables, so that opening many sessions at once does not queue.
const TABLES: usize = 8;
/// Most sessions that are looked at before the lock is let go.
const SLICE: usize = 1024;

#[derive(Default)]
pub(crate) struct Sessions {
    tables: Arc<[Mutex<ByHash<Slab<Session>>>; TABLES]>,
}

struct Session {
    connection: Weak<Outbound>,
    /// A part of the account's key. A session more that looks does no harm.
    account: u32,
}

/// An open session's entry, removed with it.
pub(crate) struct Listing {
    tables: Arc<[Mutex<ByHash<Slab<Session>>>; TABLES]>,
    installation: u64,
    key: u32,
}

impl Sessions {
    /// Adds a session. The caller looks for revocations that came before.
    pub(in crate::connection) fn add(
        &self,
        installation: u64,
        account: u64,
        connection: &Arc<Outbound>,
    ) -> Listing {
        let session = Session { connection: Arc::downgrade(connection), account: part(account) };
        let mut table = lock(&self.tables, installation);
        let key = table.entry(installation).or_insert_with(|| Slab::with_capacity(1)).insert(session);
        let key = u32::try_from(key).expect("a process has fewer than four billion sessions");
        Listing { tables: self.tables.clone(), installation, key }
    }

    /// The connections with a session of the installation, or of one account there, some of which may be ending: those
    /// of a slice of them, and where the next one begins.
    pub(crate) fn some_of(
        &self,
        installation: u64,
        account: Option<u64>,
        first: usize,
    ) -> (Vec<Arc<Outbound>>, Option<usize>) {
        let table = lock(&self.tables, installation);
        let Some(sessions) = table.get(&installation) else { return (Vec::new(), None) };
        let end = sessions.capacity().min(first + SLICE);
        let slice = (first..end).filter_map(|key| sessions.get(key));
        let meant = slice.filter(|session| account.is_none_or(|account| session.account == part(account)));
        let connections = meant.filter_map(|session| session.connection.upgrade()).collect();
        (connections, (end < sessions.capacity()).then_some(end))
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.tables.iter().map(|table| table.lock().unwrap().values().map(Slab::len).sum::<usize>()).sum()
    }
}

impl Drop for Listing {
    fn drop(&mut self) {
        let mut table = lock(&self.tables, self.installation);
        let Some(sessions) = table.get_mut(&self.installation) else { return };
        sessions.try_remove(self.key as usize);
        if sessions.is_empty() {
            table.remove(&self.installation);
        }
    }
}

fn part(account: u64) -> u32 {
    (account >> 32) as u32
}

fn lock(
    tables: &[Mutex<ByHash<Slab<Session>>>; TABLES],
    installation: u64,
) -> MutexGuard<'_, ByHash<Slab<Session>>> {
    critical_task::sound(tables[(installation % TABLES as u64) as usize].lock())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        connection::{Socket, queue::Queue},
        guests::guest,
        limits::Limits,
        memory::Memory,
        settings::Settings,
        sse::StreamRegistry,
    };
    use std::{net::Ipv4Addr, time::Instant};

    #[test]
    fn an_entry_is_two_words() {
        assert_eq!(size_of::<Option<Session>>(), 2 * size_of::<usize>());
    }

    fn connection() -> Arc<Outbound> {
        let limits = Arc::new(Limits::new(Settings::default(), Instant::now()));
        let (memory, permits) =
            (Arc::<Memory>::default(), (Arc::new(limits.admit_connection(None).unwrap()), None));
        let (socket, _) = Arc::new(StreamRegistry::default()).open(&memory, &guest(&memory)).unwrap();
        let (socket, queue) = (Socket::Streamed(socket), Queue::new(1000, false));
        Arc::new(Outbound::new(socket, queue, Ipv4Addr::LOCALHOST.into(), permits, memory))
    }

    /// The connections with a session of the installation, or of one account there.
    fn all(sessions: &Sessions, installation: u64, account: Option<u64>) -> Vec<*const Outbound> {
        let (mut all, mut next) = (Vec::new(), Some(0));
        while let Some(first) = next {
            let some;
            (some, next) = sessions.some_of(installation, account, first);
            all.extend(some.iter().map(Arc::as_ptr));
        }
        all
    }

    #[tokio::test]
    async fn what_concerns_an_installation_or_an_account_reaches_its_sessions_and_no_other() {
        let (sessions, connections) = (Sessions::default(), [(); 3].map(|()| connection()));
        let [first, second, third] = &connections;
        let listings = [
            sessions.add(1, 10 << 32, first),
            sessions.add(1, 11 << 32, second),
            // A session of another installation on the same socket.
            sessions.add(2, 20 << 32, first),
            sessions.add(9, 10 << 32, third),
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
        let [one, two, others @ ..] = listings;
        drop(one);
        assert_eq!(all(&sessions, 1, None), names(&[second]));
        drop(two);
        assert_eq!((all(&sessions, 1, None).len(), sessions.len()), (0, 2));
        drop(others);
        assert!(sessions.tables.iter().all(|table| table.lock().unwrap().is_empty()));
    }

    #[tokio::test]
    async fn very_many_sessions_are_looked_at_in_slices() {
        let (sessions, connection) = (Sessions::default(), connection());
        let listings: Vec<_> =
            (0..3 * SLICE as u64).map(|account| sessions.add(1, account << 32, &connection)).collect();
        let (some, next) = sessions.some_of(1, None, 0);
        assert_eq!((some.len(), next), (SLICE, Some(SLICE)));
        assert_eq!(all(&sessions, 1, None).len(), listings.len());
        assert_eq!(all(&sessions, 1, Some((2 * SLICE as u64 + 5) << 32)).len(), 1);
    }
}
