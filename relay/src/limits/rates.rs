//! Token buckets by key, in a table that cannot be grown past its size by whoever makes up keys.

use super::bucket::{Bucket, Moment};
use crate::settings::Rate;
use crate::{critical_task, tenant::ByHash};
use std::{
    sync::{Mutex, MutexGuard},
    time::Duration,
};

/// Tables that do not wait for each other.
const SHARDS: usize = 16;
/// Most buckets in each half of a shard.
const CAPACITY: usize = 4096;
/// Longest time that anybody is told to wait, in nanoseconds.
const MAX_WAIT_NANOS: u64 = 2_000_000_000;
/// Shortest time that anybody is told to wait, in nanoseconds: who waits less asks for nothing but refusals.
const SHORTEST_WAIT: u64 = 50_000_000;

/// Buckets of one rate.
#[derive(Default)]
pub(super) struct Rates {
    shards: [Mutex<Shard>; SHARDS],
}

#[derive(Clone, Copy, Default)]
struct Entry {
    bucket: Bucket,
    /// Up to when those who were refused have been told to come back, one after the other, so that they do not all
    /// come at once.
    promised: u64,
}

/// Two halves that take turns. What was not used for as long as a bucket takes to fill is full, and is forgotten with
/// its half; where a half is full of keys, the other is forgotten early.
#[derive(Default)]
struct Shard {
    young: ByHash<Entry>,
    old: ByHash<Entry>,
    turn_at: u64,
}

impl Rates {
    /// Takes `count` of what `key` has, or says when to try again.
    pub(super) fn take(&self, key: u64, count: u64, rate: Rate, now: Moment) -> Result<(), Duration> {
        self.shard(key).take(key, count, rate, now, Bucket::take)
    }

    /// The same for what may be more than the burst; see [`Bucket::draw`].
    pub(super) fn draw(&self, key: u64, count: u64, rate: Rate, now: Moment) -> Result<(), Duration> {
        self.shard(key).take(key, count, rate, now, Bucket::draw)
    }

    /// Gives back what was taken in vain.
    pub(super) fn give_back(&self, key: u64, count: u64, rate: Rate) {
        if let Some(entry) = self.shard(key).young.get_mut(&key) {
            entry.bucket.give_back(count, rate);
        }
    }

    fn shard(&self, key: u64) -> MutexGuard<'_, Shard> {
        let shard = usize::try_from(key >> 60).unwrap_or(0);
        critical_task::sound(self.shards[shard].lock())
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.lock().unwrap()).map(|s| s.young.len() + s.old.len()).sum()
    }
}

impl Shard {
    fn take(
        &mut self,
        key: u64,
        count: u64,
        rate: Rate,
        now: Moment,
        take: impl FnOnce(&mut Bucket, u64, Rate, Moment) -> Result<(), Duration>,
    ) -> Result<(), Duration> {
        if now.0 >= self.turn_at {
            self.turn(rate, now);
        }
        let is_known = self.young.contains_key(&key);
        if !is_known && self.young.len() >= CAPACITY {
            self.turn(rate, now);
        }
        let entry = match is_known {
            true => self.young.entry(key).or_default(),
            false => {
                let old = self.old.remove(&key).unwrap_or_default();
                self.young.entry(key).or_insert(old)
            }
        };
        take(&mut entry.bucket, count, rate, now).map_err(|missing| {
            let earliest = now.0.saturating_add(u64::try_from(missing.as_nanos()).unwrap_or(u64::MAX));
            let one_more = (rate.refill() / rate.burst.max(1)).saturating_mul(count);
            let latest = earliest.max(now.0 + MAX_WAIT_NANOS);
            entry.promised = earliest.max(entry.promised.saturating_add(one_more)).min(latest);
            Duration::from_nanos((entry.promised - now.0).max(SHORTEST_WAIT))
        })
    }

