//! Token buckets by key, in a table of bounded size: keys that an attacker invents cannot grow it.

use super::bucket::{Bucket, Moment};
use crate::settings::Rate;
use crate::{critical_task, tenant::ByHash};
use std::{
    sync::{Mutex, MutexGuard},
    time::Duration,
};

/// The number of independently locked tables.
const SHARDS: usize = 16;
/// The maximum number of buckets in each generation of a shard.
const CAPACITY: usize = 4096;
/// The maximum retry delay in nanoseconds, unless the bucket itself needs longer.
const MAX_WAIT_NANOS: u64 = 2_000_000_000;
/// The minimum retry delay in nanoseconds: with a shorter one, clients would mostly cause further refusals.
const MIN_WAIT_NANOS: u64 = 50_000_000;

/// The token buckets of one rate, by key.
#[derive(Default)]
pub(super) struct RateTable {
    shards: [Mutex<RateShard>; SHARDS],
}

#[derive(Clone, Copy, Default)]
struct RateEntry {
    bucket: Bucket,
    /// The latest time that a refused caller was told to retry at. Refused callers get successive times, so that they
    /// do not all retry at once.
    next_retry_at: u64,
}

/// Two generations of buckets. A bucket that was not used for the time in which it fills is full, and is dropped with
/// the old generation. If the young generation has no room, the old one is dropped early.
#[derive(Default)]
struct RateShard {
    young: ByHash<RateEntry>,
    old: ByHash<RateEntry>,
    rotate_at: u64,
}

impl RateTable {
    /// Takes `count` tokens of `key`, or returns the retry delay.
    pub(super) fn take(&self, key: u64, count: u64, rate: Rate, now: Moment) -> Result<(), Duration> {
        self.shard(key).take(key, count, rate, now, Bucket::take)
    }

    /// Takes `count` tokens of `key`, which may be more than the burst; see [`Bucket::take_with_debt`].
    pub(super) fn take_with_debt(
        &self,
        key: u64,
        count: u64,
        rate: Rate,
        now: Moment,
    ) -> Result<(), Duration> {
        self.shard(key).take(key, count, rate, now, Bucket::take_with_debt)
    }

    /// Takes tokens of `key` that others already used; see [`Bucket::debit`].
    pub(super) fn debit(&self, key: u64, count: u64, rate: Rate, now: Moment) {
        if count > 0 {
            self.shard(key).entry(key, rate, now).bucket.debit(count, rate, now);
        }
    }

    /// Returns tokens of `key` that were taken.
    pub(super) fn refund(&self, key: u64, count: u64, rate: Rate) {
        if let Some(entry) = self.shard(key).young.get_mut(&key) {
            entry.bucket.refund(count, rate);
        }
    }

    fn shard(&self, key: u64) -> MutexGuard<'_, RateShard> {
        let shard = usize::try_from(key >> 60).unwrap_or(0);
        critical_task::unpoisoned(self.shards[shard].lock())
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.lock().unwrap()).map(|s| s.young.len() + s.old.len()).sum()
    }
}

impl RateShard {
    fn take(
        &mut self,
        key: u64,
        count: u64,
        rate: Rate,
        now: Moment,
        take: impl FnOnce(&mut Bucket, u64, Rate, Moment) -> Result<(), Duration>,
    ) -> Result<(), Duration> {
        let entry = self.entry(key, rate, now);
        take(&mut entry.bucket, count, rate, now).map_err(|missing| {
            let earliest = now.0.saturating_add(u64::try_from(missing.as_nanos()).unwrap_or(u64::MAX));
            let one_more = (rate.refill() / rate.burst.max(1)).saturating_mul(count);
            let latest = earliest.max(now.0 + MAX_WAIT_NANOS);
            entry.next_retry_at = earliest.max(entry.next_retry_at.saturating_add(one_more)).min(latest);
            Duration::from_nanos((entry.next_retry_at - now.0).max(MIN_WAIT_NANOS))
        })
    }

    /// Returns the entry of `key`, which is added if there is none.
    fn entry(&mut self, key: u64, rate: Rate, now: Moment) -> &mut RateEntry {
        if now.0 >= self.rotate_at {
            self.rotate(rate, now);
        }
        let is_known = self.young.contains_key(&key);
        if !is_known && self.young.len() >= CAPACITY {
            self.rotate(rate, now);
        }
        match is_known {
            true => self.young.entry(key).or_default(),
            false => {
                let old = self.old.remove(&key).unwrap_or_default();
                self.young.entry(key).or_insert(old)
            }
        }
    }

