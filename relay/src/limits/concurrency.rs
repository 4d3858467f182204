//! Concurrency limits by key, for example the sessions of each account. A key without permits in use has no entry, so
//! the table is never larger than what it counts.

use crate::{critical_task, tenant::ByHash};
use std::sync::{Mutex, MutexGuard};

/// The number of independently locked tables.
const SHARDS: usize = 16;

/// The number of permits in use, by key.
#[derive(Default)]
pub(super) struct ConcurrencyCounts {
    shards: [Mutex<ByHash<u32>>; SHARDS],
}

impl ConcurrencyCounts {
    /// Acquires a permit for `key`, unless `max` are in use. Returns whether it did.
    pub(super) fn try_acquire(&self, key: u64, max: usize) -> bool {
        let mut shard = self.shard(key);
        let count = shard.get(&key).copied().unwrap_or(0);
        let is_free = usize::try_from(count).is_ok_and(|count| count < max);
        if is_free {
            shard.insert(key, count.saturating_add(1));
        }
        is_free
    }

    /// Releases a permit of `key`.
    pub(super) fn release(&self, key: u64) {
        self.release_many(key, 1);
    }

    /// Releases `released` permits of `key`.
    pub(super) fn release_many(&self, key: u64, released: u32) {
        let mut shard = self.shard(key);
        match shard.get_mut(&key) {
            Some(count) if *count > released => *count -= released,
            _ => {
                shard.remove(&key);
                // After a flood, the capacity is released.
                if shard.capacity() > 1024 && shard.len() < shard.capacity() / 8 {
                    shard.shrink_to_fit();
                }
            }
        }
    }

    fn shard(&self, key: u64) -> MutexGuard<'_, ByHash<u32>> {
        let shard = usize::try_from(key >> 60).unwrap_or(0);
        critical_task::unpoisoned(self.shards[shard].lock())
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.lock().unwrap().len()).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_has_its_own_permits_and_no_entry_without_them() {
        let concurrency = ConcurrencyCounts::default();
        let keys = [1_u64, 2, 1 << 63];
        for key in keys {
            for permit in 0..4 {
                assert_eq!(concurrency.try_acquire(key, 3), permit < 3);
            }
        }
        concurrency.release(1);
        assert!(concurrency.try_acquire(1, 3) && !concurrency.try_acquire(1, 3));
        for key in keys {
            (0..3).for_each(|_| concurrency.release(key));
        }
        assert_eq!(concurrency.len(), 0);
        assert!(!concurrency.try_acquire(1, 0));
    }
}
