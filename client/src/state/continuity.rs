//! The position of a subscription in its channel's history, which detects repetitions and gaps.

use crate::{
    Instant,
    event::{Gap, GapReason},
};
use sealwire_protocol::wire::Position;

/// The position that a subscription has reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Continuity {
    position: Position,
    skip: Option<Skip>,
}

/// The part of a replay that a subscription did not ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Skip {
    /// Publications before this time, in Unix milliseconds by the relay's clock, are dropped.
    pub(crate) before_ms: u64,
    /// The end of the replay, after which nothing is dropped. Without this limit, a relay whose clock was set back would
    /// appear to send old publications for ever.
    pub(crate) until: Instant,
}

/// The effect of a publication on a subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Arrival {
    /// The gap to report before the publication.
    pub(crate) gap: Option<Gap>,
    /// True if the publication is delivered.
    pub(crate) is_wanted: bool,
}

impl Continuity {
    pub(crate) fn new(position: Position, skip: Option<Skip>) -> Self {
        Self { position, skip }
    }

    pub(crate) fn position(&self) -> Position {
        self.position
    }

    /// Advances to a publication of the current epoch.
    pub(crate) fn take(&mut self, now: Instant, offset: u64, previous_offset: u64, time_ms: u64) -> Arrival {
        let from = self.position;
        if offset <= from.offset {
            return Arrival { gap: None, is_wanted: false };
        }
        self.position.offset = offset;
        let gap = (previous_offset > from.offset).then_some(Gap {
            from: Some(from),
            to: Position { offset: previous_offset, ..from },
            reason: GapReason::Skipped,
        });
        // The relay's times never run backwards, so everything after the first wanted publication is wanted.
        self.skip.take_if(|skip| time_ms >= skip.before_ms || now >= skip.until);
        Arrival { gap, is_wanted: self.skip.is_none() }
    }

    /// Applies the relay's answer to a subscribe. `requested` is the position that the subscribe named, if any. Returns the
    /// gap, if messages may have been missed.
    pub(crate) fn resume(
        &mut self,
        answer: Position,
        requested: Option<Position>,
        recovered: bool,
    ) -> Option<Gap> {
        let from = self.position;
        if answer.epoch != from.epoch {
            self.position = answer;
            return Some(Gap { from: Some(from), to: answer, reason: GapReason::Epoch });
        }
        // The relay's claim of a recovery counts only if its own numbers do not contradict it.
        let lost = answer.offset > from.offset || !recovered && requested == Some(from);
        self.position.offset = from.offset.max(answer.offset);
        lost.then_some(Gap { from: Some(from), to: self.position, reason: GapReason::Evicted })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Instant = Instant(0);

    fn at(epoch: u64, offset: u64) -> Position {
        Position { epoch, offset }
    }

    fn continuity_at(epoch: u64, offset: u64) -> Continuity {
        Continuity::new(at(epoch, offset), None)
    }

    #[test]
    fn a_chain_without_holes_is_delivered_without_a_gap() {
        let mut continuity = continuity_at(1, 5);
        for (offset, previous) in [(6, 5), (9, 6), (10, 9)] {
            assert_eq!(continuity.take(NOW, offset, previous, 0), Arrival { gap: None, is_wanted: true });
        }
        assert_eq!(continuity.position(), at(1, 10));
    }

    #[test]
    fn repeated_publications_are_dropped() {
        let mut continuity = continuity_at(1, 5);
        assert_eq!(continuity.take(NOW, 5, 4, 0), Arrival { gap: None, is_wanted: false });
        assert_eq!(continuity.take(NOW, 3, 9, 0), Arrival { gap: None, is_wanted: false });
        assert_eq!(continuity.position(), at(1, 5));
    }

    #[test]
    fn a_hole_is_reported_with_its_bounds_before_the_publication_behind_it() {
        let gap = Gap { from: Some(at(1, 5)), to: at(1, 8), reason: GapReason::Skipped };
        assert_eq!(continuity_at(1, 5).take(NOW, 9, 8, 0), Arrival { gap: Some(gap), is_wanted: true });
    }

    #[test]
    fn publications_older_than_requested_only_advance_the_position() {
        let mut continuity = Continuity::new(at(1, 5), Some(Skip { before_ms: 1_000, until: Instant(9) }));
        assert_eq!(continuity.take(NOW, 6, 5, 999), Arrival { gap: None, is_wanted: false });
        assert_eq!(continuity.take(NOW, 7, 6, 1_000), Arrival { gap: None, is_wanted: true });
    }

    #[test]
    fn a_relay_clock_that_was_set_back_does_not_cause_an_endless_replay() {
        let mut continuity = Continuity::new(at(1, 5), Some(Skip { before_ms: 1_000, until: Instant(9) }));
        assert_eq!(continuity.take(Instant(8), 6, 5, 10), Arrival { gap: None, is_wanted: false });
        assert_eq!(continuity.take(Instant(9), 7, 6, 10), Arrival { gap: None, is_wanted: true });
    }

    #[test]
    fn a_recovered_resume_has_no_gap_and_an_evicted_one_does() {
        assert_eq!(continuity_at(1, 5).resume(at(1, 5), Some(at(1, 5)), true), None);
        let mut continuity = continuity_at(1, 5);
        let gap = Gap { from: Some(at(1, 5)), to: at(1, 20), reason: GapReason::Evicted };
        assert_eq!(continuity.resume(at(1, 20), Some(at(1, 5)), false), Some(gap));
        assert_eq!(continuity.take(NOW, 21, 20, 0), Arrival { gap: None, is_wanted: true });
    }

    #[test]
    fn another_epoch_is_a_gap_even_if_the_relay_claims_a_recovery() {
        for recovered in [true, false] {
            let mut continuity = continuity_at(1, 500);
            let gap = Gap { from: Some(at(1, 500)), to: at(2, 3), reason: GapReason::Epoch };
            assert_eq!(continuity.resume(at(2, 3), Some(at(1, 500)), recovered), Some(gap));
            assert_eq!(continuity.position(), at(2, 3));
        }
    }

    #[test]
    fn a_claim_of_recovery_from_a_later_position_is_a_gap() {
        assert!(continuity_at(1, 5).resume(at(1, 6), Some(at(1, 5)), true).is_some());
    }

    #[test]
    fn a_resume_from_an_earlier_position_is_not_a_gap() {
        let mut continuity = continuity_at(1, 9);
        assert_eq!(continuity.resume(at(1, 5), Some(at(1, 3)), false), None);
        assert_eq!(continuity.position(), at(1, 9));
    }

    #[test]
    fn a_failed_recovery_is_a_gap_even_if_the_offsets_are_contiguous() {
        assert!(continuity_at(1, 5).resume(at(1, 5), Some(at(1, 5)), false).is_some());
    }
}
