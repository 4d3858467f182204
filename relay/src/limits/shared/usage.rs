//! The publications of each app and installation since they were last reported.

use crate::{critical_task, id_digest::IdDigest};
use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard},
};

/// The number of independently locked tables.
const SHARDS: usize = 16;
/// The maximum number of names in each of them.
const CAPACITY: usize = 4096;
/// The number of messages up to which a name is dropped when a table is full.
const DROPPED: u64 = 8;

/// The messages and bytes of publications.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Usage {
    pub(crate) messages: u64,
    pub(crate) bytes: u64,
}

impl Usage {
    fn exceeds(self, small: Self) -> bool {
        self.messages > small.messages || self.bytes > small.bytes
    }
}

/// The unreported use of one rate, by name.
#[derive(Default)]
pub(super) struct UsageTable([Mutex<HashMap<IdDigest, Usage>>; SHARDS]);

impl UsageTable {
    /// Adds publications. A flood of installations that an app invents cannot grow the table: it drops small amounts, and
    /// counts no further names. The table of apps, which no client can invent, still has everything.
    pub(super) fn add(&self, name: IdDigest, usage: Usage) {
        let mut shard = self.shard(name);
        if shard.len() >= CAPACITY && !shard.contains_key(&name) {
            shard.retain(|_, known| known.messages > DROPPED);
            if shard.len() >= CAPACITY {
                return;
            }
        }
        let known = shard.entry(name).or_default();
        known.messages = known.messages.saturating_add(usage.messages);
        known.bytes = known.bytes.saturating_add(usage.bytes);
    }

    /// Takes the amounts that exceed `small`, of at most `max` names.
    pub(super) fn take(&self, small: Usage, max: usize) -> Vec<(IdDigest, Usage)> {
        let mut taken = Vec::new();
        for shard in &self.0 {
            let mut shard = critical_task::unpoisoned(shard.lock());
            let room = max - taken.len();
            taken.extend(shard.extract_if(|_, usage| usage.exceeds(small)).take(room));
            if shard.capacity() > 1024 && shard.len() < shard.capacity() / 8 {
                shard.shrink_to_fit();
            }
        }
        taken
    }

    fn shard(&self, name: IdDigest) -> MutexGuard<'_, HashMap<IdDigest, Usage>> {
        let shard = usize::from(name.as_bytes()[0]) % SHARDS;
        critical_task::unpoisoned(self.0[shard].lock())
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.0.iter().map(|shard| shard.lock().unwrap().len()).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usage(messages: u64, bytes: u64) -> Usage {
        Usage { messages, bytes }
    }

    #[test]
    fn small_amounts_stay_until_their_sum_is_worth_a_report() {
        let (table, name) = (UsageTable::default(), IdDigest::app("a"));
        let small = usage(2, 100);
        for _ in 0..2 {
            table.add(name, usage(1, 10));
            assert_eq!(table.take(small, 10), []);
        }
        table.add(name, usage(1, 10));
        assert_eq!(table.take(small, 10), [(name, usage(3, 30))]);
        assert_eq!(table.take(usage(0, 0), 10), []);
        table.add(name, usage(1, 101));
        assert_eq!(table.take(small, 10), [(name, usage(1, 101))]);
    }

    #[test]
    fn names_beyond_a_report_wait_for_the_next_one() {
        let table = UsageTable::default();
        (0..100).for_each(|number| table.add(IdDigest::app(&number.to_string()), usage(1, 1)));
        let sizes: Vec<usize> = (0..4).map(|_| table.take(usage(0, 0), 40).len()).collect();
        assert_eq!(sizes, [40, 40, 20, 0]);
    }

    #[test]
    fn a_flood_of_names_leaves_the_table_bounded_and_the_large_amounts_in_it() {
        let (table, large) = (UsageTable::default(), IdDigest::app("large"));
        table.add(large, usage(1000, 1));
        let name = |number: u128| IdDigest::from_slice(&number.to_le_bytes()).unwrap();
        (0..200_000).for_each(|number| table.add(name(number), usage(1, 1)));
        assert!(table.len() <= SHARDS * CAPACITY, "{}", table.len());
        table.add(large, usage(1, 1));
        assert_eq!(table.take(usage(100, u64::MAX), 10), [(large, usage(1001, 2))]);
    }
}
