//! The `Ping` that checks whether a connection still works.

use crate::Instant;

/// The time that the relay has to answer the `Ping`.
pub(crate) const PROBE_TIMEOUT_MS: u64 = 4_000;
/// The bytes that a slow uplink carries in a millisecond. The relay reads the `Ping` after the publications before it.
const SLOW_UPLINK_BYTES_PER_MS: u64 = 16;

/// The last `Ping`, which the relay may not have answered yet.
#[derive(Default)]
pub(crate) struct Probe {
    sent_at: Option<Instant>,
    /// The client sent it because a request stayed unanswered.
    is_suspicion: bool,
}

impl Probe {
    /// Records that the client sent a `Ping`. Returns the deadline of the answer behind `pending_bytes` of publications.
    pub(crate) fn start(&mut self, now: Instant, is_suspicion: bool, pending_bytes: u64) -> Instant {
        *self = Self { sent_at: Some(now), is_suspicion };
        now.after(PROBE_TIMEOUT_MS + pending_bytes / SLOW_UPLINK_BYTES_PER_MS)
    }

    pub(crate) fn sent_at(&self) -> Option<Instant> {
        self.sent_at
    }

    /// Forgets that the probe followed an unanswered request. Returns true if it did.
    pub(crate) fn take_suspicion(&mut self) -> bool {
        core::mem::take(&mut self.is_suspicion)
    }
}
