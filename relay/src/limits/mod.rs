//! What a relay allows to whom: places that are taken and given back, and rates. No I/O; time is an argument, and what
//! an attacker can make up does not make its tables grow.

mod bucket;
mod intake;
mod occupancy;
mod origins;
mod places;
mod rates;
mod refusals;
mod settings;

pub use bucket::Rate;
pub(crate) use intake::Intake;
pub use origins::AllowedOrigins;
pub(crate) use places::{AddressPlace, Admission, RefusalPlace, SessionPlace};
pub use refusals::Limit;
pub use settings::LimitSettings;

use crate::{access::Refused, memory::Memory};
use arc_swap::{ArcSwap, Guard};
use bucket::Moment;
use occupancy::Occupancy;
use rates::Rates;
use refusals::Refusals;
use std::{
    hash::{BuildHasher as _, RandomState},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Instant,
};

/// The limits of a relay, and what is taken of them.
pub struct Limits {
    settings: ArcSwap<LimitSettings>,
    start: Instant,
    /// Makes keys of names: nobody can aim for another's.
    keys: RandomState,
    connections: AtomicUsize,
    being_refused: AtomicUsize,
    occupancy: Occupancy,
    publishes: Rates,
    refusals: Refusals,
    memory: Arc<Memory>,
}

impl Limits {
    /// With nothing taken.
    #[must_use]
    pub fn new(settings: LimitSettings, now: Instant) -> Self {
        Self {
            settings: ArcSwap::from_pointee(settings),
            start: now,
            keys: RandomState::new(),
            connections: AtomicUsize::new(0),
            being_refused: AtomicUsize::new(0),
            occupancy: Occupancy::default(),
            publishes: Rates::default(),
            refusals: Refusals::default(),
            memory: Arc::default(),
        }
    }

    /// With a memory, for which newcomers are refused when it is short.
    #[must_use]
    pub fn with_memory(self, memory: Arc<Memory>) -> Self {
        Self { memory, ..self }
    }

    /// Holds everything that is asked for from now on to other settings. Places that are taken stay taken.
    pub fn set(&self, settings: LimitSettings) {
        self.settings.store(Arc::new(settings));
    }

    /// The settings in force.
    #[must_use]
    pub fn settings(&self) -> Guard<Arc<LimitSettings>> {
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

    /// Whether an installation may publish so many messages now: all of them, or none.
    pub(crate) fn check_publishes(
        &self,
        app: &str,
        installation: &str,
        count: usize,
        now: Instant,
    ) -> Result<(), Refused> {
        self.take_publishes(self.installation_key(app, installation), count as u64, now)
    }

    /// Refuses another connection, session or subscription if memory is short, and a session that holds so many bytes
    /// already a little sooner.
    pub(crate) fn check_memory(&self, held: usize) -> Result<(), Refused> {
        if self.memory.admits_more(held) { Ok(()) } else { Err(self.refuse(Limit::Memory)) }
    }

    fn take_publishes(&self, installation: u64, count: u64, now: Instant) -> Result<(), Refused> {
        let rate = self.settings().publishes;
        self.publishes.take(installation, count, rate, self.moment(now)).map_err(|wait| {
            self.refusals.count(Limit::Publishes);
            Limit::Publishes.refused(Some(wait))
        })
    }

    fn installation_key(&self, app: &str, installation: &str) -> u64 {
        self.keys.hash_one(("installation", app, installation))
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
