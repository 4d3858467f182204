//! The counters of a broker for many relays. The broker fills them; `admin/exposition` names them.

#[cfg(test)]
mod tests;

use super::{Counter, Distribution, Latency};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

/// The counters and gauges of a broker that reaches other machines. All methods take `&self` and never wait.
#[derive(Default)]
pub struct BrokerMetrics {
    servers: Box<[ServerMetrics]>,
    streams: Box<[AtomicBool]>,
    acknowledgements: Latency,
    pub(crate) publish_retries: Counter,
    pub(crate) publish_timeouts: Counter,
    catch_ups: [Counter; CatchUpReason::ALL.len()],
    pub(crate) messages_read_back: Counter,
    pub(crate) holes_found: Counter,
    pub(crate) holes_mended: Counter,
    pub(crate) holes_lost: Counter,
    pub(crate) elections: Counter,
    joins: AtomicU64,
    pub(crate) reads: Counter,
    pub(crate) marks_written: Counter,
    pub(crate) mark_races_lost: Counter,
    pub(crate) messages_ignored: Counter,
}

/// The state of the connection to one server.
struct ServerMetrics {
    address: Box<str>,
    is_connected: AtomicBool,
    connects: Counter,
}

/// The reason for which a stream is read again from its last proven mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CatchUpReason {
    /// The stream has another leader.
    Election,
    /// The connection to the stream's leader was lost.
    Reconnect,
    /// A message is missing between two others.
    Hole,
    /// The relay was too slow, and the server dropped messages to it.
    Slow,
}

impl CatchUpReason {
    /// All reasons.
    pub const ALL: [Self; 4] = [Self::Election, Self::Reconnect, Self::Hole, Self::Slow];

    /// The reason as the label of a metric.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Election => "election",
            Self::Reconnect => "reconnect",
            Self::Hole => "hole",
            Self::Slow => "slow",
        }
    }
}

/// A join that is under way until this is dropped.
pub struct JoinUnderWay(Arc<BrokerMetrics>);

impl Drop for JoinUnderWay {
    fn drop(&mut self) {
        self.0.joins.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The changes, which a broker reports.
impl BrokerMetrics {
    /// Creates the metrics of a broker with these servers and this number of streams. The addresses become labels, so they
    /// contain no secrets.
    #[must_use]
    pub fn new(servers: impl IntoIterator<Item = String>, streams: usize) -> Self {
        let server = |address: String| ServerMetrics {
            address: address.into_boxed_str(),
            is_connected: AtomicBool::new(false),
            connects: Counter::default(),
        };
        Self {
            servers: servers.into_iter().map(server).collect(),
            streams: (0..streams).map(|_| AtomicBool::new(false)).collect(),
            ..Self::default()
        }
    }

    /// Records that the connection to the server with this index is up. Each call after the first counts as a reconnect.
    pub fn connected(&self, server: usize) {
        if let Some(server) = self.servers.get(server) {
            server.is_connected.store(true, Ordering::Relaxed);
            server.connects.add(1);
        }
    }

    /// Records that the connection to the server with this index is down.
    pub fn disconnected(&self, server: usize) {
        if let Some(server) = self.servers.get(server) {
            server.is_connected.store(false, Ordering::Relaxed);
        }
    }

    /// Records whether the stream with this index is followed: whether every message of it reaches this relay's subscribers.
    pub fn stream_followed(&self, stream: usize, is_followed: bool) {
        if let Some(stream) = self.streams.get(stream) {
            stream.store(is_followed, Ordering::Relaxed);
        }
    }

    /// Records the time from sending a publication until its acknowledgement.
    pub fn acknowledged(&self, after: Duration) {
        self.acknowledgements.record_shared(after);
    }

    /// Counts a publication that was sent again because its acknowledgement did not come.
    pub fn publish_retried(&self) {
        self.publish_retries.add(1);
    }

    /// Counts a publication that was not acknowledged within `broker_timeout`.
    pub fn publish_timed_out(&self) {
        self.publish_timeouts.add(1);
    }

    /// Counts the start of a catch-up: a stream that is read again from its last proven mark.
    pub fn catching_up(&self, reason: CatchUpReason) {
        self.catch_ups[reason as usize].add(1);
    }

    /// Counts messages that a catch-up read from a stream.
    pub fn read_back(&self, messages: u64) {
        self.messages_read_back.add(messages);
    }

    /// Counts messages that were stored and did not reach this relay.
    pub fn holes_found(&self, messages: u64) {
        self.holes_found.add(messages);
    }

    /// Counts missing messages that a catch-up delivered.
    pub fn holes_mended(&self, messages: u64) {
        self.holes_mended.add(messages);
    }

    /// Counts missing messages that no longer exist in the stream. The subscriptions of the stream end, and clients report
    /// a gap.
    pub fn holes_lost(&self, messages: u64) {
        self.holes_lost.add(messages);
    }

    /// Counts a change of a stream's leader.
    pub fn elected(&self) {
        self.elections.add(1);
    }

    /// Counts a join until the result is dropped: a channel whose history is read for its first subscribers.
    #[must_use]
    pub fn joining(self: &Arc<Self>) -> JoinUnderWay {
        self.joins.fetch_add(1, Ordering::Relaxed);
        JoinUnderWay(self.clone())
    }

    /// Counts a read of a channel's history.
    pub fn history_read(&self) {
        self.reads.add(1);
    }

    /// Counts a mark that this relay wrote.
    pub fn mark_written(&self) {
        self.marks_written.add(1);
    }

    /// Counts a mark that another relay wrote first.
    pub fn mark_race_lost(&self) {
        self.mark_races_lost.add(1);
    }

    /// Counts a message on a subject of the relays that no relay writes.
    pub fn message_ignored(&self) {
        self.messages_ignored.add(1);
    }
}

/// The values, which a scrape reads.
impl BrokerMetrics {
    /// Every server: its address, whether it is connected, and the number of reconnects.
    pub(crate) fn servers(&self) -> impl Iterator<Item = (&str, bool, u64)> {
        self.servers.iter().map(|ServerMetrics { address, is_connected, connects }| {
            (&**address, is_connected.load(Ordering::Relaxed), connects.total().saturating_sub(1))
        })
    }

    /// The number of streams.
    pub(crate) fn streams(&self) -> u64 {
        self.streams.len() as u64
    }

    /// The number of streams that are followed.
    pub(crate) fn streams_followed(&self) -> u64 {
        self.streams.iter().filter(|is_followed| is_followed.load(Ordering::Relaxed)).count() as u64
    }

    pub(crate) fn acknowledgements(&self) -> Distribution {
        let mut distribution = Distribution::default();
        self.acknowledgements.add_to(&mut distribution);
        distribution
    }

    /// Every reason of catch-ups with its count.
    pub(crate) fn catch_ups(&self) -> impl Iterator<Item = (&'static str, u64)> {
        CatchUpReason::ALL
            .into_iter()
            .zip(&self.catch_ups)
            .map(|(reason, count)| (reason.name(), count.total()))
    }

    pub(crate) fn joins(&self) -> u64 {
        self.joins.load(Ordering::Relaxed)
    }
}
