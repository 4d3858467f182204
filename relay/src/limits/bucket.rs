//! A token bucket that stores one number, the moment at which it will be full again (the generic cell rate algorithm of
//! ITU-T I.371). No I/O; time is an argument.

use crate::settings::Rate;
use std::time::Duration;

impl Rate {
    /// Returns the time for `count` tokens at this rate, in nanoseconds.
    pub(super) fn nanos(self, count: u64) -> u64 {
        let nanos = u128::from(count) * 1_000_000_000 / u128::from(self.per_second.max(1));
        u64::try_from(nanos).unwrap_or(u64::MAX)
    }

    /// Returns the time in which an empty bucket fills, in nanoseconds.
    pub(super) fn refill(self) -> u64 {
        self.nanos(self.burst)
    }
}

/// The maximum debt, as the time that paying it takes in nanoseconds.
const MAX_DEBT_NANOS: u64 = 60_000_000_000;

/// A moment, in nanoseconds since the creation of the limits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment(pub(super) u64);

/// A token bucket, initially full. A full bucket equals a new one and need not be stored.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Bucket {
    full_at: u64,
}

impl Bucket {
    /// Takes `count` tokens, or returns the time until that is possible. It never is for more than the burst.
    pub(crate) fn take(&mut self, count: u64, rate: Rate, now: Moment) -> Result<(), Duration> {
        let full_at = self.full_at.max(now.0).saturating_add(rate.nanos(count));
        match (full_at - now.0).checked_sub(rate.refill()) {
            None | Some(0) => {
                self.full_at = full_at;
                Ok(())
            }
            Some(missing) => Err(Duration::from_nanos(missing)),
        }
    }

    /// Takes `count` tokens for something indivisible: for more than the burst, only the burst must be available. The
    /// rest becomes a debt of at most a minute, which later calls wait for.
    pub(crate) fn take_with_debt(&mut self, count: u64, rate: Rate, now: Moment) -> Result<(), Duration> {
        self.take(count.min(rate.burst), rate, now)?;
        let owed = rate.nanos(count.saturating_sub(rate.burst)).min(MAX_DEBT_NANOS);
        self.full_at = self.full_at.saturating_add(owed);
        Ok(())
    }

    /// Takes tokens that others already used, which may leave the bucket with a debt of at most a minute.
    pub(super) fn debit(&mut self, count: u64, rate: Rate, now: Moment) {
        let deepest = now.0.saturating_add(rate.refill()).saturating_add(MAX_DEBT_NANOS);
        let full_at = self.full_at.max(now.0).saturating_add(rate.nanos(count)).min(deepest);
        self.full_at = self.full_at.max(full_at);
    }

    /// Returns tokens that were taken.
    pub(super) fn refund(&mut self, count: u64, rate: Rate) {
        self.full_at = self.full_at.saturating_sub(rate.nanos(count));
    }

    /// Returns whether the bucket is in debt.
    pub(super) fn is_in_debt(&self, rate: Rate, now: Moment) -> bool {
        self.full_at > now.0.saturating_add(rate.refill())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const RATE: Rate = Rate { per_second: 10, burst: 20 };

    fn at(millis: u64) -> Moment {
        Moment(millis * 1_000_000)
    }

    #[test]
    fn a_burst_passes_at_once_and_further_tokens_at_the_rate() {
        let mut bucket = Bucket::default();
        for _ in 0..20 {
            assert_eq!(bucket.take(1, RATE, at(0)), Ok(()));
        }
        assert_eq!(bucket.take(1, RATE, at(0)), Err(Duration::from_millis(100)));
        assert_eq!(bucket.take(1, RATE, at(99)), Err(Duration::from_millis(1)));
        assert_eq!(bucket.take(1, RATE, at(100)), Ok(()));
        assert_eq!(bucket.take(10, RATE, at(600)), Err(Duration::from_millis(500)));
        assert_eq!(bucket.take(10, RATE, at(1100)), Ok(()));
        // After a long pause the bucket holds the burst and no more.
        assert_eq!(bucket.take(21, RATE, at(60_000)), Err(Duration::from_millis(100)));
        assert_eq!(bucket.take(20, RATE, at(60_000)), Ok(()));
    }

    #[test]
    fn a_changed_rate_applies_to_the_next_call() {
        let mut bucket = Bucket::default();
        bucket.take(20, RATE, at(0)).unwrap();
        let faster = Rate { per_second: 1000, burst: 4000 };
        assert_eq!(bucket.take(1000, faster, at(0)), Ok(()));
    }

    #[test]
    fn a_debit_is_never_refused_and_delays_later_calls_by_at_most_a_minute() {
        let mut bucket = Bucket::default();
        bucket.debit(5, RATE, at(0));
        assert_eq!(bucket.take(15, RATE, at(0)), Ok(()));
        bucket.debit(30, RATE, at(0));
        assert_eq!(bucket.take(1, RATE, at(0)), Err(Duration::from_millis(3100)));
        (0..1000).for_each(|_| bucket.debit(1000, RATE, at(0)));
        assert_eq!(bucket.take(1, RATE, at(0)), Err(Duration::from_millis(60_100)));
        assert_eq!(bucket.take(20, RATE, at(62_000)), Ok(()));
    }

    proptest! {
        /// In any period, no more passes than the burst and the rate allow. A refused call passes after the returned
        /// time.
        #[test]
        fn no_more_passes_than_the_rate_allows(
            steps in prop::collection::vec((0..2_000_u64, 1..30_u64), 1..100),
            per_second in 1..1000_u64,
            burst in 1..100_u64,
        ) {
            let rate = Rate { per_second, burst };
            let (mut bucket, mut now) = (Bucket::default(), 0);
            let mut taken: Vec<(u64, u64)> = Vec::new();
            for (millis, count) in steps {
                now += millis;
                match bucket.take(count, rate, at(now)) {
                    Ok(()) => taken.push((now, count)),
                    Err(wait) if count <= burst => {
                        let later = Moment(at(now).0 + u64::try_from(wait.as_nanos()).unwrap());
                        prop_assert_eq!(bucket.clone().take(count, rate, later), Ok(()));
                    }
                    Err(_) => {}
                }
            }
            for (first, (start, _)) in taken.iter().enumerate() {
                let mut sum = 0;
                for (end, count) in &taken[first..] {
                    sum += count;
                    // Rounding down the time of each call gives away less than one token.
                    let allowed = burst as f64 + (end - start) as f64 / 1000.0 * per_second as f64 + 1.0;
                    prop_assert!(sum as f64 <= allowed, "{sum} > {allowed}");
                }
            }
        }
    }
}
