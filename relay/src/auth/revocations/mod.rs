//! Revocations: session tokens that are invalid although they have not expired. No I/O: time is an argument.
//!
//! A revocation is kept until every token it covers has expired: a day after the last of them may have been issued, on both
//! the wall clock and the monotonic clock. A wall clock that jumps forward or back therefore never drops a revocation too
//! early. Memory is bounded: when the table is full, new revocations are refused; existing ones are never evicted.

mod selection;
mod table;

pub use selection::Selector;
pub(crate) use selection::{Selection, SharedRevocation};

use crate::{auth::access::Namespace, clock::Now, critical_task, id_digest::IdDigest, refused::Refused};
use sealwire_protocol::{Code, UnixSeconds};
use selection::SubjectDigests;
use std::{
    sync::{
        RwLock,
        atomic::{AtomicU8, Ordering},
    },
    time::Duration,
};
use table::{Budget, RevocationTable};

/// The maximum size of all revocations, in bytes.
const MAX_BYTES: usize = 8 << 20;
/// The maximum size of one app's revocations, in bytes.
const MAX_BYTES_PER_APP: usize = 1 << 20;
/// The difference between the clocks of an app's signers that is assumed even if no token has shown one, in seconds.
const ASSUMED_SKEW: u64 = 2;

/// The claims of a session token that selectors match.
pub(crate) struct Subject<'a> {
    pub(crate) namespace: Namespace<'a>,
    pub(crate) account: &'a str,
    pub(crate) context: &'a VisitContext<'a>,
    pub(crate) issued_at: UnixSeconds,
}

/// Visits each property of a context with its value.
pub(crate) type VisitContext<'a> = dyn Fn(&mut dyn FnMut(&str, &str)) + 'a;

/// The table of all revocations.
#[derive(Debug, Default)]
pub struct Revocations {
    table: RwLock<RevocationTable>,
    /// The agreement with the other relays, as a [`Completeness`].
    completeness: AtomicU8,
}

/// The agreement of a relay's revocations with those of its cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Completeness {
    /// The relay has all revocations, or is alone.
    Complete,
    /// The relay has all revocations up to some time, and cannot read newer ones at the moment.
    Behind,
    /// The relay has not read the revocations of its cluster yet.
    Unread,
}

/// The number of the newest revocation that a session was checked against. Revocations are numbered in their order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Seen(u64);

/// The finding that a token is revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Revoked {
    /// All matching tokens issued before this time are revoked.
    before: UnixSeconds,
}

impl Revoked {
    /// The time before which the tokens were issued that are revoked.
    pub(crate) fn before(self) -> UnixSeconds {
        self.before
    }

    /// The refusal of a request with the token.
    pub(crate) fn refused(self) -> Refused {
        Refused::new(Code::Revoked, "the app ended the session; request a new one from the app")
    }

    /// The reason for ending an open session. Its client may retry once new tokens are issued late enough to be valid.
    pub(crate) fn ended(self, now: UnixSeconds) -> Refused {
        let seconds = self.before.0.saturating_sub(now.0) + ASSUMED_SKEW;
        self.refused().retry_after(Duration::from_secs(seconds))
    }
}

impl Revocations {
    /// Revokes the selected tokens that were issued before a time.
    ///
    /// # Errors
    /// [`Refused`] if the table is full.
    pub fn add(
        &self,
        app: &str,
        installation: &str,
        selector: &Selector,
        before: UnixSeconds,
        now: Now,
    ) -> Result<(), Refused> {
        let revocation = SharedRevocation::new(app, installation, selector, before);
        let mut table = critical_task::unpoisoned(self.table.write());
        table.expire(now);
        table.add(&revocation, Budget::OWN, now)
    }

    /// Adds a revocation of another relay. Returns false if this relay has it already.
    pub(crate) fn add_shared(&self, revocation: &SharedRevocation, now: Now) -> Result<bool, Refused> {
        let mut table = critical_task::unpoisoned(self.table.write());
        table.expire(now);
        let known = table.of(&revocation.app, &revocation.installation).iter().any(|known| {
            let includes = known.selection == revocation.selection || known.selection.is_everything();
            includes && known.before >= revocation.before
        });
        if known { Ok(false) } else { table.add(revocation, Budget::SHARED, now).map(|()| true) }
    }

    /// Returns all revocations.
    pub(crate) fn shared(&self, now: Now) -> Vec<SharedRevocation> {
        let mut table = critical_task::unpoisoned(self.table.write());
        table.expire(now);
        let mut all = Vec::new();
        for (app, known) in &table.apps {
            for (installation, list) in &known.installations {
                all.extend(list.iter().map(|known| SharedRevocation {
                    app: app.clone(),
                    installation: *installation,
                    selection: known.selection.clone(),
                    before: known.before,
                }));
            }
        }
        all
    }

    /// Returns the time before which the tokens of a selection are revoked.
    pub(crate) fn before(
        &self,
        app: &str,
        installation: &IdDigest,
        selection: &Selection,
    ) -> Option<UnixSeconds> {
        let table = critical_task::unpoisoned(self.table.read());
        let same = table.of(app, installation).iter().find(|known| known.selection == *selection);
        same.map(|known| known.before)
    }

    /// Returns whether a revocation of the installation covers later tokens than this time.
    pub(crate) fn has_later(&self, app: &str, installation: &IdDigest, before: UnixSeconds) -> bool {
        let table = critical_task::unpoisoned(self.table.read());
        table.of(app, installation).iter().any(|known| known.before > before)
    }

    /// Checks a token against the revocations after `seen`. Returns the number of the newest revocation if none covers it.
    pub(crate) fn check(&self, subject: &Subject<'_>, seen: Seen) -> Result<Seen, Revoked> {
        let Namespace { app, installation } = subject.namespace;
        let table = critical_task::unpoisoned(self.table.read());
        if !table.apps.contains_key(app) {
            return Ok(table.newest);
        }
        let list = table.of(app, &IdDigest::installation(app, installation));
        let unseen = list.iter().rev().take_while(|revocation| revocation.number > seen);
        let digests = SubjectDigests::new(subject);
        let covering = unseen.filter_map(|known| digests.revoked(&known.selection, known.before));
        covering.max_by_key(|revoked| revoked.before).map_or(Ok(table.newest), Err)
    }

    /// The number of revocations in the table.
    pub(crate) fn len(&self) -> usize {
        let table = critical_task::unpoisoned(self.table.read());
        table.apps.values().flat_map(|app| app.installations.values()).map(Vec::len).sum()
    }

    pub(crate) fn set_completeness(&self, completeness: Completeness) {
        self.completeness.store(completeness as u8, Ordering::Release);
    }

    /// Returns whether the relay has all revocations of its cluster.
    pub(crate) fn is_complete(&self) -> bool {
        self.completeness.load(Ordering::Acquire) == Completeness::Complete as u8
    }

    /// Returns whether the relay has read the revocations of its cluster at least once.
    pub(crate) fn is_read(&self) -> bool {
        self.completeness.load(Ordering::Acquire) != Completeness::Unread as u8
    }

    /// Refuses new sessions until the revocations of the cluster were read. A relay that lost its broker later keeps
    /// admitting sessions, with the revocations that it has.
    pub(crate) fn check_read(&self) -> Result<(), Refused> {
        if !self.is_read() {
            let message = "the relay has not read the revocations of its cluster yet; try again";
            return Err(Refused::new(Code::BrokerUnavailable, message));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
