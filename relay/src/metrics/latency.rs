//! A histogram of durations with a single writer. Its task adds without an atomic read-modify-write, and a scrape may read
//! at any time.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

/// The upper bounds of the buckets, in microseconds. One more bucket counts longer durations.
pub(crate) const BOUNDS: [u64; 14] = [
    100, 250, 500, 1000, 2500, 5000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000,
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
        let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        let bucket = BOUNDS.partition_point(|bound| *bound < micros);
        add(&self.buckets[bucket], 1);
        add(&self.micros, micros);
    }

    pub(crate) fn add_to(&self, distribution: &mut Distribution) {
        for (sum, bucket) in distribution.buckets.iter_mut().zip(&self.buckets) {
            *sum += bucket.load(Ordering::Relaxed);
        }
        distribution.micros += self.micros.load(Ordering::Relaxed);
    }
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
        for micros in [0, 100, 101, 2_500_000, 2_500_001] {
            latency.record(Duration::from_micros(micros));
        }
        latency.add_to(&mut distribution);
        let mut expected = Distribution { micros: 5_000_202, ..Distribution::default() };
        (expected.buckets[0], expected.buckets[1], expected.buckets[13], expected.buckets[14]) = (2, 1, 1, 1);
        assert_eq!(distribution, expected);
    }
}
