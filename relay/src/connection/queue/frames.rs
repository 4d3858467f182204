//! The frames of a queue, in order. The first lies in place: nearly every queue holds none or one, and a queue that
//! has been emptied keeps no memory.

use bytes::Bytes;
use std::collections::VecDeque;

/// The number of a session among those of its connection.
pub(crate) type SessionNumber = u32;

pub(super) struct Frame {
    pub(super) session: SessionNumber,
    pub(super) kind: Kind,
    pub(super) bytes: Bytes,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Nobody else holds its bytes.
    Own,
    /// Others hold the same bytes, and they are counted elsewhere.
    Shared,
    /// The place of a replay, whose frames come in before they are written; itself it has no bytes.
    Replay,
}

impl Frame {
    /// Bytes that nobody else holds.
    pub(super) fn own(&self) -> usize {
        if self.kind == Kind::Own { self.bytes.len() } else { 0 }
    }
}

#[derive(Default)]
pub(super) struct Frames {
    /// There is one, unless there are none at all.
    first: Option<Frame>,
    rest: VecDeque<Frame>,
}

impl Frames {
    pub(super) fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    /// Bytes of the permits that are set aside.
    pub(super) fn room(&self) -> usize {
        self.rest.capacity() * size_of::<Frame>()
    }

    pub(super) fn first(&self) -> Option<&Frame> {
        self.first.as_ref()
    }

    pub(super) fn first_mut(&mut self) -> Option<&mut Frame> {
        self.first.as_mut()
    }

    pub(super) fn last(&self) -> Option<&Frame> {
        self.rest.back().or(self.first.as_ref())
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Frame> {
        self.first.iter().chain(&self.rest)
    }

    pub(super) fn push(&mut self, frame: Frame) {
        if self.first.is_none() {
            self.first = Some(frame);
        } else {
            self.rest.push_back(frame);
        }
    }

    pub(super) fn push_first(&mut self, frame: Frame) {
        if let Some(second) = self.first.replace(frame) {
            self.rest.push_front(second);
        }
    }

    pub(super) fn remove_first(&mut self) {
        self.first = self.rest.pop_front();
        if self.first.is_none() && self.rest.capacity() > 0 {
            self.rest = VecDeque::new();
        }
    }

    /// Keeps so many frames at the front, and no more memory than they need.
    pub(super) fn keep(&mut self, count: usize) {
        self.rest.truncate(count.saturating_sub(1));
        self.rest.shrink_to_fit();
        self.first = self.first.take().filter(|_| count > 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_leave_in_the_order_in_which_they_came_and_leave_nothing_behind() {
        let mut frames = Frames::default();
        let sessions = |frames: &Frames| frames.iter().map(|frame| frame.session).collect::<Vec<_>>();
        for session in 0..4 {
            frames.push(Frame { session, kind: Kind::Own, bytes: Bytes::new() });
        }
        frames.remove_first();
        assert_eq!((sessions(&frames), frames.last().map(|last| last.session)), (vec![1, 2, 3], Some(3)));
        frames.push_first(Frame { session: 9, kind: Kind::Own, bytes: Bytes::new() });
        assert_eq!(sessions(&frames), [9, 1, 2, 3]);
        frames.keep(2);
        assert_eq!((sessions(&frames), frames.rest.capacity()), (vec![9, 1], 1));
        frames.remove_first();
        frames.keep(1);
        assert_eq!((sessions(&frames), frames.last().map(|last| last.session)), (vec![1], Some(1)));
        frames.remove_first();
        assert!(frames.is_empty() && frames.last().is_none() && frames.rest.capacity() == 0);
    }
}
