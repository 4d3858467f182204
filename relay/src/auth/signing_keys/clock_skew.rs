//! The clock skew of apps' signers: the time by which tokens were dated ahead of the relay's clock. A token from a signer
//! that runs ahead looks as if it was issued after a revocation that in fact came later.

use crate::critical_task;
use sealwire_protocol::UnixSeconds;
use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard},
};

/// The length of a period, in seconds. A skew is kept for one to two periods.
const PERIOD: u64 = 60 * 60;

/// The skew of every app that issued a token from the future.
#[derive(Debug, Default)]
pub(super) struct ClockSkews {
    apps: Mutex<HashMap<String, ClockSkew>>,
}

#[derive(Clone, Copy, Debug, Default)]
struct ClockSkew {
    /// The largest skew of this period and of the previous one, in seconds.
    max: [u64; 2],
    period: u64,
}

impl ClockSkews {
    /// Records the skew of a valid token.
    pub(super) fn record(&self, app: &str, issued_at: UnixSeconds, now: UnixSeconds) {
        let ahead = issued_at.0.saturating_sub(now.0);
        if ahead == 0 {
            return;
        }
        let mut apps = self.apps();
        if !apps.contains_key(app) {
            apps.insert(app.to_owned(), ClockSkew::default());
        }
        if let Some(skew) = apps.get_mut(app) {
            *skew = skew.at(now);
            skew.max[0] = skew.max[0].max(ahead);
        }
    }

    /// The skew of the app, in seconds.
    pub(super) fn of(&self, app: &str, now: UnixSeconds) -> u64 {
        let skew = self.apps().get(app).copied().unwrap_or_default().at(now);
        skew.max.into_iter().max().unwrap_or(0)
    }

    fn apps(&self) -> MutexGuard<'_, HashMap<String, ClockSkew>> {
        critical_task::unpoisoned(self.apps.lock())
    }
}

impl ClockSkew {
    /// The skew with the periods that are still kept at a time.
    fn at(self, now: UnixSeconds) -> Self {
        let period = now.0 / PERIOD;
        let max = match period.abs_diff(self.period) {
            0 => self.max,
            1 => [0, self.max[0]],
            _ => [0, 0],
        };
        Self { max, period }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_skew_is_kept_until_no_token_has_shown_it_for_one_to_two_periods() {
        let (skews, start) = (ClockSkews::default(), PERIOD * 1000);
        let at = |seconds: u64| UnixSeconds(start + seconds);
        skews.record("app", at(5), at(5));
        skews.record("app", at(0), at(5));
        assert_eq!((skews.of("app", at(5)), skews.apps().len()), (0, 0));
        skews.record("app", at(12), at(10));
        skews.record("app", at(13), at(12));
        assert_eq!([skews.of("app", at(12)), skews.of("other", at(12))], [2, 0]);
        skews.record("app", at(PERIOD + 1), at(PERIOD));
        assert_eq!(skews.of("app", at(2 * PERIOD - 1)), 2);
        assert_eq!(skews.of("app", at(2 * PERIOD)), 1);
        assert_eq!(skews.of("app", at(3 * PERIOD)), 0);
    }
}
