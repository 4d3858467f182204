//! Where one subscription stands in its channel's history: what it has had, and what it must be told that it missed.

use crate::{
    Instant,
    event::{Gap, GapReason},
};
use sealwire_protocol::wire::Position;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Continuity {
    position: Position,
    skip: Option<Skip>,
}

/// What of a replay that others asked for is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Skip {
    /// Older publications, by the relay's clock.
    pub(crate) before_ms: u64,
    /// From here on nothing is left out: the replay is over, and a relay whose clock was set back since it told the time
    /// would look as if it still sent old publications.
    pub(crate) until: Instant,
}

/// What a publication is to a subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Arrival {
    /// Told first.
    pub(crate) gap: Option<Gap>,
    /// Whether it is delivered.
    pub(crate) wanted: bool,
}

impl Continuity {
    pub(crate) fn new(position: Position, skip: Option<Skip>) -> Self {
        Self { position, skip }
    }

    pub(crate) fn position(&self) -> Position {
        self.position
    }

    /// Takes a publication of the current epoch.
    pub(crate) fn take(&mut self, now: Instant, offset: u64, previous_offset: u64, time_ms: u64) -> Arrival {
        let from = self.position;
        if offset <= from.offset {
            return Arrival { gap: None, wanted: false };
        }
        self.position.offset = offset;
        let gap = (previous_offset > from.offset).then_some(Gap {
            from: Some(from),
            to: Position { offset: previous_offset, ..from },
            reason: GapReason::Skipped,
        });
        // The relay's times never run backwards: behind the first that is wanted, all are.
        self.skip.take_if(|skip| time_ms >= skip.before_ms || now >= skip.until);
        Arrival { gap, wanted: self.skip.is_none() }
    }

    /// Takes the relay's answer to a subscribe; `asked` is the position that it named, if it named one.
    pub(crate) fn resume(
        &mut self,
        answer: Position,
        asked: Option<Position>,
        recovered: bool,
    ) -> Option<Gap> {
        let from = self.position;
        if answer.epoch != from.epoch {
            self.position = answer;
            return Some(Gap { from: Some(from), to: answer, reason: GapReason::Epoch });
        }
        // What the relay claims counts only where its own numbers do not contradict it.
        let lost = answer.offset > from.offset || !recovered && asked == Some(from);
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

    fn standing_at(epoch: u64, offset: u64) -> Continuity {
        Continuity::new(at(epoch, offset), None)
    }

    #[test]
    fn a_chain_without_holes_is_delivered_without_gap() {
        let mut continuity = standing_at(1, 5);
        for (offset, previous) in [(6, 5), (9, 6), (10, 9)] {
            assert_eq!(continuity.take(NOW, offset, previous, 0), Arrival { gap: None, wanted: true });
        }
        assert_eq!(continuity.position(), at(1, 10));
    }

    #[test]
    fn what_was_had_already_is_dropped() {
        let mut continuity = standing_at(1, 5);
        assert_eq!(continuity.take(NOW, 5, 4, 0), Arrival { gap: None, wanted: false });
        assert_eq!(continuity.take(NOW, 3, 9, 0), Arrival { gap: None, wanted: false });
        assert_eq!(continuity.position(), at(1, 5));
    }

    #[test]
    fn a_hole_is_told_with_its_bounds_before_the_publication_behind_it() {
        let gap = Gap { from: Some(at(1, 5)), to: at(1, 8), reason: GapReason::Skipped };
        assert_eq!(standing_at(1, 5).take(NOW, 9, 8, 0), Arrival { gap: Some(gap), wanted: true });
    }

    #[test]
    fn publications_older_than_asked_for_move_the_position_only() {
        let mut continuity = Continuity::new(at(1, 5), Some(Skip { before_ms: 1_000, until: Instant(9) }));
        assert_eq!(continuity.take(NOW, 6, 5, 999), Arrival { gap: None, wanted: false });
        assert_eq!(continuity.take(NOW, 7, 6, 1_000), Arrival { gap: None, wanted: true });
    }

    #[test]
    fn a_relay_whose_clock_was_set_back_is_not_mistaken_for_an_endless_replay() {
        let mut continuity = Continuity::new(at(1, 5), Some(Skip { before_ms: 1_000, until: Instant(9) }));
        assert_eq!(continuity.take(Instant(8), 6, 5, 10), Arrival { gap: None, wanted: false });
        assert_eq!(continuity.take(Instant(9), 7, 6, 10), Arrival { gap: None, wanted: true });
    }

    #[test]
    fn a_recovered_resume_has_no_gap_and_an_evicted_one_does() {
        assert_eq!(standing_at(1, 5).resume(at(1, 5), Some(at(1, 5)), true), None);
        let mut continuity = standing_at(1, 5);
        let gap = Gap { from: Some(at(1, 5)), to: at(1, 20), reason: GapReason::Evicted };
        assert_eq!(continuity.resume(at(1, 20), Some(at(1, 5)), false), Some(gap));
        assert_eq!(continuity.take(NOW, 21, 20, 0), Arrival { gap: None, wanted: true });
    }

    #[test]
    fn another_epoch_is_a_gap_whatever_the_relay_claims() {
        for recovered in [true, false] {
            let mut continuity = standing_at(1, 500);
            let gap = Gap { from: Some(at(1, 500)), to: at(2, 3), reason: GapReason::Epoch };
            assert_eq!(continuity.resume(at(2, 3), Some(at(1, 500)), recovered), Some(gap));
            assert_eq!(continuity.position(), at(2, 3));
        }
    }

    #[test]
    fn a_relay_that_claims_recovery_from_a_later_place_is_not_believed() {
        assert!(standing_at(1, 5).resume(at(1, 6), Some(at(1, 5)), true).is_some());
    }

    #[test]
    fn a_resume_from_an_earlier_place_is_no_gap_for_who_was_further() {
        let mut continuity = standing_at(1, 9);
        assert_eq!(continuity.resume(at(1, 5), Some(at(1, 3)), false), None);
        assert_eq!(continuity.position(), at(1, 9));
    }

    #[test]
    fn a_failed_recovery_is_told_even_where_the_numbers_show_no_hole() {
        assert!(standing_at(1, 5).resume(at(1, 5), Some(at(1, 5)), false).is_some());
    }
}
