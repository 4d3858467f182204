//! The other relays of the cluster, as their reports show them. No I/O; time is an argument.

use super::report::Report;
use crate::{
    id_digest::IdDigest,
    limits::{Bucket, Limits},
    settings::Rate,
};
use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

/// The time without a report after which a relay counts as gone, so that its clients can come to the others.
pub(super) const SILENCE: Duration = Duration::from_secs(1);
/// The time after which a relay that is gone is forgotten. Until then, its repeated reports are recognised.
const FORGET: Duration = Duration::from_secs(60);
/// The maximum number of other relays.
const MAX_MEMBERS: usize = 63;
/// The maximum number of session counts of all relays together.
const MAX_COUNTS: usize = 262_144;
/// The maximum number of reports of one relay in [`BUDGET_PERIOD`]. With several servers each report arrives several
/// times.
const MAX_REPORTS: u32 = 512;
const BUDGET_PERIOD: Duration = Duration::from_secs(1);
/// The number of bytes in the reports of all relays that are read in a second, and at once. Decoding and applying reports
/// takes longer than receiving them, and those that wait take memory.
const BYTES: Rate = Rate { per_second: 32 * 1024 * 1024, burst: 4 * 1024 * 1024 };

/// The other relays.
#[derive(Default)]
pub(super) struct Members {
    members: HashMap<u64, Member>,
    /// The number of session counts of all members.
    counts: usize,
    bytes: Bucket,
}

/// Another relay.
struct Member {
    last_heard: Instant,
    /// True if the relay counts as gone.
    is_silent: bool,
    /// The sequence of the newest report whose session counts were taken.
    sequence: u64,
    batches: BatchWindow,
    counts: HashMap<IdDigest, u32>,
    budget: Budget,
}

/// The reports of a relay in the current period.
struct Budget {
    since: Instant,
    used: u32,
}

/// The batches that were applied: the highest number, and a bit for each of the numbers below it.
#[derive(Clone, Copy, Default)]
struct BatchWindow {
    highest: u64,
    applied: u64,
}

/// The effect of a report on the conversation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Heard {
    /// True if the relay was unknown or gone, and needs everything.
    pub(super) is_newcomer: bool,
    /// True if session counts of the relay were missed.
    pub(super) misses_counts: bool,
    /// True if the relay's session counts are complete again.
    pub(super) is_complete: bool,
}

/// The reason to ignore a report before it is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Ignored {
    #[error("a cluster has at most 64 relays")]
    TooManyRelays,
    #[error("the relay sends too many reports")]
    TooManyReports,
    #[error("the relays send too many bytes")]
    Overload,
}

impl Members {
    /// The number of relays that are not gone, besides this one.
    pub(super) fn present(&self) -> usize {
        self.members.values().filter(|member| !member.is_silent).count()
    }

    /// The ids of the relays that are not gone, sorted.
    pub(super) fn ids(&self) -> Vec<u64> {
        let present = self.members.iter().filter(|(_, member)| !member.is_silent);
        let mut ids: Vec<u64> = present.map(|(relay, _)| *relay).collect();
        ids.sort_unstable();
        ids
    }

    /// Admits a report of a relay with a number of bytes. Returns whether the relay was unknown or gone.
    pub(super) fn admit(
        &mut self,
        relay: u64,
        bytes: usize,
        limits: &Limits,
        now: Instant,
    ) -> Result<bool, Ignored> {
        if !self.members.contains_key(&relay) {
            self.make_room().ok_or(Ignored::TooManyRelays)?;
            self.members.insert(relay, Member::new(now));
        }
        let member = self.members.entry(relay).or_insert_with(|| Member::new(now));
        if !member.budget.admits(now) {
            return Err(Ignored::TooManyReports);
        }
        self.bytes.take(bytes as u64, BYTES, limits.moment(now)).map_err(|_| Ignored::Overload)?;
        Ok(member.is_silent)
    }

