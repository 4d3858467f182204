//! The relay's counters. Frequent events are counted per thread or task, without locks and without shared cache lines; a
//! scrape adds them up. The names of the metrics are in `admin/exposition`.

mod broker;
mod by_code;
pub(crate) mod latency;
mod reloads;
mod requests;
mod spans;
mod striped;
mod verifications;

pub use broker::{BrokerMetrics, CatchUpReason, JoinUnderWay};
pub(crate) use latency::{Distribution, Latency, add};
pub use reloads::ReloadScope;
pub(crate) use reloads::Reloads;
pub(crate) use requests::Route;
pub(crate) use spans::SpanCounts;
pub(crate) use verifications::Verifications;

use by_code::ByCode;
use requests::Requests;
use sealwire_protocol::Code;
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};
use striped::Striped;

/// The counters that no other part of the relay owns.
#[derive(Default)]
pub(crate) struct Metrics {
    /// WebSockets and streams that were opened.
    pub(crate) connections_opened: Counter,
    /// Sessions whose token was accepted.
    pub(crate) sessions_opened: Counter,
    sessions_closed: Counter,
    /// Sessions that the relay ended, by the code of the reason.
    pub(crate) goodbyes: ByCode,
    /// Refused attempts, which the audit log lists.
    pub(crate) refusals: ByCode,
    /// Refused attempts that the audit log only counted.
    pub(crate) audit_suppressed: Counter,
    /// Bytes read from WebSockets.
    pub(crate) received: Striped,
    /// Bytes that the tasks of WebSockets wrote. Fan-out counts the bytes that it wrote itself.
    pub(crate) sent: Striped,
    /// Responses to HTTP requests.
    pub(crate) requests: Requests,
    /// Reloads of the configuration.
    pub(crate) reloads: Reloads,
}

/// A counter of infrequent events.
#[derive(Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }

    pub(crate) fn total(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Counts an open session until it is dropped.
pub(crate) struct OpenSession(Arc<Metrics>);

impl OpenSession {
    pub(crate) fn new(metrics: &Arc<Metrics>) -> Self {
        metrics.sessions_opened.add(1);
        Self(metrics.clone())
    }
}

impl Drop for OpenSession {
    fn drop(&mut self) {
        self.0.sessions_closed.add(1);
    }
}

impl Metrics {
    /// Counts a session that the relay ended with the code of this number.
    pub(crate) fn said_goodbye(&self, code: u32) {
        if let Some(code) = Code::from_number(code) {
            self.goodbyes.add(code);
        }
    }

    /// The number of open sessions.
    pub(crate) fn sessions(&self) -> u64 {
        self.sessions_opened.total().saturating_sub(self.sessions_closed.total())
    }
}
