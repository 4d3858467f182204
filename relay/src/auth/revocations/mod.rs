//! Revocations: session tokens that are invalid although they have not expired. No I/O: time is an argument.
//!
//! A revocation is kept until every token it covers has expired: a day after the last of them may have been issued, on both
//! the wall clock and the monotonic clock. A wall clock that jumps forward or back therefore never drops a revocation too
//! early. Memory is bounded: when the table is full, new revocations are refused; existing ones are never evicted.

use crate::{auth::access::Namespace, clock::Now, critical_task, refused::Refused};
use sealwire_protocol::{Code, Scope, UnixSeconds, limits};
use std::{
    collections::HashMap,
    sync::RwLock,
    time::{Duration, Instant},
};

/// The maximum size of all revocations, in bytes.
const MAX_BYTES: usize = 8 << 20;
/// The maximum size of one app's revocations, in bytes.
const MAX_BYTES_PER_APP: usize = 1 << 20;
/// The size of a revocation without its strings, in bytes.
const COST: usize = 176;
/// The longest lifetime of a token.
const LIFETIME: Duration = Duration::from_secs(limits::MAX_TOKEN_LIFETIME);
/// The difference between the clocks of an app's signers that is assumed even if no token has shown one, in seconds.
const ASSUMED_SKEW: u64 = 2;

/// Selects sessions of an installation. A session matches if every part of the selector does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selector {
    /// Selects the sessions of this account; `None` selects those of every account.
    pub account: Option<String>,
    /// Selects the sessions whose context has these properties.
    pub context: Scope,
}

/// The claims of a session token that selectors match.
pub(crate) struct Subject<'a> {
    pub(crate) namespace: Namespace<'a>,
    pub(crate) account: &'a str,
    pub(crate) context: &'a dyn Fn(&str) -> Option<&'a str>,
    pub(crate) issued_at: UnixSeconds,
}

/// The table of all revocations.
#[derive(Debug, Default)]
pub struct Revocations {
    table: RwLock<RevocationTable>,
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

#[derive(Debug, Default)]
struct RevocationTable {
    apps: HashMap<String, AppRevocations>,
    bytes: usize,
    newest: Seen,
    /// The earliest time at which a revocation expires; a lower bound.
    earliest: Option<Expiry>,
}

#[derive(Debug, Default)]
struct AppRevocations {
    /// The revocations by installation, the newest last.
    installations: HashMap<String, Vec<Revocation>>,
    bytes: usize,
}

#[derive(Debug)]
struct Revocation {
    selector: Selector,
    /// The revocation covers tokens issued before this time.
    before: UnixSeconds,
    number: Seen,
    expiry: Expiry,
}

/// The time after which every token of a revocation has expired. It has passed once both clocks have reached it.
#[derive(Clone, Copy, Debug)]
struct Expiry {
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

impl Revocations {
    /// Revokes the selected tokens that were issued before a time.
    ///
    /// # Errors
    /// [`Refused`] if the table is full.
    pub fn add(
        &self,
        app: &str,
        installation: &str,
        selector: Selector,
        before: UnixSeconds,
        now: Now,
    ) -> Result<(), Refused> {
        let mut table = critical_task::unpoisoned(self.table.write());
        table.expire(now);
        let number = Seen(table.newest.0 + 1);
        // A revocation is added even if all of its tokens seem to have expired, because the wall clock may be ahead.
        let revocation = Revocation { selector, before, number, expiry: Expiry::of(before, now) };
        table.add(app, installation, revocation)?;
        table.newest = number;
        Ok(())
    }

    /// Checks a token against the revocations after `seen`. Returns the number of the newest revocation if none covers it.
    pub(crate) fn check(&self, subject: &Subject<'_>, seen: Seen) -> Result<Seen, Revoked> {
        let table = critical_task::unpoisoned(self.table.read());
        let installations = table.apps.get(subject.namespace.app).map(|app| &app.installations);
        let list = installations.and_then(|known| known.get(subject.namespace.installation));
        let unseen = list.into_iter().flatten().rev().take_while(|revocation| revocation.number > seen);
        let covering = unseen.filter(|revocation| revocation.covers(subject)).map(|known| known.before);
        covering.max().map_or(Ok(table.newest), |before| Err(Revoked { before }))
    }