    /// Applies a report of a relay that was admitted.
    pub(super) fn apply(&mut self, relay: u64, report: &Report, limits: &Limits, now: Instant) -> Heard {
        let Some(member) = self.members.get_mut(&relay) else { return Heard::default() };
        let is_newcomer = std::mem::take(&mut member.is_silent);
        member.last_heard = now;
        for batch in &report.batches {
            if member.batches.is_new(batch.number) {
                batch.installations.iter().for_each(|(name, usage)| {
                    limits.debit_installation(name, *usage, now);
                });
                batch.apps.iter().for_each(|(name, usage)| limits.debit_app(name, *usage, now));
            }
        }
        if report.sequence <= member.sequence {
            return Heard { is_newcomer, ..Heard::default() };
        }
        let is_next = report.sequence == member.sequence + 1 && !is_newcomer;
        member.sequence = report.sequence;
        if report.is_full {
            self.counts -= member.clear(limits);
        }
        for (name, after) in &report.counts {
            let fits = self.counts < MAX_COUNTS;
            let before = match after {
                0 => member.counts.remove(name),
                _ if fits || member.counts.contains_key(name) => member.counts.insert(*name, *after),
                _ => continue,
            };
            self.counts = self.counts + usize::from(*after > 0) - usize::from(before.is_some());
            limits.replace_others(name, before.unwrap_or(0), *after);
        }
        Heard { is_newcomer, misses_counts: !report.is_full && !is_next, is_complete: report.is_full }
    }

    /// Drops the session counts of relays that were not heard for [`SILENCE`]. Returns the relays that are gone since
    /// the last call.
    pub(super) fn expire(&mut self, limits: &Limits, now: Instant) -> Vec<u64> {
        let mut gone = Vec::new();
        for (relay, member) in self.members.iter_mut().filter(|(_, member)| !member.is_silent) {
            if now.saturating_duration_since(member.last_heard) >= SILENCE {
                member.is_silent = true;
                self.counts -= member.clear(limits);
                gone.push(*relay);
            }
        }
        self.members.retain(|_, member| {
            !member.is_silent || now.saturating_duration_since(member.last_heard) < FORGET
        });
        gone
    }

    /// Forgets the relay that is gone for the longest time, if there are too many relays.
    fn make_room(&mut self) -> Option<()> {
        if self.members.len() >= MAX_MEMBERS {
            let silent = self.members.iter().filter(|(_, member)| member.is_silent);
            let oldest = *silent.min_by_key(|(_, member)| member.last_heard)?.0;
            self.members.remove(&oldest);
        }
        Some(())
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> (usize, usize) {
        (self.members.len(), self.counts)
    }
}

impl Member {
    fn new(now: Instant) -> Self {
        Self {
            last_heard: now,
            is_silent: true,
            sequence: 0,
            batches: BatchWindow::default(),
            counts: HashMap::new(),
            budget: Budget { since: now, used: 0 },
        }
    }

