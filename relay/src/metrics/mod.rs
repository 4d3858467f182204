//! What the relay counts about itself. Whoever does something often counts by itself, without a lock and without a cache
//! line that others write; a scrape adds up. The names on the outside are in [`exposition`].

mod by_code;
pub(crate) mod latency;
mod requests;
mod striped;
mod verifications;

pub(crate) use latency::{Distribution, Latency, add};
pub(crate) use requests::Route;
pub(crate) use verifications::Verifications;

use by_code::ByCode;
use requests::Requests;
use sealwire_protocol::Code;
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};
use striped::Striped;

/// Counters that no other part of the relay owns.
#[derive(Default)]
pub(crate) struct Metrics {
    /// WebSockets that were opened.
    pub(crate) connections_opened: Count,
    /// Sessions whose token was accepted.
    pub(crate) sessions_opened: Count,
    sessions_closed: Count,
    /// Sessions that the relay ended, by why.
    pub(crate) goodbyes: ByCode,
    /// Refused attempts: what the audit log is about.
    pub(crate) refusals: ByCode,
    /// Refused attempts that the audit log counted instead of writing them down.
    pub(crate) audit_suppressed: Count,
    /// Bytes read from WebSockets.
    pub(crate) received: Striped,
    /// Bytes written to WebSockets by their own tasks; those of fan-out are counted there.
    pub(crate) sent: Striped,
    /// HTTP requests that were answered.
    pub(crate) requests: Requests,
}

/// A counter of something that does not happen all the time.
#[derive(Default)]
pub(crate) struct Count(AtomicU64);

impl Count {
    pub(crate) fn add(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }

    pub(crate) fn total(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// An open session, counted until it is dropped.
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
    /// The relay ended a session with this number of a code.
    pub(crate) fn said_goodbye(&self, code: u32) {
        if let Some(code) = Code::from_number(code) {
            self.goodbyes.add(code);
        }
    }

    /// Sessions that are open.
    pub(crate) fn sessions(&self) -> u64 {
        self.sessions_opened.total().saturating_sub(self.sessions_closed.total())
    }
}
