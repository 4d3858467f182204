//! The messages that a reported gap covers.

use crate::chaos::history::{Millis, Place, Risk};
use std::collections::HashSet;

/// The time after a loss of contents in which clients come back and hear of it: the longest backoff, and the time to notice
/// a dead connection.
const AFTER_LOSS: Millis = 90_000;

/// A gap that a subscriber was told of.
#[derive(Clone, Copy, Debug)]
pub(super) struct ReportedGap {
    pub(super) at: Millis,
    /// The time of the subscription's event before the gap.
    pub(super) last_seen_at: Millis,
    pub(super) from: Option<Place>,
    pub(super) to: Place,
}

/// A message with a known position.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stored {
    pub(super) place: Place,
    pub(super) started_at: Millis,
}

impl ReportedGap {
    /// Returns whether the gap says that this message may be missing. `reused` are the epochs in which offsets do not identify
    /// messages; there, a gap covers everything before its report.
    pub(super) fn covers(&self, message: &Stored, reused: &HashSet<u64>) -> bool {
        let Stored { place, started_at } = message;
        let from = self.from.filter(|from| from.epoch == place.epoch);
        let to = Some(self.to).filter(|to| to.epoch == place.epoch);
        if reused.contains(&place.epoch) && (from.is_some() || to.is_some()) {
            return *started_at <= self.at;
        }
        let is_after = from.map(|from| place.offset > from.offset);
        let is_before = to.map(|to| place.offset <= to.offset);
        match (is_after, is_before) {
            // The message is in an epoch that this subscription skipped: one of its gaps between two epochs covers it.
            (None, None) => self.changes_epoch() && *started_at <= self.at,
            (after, before) => after.unwrap_or(true) && before.unwrap_or(true),
        }
    }

    fn changes_epoch(&self) -> bool {
        self.from.is_none_or(|from| from.epoch != self.to.epoch)
    }

    /// Returns whether the broker may have lost its contents between the subscription's last event and this gap.
    pub(super) fn follows_a_loss(&self, risks: &[Risk]) -> bool {
        risks.iter().any(|risk| {
            let end = risk.to.unwrap_or(Millis::MAX);
            risk.from <= self.at && self.at <= end.saturating_add(AFTER_LOSS) && self.last_seen_at <= end
        })
    }
}
