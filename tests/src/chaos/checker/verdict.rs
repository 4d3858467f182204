//! The result of checking a run.

use crate::chaos::history::Millis;
use std::fmt;

/// The maximum number of findings that are described. All are counted.
const MAX_FINDINGS: usize = 40;
/// The permitted number of false gaps for each thousand reconnects.
const FALSE_GAPS_PER_THOUSAND: u64 = 1;

/// The kind of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// An acknowledged message that a subscriber neither received nor was told to have missed.
    Lost,
    /// A message without an acknowledgement that others received and a subscriber missed without a gap.
    SilentGap,
    /// A message that arrived twice.
    Doubled,
    /// A message that arrived behind a later one.
    Reordered,
    /// A message at another position than the acknowledged one, or of another channel.
    Misplaced,
    /// A gap without a missed message.
    FalseGap,
    /// Anything else that must not happen.
    Failure,
}

/// One broken guarantee.
#[derive(Clone, Debug)]
pub struct Finding {
    /// Its kind.
    pub kind: Kind,
    /// The place and the time.
    pub details: String,
}

/// The counts of a run, and its broken guarantees.
#[derive(Clone, Debug, Default)]
pub struct Verdict {
    /// Publications that were acknowledged.
    pub acknowledged: u64,
    /// Publications without an acknowledgement.
    pub unacknowledged: u64,
    /// Deliveries to subscribers.
    pub delivered: u64,
    /// Messages that subscribers missed, and were told so.
    pub missed_with_gap: u64,
    /// Second deliveries after the broker lost its contents and took a repeated message again.
    pub repeated_after_loss: u64,
    /// Gaps that were reported.
    pub gaps: u64,
    /// Gaps without a missed message, reported after the broker may have lost its contents.
    pub unproven_gaps: u64,
    /// Epochs in which an offset was used for two messages.
    pub reused_epochs: u64,
    /// Reconnects of clients.
    pub reconnects: u64,
    /// The longest time between two acknowledgements.
    pub longest_pause: Millis,
    /// The longest time until a message was acknowledged.
    pub longest_wait: Millis,
    counts: [u64; 7],
    findings: Vec<Finding>,
}

impl Verdict {
    pub(super) fn find(&mut self, kind: Kind, details: impl FnOnce() -> String) {
        self.counts[kind as usize] += 1;
        if self.findings.iter().filter(|finding| finding.kind == kind).count() < MAX_FINDINGS / 7 {
            self.findings.push(Finding { kind, details: details() });
        }
    }

    /// Returns the number of findings of a kind.
    #[must_use]
    pub fn count(&self, kind: Kind) -> u64 {
        self.counts[kind as usize]
    }

    /// Returns the first findings of each kind.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// Returns the false gaps for each thousand reconnects.
    #[must_use]
    pub fn false_gaps_per_thousand(&self) -> f64 {
        self.count(Kind::FalseGap) as f64 * 1000.0 / self.reconnects.max(1) as f64
    }

    /// Returns whether every guarantee held. One false gap is permitted for each thousand reconnects that began.
    #[must_use]
    pub fn holds(&self) -> bool {
        use Kind::{Doubled, Failure, FalseGap, Lost, Misplaced, Reordered, SilentGap};
        let none = [Lost, SilentGap, Doubled, Reordered, Misplaced, Failure];
        none.into_iter().all(|kind| self.count(kind) == 0)
            && self.count(FalseGap) <= FALSE_GAPS_PER_THOUSAND * self.reconnects.div_ceil(1000)
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use Kind::{Doubled, Failure, FalseGap, Lost, Misplaced, Reordered, SilentGap};
        let count = |kind| self.count(kind);
        writeln!(f, "publications acknowledged        {}", self.acknowledged)?;
        writeln!(f, "publications not acknowledged    {}", self.unacknowledged)?;
        writeln!(f, "deliveries                       {}", self.delivered)?;
        writeln!(f, "doubled                          {}", count(Doubled))?;
        writeln!(f, "lost                             {}", count(Lost))?;
        writeln!(f, "silent gaps                      {}", count(SilentGap))?;
        writeln!(f, "out of order                     {}", count(Reordered))?;
        writeln!(f, "misplaced                        {}", count(Misplaced))?;
        writeln!(f, "other failures                   {}", count(Failure))?;
        writeln!(f, "gaps reported                    {}", self.gaps)?;
        writeln!(f, "missed and reported              {}", self.missed_with_gap)?;
        writeln!(
            f,
            "gaps that were none              {} ({:.2} per 1,000 reconnects)",
            count(FalseGap),
            self.false_gaps_per_thousand()
        )?;
        writeln!(f, "the same after a broker's loss   {}", self.unproven_gaps)?;
        writeln!(f, "taken again after such a loss    {}", self.repeated_after_loss)?;
        writeln!(f, "epochs with a reused offset      {}", self.reused_epochs)?;
        writeln!(f, "reconnects                       {}", self.reconnects)?;
        writeln!(f, "longest publishing pause         {} ms", self.longest_pause)?;
        writeln!(f, "longest wait of a publication    {} ms", self.longest_wait)?;
        for Finding { kind, details } in &self.findings {
            writeln!(f, "{kind:?}: {details}")?;
        }
        Ok(())
    }
}
