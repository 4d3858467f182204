//! Counts reloads, and tells whether the configuration in force is the current one.

use super::Counter;
use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

/// The time after which apps and keys that nobody confirmed count as outdated. Looking at a directory takes this long only
/// if its file system hangs, or if it changes all the time.
const CONFIRMATION_TIMEOUT: Duration = Duration::from_secs(30);

/// The part of the configuration that a reload covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReloadScope {
    /// The whole configuration, with the apps.
    Configuration,
    /// The apps and keys alone.
    Apps,
}

/// Reloads by their result.
#[derive(Default)]
pub(crate) struct Reloads {
    accepted: Counter,
    refused: Counter,
    /// True if the last reload of the whole configuration was refused.
    is_configuration_refused: AtomicBool,
    /// True if the last reload of any kind refused the apps.
    is_apps_refused: AtomicBool,
    /// The time of the last confirmation since the last reload of the whole configuration.
    confirmed: Mutex<Option<Instant>>,
}

impl Reloads {
    pub(crate) fn accept(&self, scope: ReloadScope) {
        self.accepted.add(1);
        self.is_apps_refused.store(false, Ordering::Relaxed);
        if scope == ReloadScope::Configuration {
            self.is_configuration_refused.store(false, Ordering::Relaxed);
            // The new configuration may have no directory.
            *self.confirmed() = None;
        }
    }

    pub(crate) fn refuse(&self, scope: ReloadScope) {
        self.refused.add(1);
        self.flag(scope).store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_refused(&self, scope: ReloadScope) -> bool {
        self.flag(scope).load(Ordering::Relaxed)
    }

    /// Notes that the apps and keys in force are those of the directory.
    pub(crate) fn confirm_apps_dir(&self, now: Instant) {
        *self.confirmed() = Some(now);
    }

    /// The numbers of accepted and refused reloads.
    pub(crate) fn totals(&self) -> [(&'static str, u64); 2] {
        [("accepted", self.accepted.total()), ("refused", self.refused.total())]
    }

    /// True unless the relay keeps a former configuration.
    pub(crate) fn is_current(&self, now: Instant) -> bool {
        let is_confirmed =
            self.confirmed().is_none_or(|at| now.saturating_duration_since(at) < CONFIRMATION_TIMEOUT);
        is_confirmed && !self.is_refused(ReloadScope::Configuration) && !self.is_refused(ReloadScope::Apps)
    }

    fn flag(&self, scope: ReloadScope) -> &AtomicBool {
        match scope {
            ReloadScope::Configuration => &self.is_configuration_refused,
            ReloadScope::Apps => &self.is_apps_refused,
        }
    }

    fn confirmed(&self) -> impl std::ops::DerefMut<Target = Option<Instant>> {
        // An instant cannot be half written.
        self.confirmed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ReloadScope::{Apps, Configuration};

    #[test]
    fn a_refused_reload_is_outdated_until_one_of_its_scope_is_accepted() {
        let (reloads, now) = (Reloads::default(), Instant::now());
        assert!(reloads.is_current(now));
        reloads.refuse(Apps);
        assert!(!reloads.is_current(now));
        reloads.accept(Apps);
        assert!(reloads.is_current(now));
        // Valid apps do not make up for a configuration file that was refused.
        reloads.refuse(Configuration);
        reloads.accept(Apps);
        assert!(!reloads.is_current(now));
        reloads.refuse(Apps);
        reloads.accept(Configuration);
        assert!(reloads.is_current(now));
        assert_eq!(reloads.totals(), [("accepted", 3), ("refused", 3)]);
    }

    #[test]
    fn apps_that_are_not_confirmed_for_half_a_minute_are_outdated() {
        let (reloads, start) = (Reloads::default(), Instant::now());
        let after = |seconds| start + Duration::from_secs(seconds);
        // A relay without a directory has nothing to confirm.
        assert!(reloads.is_current(after(3600)));
        reloads.confirm_apps_dir(start);
        assert!(reloads.is_current(after(29)) && !reloads.is_current(after(30)));
        reloads.confirm_apps_dir(after(30));
        assert!(reloads.is_current(after(31)));
        reloads.accept(Configuration);
        assert!(reloads.is_current(after(3600)));
    }
}
