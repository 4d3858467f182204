//! How many there are of something, by key. An entry lasts for as long as there is one, so the table is no larger than
//! what it counts.

use crate::{critical_task, tenant::ByHash};
use std::sync::{Mutex, MutexGuard};

/// Tables that do not wait for each other.
const SHARDS: usize = 16;

#[derive(Default)]
pub(super) struct Occupancy {
    shards: [Mutex<ByHash<u32>>; SHARDS],
}

impl Occupancy {
    /// Counts one more for `key`, unless there are `most` already.
    pub(super) fn enter(&self, key: u64, most: usize) -> bool {
        let mut shard = self.shard(key);
        let count = shard.get(&key).copied().unwrap_or(0);
        let is_free = usize::try_from(count).is_ok_and(|count| count < most);
        if is_free {
            shard.insert(key, count.saturating_add(1));
        }
        is_free
    }

    /// Counts one less.
    pub(super) fn leave(&self, key: u64) {
        self.leave_many(key, 1);
    }

    /// Counts so many less.
    pub(super) fn leave_many(&self, key: u64, gone: u32) {
        let mut shard = self.shard(key);
        match shard.get_mut(&key) {
            Some(count) if *count > gone => *count -= gone,
            _ => {
                shard.remove(&key);
                // What a flood has left behind is given back.
                if shard.capacity() > 1024 && shard.len() < shard.capacity() / 8 {
                    shard.shrink_to_fit();
                }
            }
        }
    }

    fn shard(&self, key: u64) -> MutexGuard<'_, ByHash<u32>> {
        let shard = usize::try_from(key >> 60).unwrap_or(0);
        critical_task::sound(self.shards[shard].lock())
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
    fn each_key_has_so_many_places_and_nothing_is_left_of_those_who_left() {
        let occupancy = Occupancy::default();
        let keys = [1_u64, 2, 1 << 63];
        for key in keys {
            for place in 0..4 {
                assert_eq!(occupancy.enter(key, 3), place < 3);
            }
        }
        occupancy.leave(1);
        assert!(occupancy.enter(1, 3) && !occupancy.enter(1, 3));
        for key in keys {
            (0..3).for_each(|_| occupancy.leave(key));
        }
        assert_eq!(occupancy.len(), 0);
        assert!(!occupancy.enter(1, 0));
    }
}
