//! The refused attempts and ended sessions of the recent past, for the console of operators: one entry for each account and
//! reason, with its number. No names: accounts and installations are the keys of the relay's tables.

use super::trace::Trace;
use crate::critical_task;
use sealwire_protocol::{Code, UnixMillis};
use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard},
};

/// The maximum number of entries with an account, and of those without. Attempts without a valid token therefore never
/// evict those of an account.
const CAPACITY: usize = 512;

/// The party that an entry is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Subject {
    /// The key of the installation; see [`Tenant::installation`](crate::tenant::Tenant::installation).
    pub(crate) installation: u64,
    /// A part of the account's key; `None` for a backend.
    pub(crate) account: Option<u32>,
}

/// The attempts of one party that were refused for one reason, or its sessions that the relay ended for it.
#[derive(Clone, Debug)]
pub(crate) struct RecentEntry {
    /// `None` if no token was verified.
    pub(crate) subject: Option<Subject>,
    /// The kind of attempt in the audit log; `session` for sessions that the relay ended.
    pub(crate) attempt: &'static str,
    pub(crate) code: Code,
    pub(crate) count: u64,
    pub(crate) first: UnixMillis,
    pub(crate) last: UnixMillis,
    /// The request or connection of the last one.
    pub(crate) trace: Trace,
}

/// The recent entries, in the order of their last event.
#[derive(Default)]
pub(crate) struct Recent {
    attributed: Mutex<VecDeque<RecentEntry>>,
    anonymous: Mutex<VecDeque<RecentEntry>>,
}

impl Recent {
    /// Adds an event.
    pub(super) fn add(
        &self,
        subject: Option<Subject>,
        attempt: &'static str,
        code: Code,
        trace: Trace,
        now: UnixMillis,
    ) {
        let mut entries = lock(if subject.is_some() { &self.attributed } else { &self.anonymous });
        let is_same =
            |entry: &RecentEntry| (entry.subject, entry.attempt, entry.code) == (subject, attempt, code);
        // Repeated events are usually recent ones.
        let known = entries.iter().rposition(is_same).and_then(|index| entries.remove(index));
        let (count, first) = known.map_or((1, now), |known| (known.count + 1, known.first));
        if entries.len() == CAPACITY {
            entries.pop_front();
        }
        entries.push_back(RecentEntry { subject, attempt, code, count, first, last: now, trace });
    }

    /// Returns up to `max` entries that match, the latest first.
    pub(crate) fn latest(&self, max: usize, matches: impl Fn(&RecentEntry) -> bool) -> Vec<RecentEntry> {
        let of =
            |entries| lock(entries).iter().rev().filter(|entry| matches(entry)).take(max).cloned().collect();
        let mut all: Vec<RecentEntry> = of(&self.attributed);
        let anonymous: Vec<RecentEntry> = of(&self.anonymous);
        all.extend(anonymous);
        all.sort_by_key(|entry| std::cmp::Reverse(entry.last));
        all.truncate(max);
        all
    }
}

fn lock(entries: &Mutex<VecDeque<RecentEntry>>) -> MutexGuard<'_, VecDeque<RecentEntry>> {
    critical_task::unpoisoned(entries.lock())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session_id::SessionId;

    fn subject(account: u32) -> Option<Subject> {
        Some(Subject { installation: 1, account: Some(account) })
    }

    fn add(recent: &Recent, subject: Option<Subject>, code: Code, now: u64) {
        recent.add(subject, "hello", code, Trace::Connection(SessionId(now)), UnixMillis(now));
    }

    #[test]
    fn repeated_refusals_of_an_account_are_one_entry_with_their_number_and_times() {
        let recent = Recent::default();
        add(&recent, subject(1), Code::Revoked, 10);
        add(&recent, subject(2), Code::Revoked, 20);
        add(&recent, subject(1), Code::Revoked, 30);
        add(&recent, subject(1), Code::Overloaded, 25);
        let all = recent.latest(10, |_| true);
        let shown: Vec<_> = all
            .iter()
            .map(|entry| (entry.subject, entry.code, entry.count, entry.first.0, entry.trace.to_string()))
            .collect();
        let expected = [
            (subject(1), Code::Revoked, 2, 10, "c30".to_owned()),
            (subject(1), Code::Overloaded, 1, 25, "c25".to_owned()),
            (subject(2), Code::Revoked, 1, 20, "c20".to_owned()),
        ];
        assert_eq!(shown, expected);
        assert_eq!(recent.latest(1, |entry| entry.subject == subject(2)).len(), 1);
    }

    #[test]
    fn the_oldest_entries_are_evicted_and_never_those_of_accounts_by_attempts_without_a_token() {
        let recent = Recent::default();
        for account in 0..2000 {
            add(&recent, subject(account), Code::Revoked, u64::from(account));
        }
        let number_of = |matches: fn(&RecentEntry) -> bool| recent.latest(usize::MAX, matches).len();
        assert_eq!(number_of(|_| true), CAPACITY);
        assert_eq!(recent.latest(1, |_| true)[0].subject, subject(1999));
        for now in 0..2000 {
            add(&recent, None, Code::TokenExpired, now);
        }
        assert_eq!(number_of(|entry| entry.subject.is_some()), CAPACITY);
        assert_eq!(recent.latest(1, |entry| entry.subject.is_none())[0].count, 2000);
    }
}
