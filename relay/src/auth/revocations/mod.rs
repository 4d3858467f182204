//! Revoked sessions: which tokens are no longer good though they have not expired. No I/O: time is an argument.
//!
//! A revocation is remembered until no token that it means can be left: a day after the last of them may have been made,
//! on the wall clock and on the monotonic one. A wall clock that was ahead for a while thus forgets nothing, and one that
//! was set back forgets nothing too early. The memory is bounded, and what has no room is refused rather than something
//! else forgotten.

use crate::{auth::access::Namespace, clock::Now, critical_task, refused::Refused};
use sealwire_protocol::{Code, Scope, UnixSeconds, limits};
use std::{
    collections::HashMap,
    sync::RwLock,
    time::{Duration, Instant},
};

/// Most bytes that all revocations may take, and those of one app.
const MAX_BYTES: usize = 8 << 20;
const MAX_BYTES_OF_APP: usize = 1 << 20;
/// What a revocation takes besides its texts.
const COST: usize = 176;
/// The longest life of a token.
const LIFETIME: Duration = Duration::from_secs(limits::MAX_TOKEN_LIFETIME);
/// By how much the clocks of an app's signers may differ without anybody noticing, in seconds.
const DIFFERENCE: u64 = 2;

/// Whose sessions of an installation are meant: those to which everything in here applies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selector {
    /// Only this account's.
    pub account: Option<String>,
    /// Only those with these properties in their context.
    pub context: Scope,
}

/// A session token, as far as it matters here.
pub(crate) struct Subject<'a> {
    pub(crate) namespace: Namespace<'a>,
    pub(crate) account: &'a str,
    pub(crate) context: &'a dyn Fn(&str) -> Option<&'a str>,
    /// When the token was made.
    pub(crate) made: UnixSeconds,
}

/// All that are remembered.
#[derive(Debug, Default)]
pub struct Revocations {
    table: RwLock<Table>,
}

/// A moment in the order of revocations: up to here, somebody has seen them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Seen(u64);

/// A token is revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Revoked {
    /// Tokens that were made earlier are.
    before: UnixSeconds,
}

impl Revoked {
    /// Refuses a request.
    pub(crate) fn refused(self) -> Refused {
        Refused::new(Code::Revoked, "the app has ended the session; a new one may be permitted")
    }

    /// Ends a session, whose client may come back with a token that is made after the last one that is revoked.
    pub(crate) fn ended(self, now: UnixSeconds) -> Refused {
        let passes = self.before.0.saturating_sub(now.0) + DIFFERENCE;
        self.refused().retry_after(Duration::from_secs(passes))
    }
}

#[derive(Debug, Default)]
struct Table {
    apps: HashMap<String, App>,
    bytes: usize,
    /// The number of the newest one.
    newest: Seen,
    /// No revocation can be forgotten before this.
    earliest: Option<End>,
}

#[derive(Debug, Default)]
struct App {
    /// The newest of each last.
    installations: HashMap<String, Vec<Revocation>>,
    bytes: usize,
}

#[derive(Debug)]
struct Revocation {
    selector: Selector,
    /// Tokens that were made earlier are meant.
    before: UnixSeconds,
    number: Seen,
    end: End,
}

/// When the last token of a revocation has expired: once both clocks have come so far.
#[derive(Clone, Copy, Debug)]
struct End {
    wall: UnixSeconds,
    monotonic: Instant,
}

impl End {
    /// Of tokens that were made before a moment.
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
    /// Revokes the tokens that were made before a moment.
    ///
    /// # Errors
    /// [`Refused`] where there is no room.
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
        // Also where every token that it means seems to have expired: the wall clock may be ahead.
        let revocation = Revocation { selector, before, number, end: End::of(before, now) };
        table.add(app, installation, revocation)?;
        table.newest = number;
        Ok(())
    }

    /// Refuses a token that a revocation after `seen` covers. Otherwise returns the newest revocation, which is seen now.
    pub(crate) fn check(&self, subject: &Subject<'_>, seen: Seen) -> Result<Seen, Revoked> {
        let table = critical_task::unpoisoned(self.table.read());
        let installations = table.apps.get(subject.namespace.app).map(|app| &app.installations);
        let list = installations.and_then(|known| known.get(subject.namespace.installation));
        let unseen = list.into_iter().flatten().rev().take_while(|revocation| revocation.number > seen);
        let covering = unseen.filter(|revocation| revocation.covers(subject)).map(|known| known.before);
        covering.max().map_or(Ok(table.newest), |before| Err(Revoked { before }))
    }

    /// How many are remembered.
    pub(crate) fn len(&self) -> usize {
        let table = critical_task::unpoisoned(self.table.read());
        table.apps.values().flat_map(|app| app.installations.values()).map(Vec::len).sum()
    }
}

impl Table {
    fn add(&mut self, app: &str, installation: &str, revocation: Revocation) -> Result<(), Refused> {
        let taken = self.apps.get(app).map_or(0, |app| app.bytes);
        let known = self.apps.get_mut(app).and_then(|app| app.installations.get_mut(installation));
        let mut freed = 0;
        if let Some(list) = known {
            if let Some(same) = list.iter().position(|known| known.selector == revocation.selector) {
                let same = list.remove(same);
                let (before, end) = (same.before.max(revocation.before), same.end.max(revocation.end));
                list.push(Revocation { before, end, ..revocation });
                return Ok(());
            }
            // One that means everything makes the narrower ones before it superfluous.
            if revocation.selector.is_everything() {
                freed =
                    list.iter().filter(|known| known.before <= revocation.before).map(Revocation::cost).sum();
            }
        }
        let cost = revocation.cost() + if taken == 0 { app.len() } else { 0 } + installation.len();
        if taken - freed + cost > MAX_BYTES_OF_APP {
            let message =
                "the app has revoked as much as the relay remembers; revoke whole installations instead";
            return Err(Refused::new(Code::RateLimited, message));
        }
        if self.bytes - freed + cost > MAX_BYTES {
            let message = "the relay remembers as many revocations as it may; try again later";
            return Err(Refused::new(Code::Overloaded, message));
        }
        let app = self.apps.entry(app.to_owned()).or_default();
        let list = app.installations.entry(installation.to_owned()).or_default();
        if freed > 0 {
            list.retain(|known| known.before > revocation.before);
        }
        self.earliest = self.earliest.into_iter().chain([revocation.end]).reduce(End::min);
        list.push(revocation);
        app.bytes = app.bytes - freed + cost;
        self.bytes = self.bytes - freed + cost;
        Ok(())
    }

    /// Forgets revocations whose tokens have all expired.
    fn expire(&mut self, now: Now) {
        if self.earliest.is_none_or(|earliest| !earliest.has_passed(now)) {
            return;
        }
        let (mut bytes, mut earliest) = (0, None);
        self.apps.retain(|id, app| {
            app.bytes = 0;
            app.installations.retain(|installation, list| {
                list.retain(|revocation| !revocation.end.has_passed(now));
                earliest = list.iter().map(|known| known.end).chain(earliest).reduce(End::min);
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
        subject.made < self.before
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
