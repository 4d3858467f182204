//! The limits of a relay: permits that are acquired and released, and rates. No I/O; time is an argument. Keys that an
//! attacker invents cannot grow the tables without bound.

mod bucket;
mod concurrency;
mod inbound;
mod installations;
mod limit;
mod permits;
mod publisher;
mod rates;
mod shared;

pub(crate) use inbound::Inbound;
pub use limit::Limit;
pub(crate) use permits::{AddressPermit, Admission, RefusalPermit, SessionPermit};
pub(crate) use publisher::Publisher;
pub(crate) use shared::{PublishUse, Usage};

use crate::{id_digest::IdDigest, memory::Memory, refused::Refused, settings::Settings, tenant::Tenant};
use arc_swap::{ArcSwap, Guard};
pub(crate) use bucket::{Bucket, Moment};
use concurrency::ConcurrencyCounts;
use installations::InstallationTable;
use limit::Refusals;
use rates::RateTable;
use shared::SharedUse;
use std::{
    hash::{BuildHasher as _, RandomState},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

/// The minimum retry delay of a session for its next replay.
const MIN_WAIT: Duration = Duration::from_millis(50);

/// The limits of a relay, with their current use.
pub struct Limits {
    settings: ArcSwap<Settings>,
    start: Instant,
    /// Hashes names to keys. The hash is keyed, so that an attacker cannot construct collisions.
    keys: RandomState,
    connections: AtomicUsize,
    refusals_in_progress: AtomicUsize,
    concurrency: ConcurrencyCounts,
    /// The subscriptions by app.
    subscriptions: ConcurrencyCounts,
    installations: InstallationTable,
    publishes: RateTable,
    publish_bytes: RateTable,
    app_publishes: RateTable,
    replays: RateTable,
    disconnects: RateTable,
    refusals: Refusals,
    memory: Arc<Memory>,
    /// The part for a cluster; `None` if this relay is alone.
    shared: Option<Box<SharedUse>>,
}

impl Limits {
    /// Creates limits of which nothing is in use.
    #[must_use]
    pub fn new(settings: Settings, now: Instant) -> Self {
        Self {
            settings: ArcSwap::from_pointee(settings),
            start: now,
            keys: RandomState::new(),
            connections: AtomicUsize::new(0),
            refusals_in_progress: AtomicUsize::new(0),
            concurrency: ConcurrencyCounts::default(),
            subscriptions: ConcurrencyCounts::default(),
            installations: InstallationTable::default(),
            publishes: RateTable::default(),
            publish_bytes: RateTable::default(),
            app_publishes: RateTable::default(),
            replays: RateTable::default(),
            disconnects: RateTable::default(),
            refusals: Refusals::default(),
            memory: Arc::default(),
            shared: None,
        }
    }

    /// Sets the memory budget: when it is short, connections, sessions and subscriptions are refused.
    #[must_use]
    pub fn with_memory(self, memory: Arc<Memory>) -> Self {
        Self { memory, ..self }
    }

    /// Replaces the settings. Permits in use stay valid, even above a new limit.
    pub fn set(&self, settings: Settings) {
        self.settings.store(Arc::new(settings));
    }

    /// Returns the current settings.
    #[must_use]
    pub fn settings(&self) -> Guard<Arc<Settings>> {
        self.settings.load()
    }

    /// Returns the current number of connections of any kind.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }

    /// Returns the number of refusals of this limit.
    #[must_use]
    pub fn refusals(&self, limit: Limit) -> u64 {
        self.refusals.of(limit)
    }

    /// Returns the tenant of an installation of an app.
    #[must_use]
    pub fn tenant(&self, app: &str, installation: &str) -> Tenant {
        match self.digests(app, installation) {
            Some(digests) => self.tenant_of(&digests),
            None => Tenant {
                app: self.app(app),
                installation: self.keys.hash_one(("installation", app, installation)),
            },
        }
    }

    fn app(&self, app: &str) -> u64 {
        self.keys.hash_one(("app", app))
    }

    /// Returns the key of an account of an installation.
    pub(crate) fn account(&self, app: &str, installation: &str, account: &str) -> u64 {
        match self.shared {
            Some(_) => self.local_key(&IdDigest::account(app, installation, account)),
            None => self.keys.hash_one(("account", app, installation, account)),
        }
    }

    /// Checks `count` messages of `bytes` in all against the rates of the installation and its app. Refuses all of them
    /// or none; a refusal takes nothing from any rate.
    pub(crate) fn check_publishes(
        &self,
        publisher: &Publisher,
        count: usize,
        bytes: usize,
        now: Instant,
    ) -> Result<(), Refused> {
        let (settings, now) = (self.settings(), self.moment(now));
        let (tenant, count, bytes) = (publisher.tenant(), count as u64, bytes as u64);
        let checks = [
            (Limit::Publishes, &self.publishes, tenant.installation, count, settings.publishes()),
            (Limit::PublishBytes, &self.publish_bytes, tenant.installation, bytes, settings.publish_bytes()),
            (Limit::PublishesPerApp, &self.app_publishes, tenant.app, count, settings.app_publishes()),
        ];
        for (index, (limit, rates, key, count, rate)) in checks.into_iter().enumerate() {
            if let Err(wait) = rates.take(key, count, rate, now) {
                checks[..index]
                    .iter()
                    .for_each(|(_, rates, key, count, rate)| rates.refund(*key, *count, *rate));
                return Err(self.refuse_for(limit, wait));
            }
        }
        self.record(publisher, Usage { messages: count, bytes });
        Ok(())
    }

    /// Checks a replay against the rates of the session and its installation. A single replay may exceed the burst.
    fn check_replay(
        &self,
        installation: u64,
        session: &mut Bucket,
        bytes: u64,
        now: Instant,
    ) -> Result<(), Refused> {
        let (settings, now) = (self.settings(), self.moment(now));
        let mut after = *session;
        after
            .take_with_debt(bytes, settings.session_replays(), now)
            .map_err(|wait| self.refuse_for(Limit::ReplaysPerSession, wait.max(MIN_WAIT)))?;
        self.replays
            .take_with_debt(installation, bytes, settings.replays(), now)
            .map_err(|wait| self.refuse_for(Limit::Replays, wait))?;
        *session = after;
        Ok(())
    }

    /// Refuses another connection, session or subscription if memory is short. A session that already holds many bytes
    /// is refused earlier.
    pub(crate) fn check_memory(&self, held: usize) -> Result<(), Refused> {
        if self.memory.admits_more(held) { Ok(()) } else { Err(self.refuse(Limit::Memory)) }
    }

    /// Checks the rate of an app's requests to end sessions.
    pub(crate) fn check_disconnect(&self, app: &str, now: Instant) -> Result<(), Refused> {
        let (key, rate) = (self.app(app), self.settings().disconnects());
        let taken = self.disconnects.take(key, 1, rate, self.moment(now));
        taken.map_err(|wait| self.refuse_for(Limit::Disconnects, wait))
    }

    fn refuse_for(&self, limit: Limit, wait: Duration) -> Refused {
        self.refusals.count(limit);
        limit.refused(Some(wait))
    }

    pub(crate) fn refuse(&self, limit: Limit) -> Refused {
        self.refusals.count(limit);
        limit.refused(None)
    }

    pub(crate) fn moment(&self, now: Instant) -> Moment {
        let nanos = now.saturating_duration_since(self.start).as_nanos();
        Moment(u64::try_from(nanos).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(change: impl FnOnce(&mut Settings)) -> (Limits, Instant) {
        let (mut settings, start) = (Settings::default(), Instant::now());
        change(&mut settings);
        (Limits::new(settings, start), start)
    }

    #[test]
    fn publish_rates_apply_to_installations_and_apps() {
        let (limits, now) = limits(|limits| {
            (limits.publish_rate, limits.publish_burst) = (10, 100);
            (limits.publish_byte_rate, limits.publish_byte_burst) = (Some(1000), Some(10_000));
            (limits.publish_rate_per_app, limits.publish_burst_per_app) = (Some(15), Some(150));
        });
        let publish = |app, installation, count, bytes| {
            let refused =
                limits.check_publishes(&limits.publisher(app, installation), count, bytes, now).err();
            assert!(refused.iter().all(|refused| refused.retry_after_ms() > 0));
            refused.map(|refused| refused.message.contains("publish_rate_per_app"))
        };
        assert_eq!(publish("a", "i", 50, 9000), None);
        // The byte rate refuses, then the message rate, then the app's rate.
        assert_eq!(publish("a", "i", 1, 1001), Some(false));
        assert_eq!(publish("a", "i", 51, 0), Some(false));
        assert_eq!(publish("a", "j", 95, 0), None);
        assert_eq!(publish("a", "k", 6, 0), Some(true));
        // A refusal takes nothing from any of the rates.
        assert_eq!(publish("a", "k", 5, 10_000), None);
        assert_eq!(publish("a", "i", 0, 1000), None);
        // Another app has its own rates, even for an installation of the same name.
        assert_eq!(publish("b", "i", 100, 10_000), None);
        let refusals = [Limit::Publishes, Limit::PublishBytes, Limit::PublishesPerApp];
        assert_eq!(refusals.map(|limit| limits.refusals(limit)), [1, 1, 1]);
    }

    #[test]
    fn replay_rates_apply_to_sessions_and_installations_but_any_single_replay_passes() {
        let (limits, start) = limits(|limits| {
            (limits.replay_rate_per_session, limits.replay_burst_per_session) = (100, 1000);
            (limits.replay_rate, limits.replay_burst) = (200, 3000);
        });
        let tenant = limits.tenant("a", "i");
        let (mut first, mut second, mut other) = (Bucket::default(), Bucket::default(), Bucket::default());
        let replay = |session: &mut Bucket, bytes, second| {
            let now = start + Duration::from_secs(second);
            limits
                .check_replay(tenant.installation, session, bytes, now)
                .map_err(|refused| refused.retry_after_ms())
        };
        // The replay is larger than the burst; the debt must be paid before the next one.
        assert_eq!(replay(&mut first, 2500, 0), Ok(()));
        assert_eq!(replay(&mut first, 1000, 1), Err(24_000));
        assert_eq!(replay(&mut first, 100, 15), Err(1000));
        assert_eq!(replay(&mut first, 100, 16), Ok(()));
        // The installation's rate allows one more replay. A refusal by it takes nothing from the session's bucket.
        assert_eq!(replay(&mut second, 1000, 16), Ok(()));
        assert_eq!(replay(&mut other, 1000, 16), Ok(()));
        let mut another = Bucket::default();
        assert_eq!(replay(&mut another, 999, 16), Err(495));
        assert_eq!(limits.refusals(Limit::Replays), 1);
        assert_eq!(replay(&mut another, 1000, 17), Ok(()));
        let neighbour = limits.tenant("a", "j");
        assert!(limits.check_replay(neighbour.installation, &mut Bucket::default(), 3000, start).is_ok());
    }

    #[test]
    fn the_disconnect_rate_applies_per_app() {
        let (limits, now) = limits(|limits| (limits.disconnect_rate, limits.disconnect_burst) = (2, 3));
        (0..3).for_each(|_| limits.check_disconnect("a", now).unwrap());
        let refused = limits.check_disconnect("a", now).unwrap_err();
        assert_eq!((refused.retry_after_ms(), limits.refusals(Limit::Disconnects)), (500, 1));
        limits.check_disconnect("b", now).unwrap();
        limits.check_disconnect("a", now + Duration::from_millis(500)).unwrap();
    }
}
