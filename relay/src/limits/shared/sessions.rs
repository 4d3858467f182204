//! The sessions of each app, installation and account: those of this relay that the other relays hear of, and those that
//! they reported.

use crate::{critical_task, id_digest::IdDigest, tenant::ByHash};
use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, RwLock},
};

/// The number of independently locked tables.
const SHARDS: usize = 16;

/// The kinds of names that have a limit of sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Holder {
    App,
    Installation,
    Account,
}

/// The sessions of this relay, by name.
#[derive(Default)]
pub(in crate::limits) struct OwnSessions([Mutex<OwnShard>; SHARDS]);

#[derive(Default)]
struct OwnShard {
    counts: HashMap<IdDigest, OwnCount>,
    /// The names whose number changed since the last report.
    changed: Vec<IdDigest>,
}

struct OwnCount {
    holder: Holder,
    count: u32,
    /// The number in the last report; 0 if it was too small for one.
    reported: u32,
    /// True if the name is among the changed ones.
    has_changed: bool,
}

impl OwnSessions {
    pub(in crate::limits) fn enter(&self, holder: Holder, name: IdDigest) {
        let mut shard = self.shard(name);
        let OwnShard { counts, changed } = &mut *shard;
        let known =
            counts.entry(name).or_insert(OwnCount { holder, count: 0, reported: 0, has_changed: false });
        known.count = known.count.saturating_add(1);
        known.mark(name, changed);
    }

    pub(in crate::limits) fn leave(&self, name: IdDigest) {
        let mut shard = self.shard(name);
        let OwnShard { counts, changed } = &mut *shard;
        let Some(known) = counts.get_mut(&name) else { return };
        known.count = known.count.saturating_sub(1);
        known.mark(name, changed);
    }

    /// Takes the numbers that differ from the last report. A number below `least` counts as 0.
    pub(super) fn take_changed(&self, least: impl Fn(Holder) -> u32) -> Vec<(IdDigest, u32)> {
        let mut taken = Vec::new();
        for shard in &self.0 {
            let mut shard = critical_task::unpoisoned(shard.lock());
            let OwnShard { counts, changed } = &mut *shard;
            for name in std::mem::take(changed) {
                let Some(known) = counts.get_mut(&name) else { continue };
                if let Some(visible) = known.report(&least) {
                    taken.push((name, visible));
                }
                if known.count == 0 {
                    counts.remove(&name);
                }
            }
            shard.shrink();
        }
        taken
    }

    /// Takes all numbers of at least `least`.
    pub(super) fn take_all(&self, least: impl Fn(Holder) -> u32) -> Vec<(IdDigest, u32)> {
        let mut taken = Vec::new();
        for shard in &self.0 {
            let mut shard = critical_task::unpoisoned(shard.lock());
            shard.changed = Vec::new();
            shard.counts.retain(|name, known| {
                known.report(&least);
                if known.reported > 0 {
                    taken.push((*name, known.reported));
                }
                known.count > 0
            });
            shard.shrink();
        }
        taken
    }

    fn shard(&self, name: IdDigest) -> MutexGuard<'_, OwnShard> {
        let shard = usize::from(name.as_bytes()[0]) % SHARDS;
        critical_task::unpoisoned(self.0[shard].lock())
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.iter().map(|shard| shard.lock().unwrap().counts.len()).sum()
    }
}

impl OwnShard {
    /// Releases the capacity that a flood of sessions took.
    fn shrink(&mut self) {
        if self.counts.capacity() > 1024 && self.counts.len() < self.counts.capacity() / 8 {
            self.counts.shrink_to_fit();
        }
    }
}

impl OwnCount {
    fn mark(&mut self, name: IdDigest, changed: &mut Vec<IdDigest>) {
        if !self.has_changed {
            self.has_changed = true;
            changed.push(name);
        }
    }

    /// Returns the number to report, if it differs from the reported one.
    fn report(&mut self, least: impl Fn(Holder) -> u32) -> Option<u32> {
        self.has_changed = false;
        let visible = if self.count >= least(self.holder) { self.count } else { 0 };
        let differs = visible != self.reported;
        self.reported = visible;
        differs.then_some(visible)
    }
}

/// The sessions at all other relays together, by the keys of this relay.
#[derive(Default)]
pub(in crate::limits) struct OtherSessions(RwLock<ByHash<u32>>);

impl OtherSessions {
    pub(in crate::limits) fn of(&self, key: u64) -> usize {
        let counts = critical_task::unpoisoned(self.0.read());
        counts.get(&key).map_or(0, |count| usize::try_from(*count).unwrap_or(usize::MAX))
    }

    /// Replaces the part of one relay.
    pub(super) fn replace(&self, key: u64, before: u32, after: u32) {
        let mut counts = critical_task::unpoisoned(self.0.write());
        let count = counts.entry(key).or_default();
        *count = count.saturating_sub(before).saturating_add(after);
        if *count == 0 {
            counts.remove(&key);
            if counts.capacity() > 1024 && counts.len() < counts.capacity() / 8 {
                counts.shrink_to_fit();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn least(holder: Holder) -> u32 {
        if holder == Holder::Account { 3 } else { 1 }
    }

    #[test]
    fn a_report_has_the_numbers_that_changed_and_withdraws_those_that_became_small() {
        let (own, app, account) =
            (OwnSessions::default(), IdDigest::app("a"), IdDigest::account("a", "i", "x"));
        let enter = || {
            own.enter(Holder::App, app);
            own.enter(Holder::Account, account);
        };
        let report = || {
            let mut report = own.take_changed(least);
            report.sort_by_key(|(name, _)| *name == account);
            report
        };
        (0..2).for_each(|_| enter());
        assert_eq!(report(), [(app, 2)]);
        assert_eq!(report(), []);
        enter();
        assert_eq!(report(), [(app, 3), (account, 3)]);
        own.leave(account);
        assert_eq!(report(), [(account, 0)]);
        own.leave(account);
        own.leave(account);
        assert_eq!(report(), []);
        assert_eq!(own.take_all(least), [(app, 3)]);
        (0..3).for_each(|_| own.leave(app));
        assert_eq!(own.take_all(least), []);
        assert_eq!(own.len(), 0);
        // A name that left before it was reported leaves nothing behind.
        enter();
        own.leave(app);
        own.leave(account);
        assert_eq!((report(), own.len()), (Vec::new(), 0));
    }

    #[test]
    fn the_number_of_all_other_relays_is_the_sum_of_theirs() {
        let others = OtherSessions::default();
        others.replace(1, 0, 3);
        others.replace(1, 0, 4);
        assert_eq!((others.of(1), others.of(2)), (7, 0));
        others.replace(1, 3, 1);
        assert_eq!(others.of(1), 5);
        others.replace(1, 4, 0);
        others.replace(1, 1, 0);
        assert_eq!((others.of(1), others.0.read().unwrap().len()), (0, 0));
    }
}
