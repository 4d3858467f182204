//! What a relay allows to whom: permits that are taken and given back, and rates. No I/O; time is an argument, and what
//! an attacker can make up does not make its tables grow.

mod bucket;
mod concurrency;
mod inbound;
mod limit;
mod permits;
mod rates;

pub(crate) use inbound::Inbound;
pub use limit::Limit;
pub(crate) use permits::{AddressPermit, Admission, RefusalPermit, SessionPermit};

use crate::{memory::Memory, refused::Refused, settings::Settings, tenant::Tenant};
use arc_swap::{ArcSwap, Guard};
use bucket::{Bucket, Moment};
use concurrency::Occupancy;
use limit::Refusals;
use rates::Rates;
use std::{
    hash::{BuildHasher as _, RandomState},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

/// Shortest time that a session is told to wait for its next replay.
const SHORTEST_WAIT: Duration = Duration::from_millis(50);

/// The limits of a relay, and what is taken of them.
pub struct Limits {
    settings: ArcSwap<Settings>,
    start: Instant,
    /// Makes keys of names: nobody can aim for another's.
    keys: RandomState,
    connections: AtomicUsize,
    being_refused: AtomicUsize,
    occupancy: Occupancy,
    /// Subscriptions by app.
    subscriptions: Occupancy,
    publishes: Rates,
    publish_bytes: Rates,
    app_publishes: Rates,
    replays: Rates,
    disconnects: Rates,
    refusals: Refusals,
    memory: Arc<Memory>,
}

impl Limits {
    /// With nothing taken.
    #[must_use]
    pub fn new(settings: Settings, now: Instant) -> Self {
        Self {
            settings: ArcSwap::from_pointee(settings),
            start: now,
            keys: RandomState::new(),
            connections: AtomicUsize::new(0),
            being_refused: AtomicUsize::new(0),
            occupancy: Occupancy::default(),
            subscriptions: Occupancy::default(),
            publishes: Rates::default(),
            publish_bytes: Rates::default(),
            app_publishes: Rates::default(),
            replays: Rates::default(),
            disconnects: Rates::default(),
            refusals: Refusals::default(),
            memory: Arc::default(),
        }
    }

    /// With a memory, for which newcomers are refused when it is short.
    #[must_use]
    pub fn with_memory(self, memory: Arc<Memory>) -> Self {
        Self { memory, ..self }
    }

    /// Holds everything that is asked for from now on to other settings. Permits that are taken stay taken.
    pub fn set(&self, settings: Settings) {
        self.settings.store(Arc::new(settings));
    }

    /// The settings in force.
    #[must_use]
    pub fn settings(&self) -> Guard<Arc<Settings>> {
        self.settings.load()
    }

    /// Connections of any kind, now.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }

    /// How often this limit refused something.
    #[must_use]
    pub fn refusals(&self, limit: Limit) -> u64 {
        self.refusals.of(limit)
    }

    /// The tenant of an installation of an app.
    #[must_use]
    pub fn tenant(&self, app: &str, installation: &str) -> Tenant {
        Tenant { app: self.app(app), installation: self.keys.hash_one(("installation", app, installation)) }
    }

    fn app(&self, app: &str) -> u64 {
        self.keys.hash_one(("app", app))
    }

    /// The key of an account of an installation.
    pub(crate) fn account(&self, app: &str, installation: &str, account: &str) -> u64 {
        self.keys.hash_one(("account", app, installation, account))
    }

    /// Refuses messages that are more, or have more bytes, than the installation or its app may publish now: all of them,
    /// or none.
    pub(crate) fn check_publishes(
        &self,
        tenant: Tenant,
        count: usize,
        bytes: usize,
        now: Instant,
    ) -> Result<(), Refused> {
        let (settings, now) = (self.settings(), self.moment(now));
        let (count, bytes) = (count as u64, bytes as u64);
        let checks = [
            (Limit::Publishes, &self.publishes, tenant.installation, count, settings.publishes()),
            (Limit::PublishBytes, &self.publish_bytes, tenant.installation, bytes, settings.publish_bytes()),
            (Limit::PublishesPerApp, &self.app_publishes, tenant.app, count, settings.app_publishes()),
        ];
        for (index, (limit, rates, key, count, rate)) in checks.into_iter().enumerate() {
            if let Err(wait) = rates.take(key, count, rate, now) {
                checks[..index]
                    .iter()
                    .for_each(|(_, rates, key, count, rate)| rates.give_back(*key, *count, *rate));
                return Err(self.refuse_for(limit, wait));
            }
        }
        Ok(())
    }

    /// Refuses a replay that is more than the session or its installation may get now. A single replay may be larger than
    /// any burst.
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
            .draw(bytes, settings.session_replays(), now)
            .map_err(|wait| self.refuse_for(Limit::ReplaysPerSession, wait.max(SHORTEST_WAIT)))?;
        self.replays
            .draw(installation, bytes, settings.replays(), now)
            .map_err(|wait| self.refuse_for(Limit::Replays, wait))?;
        *session = after;
        Ok(())
    }

    /// Refuses another connection, session or subscription if memory is short, and a session that holds so many bytes
    /// already a little sooner.
    pub(crate) fn check_memory(&self, held: usize) -> Result<(), Refused> {
        if self.memory.admits_more(held) { Ok(()) } else { Err(self.refuse(Limit::Memory)) }
    }

    /// Refuses an app that ends sessions too often.
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

    fn moment(&self, now: Instant) -> Moment {
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
    fn installations_publish_so_many_messages_and_bytes_and_apps_so_many_messages() {
        let (limits, now) = limits(|limits| {
            (limits.publish_rate, limits.publish_burst) = (10, 100);
            (limits.publish_byte_rate, limits.publish_byte_burst) = (Some(1000), Some(10_000));
            (limits.publish_rate_per_app, limits.publish_burst_per_app) = (Some(15), Some(150));
        });
        let publish = |app, installation, count, bytes| {
            let refused = limits.check_publishes(limits.tenant(app, installation), count, bytes, now).err();
            assert!(refused.iter().all(|refused| refused.retry_after_ms() > 0));
            refused.map(|refused| refused.message.contains("app publishes"))
        };
        assert_eq!(publish("a", "i", 50, 9000), None);
        // Bytes, then messages, then the app's.
        assert_eq!(publish("a", "i", 1, 1001), Some(false));
        assert_eq!(publish("a", "i", 51, 0), Some(false));
        assert_eq!(publish("a", "j", 95, 0), None);
        assert_eq!(publish("a", "k", 6, 0), Some(true));
        // A refusal takes nothing from any of the rates.
        assert_eq!(publish("a", "k", 5, 10_000), None);
        assert_eq!(publish("a", "i", 0, 1000), None);
        // Another app is another matter, also where the installation has the same name.
        assert_eq!(publish("b", "i", 100, 10_000), None);
        let refusals = [Limit::Publishes, Limit::PublishBytes, Limit::PublishesPerApp];
        assert_eq!(refusals.map(|limit| limits.refusals(limit)), [1, 1, 1]);
    }

    #[test]
    fn sessions_and_installations_have_so_many_replayed_bytes_and_any_single_replay_comes_through() {
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
        // A replay that is larger than any burst, and then all of it has to be paid.
        assert_eq!(replay(&mut first, 2500, 0), Ok(()));
        assert_eq!(replay(&mut first, 1000, 1), Err(24_000));
        assert_eq!(replay(&mut first, 100, 15), Err(1000));
        assert_eq!(replay(&mut first, 100, 16), Ok(()));
        // Of the installation's there is enough for one more, and what it refuses costs the session nothing.
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
    fn an_app_ends_sessions_so_often() {
        let (limits, now) = limits(|limits| (limits.disconnect_rate, limits.disconnect_burst) = (2, 3));
        (0..3).for_each(|_| limits.check_disconnect("a", now).unwrap());
        let refused = limits.check_disconnect("a", now).unwrap_err();
        assert_eq!((refused.retry_after_ms(), limits.refusals(Limit::Disconnects)), (500, 1));
        limits.check_disconnect("b", now).unwrap();
        limits.check_disconnect("a", now + Duration::from_millis(500)).unwrap();
    }
}
