//! A histogram of delivery latencies, with buckets of one microsecond.

use std::time::Duration;

const BUCKETS: usize = 1_000_000;

pub(crate) struct Latencies {
    buckets: Vec<u32>,
    count: u64,
}

impl Latencies {
    pub(crate) fn new() -> Self {
        Self { buckets: vec![0; BUCKETS], count: 0 }
    }

    /// Records a latency. Latencies above one second count as one second.
    pub(crate) fn record(&mut self, latency: Duration) {
        let micros = usize::try_from(latency.as_micros()).unwrap_or(usize::MAX);
        self.buckets[micros.min(BUCKETS - 1)] += 1;
        self.count += 1;
    }

    /// Returns the given quantile of the latencies, in milliseconds.
    pub(crate) fn quantile(&self, quantile: f64) -> f64 {
        let rank = (self.count as f64 * quantile).ceil() as u64;
        let mut seen = 0;
        for (micros, count) in self.buckets.iter().enumerate() {
            seen += u64::from(*count);
            if seen >= rank {
                return micros as f64 / 1000.0;
            }
        }
        f64::NAN
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_the_recorded_latencies() {
        let mut latencies = Latencies::new();
        (1..=1000).for_each(|micros| latencies.record(Duration::from_micros(micros)));
        assert!((latencies.quantile(0.5) - 0.5).abs() < 1e-9);
        assert!((latencies.quantile(0.99) - 0.99).abs() < 1e-9);
        assert!((latencies.quantile(1.0) - 1.0).abs() < 1e-9);
    }
}
