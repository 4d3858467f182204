//! How much may happen a second: a token bucket that stores one number, the moment at which it will be full again (the
//! generic cell rate algorithm of ITU-T I.371). No I/O and no clock of its own.

use crate::settings::Rate;
use std::time::Duration;

impl Rate {
    /// How long `count` takes at this rate, in nanoseconds.
    pub(super) fn nanos(self, count: u64) -> u64 {
        let nanos = u128::from(count) * 1_000_000_000 / u128::from(self.per_second.max(1));
        u64::try_from(nanos).unwrap_or(u64::MAX)
    }

    /// How long an empty bucket takes to be full.
    pub(super) fn refill(self) -> u64 {
        self.nanos(self.burst)
    }
}

/// Longest time that somebody waits for a debt alone, in nanoseconds.
const MAX_DEBT_NANOS: u64 = 60_000_000_000;

/// A moment, in nanoseconds since the limits were made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment(pub(super) u64);

/// A bucket that is full at first. Whether it was never used or is full again makes no difference, so that a full one
/// need not be kept.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Bucket {
    full_at: u64,
}

impl Bucket {
    /// Takes `count` out, or says how long it takes until that is possible. More than the burst never is.
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

    /// The same for something that cannot be divided: of more than the burst, only the burst has to be there. The rest is
    /// owed, and what comes next waits until it is paid, or a minute has passed.
    pub(crate) fn draw(&mut self, count: u64, rate: Rate, now: Moment) -> Result<(), Duration> {
        self.take(count.min(rate.burst), rate, now)?;
        let owed = rate.nanos(count.saturating_sub(rate.burst)).min(MAX_DEBT_NANOS);
        self.full_at = self.full_at.saturating_add(owed);
        Ok(())
    }

    /// Undoes a taking.
    pub(super) fn give_back(&mut self, count: u64, rate: Rate) {
        self.full_at = self.full_at.saturating_sub(rate.nanos(count));
    }

    /// Returns whether more than the burst is missing.
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
    fn a_burst_is_taken_at_once_and_then_as_much_a_second_as_is_allowed() {
        let mut bucket = Bucket::default();
        for _ in 0..20 {
            assert_eq!(bucket.take(1, RATE, at(0)), Ok(()));
        }
        assert_eq!(bucket.take(1, RATE, at(0)), Err(Duration::from_millis(100)));
        assert_eq!(bucket.take(1, RATE, at(99)), Err(Duration::from_millis(1)));
        assert_eq!(bucket.take(1, RATE, at(100)), Ok(()));
        assert_eq!(bucket.take(10, RATE, at(600)), Err(Duration::from_millis(500)));
        assert_eq!(bucket.take(10, RATE, at(1100)), Ok(()));
        // A long silence fills it to the burst and no further.
        assert_eq!(bucket.take(21, RATE, at(60_000)), Err(Duration::from_millis(100)));
        assert_eq!(bucket.take(20, RATE, at(60_000)), Ok(()));
    }

    #[test]
    fn a_rate_that_was_changed_holds_from_the_next_time_on() {
        let mut bucket = Bucket::default();
        bucket.take(20, RATE, at(0)).unwrap();
        let faster = Rate { per_second: 1000, burst: 4000 };
        assert_eq!(bucket.take(1000, faster, at(0)), Ok(()));
    }

    proptest! {
        /// Over any stretch of time no more passes than the burst and the rate allow, and what is told to wait passes
        /// after that time.
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
                    // Rounding down the time of each taking gives away less than one.
                    let allowed = burst as f64 + (end - start) as f64 / 1000.0 * per_second as f64 + 1.0;
                    prop_assert!(sum as f64 <= allowed, "{sum} > {allowed}");
                }
            }
        }
    }
}
