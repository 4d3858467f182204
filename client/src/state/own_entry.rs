//! The member that a page is, or may become, in the presence of one channel.

use crate::{
    Instant,
    event::{EnterId, SubscriptionId},
};
use bytes::Bytes;
use sealwire_protocol::{KeyId, MemberId, limits};

/// The pause before a member returns that the relay removed.
const RETURN_MS: u64 = 1_000;
/// The longest time after which the entry is sealed again.
pub(crate) const RESEAL_MS: u64 = limits::PRESENCE_RESEAL * 1000;

/// The member that the page itself is, or may become.
pub(crate) struct Own {
    pub(crate) id: MemberId,
    /// The time of entering; 0 if the page has not entered.
    pub(crate) entered_at_ms: u64,
    /// The data, if the page is a member.
    pub(crate) data: Option<String>,
    /// The subscriptions that entered.
    pub(crate) holders: Vec<SubscriptionId>,
    /// The calls that wait for the relay to accept the data.
    pub(crate) callers: Vec<EnterId>,
    /// The number of the last entry.
    pub(crate) number: u64,
    /// The sealed entry; empty if the data changed since.
    pub(crate) sealed: Bytes,
    /// The encryption key of the sealed entry.
    pub(crate) key: Option<KeyId>,
    pub(crate) reseal_at: Instant,
    pub(crate) sent: Sent,
    /// The time before which nothing is sent, after a refusal.
    pub(crate) retry_at: Option<Instant>,
    /// The number of consecutive refusals of the member's id.
    pub(crate) conflicts: u32,
}

/// The state of the sealed entry on the current connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sent {
    No,
    /// The request was sent and not answered.
    Pending(u32),
    Accepted,
}

impl Own {
    pub(crate) fn new(id: MemberId, entered_at_ms: u64) -> Self {
        Self {
            id,
            entered_at_ms,
            data: None,
            holders: Vec::new(),
            callers: Vec::new(),
            number: 0,
            sealed: Bytes::new(),
            key: None,
            reseal_at: Instant(0),
            sent: Sent::No,
            retry_at: None,
            conflicts: 0,
        }
    }

    /// Sets the data. A call that waits is complete once the relay has the latest data.
    pub(crate) fn enter(&mut self, holder: SubscriptionId, caller: EnterId, data: String, unix_ms: u64) {
        if !self.holders.contains(&holder) {
            self.holders.push(holder);
        }
        if self.entered_at_ms == 0 {
            self.entered_at_ms = unix_ms;
        }
        self.callers.push(caller);
        self.data = Some(data);
        self.sealed = Bytes::new();
    }

    /// Records that the relay reports the end of a member. If it is this one, the client enters again.
    pub(crate) fn has_left(&mut self, now: Instant, id: &MemberId) {
        if *id == self.id && self.sent == Sent::Accepted {
            self.sent = Sent::No;
            self.retry_at = Some(now.after(RETURN_MS));
        }
    }

    /// Returns true if an entry may be sent now.
    pub(crate) fn is_free(&mut self, now: Instant) -> bool {
        self.retry_at.take_if(|at| *at <= now);
        self.retry_at.is_none() && !matches!(self.sent, Sent::Pending(_))
    }

    /// Returns the time at which the entry is sent next.
    pub(crate) fn due_at(&self) -> Option<Instant> {
        match (&self.data, self.sent) {
            (None, _) | (_, Sent::Pending(_)) => None,
            (_, Sent::No) => self.retry_at,
            (_, Sent::Accepted) if self.sealed.is_empty() => self.retry_at,
            (_, Sent::Accepted) => Some(self.retry_at.map_or(self.reseal_at, |at| at.max(self.reseal_at))),
        }
    }

    /// Forgets the data, so that the page is no longer a member. Returns the calls that waited.
    pub(crate) fn clear(&mut self) -> Vec<EnterId> {
        self.data = None;
        self.entered_at_ms = 0;
        self.sealed = Bytes::new();
        self.sent = Sent::No;
        self.holders.clear();
        core::mem::take(&mut self.callers)
    }
}