    /// Drops all session counts. Returns their number.
    fn clear(&mut self, limits: &Limits) -> usize {
        let counts = std::mem::take(&mut self.counts);
        counts.iter().for_each(|(name, count)| limits.replace_others(name, *count, 0));
        counts.len()
    }
}

impl Budget {
    fn admits(&mut self, now: Instant) -> bool {
        if now.saturating_duration_since(self.since) >= BUDGET_PERIOD {
            *self = Self { since: now, used: 0 };
        }
        self.used = self.used.saturating_add(1);
        self.used <= MAX_REPORTS
    }
}

impl BatchWindow {
    /// Returns whether a batch is new, and marks it. A batch that is older than the window counts as applied.
    fn is_new(&mut self, number: u64) -> bool {
        if number > self.highest {
            let step = number - self.highest;
            self.applied = if step < 64 { self.applied << step } else { 0 } | 1;
            self.highest = number;
            return true;
        }
        let age = self.highest - number;
        let bit = if age < 64 { 1 << age } else { return false };
        let is_new = self.applied & bit == 0;
        self.applied |= bit;
        is_new
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Settings;

    #[test]
    fn each_batch_is_applied_once_in_any_order() {
        let mut window = BatchWindow::default();
        for (number, is_new) in
            [(3, true), (3, false), (1, true), (5, true), (4, true), (1, false), (2, true), (5, false)]
        {
            assert_eq!(window.is_new(number), is_new, "{number}");
        }
        assert!(window.is_new(1000) && !window.is_new(936) && window.is_new(937) && !window.is_new(937));
        assert!(!window.is_new(1000) && window.is_new(u64::MAX) && !window.is_new(1001));
    }

    #[test]
    fn a_flood_of_relays_and_counts_leaves_the_tables_bounded() {
        let (mut members, start) = (Members::default(), Instant::now());
        let limits = Limits::new(Settings::default(), start).shared();
        let admitted = (0..1000).filter(|relay| members.admit(*relay, 100, &limits, start).is_ok()).count();
        // All of them are unheard, so the newest one replaces another.
        assert_eq!((admitted, members.len().0), (1000, MAX_MEMBERS));
        let relays: Vec<u64> = members.members.keys().copied().collect();
        for (sequence, relay) in
            (1..=5_u64).flat_map(|sequence| relays.iter().map(move |relay| (sequence, *relay)))
        {
            let name = |number: u64| {
                let number = (u128::from(relay) << 64) + u128::from(sequence * 1000 + number);
                IdDigest::from_slice(&number.to_le_bytes()).unwrap()
            };
            let counts = (0..1000).map(|number| (name(number), 1)).collect();
            members.apply(relay, &Report { sequence, counts, ..Report::default() }, &limits, start);
        }
        assert_eq!(members.len().1, MAX_COUNTS);
        // Relays that are present are not replaced.
        assert_eq!(members.admit(1_000_000, 100, &limits, start), Err(Ignored::TooManyRelays));
        assert_eq!(members.expire(&limits, start + SILENCE).len(), MAX_MEMBERS);
        assert_eq!(members.len(), (MAX_MEMBERS, 0));
        assert_eq!(members.admit(1_000_000, 100, &limits, start + SILENCE), Ok(true));
        members.expire(&limits, start + FORGET);
        assert_eq!(members.len(), (1, 0));
    }

    #[test]
    fn a_relay_that_sends_too_many_reports_is_ignored_for_the_rest_of_a_second() {
        let (mut members, start) = (Members::default(), Instant::now());
        let limits = Limits::new(Settings::default(), start);
        let admitted = (0..10_000).filter(|_| members.admit(1, 100, &limits, start).is_ok()).count();
        assert_eq!(admitted, MAX_REPORTS as usize);
        assert_eq!(members.admit(2, 100, &limits, start), Ok(true));
        assert_eq!(members.admit(1, 100, &limits, start + BUDGET_PERIOD), Ok(true));
    }

    #[test]
    fn all_relays_together_are_heard_up_to_a_number_of_bytes_in_a_second() {
        let (mut members, start) = (Members::default(), Instant::now());
        let limits = Limits::new(Settings::default(), start);
        let half = BYTES.burst as usize / 2;
        assert!(
            members.admit(1, half, &limits, start).is_ok() && members.admit(2, half, &limits, start).is_ok()
        );
        assert_eq!(members.admit(3, 1, &limits, start), Err(Ignored::Overload));
        let step = Duration::from_millis(4);
        let read =
            (1..=250).filter(|at| members.admit(3, half / 8, &limits, start + step * *at).is_ok()).count();
        let most = BYTES.per_second as usize / (half / 8);
        assert!((most - 5..=most).contains(&read), "{read}");
        assert_eq!(members.admit(3, usize::MAX, &limits, start + BUDGET_PERIOD * 2), Err(Ignored::Overload));
    }
}
