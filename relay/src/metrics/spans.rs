//! Counters of the spans of traces.

use super::Counter;

/// The number of spans by outcome.
#[derive(Default)]
pub(crate) struct SpanCounts {
    /// Spans that the collector accepted.
    pub(crate) exported: Counter,
    /// Spans that were dropped because too many waited for the collector.
    pub(crate) dropped: Counter,
    /// Spans that the collector refused or could not be sent.
    pub(crate) failed: Counter,
}

impl SpanCounts {
    /// Every outcome with its count.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&'static str, u64)> {
        [("exported", &self.exported), ("dropped", &self.dropped), ("failed", &self.failed)]
            .into_iter()
            .map(|(outcome, count)| (outcome, count.total()))
    }
}
