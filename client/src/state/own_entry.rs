//! The member that a page is, or may become, in the presence of one channel.

use crate::{
    Entropy, Instant,
    entropy::{array, below},
    event::{EnterId, SigningId, SubscriptionId},
};
use bytes::Bytes;
use sealwire_protocol::{Certificate, ChannelKey, Entry, EntryPlace, KeyId, MemberId, limits};

/// The pause before a member returns that the relay removed.
const RETURN_MS: u64 = 1_000;
/// The longest time after which the entry is sealed again.
const RESEAL_MS: u64 = limits::PRESENCE_RESEAL * 1000;

/// The member that the page itself is, or may become.
pub(crate) struct Own {
    pub(crate) id: MemberId,
    /// The time of entering; 0 if the page has not entered.
    pub(crate) entered_at_ms: u64,
    /// The data, if the page is a member.
    pub(crate) data: Option<String>,
    /// The page signs its entries. A call that enters without a signature does not change that.
    pub(crate) is_signed: bool,
    /// The subscriptions that entered.
    pub(crate) holders: Vec<SubscriptionId>,
    /// The calls that wait for the relay to accept the data.
    pub(crate) callers: Vec<EnterId>,
    /// The number of the sealed entry.
    pub(crate) number: u64,
    pub(crate) sealed: Bytes,
    /// The encryption key of the sealed entry.
    key: Option<KeyId>,
    /// The sealed entry lacks the latest data, or has another member id.
    pub(crate) is_changed: bool,
    reseal_at: Instant,
    /// The entry that the host signs.
    pub(crate) unsigned: Option<Box<UnsignedEntry>>,
    pub(crate) sent: Sent,
    /// The relay accepted an entry of the member.
    pub(crate) is_present: bool,
    /// The time before which nothing is sent, after a refusal.
    pub(crate) retry_at: Option<Instant>,
    /// The number of consecutive refusals of the member's id.
    pub(crate) conflicts: u32,
}

/// An entry that is sealed once the host has signed it.
pub(crate) struct UnsignedEntry {
    pub(crate) place: EntryPlace,
    pub(crate) key: ChannelKey,
    pub(crate) entry: Entry,
    pub(crate) certificate: Certificate,
}

/// The state of the entry on the current connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sent {
    No,
    /// The session has no certificate for the page.
    AwaitingCertificate,
    /// The host signs the entry.
    AwaitingSignature(SigningId),
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
            is_signed: false,
            holders: Vec::new(),
            callers: Vec::new(),
            number: 0,
            sealed: Bytes::new(),
            key: None,
            is_changed: false,
            reseal_at: Instant(0),
            unsigned: None,
            sent: Sent::No,
            is_present: false,
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
        self.is_changed = true;
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
        self.retry_at.is_none() && !matches!(self.sent, Sent::Pending(_) | Sent::AwaitingSignature(_))
    }

    /// Returns true if the entry is to be sealed, with this as the newest key.
    pub(crate) fn is_outdated(&self, now: Instant, key: KeyId) -> bool {
        self.is_changed || self.key != Some(key) || self.reseal_at <= now
    }

    /// Returns the time at which the entry is sent next.
    pub(crate) fn due_at(&self) -> Option<Instant> {
        self.data.as_ref()?;
        match self.sent {
            Sent::AwaitingCertificate | Sent::AwaitingSignature(_) | Sent::Pending(_) => None,
            Sent::Accepted if !self.is_changed => {
                Some(self.retry_at.map_or(self.reseal_at, |at| at.max(self.reseal_at)))
            }
            Sent::No | Sent::Accepted => self.retry_at,
        }
    }

    /// Seals an entry.
    pub(crate) fn seal(
        &mut self,
        now: Instant,
        entropy: &mut dyn Entropy,
        place: EntryPlace,
        key: &ChannelKey,
        entry: &Entry,
    ) {
        self.sealed = place.seal(key, array(entropy), entry).into();
        self.key = Some(key.id());
        self.number = place.number;
        self.is_changed = self.data.as_ref() != Some(&entry.data);
        self.reseal_at = now.after(RESEAL_MS - below(entropy, RESEAL_MS / 4));
    }

    /// Forgets the data, so that the page is no longer a member. Returns the calls that waited.
    pub(crate) fn clear(&mut self) -> Vec<EnterId> {
        self.data = None;
        self.is_signed = false;
        self.entered_at_ms = 0;
        self.sealed = Bytes::new();
        self.unsigned = None;
        self.sent = Sent::No;
        self.is_present = false;
        self.holders.clear();
        core::mem::take(&mut self.callers)
    }
}
