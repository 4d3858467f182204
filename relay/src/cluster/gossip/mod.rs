//! The conversation of the relays about the use of shared limits: each reports its use four times a second, and applies
//! the reports of the others. No I/O; time is an argument.
//!
//! A lost report is mended: each report repeats the publications of the ones before it, and a hole in the session counts
//! is answered with a full report. Late, repeated and reordered reports change nothing twice.

mod members;
mod report;

use crate::{
    id_digest::IdDigest,
    limits::{Limits, PublishUse},
};
use members::Members;
use report::{BATCHES, Batch, MAX_ASKS, MAX_COUNTS, MAX_USAGES, Report};
use std::{
    collections::{BTreeSet, VecDeque},
    sync::Arc,
    time::{Duration, Instant},
};

/// The interval of reports.
pub(crate) const REPORT_INTERVAL: Duration = Duration::from_millis(250);
/// The interval of full reports.
const FULL_INTERVAL: Duration = Duration::from_secs(10);
/// The shortest time between two full reports that other relays asked for.
const MIN_FULL_INTERVAL: Duration = Duration::from_secs(1);

/// One relay's part of the conversation.
pub(crate) struct Gossip {
    relay: u64,
    limits: Arc<Limits>,
    members: Members,
    sequence: u64,
    /// The number of ticks so far.
    ticks: u64,
    /// The batches of the last ticks that were not empty, with their tick, the oldest first.
    batches: VecDeque<(u64, Batch)>,
    /// The relays whose session counts are incomplete.
    asks: BTreeSet<u64>,
    last_full: Option<Instant>,
    /// True if another relay needs a full report.
    is_full_due: bool,
    /// True after the first warning about an ignored report.
    has_warned: bool,
}

impl Gossip {
    /// Starts a conversation. `relay` is the random id of this process.
    pub(crate) fn new(relay: u64, limits: Arc<Limits>) -> Self {
        Self {
            relay,
            limits,
            members: Members::default(),
            sequence: 0,
            ticks: 0,
            batches: VecDeque::with_capacity(BATCHES),
            asks: BTreeSet::new(),
            last_full: None,
            is_full_due: true,
            has_warned: false,
        }
    }

    /// The number of relays, including this one.
    pub(crate) fn relays(&self) -> usize {
        1 + self.members.present()
    }

    /// The ids of the other relays that are present, sorted.
    pub(crate) fn others(&self) -> Vec<u64> {
        self.members.ids()
    }

    /// Applies a report of a relay.
    pub(crate) fn handle_report(&mut self, relay: u64, bytes: &[u8], now: Instant) {
        if relay == self.relay {
            return;
        }
        if let Err(ignored) = self.members.admit(relay, bytes.len(), &self.limits, now) {
            return self.warn(relay, &ignored);
        }
        let report = match Report::decode(bytes) {
            Ok(report) => report,
            Err(error) => return self.warn(relay, &error),
        };
        let heard = self.members.apply(relay, &report, &self.limits, now);
        self.is_full_due |= report.asks.contains(&self.relay);
        if heard.is_newcomer {
            tracing::info!(
                relay = format!("{relay:016x}"),
                relays = self.relays(),
                "another relay is present"
            );
        }
        if heard.is_complete {
            self.asks.remove(&relay);
        } else if heard.misses_counts && self.asks.len() < MAX_ASKS {
            self.asks.insert(relay);
        }
    }

    /// Returns the reports that are due. The caller calls it every [`REPORT_INTERVAL`].
    pub(crate) fn handle_tick(&mut self, now: Instant) -> Vec<Vec<u8>> {
        let gone = self.members.expire(&self.limits, now);
        if !gone.is_empty() {
            self.asks.retain(|relay| !gone.contains(relay));
            let (gone, relays) = (gone.len(), self.relays());
            tracing::warn!(gone, relays, "relays are gone; their sessions no longer count");
        }
        let since_full = self.last_full.map(|last| now.saturating_duration_since(last));
        let is_full = since_full
            .is_none_or(|since| since >= FULL_INTERVAL || self.is_full_due && since >= MIN_FULL_INTERVAL);
        if is_full {
            (self.last_full, self.is_full_due) = (Some(now), false);
        }
        let relays = self.relays();
        self.add_batch(self.limits.take_publish_use(relays, MAX_USAGES));
        let counts = self.limits.take_session_counts(relays, is_full);
        let mut parts = counts.chunks(MAX_COUNTS);
        let first = parts.next().unwrap_or_default();
        let batches = self.batches.iter().map(|(_, batch)| batch.clone()).collect();
        let mut reports = vec![self.report(is_full, batches, first)];
        reports.extend(parts.map(|part| self.report(false, Vec::new(), part)));
        reports
    }

    /// Adds the batch of this tick, which the reports of the next ticks repeat.
    fn add_batch(&mut self, PublishUse { installations, apps }: PublishUse) {
        self.ticks += 1;
        self.batches.retain(|(tick, _)| tick + BATCHES as u64 > self.ticks);
        if !installations.is_empty() || !apps.is_empty() {
            let number = self.sequence + 1;
            self.batches.push_back((self.ticks, Batch { number, installations, apps }));
        }
    }

    fn report(&mut self, is_full: bool, batches: Vec<Batch>, counts: &[(IdDigest, u32)]) -> Vec<u8> {
        self.sequence += 1;
        let asks = self.asks.iter().copied().collect();
        Report { sequence: self.sequence, is_full, asks, batches, counts: counts.to_vec() }.encode()
    }

    /// Warns of the first report that is ignored.
    fn warn(&mut self, relay: u64, reason: &dyn std::fmt::Display) {
        if !std::mem::replace(&mut self.has_warned, true) {
            tracing::warn!(
                relay = format!("{relay:016x}"),
                %reason,
                "a report of another relay was ignored, and so will others; if the relay is not one of this cluster, \
                 give each cluster a broker_prefix of its own"
            );
        }
    }
}

/// Decodes a report and encodes it again, for the fuzz target.
#[cfg(feature = "fuzzing")]
pub(crate) fn recode_report(bytes: &[u8]) -> Option<Vec<u8>> {
    Report::decode(bytes).ok().map(|report| report.encode())
}

#[cfg(test)]
mod tests;