    fn rotate(&mut self, rate: Rate, now: Moment) {
        let dropped = std::mem::replace(&mut self.old, std::mem::take(&mut self.young));
        // A bucket in debt is not full after that time, and is kept.
        let debtors = dropped.into_iter().filter(|(_, entry)| entry.bucket.is_in_debt(rate, now));
        self.young.extend(debtors.take(CAPACITY / 2));
        self.rotate_at = now.0.saturating_add(rate.refill().max(MAX_WAIT_NANOS));
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
    fn every_key_keeps_its_bucket_until_it_is_full() {
        let rates = RateTable::default();
        for second in 0..30 {
            let now = at(second * 1000);
            let allowed = if second == 0 { 20 } else { 10 };
            assert_eq!(rates.take(1, allowed, RATE, now), Ok(()), "{second}");
            assert!(rates.take(1, 1, RATE, now).is_err());
        }
        assert_eq!(rates.take(2, 20, RATE, at(30_000)), Ok(()));
    }

    #[test]
    fn a_flood_of_keys_leaves_the_table_bounded_and_is_dropped_later() {
        let rates = RateTable::default();
        for key in 0..1_000_000_u64 {
            let _ = rates.take(key.wrapping_mul(0x9e37_79b9_7f4a_7c15), 1, RATE, at(key / 1000));
        }
        assert!(rates.len() <= 2 * SHARDS * CAPACITY, "{}", rates.len());
        // Two rotations without the flooding keys.
        for millis in [10_000, 20_000] {
            for shard in 0..SHARDS as u64 {
                let _ = rates.take(shard << 60, 1, RATE, at(millis));
            }
        }
        assert!(rates.len() <= 2 * SHARDS, "{}", rates.len());
    }

    #[test]
    fn refused_callers_get_successive_retry_times() {
        let rates = RateTable::default();
        rates.take(1, 20, RATE, at(0)).unwrap();
        let waits: Vec<u128> =
            (0..5).map(|_| rates.take(1, 1, RATE, at(0)).unwrap_err().as_millis()).collect();
        assert_eq!(waits, [100, 200, 300, 400, 500]);
        for _ in 0..1000 {
            assert!(rates.take(1, 1, RATE, at(0)).unwrap_err() <= Duration::from_nanos(MAX_WAIT_NANOS));
        }
        // Each caller passes at its retry time.
        for wait in waits {
            assert_eq!(rates.take(1, 1, RATE, at(u64::try_from(wait).unwrap())), Ok(()));
        }
        let fast = Rate { per_second: 100_000, burst: 1 };
        rates.take(2, 1, fast, at(0)).unwrap();
        assert_eq!(rates.take(2, 1, fast, at(0)), Err(Duration::from_nanos(MIN_WAIT_NANOS)));
    }

    #[test]
    fn a_debt_is_kept_until_it_is_paid() {
        let rates = RateTable::default();
        assert_eq!(rates.take_with_debt(1, 200, RATE, at(0)), Ok(()));
        // The debt is nine bursts, and the next call waits for all of them.
        assert_eq!(rates.take_with_debt(1, 20, RATE, at(0)), Err(Duration::from_secs(20)));
        for second in 1..20 {
            let other = rates.take_with_debt(2, 1, RATE, at(second * 1000));
            assert!(
                other.is_ok() && rates.take_with_debt(1, 20, RATE, at(second * 1000)).is_err(),
                "{second}"
            );
        }
        assert_eq!(rates.take_with_debt(1, 20, RATE, at(20_000)), Ok(()));
        // The debt is also kept if its key is not used meanwhile.
        let rates = RateTable::default();
        assert_eq!(rates.take_with_debt(3, 200, RATE, at(0)), Ok(()));
        (1..10).for_each(|turn| assert!(rates.take_with_debt(2, 1, RATE, at(turn * 2001)).is_ok()));
        assert!(rates.take_with_debt(3, 20, RATE, at(19_000)).is_err());
    }

    #[test]
    fn refunded_tokens_are_available_again() {
        let rates = RateTable::default();
        rates.take(1, 20, RATE, at(0)).unwrap();
        rates.refund(1, 5, RATE);
        rates.refund(2, 5, RATE);
        assert!(rates.take(1, 6, RATE, at(0)).is_err());
        assert_eq!(rates.take(1, 5, RATE, at(0)), Ok(()));
        // A refund never exceeds the burst.
        assert!(rates.take(2, 21, RATE, at(0)).is_err());
    }
}
