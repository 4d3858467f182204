//! The limits that hold for a whole cluster: what this relay's clients use of them, for the reports to the other relays,
//! and the sessions that the other relays reported. Only a relay of a cluster has this part.

mod sessions;
mod usage;

pub(super) use sessions::Holder;
pub(crate) use usage::Usage;

use super::{Limits, rates::RateTable};
use crate::{id_digest::IdDigest, settings::Rate};
use sessions::{OtherSessions, OwnSessions};
use std::{hash::BuildHasher as _, time::Instant};
use usage::UsageTable;

/// The part of a limit that all relays together may keep to themselves is one in this number.
const UNREPORTED: u64 = 64;
/// The part of a session limit that all relays together may keep to themselves is one in this number.
const UNREPORTED_SESSIONS: usize = 16;

/// The use of the shared limits.
#[derive(Default)]
pub(super) struct SharedUse {
    pub(super) own: OwnSessions,
    pub(super) others: OtherSessions,
    installations: UsageTable,
    apps: UsageTable,
}

/// The digests of an app and one installation of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct TenantDigests {
    pub(super) app: IdDigest,
    pub(super) installation: IdDigest,
}

/// The publications that a relay accepted since its last report.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct PublishUse {
    pub(crate) installations: Vec<(IdDigest, Usage)>,
    pub(crate) apps: Vec<(IdDigest, Usage)>,
}

impl SharedUse {
    pub(super) fn record(&self, tenant: &TenantDigests, usage: Usage) {
        self.installations.add(tenant.installation, usage);
        self.apps.add(tenant.app, usage);
    }
}

impl Limits {
    /// Shares the limits with the other relays of a cluster. The keys of names then follow from their digests.
    #[must_use]
    pub(crate) fn shared(self) -> Self {
        Self { shared: Some(Box::default()), ..self }
    }

    /// Takes the publications since the last call, of at most `max` installations and as many apps. Small amounts stay
    /// for a later call: those of `relays` relays together are less than a 64th of what a rate allows in a second.
    pub(crate) fn take_publish_use(&self, relays: usize, max: usize) -> PublishUse {
        let Some(shared) = &self.shared else { return PublishUse::default() };
        let settings = self.settings();
        let small = |rate: Rate| rate.per_second / (UNREPORTED * relays.max(1) as u64);
        let installation =
            Usage { messages: small(settings.publishes()), bytes: small(settings.publish_bytes()) };
        let app = Usage { messages: small(settings.app_publishes()), bytes: u64::MAX };
        PublishUse {
            installations: shared.installations.take(installation, max),
            apps: shared.apps.take(app, max),
        }
    }

    /// Counts publications that another relay accepted against the rates of an installation. They are never refused, so
    /// this relay's own publications wait for them. One call counts at most a burst and what a second allows, since no
    /// relay accepts more between two reports.
    pub(crate) fn debit_installation(&self, installation: &IdDigest, usage: Usage, now: Instant) {
        let (settings, key) = (self.settings(), self.local_key(installation));
        self.debit(&self.publishes, key, usage.messages, settings.publishes(), now);
        self.debit(&self.publish_bytes, key, usage.bytes, settings.publish_bytes(), now);
    }

    /// Counts publications that another relay accepted against the rate of an app.
    pub(crate) fn debit_app(&self, app: &IdDigest, usage: Usage, now: Instant) {
        let (settings, key) = (self.settings(), self.local_key(app));
        self.debit(&self.app_publishes, key, usage.messages, settings.app_publishes(), now);
    }

    fn debit(&self, rates: &RateTable, key: u64, count: u64, rate: Rate, now: Instant) {
        let most = rate.burst.saturating_add(rate.per_second);
        rates.debit(key, count.min(most), rate, self.moment(now));
    }

    /// Takes the changed numbers of this relay's sessions, or all of them. A number of 0 withdraws an earlier one. Small
    /// numbers stay unreported: those of `relays` relays together are less than a 16th of their limit.
    pub(crate) fn take_session_counts(&self, relays: usize, all: bool) -> Vec<(IdDigest, u32)> {
        let Some(shared) = &self.shared else { return Vec::new() };
        let settings = self.settings();
        let least = |holder: Holder| {
            let max = match holder {
                Holder::App => settings.max_sessions_per_app,
                Holder::Installation => settings.max_sessions_per_installation,
                Holder::Account => settings.max_sessions_per_account,
            };
            u32::try_from(max / (UNREPORTED_SESSIONS * relays.max(1))).unwrap_or(u32::MAX).max(1)
        };
        if all { shared.own.take_all(least) } else { shared.own.take_changed(least) }
    }

    /// Replaces a number of sessions that another relay reported.
    pub(crate) fn replace_others(&self, holder: &IdDigest, before: u32, after: u32) {
        if let Some(shared) = &self.shared {
            shared.others.replace(self.local_key(holder), before, after);
        }
    }

    /// Returns the number of an account's sessions that other relays reported, by the account's [key](Limits::account), or
    /// `None` if this relay is alone.
    pub(crate) fn sessions_elsewhere(&self, account: u64) -> Option<usize> {
        self.shared.as_ref().map(|shared| shared.others.of(account))
    }

    /// Returns the number of sessions that other relays reported for a name.
    #[cfg(test)]
    pub(crate) fn other_sessions(&self, name: &IdDigest) -> usize {
        self.shared.as_ref().map_or(0, |shared| shared.others.of(self.local_key(name)))
    }

    /// Returns the key of a name on this relay, which is a keyed hash of its digest.
    pub(crate) fn local_key(&self, name: &IdDigest) -> u64 {
        self.keys.hash_one(name)
    }
}

#[cfg(test)]
mod tests;