    fn turn(&mut self, rate: Rate, now: Moment) {
        let gone = std::mem::replace(&mut self.old, std::mem::take(&mut self.young));
        // A bucket in debt is not full after the time that an empty one takes to fill.
        let debtors = gone.into_iter().filter(|(_, entry)| entry.bucket.is_in_debt(rate, now));
        self.young.extend(debtors.take(CAPACITY / 2));
        self.turn_at = now.0.saturating_add(rate.refill().max(MAX_WAIT_NANOS));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Rate = Rate { per_second: 10, burst: 20 };

    fn at(millis: u64) -> Moment {
        Moment(millis * 1_000_000)
    }

    #[test]
    fn every_key_has_a_bucket_of_its_own_and_keeps_it_for_as_long_as_it_is_not_full() {
        let rates = Rates::default();
        for second in 0..30 {
            let now = at(second * 1000);
            let allowed = if second == 0 { 20 } else { 10 };
            assert_eq!(rates.take(1, allowed, RATE, now), Ok(()), "{second}");
            assert!(rates.take(1, 1, RATE, now).is_err());
        }
        assert_eq!(rates.take(2, 20, RATE, at(30_000)), Ok(()));
    }

    #[test]
    fn a_table_that_is_flooded_with_keys_stays_small_and_forgets_them_again() {
        let rates = Rates::default();
        for key in 0..1_000_000_u64 {
            let _ = rates.take(key.wrapping_mul(0x9e37_79b9_7f4a_7c15), 1, RATE, at(key / 1000));
        }
        assert!(rates.len() <= 2 * SHARDS * CAPACITY, "{}", rates.len());
        // Two turns without them, as the keys of the other side come by.
        for millis in [10_000, 20_000] {
            for shard in 0..SHARDS as u64 {
                let _ = rates.take(shard << 60, 1, RATE, at(millis));
            }
        }
        assert!(rates.len() <= 2 * SHARDS, "{}", rates.len());
    }

    #[test]
    fn those_who_are_refused_are_asked_back_one_after_the_other() {
        let rates = Rates::default();
        rates.take(1, 20, RATE, at(0)).unwrap();
        let waits: Vec<u128> =
            (0..5).map(|_| rates.take(1, 1, RATE, at(0)).unwrap_err().as_millis()).collect();
        assert_eq!(waits, [100, 200, 300, 400, 500]);
        for _ in 0..1000 {
            assert!(rates.take(1, 1, RATE, at(0)).unwrap_err() <= Duration::from_nanos(MAX_WAIT_NANOS));
        }
        // Each comes when it was asked to, and passes.
        for wait in waits {
            assert_eq!(rates.take(1, 1, RATE, at(u64::try_from(wait).unwrap())), Ok(()));
        }
        let fast = Rate { per_second: 100_000, burst: 1 };
        rates.take(2, 1, fast, at(0)).unwrap();
        assert_eq!(rates.take(2, 1, fast, at(0)), Err(Duration::from_nanos(SHORTEST_WAIT)));
    }

    #[test]
    fn what_is_drawn_past_the_burst_is_owed_and_not_forgotten_before_it_is_paid() {
        let rates = Rates::default();
        assert_eq!(rates.draw(1, 200, RATE, at(0)), Ok(()));
        // Nine bursts are owed, and the next draw waits for all of them.
        assert_eq!(rates.draw(1, 20, RATE, at(0)), Err(Duration::from_secs(20)));
        for second in 1..20 {
            let other = rates.draw(2, 1, RATE, at(second * 1000));
            assert!(other.is_ok() && rates.draw(1, 20, RATE, at(second * 1000)).is_err(), "{second}");
        }
        assert_eq!(rates.draw(1, 20, RATE, at(20_000)), Ok(()));
        // Nor where nobody asks meanwhile.
        let rates = Rates::default();
        assert_eq!(rates.draw(3, 200, RATE, at(0)), Ok(()));
        (1..10).for_each(|turn| assert!(rates.draw(2, 1, RATE, at(turn * 2001)).is_ok()));
        assert!(rates.draw(3, 20, RATE, at(19_000)).is_err());
    }

    #[test]
    fn what_was_taken_in_vain_is_given_back() {
        let rates = Rates::default();
        rates.take(1, 20, RATE, at(0)).unwrap();
        rates.give_back(1, 5, RATE);
        rates.give_back(2, 5, RATE);
        assert!(rates.take(1, 6, RATE, at(0)).is_err());
        assert_eq!(rates.take(1, 5, RATE, at(0)), Ok(()));
        // Never more than the burst.
        assert!(rates.take(2, 21, RATE, at(0)).is_err());
    }
}
