//! A histogram of durations. A single writer adds without an atomic read-modify-write, several writers with one, and a
//! scrape may read at any time.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

/// The upper bounds of the buckets, in microseconds. One more bucket counts longer durations.
pub(crate) const BOUNDS: [u64; 16] = [
    100, 250, 500, 1000, 2500, 5000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000,
    5_000_000, 10_000_000,
];

#[derive(Default)]
pub(crate) struct Latency {
    buckets: [AtomicU64; BOUNDS.len() + 1],
    micros: AtomicU64,
}

/// The sum of one or several histograms.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Distribution {
    /// The count of each bucket, not cumulative.
    pub(crate) buckets: [u64; BOUNDS.len() + 1],
    /// The sum of all durations, in microseconds.
    pub(crate) micros: u64,
}

impl Latency {
    /// Records a duration. Only one task may call it.
    pub(crate) fn record(&self, duration: Duration) {
        let (bucket, micros) = bucket(duration);
        add(&self.buckets[bucket], 1);
        add(&self.micros, micros);
    }

    /// Records a duration. Any number of tasks may call it, and none calls [`Self::record`].
    pub(crate) fn record_shared(&self, duration: Duration) {
        let (bucket, micros) = bucket(duration);
        self.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        self.micros.fetch_add(micros, Ordering::Relaxed);
    }

    pub(crate) fn add_to(&self, distribution: &mut Distribution) {
        for (sum, bucket) in distribution.buckets.iter_mut().zip(&self.buckets) {
            *sum += bucket.load(Ordering::Relaxed);
        }
        distribution.micros += self.micros.load(Ordering::Relaxed);
    }
}

/// Returns the index of a duration's bucket, and the duration in microseconds.
fn bucket(duration: Duration) -> (usize, u64) {
    let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
    (BOUNDS.partition_point(|bound| *bound < micros), micros)
}

/// Adds to a counter that has no other writer.
pub(crate) fn add(counter: &AtomicU64, count: u64) {
    counter.store(counter.load(Ordering::Relaxed).wrapping_add(count), Ordering::Relaxed);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_counted_in_the_first_bucket_whose_bound_is_not_below_it() {
        let (latency, mut distribution) = (Latency::default(), Distribution::default());
        for micros in [0, 100, 101, 10_000_000, 10_000_001] {
            latency.record(Duration::from_micros(micros));
            latency.record_shared(Duration::from_micros(micros));
        }
        latency.add_to(&mut distribution);
        let mut expected = Distribution { micros: 2 * 20_000_202, ..Distribution::default() };
        (expected.buckets[0], expected.buckets[1], expected.buckets[15], expected.buckets[16]) = (4, 2, 2, 2);
        assert_eq!(distribution, expected);
    }
}
