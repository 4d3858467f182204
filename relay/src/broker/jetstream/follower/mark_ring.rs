//! The marks of the last minutes. A client's position on a silent channel is one of them.

use super::Mark;
use sealwire_protocol::wire::Position;
use std::collections::VecDeque;

/// The maximum number of remembered marks: one a second for longer than the longest replay window. Denied positions cause more
/// marks; a position of a forgotten one is read from the stream.
const CAPACITY: usize = 256;

/// The newest proven marks of one epoch, oldest first.
#[derive(Default)]
pub(super) struct MarkRing(VecDeque<Mark>);

impl MarkRing {
    pub(super) fn push(&mut self, mark: Mark) {
        if self.0.back().is_some_and(|last| last.sequence >= mark.sequence) {
            return;
        }
        if self.0.len() == CAPACITY {
            self.0.pop_front();
        }
        self.0.push_back(mark);
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// Returns the mark at a position's offset.
    pub(super) fn at(&self, position: Position) -> Option<&Mark> {
        let index = self.0.binary_search_by_key(&position.offset, |mark| mark.sequence).ok()?;
        self.0.get(index)
    }

    /// Returns the newest mark up to a sequence.
    pub(super) fn up_to(&self, sequence: u64) -> Option<&Mark> {
        let count = self.0.partition_point(|mark| mark.sequence <= sequence);
        self.0.get(count.checked_sub(1)?)
    }
}
