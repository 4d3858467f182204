//! The metrics of one stream: what its follower counted since the last time.

use super::{
    super::follower::{FollowerCounts, RelinkReason},
    LinkEnd,
};
use crate::metrics::{BrokerMetrics, CatchUpReason, JoinUnderWay};
use std::sync::{Arc, Mutex, PoisonError};

/// Reports the counts of a stream's follower and driver.
#[derive(Clone)]
pub(in crate::broker::jetstream) struct StreamMetrics {
    metrics: Arc<BrokerMetrics>,
    stream: usize,
    reported: Arc<Mutex<FollowerCounts>>,
}

impl StreamMetrics {
    pub(in crate::broker::jetstream) fn new(metrics: Arc<BrokerMetrics>, stream: usize) -> Self {
        Self { metrics, stream, reported: Arc::default() }
    }

    /// Reports the counts since the last call.
    pub(super) fn update(&self, counts: FollowerCounts, is_following: bool) {
        self.metrics.stream_followed(self.stream, is_following);
        let mut reported = self.reported.lock().unwrap_or_else(PoisonError::into_inner);
        let metrics = &self.metrics;
        metrics.read_back(counts.read_back - reported.read_back);
        metrics.holes_found(counts.holes - reported.holes);
        metrics.holes_mended(counts.mended - reported.mended);
        metrics.holes_lost(counts.resets - reported.resets);
        (reported.elections..counts.elections).for_each(|_| metrics.elected());
        (reported.joins..counts.joins).for_each(|_| metrics.history_read());
        (reported.mark_holes..counts.mark_holes).for_each(|_| metrics.catching_up(CatchUpReason::Hole));
        *reported = counts;
    }

    pub(super) fn unlinked(&self) {
        self.metrics.stream_followed(self.stream, false);
    }

    /// Counts the catch-up that follows the end of a link.
    pub(super) fn relinking(&self, end: &LinkEnd) {
        self.metrics.catching_up(match end {
            LinkEnd::Lost | LinkEnd::Request(_) => CatchUpReason::Reconnect,
            LinkEnd::Asked(RelinkReason::Election) => CatchUpReason::Election,
            LinkEnd::Asked(RelinkReason::Hole) => CatchUpReason::Hole,
        });
    }

    /// Counts a read of a channel as under way until the result is dropped.
    pub(super) fn joining(&self) -> JoinUnderWay {
        self.metrics.joining()
    }

    /// Counts a message that no relay writes.
    pub(super) fn ignored(&self) {
        self.metrics.message_ignored();
    }

    /// Counts a mark that this relay wrote, or that another relay wrote first.
    pub(super) fn mark(&self, is_written: bool) {
        if is_written {
            self.metrics.mark_written();
        } else {
            self.metrics.mark_race_lost();
        }
    }
}
