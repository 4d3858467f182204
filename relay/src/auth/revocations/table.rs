//! The table of revocations, which is bounded and never evicts one.

use super::{MAX_BYTES, MAX_BYTES_PER_APP, Seen, Selection, SharedRevocation};
use crate::{
    clock::Now,
    id_digest::{DIGEST_LEN, IdDigest},
    refused::Refused,
};
use sealwire_protocol::{Code, UnixSeconds, limits};
use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

/// The size of a revocation without its context, in bytes.
const COST: usize = 176;
/// The longest lifetime of a token.
const LIFETIME: Duration = Duration::from_secs(limits::MAX_TOKEN_LIFETIME);

#[derive(Debug, Default)]
pub(super) struct RevocationTable {
    pub(super) apps: HashMap<String, AppRevocations>,
    pub(super) bytes: usize,
    pub(super) newest: Seen,
    /// The earliest time at which a revocation expires; a lower bound.
    earliest: Option<Expiry>,
}

#[derive(Debug, Default)]
pub(super) struct AppRevocations {
    /// The revocations by installation, the newest last.
    pub(super) installations: HashMap<IdDigest, Vec<Revocation>>,
    bytes: usize,
}

#[derive(Debug)]
pub(super) struct Revocation {
    pub(super) selection: Selection,
    /// The revocation covers tokens issued before this time.
    pub(super) before: UnixSeconds,
    pub(super) number: Seen,
    expiry: Expiry,
}

/// The time after which every token of a revocation has expired. It has passed once both clocks have reached it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Expiry {
    wall: UnixSeconds,
    monotonic: Instant,
}

impl Expiry {
    /// The expiry of a revocation of tokens issued before a time.
    fn of(before: UnixSeconds, now: Now) -> Self {
        let ahead = Duration::from_secs(before.0.saturating_sub(now.wall.seconds().0)).min(LIFETIME);
        let wall = UnixSeconds(before.0.saturating_add(limits::MAX_TOKEN_LIFETIME));
        Self { wall, monotonic: now.monotonic + LIFETIME + ahead }
    }

    fn has_passed(self, now: Now) -> bool {
        self.wall <= now.wall.seconds() && self.monotonic <= now.monotonic
    }

    fn min(self, other: Self) -> Self {
        Self { wall: self.wall.min(other.wall), monotonic: self.monotonic.min(other.monotonic) }
    }

    fn max(self, other: Self) -> Self {
        Self { wall: self.wall.max(other.wall), monotonic: self.monotonic.max(other.monotonic) }
    }
}

/// The sizes that revocations may have in all.
#[derive(Clone, Copy, Debug)]
pub(super) struct Budget {
    total: usize,
    per_app: usize,
}

impl Budget {
    /// The budget of revocations that this relay's callers make.
    pub(super) const OWN: Self = Self { total: MAX_BYTES, per_app: MAX_BYTES_PER_APP };
    /// The budget of revocations that other relays made. It is larger, because a relay that started later keeps
    /// revocations for longer, and must not be the one without room for a new one.
    pub(super) const SHARED: Self = Self { total: 2 * MAX_BYTES, per_app: 2 * MAX_BYTES_PER_APP };
}

impl RevocationTable {
    pub(super) fn add(&mut self, shared: &SharedRevocation, budget: Budget, now: Now) -> Result<(), Refused> {
        let SharedRevocation { app, installation, selection, before } = shared;
        let number = Seen(self.newest.0 + 1);
        // A revocation is added even if all of its tokens seem to have expired, because the wall clock may be ahead.
        let expiry = Expiry::of(*before, now);
        let revocation = Revocation { selection: selection.clone(), before: *before, number, expiry };
        self.insert(app, *installation, revocation, budget)?;
        self.newest = number;
        Ok(())
    }

    fn insert(
        &mut self,
        app: &str,
        installation: IdDigest,
        revocation: Revocation,
        budget: Budget,
    ) -> Result<(), Refused> {
        let app_bytes = self.apps.get(app).map_or(0, |app| app.bytes);
        let known = self.apps.get_mut(app).and_then(|app| app.installations.get_mut(&installation));
        let mut freed = 0;
        if let Some(list) = known {
            if let Some(same) = list.iter().position(|known| known.selection == revocation.selection) {
                let same = list.remove(same);
                let before = same.before.max(revocation.before);
                let expiry = same.expiry.max(revocation.expiry);
                list.push(Revocation { before, expiry, ..revocation });
                return Ok(());
            }
            // A revocation of all sessions replaces the narrower ones before it.
            if revocation.selection.is_everything() {
                let replaced = list.iter().filter(|known| known.before <= revocation.before);
                freed = replaced.map(Revocation::cost).sum();
            }
        }
        let cost = revocation.cost() + if app_bytes == 0 { app.len() } else { 0 };
        if app_bytes - freed + cost > budget.per_app {
            let message =
                "the relay's memory for this app's revocations is full; revoke whole installations instead";
            return Err(Refused::new(Code::RateLimited, message));
        }
        if self.bytes - freed + cost > budget.total {
            let message = "the relay's memory for revocations is full; try again later";
            return Err(Refused::new(Code::Overloaded, message));
        }
        let app = self.apps.entry(app.to_owned()).or_default();
        let list = app.installations.entry(installation).or_default();
        if freed > 0 {
            list.retain(|known| known.before > revocation.before);
        }
        self.earliest = self.earliest.into_iter().chain([revocation.expiry]).reduce(Expiry::min);
        list.push(revocation);
        app.bytes = app.bytes - freed + cost;
        self.bytes = self.bytes - freed + cost;
        Ok(())
    }

    /// Returns the revocations of an installation, the newest last.
    pub(super) fn of(&self, app: &str, installation: &IdDigest) -> &[Revocation] {
        let app = self.apps.get(app);
        app.and_then(|app| app.installations.get(installation)).map_or(&[], Vec::as_slice)
    }

    /// Removes the revocations whose tokens have all expired.
    pub(super) fn expire(&mut self, now: Now) {
        if self.earliest.is_none_or(|earliest| !earliest.has_passed(now)) {
            return;
        }
        let (mut bytes, mut earliest) = (0, None);
        self.apps.retain(|id, app| {
            app.bytes = 0;
            app.installations.retain(|_, list| {
                list.retain(|revocation| !revocation.expiry.has_passed(now));
                earliest = list.iter().map(|known| known.expiry).chain(earliest).reduce(Expiry::min);
                app.bytes += list.iter().map(Revocation::cost).sum::<usize>();
                !list.is_empty()
            });
            app.bytes += if app.installations.is_empty() { 0 } else { id.len() };
            bytes += app.bytes;
            !app.installations.is_empty()
        });
        (self.bytes, self.earliest) = (bytes, earliest);
    }
}

impl Revocation {
    /// The size, with the share of the table.
    fn cost(&self) -> usize {
        COST + DIGEST_LEN + 2 * DIGEST_LEN * self.selection.context.len()
    }
}