    /// The number of revocations in the table.
    pub(crate) fn len(&self) -> usize {
        let table = critical_task::unpoisoned(self.table.read());
        table.apps.values().flat_map(|app| app.installations.values()).map(Vec::len).sum()
    }
}

impl RevocationTable {
    fn add(&mut self, app: &str, installation: &str, revocation: Revocation) -> Result<(), Refused> {
        let app_bytes = self.apps.get(app).map_or(0, |app| app.bytes);
        let known = self.apps.get_mut(app).and_then(|app| app.installations.get_mut(installation));
        let mut freed = 0;
        if let Some(list) = known {
            if let Some(same) = list.iter().position(|known| known.selector == revocation.selector) {
                let same = list.remove(same);
                let before = same.before.max(revocation.before);
                let expiry = same.expiry.max(revocation.expiry);
                list.push(Revocation { before, expiry, ..revocation });
                return Ok(());
            }
            // A revocation of all sessions replaces the narrower ones before it.
            if revocation.selector.is_everything() {
                freed =
                    list.iter().filter(|known| known.before <= revocation.before).map(Revocation::cost).sum();
            }
        }
        let cost = revocation.cost() + if app_bytes == 0 { app.len() } else { 0 } + installation.len();
        if app_bytes - freed + cost > MAX_BYTES_PER_APP {
            let message =
                "the relay's memory for this app's revocations is full; revoke whole installations instead";
            return Err(Refused::new(Code::RateLimited, message));
        }
        if self.bytes - freed + cost > MAX_BYTES {
            let message = "the relay's memory for revocations is full; try again later";
            return Err(Refused::new(Code::Overloaded, message));
        }
        let app = self.apps.entry(app.to_owned()).or_default();
        let list = app.installations.entry(installation.to_owned()).or_default();
        if freed > 0 {
            list.retain(|known| known.before > revocation.before);
        }
        self.earliest = self.earliest.into_iter().chain([revocation.expiry]).reduce(Expiry::min);
        list.push(revocation);
        app.bytes = app.bytes - freed + cost;
        self.bytes = self.bytes - freed + cost;
        Ok(())
    }

    /// Removes the revocations whose tokens have all expired.
    fn expire(&mut self, now: Now) {
        if self.earliest.is_none_or(|earliest| !earliest.has_passed(now)) {
            return;
        }
        let (mut bytes, mut earliest) = (0, None);
        self.apps.retain(|id, app| {
            app.bytes = 0;
            app.installations.retain(|installation, list| {
                list.retain(|revocation| !revocation.expiry.has_passed(now));
                earliest = list.iter().map(|known| known.expiry).chain(earliest).reduce(Expiry::min);
                app.bytes += list.iter().map(|known| known.cost() + installation.len()).sum::<usize>();
                !list.is_empty()
            });
            app.bytes += if app.installations.is_empty() { 0 } else { id.len() };
            bytes += app.bytes;
            !app.installations.is_empty()
        });
        (self.bytes, self.earliest) = (bytes, earliest);
    }
}

impl Selector {
    fn is_everything(&self) -> bool {
        self.account.is_none() && self.context.is_empty()
    }
}

impl Revocation {
    fn covers(&self, subject: &Subject<'_>) -> bool {
        let Selector { account, context } = &self.selector;
        subject.issued_at < self.before
            && account.as_deref().is_none_or(|account| account == subject.account)
            && context.iter().all(|(property, value)| (subject.context)(property) == Some(value))
    }

    fn cost(&self) -> usize {
        let Selector { account, context } = &self.selector;
        let context: usize =
            context.iter().map(|(property, value)| COST / 2 + property.len() + value.len()).sum();
        COST + account.as_ref().map_or(0, String::len) + context
    }
}

#[cfg(test)]
mod tests;
