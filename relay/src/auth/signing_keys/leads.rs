//! The lead of an app's signers over the relay's clock, as far as tokens have shown it. A token of a signer that runs
//! ahead looks as if it were made after a revocation that came a moment later.

use crate::critical_task;
use sealwire_protocol::UnixSeconds;
use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard},
};

/// A lead is remembered for so many seconds, and for twice as many at most.
const PERIOD: u64 = 60 * 60;

/// The leads by app, of those apps whose tokens came from the future.
#[derive(Debug, Default)]
pub(super) struct Leads {
    apps: Mutex<HashMap<String, Lead>>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Lead {
    /// The most of this period and of the one before, in seconds.
    most: [u64; 2],
    period: u64,
}

impl Leads {
    /// A token of the app was good.
    pub(super) fn note(&self, app: &str, issued_at: UnixSeconds, now: UnixSeconds) {
        let ahead = issued_at.0.saturating_sub(now.0);
        if ahead == 0 {
            return;
        }
        let mut apps = self.apps();
        if !apps.contains_key(app) {
            apps.insert(app.to_owned(), Lead::default());
        }
        if let Some(lead) = apps.get_mut(app) {
            *lead = lead.at(now);
            lead.most[0] = lead.most[0].max(ahead);
        }
    }

    /// The lead of the app, in seconds.
    pub(super) fn of(&self, app: &str, now: UnixSeconds) -> u64 {
        let lead = self.apps().get(app).copied().unwrap_or_default().at(now);
        lead.most.into_iter().max().unwrap_or(0)
    }

    fn apps(&self) -> MutexGuard<'_, HashMap<String, Lead>> {
        critical_task::unpoisoned(self.apps.lock())
    }
}

impl Lead {
    /// The part of it that still counts at a moment.
    fn at(self, now: UnixSeconds) -> Self {
        let period = now.0 / PERIOD;
        let most = match period.abs_diff(self.period) {
            0 => self.most,
            1 => [0, self.most[0]],
            _ => [0, 0],
        };
        Self { most, period }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_runs_ahead_is_known_until_it_has_not_been_seen_for_a_while() {
        let (leads, start) = (Leads::default(), PERIOD * 1000);
        let at = |seconds: u64| UnixSeconds(start + seconds);
        leads.note("app", at(5), at(5));
        leads.note("app", at(0), at(5));
        assert_eq!((leads.of("app", at(5)), leads.apps().len()), (0, 0));
        leads.note("app", at(12), at(10));
        leads.note("app", at(13), at(12));
        assert_eq!([leads.of("app", at(12)), leads.of("other", at(12))], [2, 0]);
        leads.note("app", at(PERIOD + 1), at(PERIOD));
        assert_eq!(leads.of("app", at(2 * PERIOD - 1)), 2);
        assert_eq!(leads.of("app", at(2 * PERIOD)), 1);
        assert_eq!(leads.of("app", at(3 * PERIOD)), 0);
    }
}
