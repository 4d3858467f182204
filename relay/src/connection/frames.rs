//! The frames of a queue, in order. The first lies in place: nearly every queue holds none or one, and a queue that
//! has been emptied keeps no memory.

use bytes::Bytes;
use std::collections::VecDeque;

#[derive(Default)]
pub(super) struct Frames {
    /// There is one, unless there are none at all.
    first: Option<Bytes>,
    rest: VecDeque<Bytes>,
}

impl Frames {
    pub(super) fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    pub(super) fn first(&self) -> Option<&Bytes> {
        self.first.as_ref()
    }

    pub(super) fn first_mut(&mut self) -> Option<&mut Bytes> {
        self.first.as_mut()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Bytes> {
        self.first.iter().chain(&self.rest)
    }

    pub(super) fn push(&mut self, frame: Bytes) {
        if self.first.is_none() {
            self.first = Some(frame);
        } else {
            self.rest.push_back(frame);
        }
    }

    pub(super) fn remove_first(&mut self) {
        self.first = self.rest.pop_front();
        if self.first.is_none() && self.rest.capacity() > 0 {
            self.rest = VecDeque::new();
        }
    }

    /// Keeps the first frame, or nothing.
    pub(super) fn clear(&mut self, keeps_first: bool) {
        self.rest = VecDeque::new();
        self.first = self.first.take().filter(|_| keeps_first);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_leave_in_the_order_in_which_they_came_and_leave_nothing_behind() {
        let mut frames = Frames::default();
        let sizes = |frames: &Frames| frames.iter().map(Bytes::len).collect::<Vec<_>>();
        for len in 0..4 {
            frames.push(vec![0; len].into());
        }
        frames.remove_first();
        assert_eq!(sizes(&frames), [1, 2, 3]);
        frames.clear(true);
        assert_eq!(sizes(&frames), [1]);
        frames.remove_first();
        assert!(frames.is_empty() && frames.rest.capacity() == 0);
    }
}
