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
    /// Publications of the replay before this time, in Unix milliseconds by the relay's clock, are dropped.
    pub(crate) before_ms: u64,
    /// The offset of the last publication of the replay. Nothing behind it is dropped, because the clocks of relays differ.
    pub(crate) end: u64,
    /// The time after which nothing is dropped. Without this limit, a false `end` would hide publications for ever.
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
        self.position = Position { offset, time_ms, ..from };
        let gap = (previous_offset > from.offset).then_some(Gap {
            from: Some(from),
            // The time of the previous publication is unknown.
            to: Position { offset: previous_offset, time_ms: 0, ..from },
            reason: GapReason::Skipped,
        });
        // Everything after the first wanted publication is wanted.
        self.skip.take_if(|skip| time_ms >= skip.before_ms || offset > skip.end || now >= skip.until);
        Arrival { gap, is_wanted: self.skip.is_none() }
    }

    /// Advances to a mark, which follows everything that the relay sent before it. A mark of another epoch, or behind the
    /// position, changes nothing.
    pub(crate) fn advance(&mut self, mark: Position) {
        if self.position.is_behind(mark) {
            self.position = mark;
        }
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
        if !from.is_behind(answer) && !is_refused(from, requested, recovered) {
            return None;
        }
        self.position = answer;
        Some(Gap { from: Some(from), to: answer, reason: GapReason::Evicted })
    }
}

/// Returns whether the relay did not recover this very position. The relay's answer then replaces the position, even if
/// its offset is lower: the relay's history has lost its end, and new publications use the lost offsets again.
pub(crate) fn is_refused(position: Position, requested: Option<Position>, recovered: bool) -> bool {
    !recovered && requested.is_some_and(|requested| requested.is_same_offset(position))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Instant = Instant(0);

    fn at(epoch: u64, offset: u64) -> Position {
        Position { epoch, offset, time_ms: 1_000 + offset }
    }

    fn continuity_at(epoch: u64, offset: u64) -> Continuity {
        Continuity::new(at(epoch, offset), None)
    }

    #[test]
    fn a_chain_without_holes_is_delivered_without_a_gap() {
        let mut continuity = continuity_at(1, 5);
        for (offset, previous) in [(6, 5), (9, 6), (10, 9)] {
            let arrival = continuity.take(NOW, offset, previous, 1_000 + offset);
            assert_eq!(arrival, Arrival { gap: None, is_wanted: true });
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
        let to = Position { time_ms: 0, ..at(1, 8) };
        let gap = Gap { from: Some(at(1, 5)), to, reason: GapReason::Skipped };
        assert_eq!(continuity_at(1, 5).take(NOW, 9, 8, 0), Arrival { gap: Some(gap), is_wanted: true });
    }

    #[test]
    fn a_mark_moves_forward_within_its_epoch_only() {
        let mut continuity = continuity_at(1, 5);
        for (mark, expected) in [(at(1, 4), at(1, 5)), (at(2, 9), at(1, 5)), (at(1, 8), at(1, 8))] {
            continuity.advance(mark);
            assert_eq!(continuity.position(), expected);
        }
        assert_eq!(continuity.take(NOW, 8, 5, 0), Arrival { gap: None, is_wanted: false });
        assert_eq!(continuity.take(NOW, 9, 5, 0), Arrival { gap: None, is_wanted: true });
    }

    #[test]
    fn a_history_that_lost_its_end_continues_at_its_own_position() {
        let mut continuity = continuity_at(1, 9);
        let gap = Gap { from: Some(at(1, 9)), to: at(1, 7), reason: GapReason::Evicted };
        assert_eq!(continuity.resume(at(1, 7), Some(at(1, 9)), false), Some(gap));
        assert_eq!(continuity.take(NOW, 8, 7, 0), Arrival { gap: None, is_wanted: true });
    }

    const SKIP: Skip = Skip { before_ms: 1_000, end: 8, until: Instant(9) };

    #[test]
    fn publications_of_a_replay_that_are_older_than_requested_only_advance_the_position() {
        let mut continuity = Continuity::new(at(1, 5), Some(SKIP));
        assert_eq!(continuity.take(NOW, 6, 5, 999), Arrival { gap: None, is_wanted: false });
        assert_eq!(continuity.take(NOW, 7, 6, 1_000), Arrival { gap: None, is_wanted: true });
    }

    #[test]
    fn a_publication_behind_the_replay_is_delivered_whatever_the_clock_of_its_relay_says() {
        let mut continuity = Continuity::new(at(1, 5), Some(SKIP));
        assert_eq!(continuity.take(NOW, 8, 5, 10), Arrival { gap: None, is_wanted: false });
        assert_eq!(continuity.take(NOW, 9, 8, 10), Arrival { gap: None, is_wanted: true });
    }

    #[test]
    fn a_false_end_of_the_replay_does_not_hide_publications_for_ever() {
        let mut continuity = Continuity::new(at(1, 5), Some(SKIP));
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
