//! Writing marks: one relay of the cluster writes one mark a second into each stream.

use super::{StreamApi, StreamMetrics};
use crate::clock::Now;
use std::time::{Duration, Instant};

/// The interval of marks. Each relay adds a random part of [`SPREAD`], so that mostly one of them writes.
const INTERVAL: Duration = Duration::from_millis(900);
const SPREAD: Duration = Duration::from_millis(200);
/// The minimum interval of marks that a denied position waits for.
const MIN_INTERVAL: Duration = Duration::from_millis(100);

/// Decides when this relay writes a mark.
pub(super) struct MarkWriter {
    due: Instant,
    /// The time of the newest mark that arrived or was written.
    last: Instant,
    spread: Duration,
    metrics: StreamMetrics,
}

impl MarkWriter {
    pub(super) fn new(metrics: StreamMetrics) -> Self {
        let random = getrandom::u32().unwrap_or(0);
        let spread = SPREAD.mul_f64(f64::from(random) / f64::from(u32::MAX));
        let now = Instant::now();
        Self { due: now, last: now, spread, metrics }
    }

    /// Records that a mark arrived, which this relay or another one wrote.
    pub(super) fn arrived(&mut self, now: Instant) {
        (self.due, self.last) = (now + INTERVAL + self.spread, now);
    }

    /// Makes the next mark due as soon as the minimum interval is over.
    pub(super) fn hasten(&mut self) {
        self.due = self.due.min(self.last + MIN_INTERVAL);
    }

    /// Writes a mark if none arrived for an interval. A failure shows as a mark that does not arrive.
    pub(super) fn write_if_due(&mut self, api: &StreamApi, epoch: u64, last: u64, now: Now) {
        if now.monotonic < self.due {
            return;
        }
        (self.due, self.last) = (now.monotonic + INTERVAL, now.monotonic);
        let (api, wall, metrics) = (api.clone(), now.wall, self.metrics.clone());
        tokio::spawn(async move {
            match api.write_mark(epoch, last, wall).await {
                Ok(written) => metrics.mark(written.is_some()),
                Err(error) => tracing::debug!(%error, "a mark could not be written"),
            }
        });
    }
}
