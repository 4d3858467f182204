//! The frames of a queue, in order. The first one is stored inline, because nearly every queue holds one or none. An
//! empty queue holds no heap memory.

use bytes::Bytes;
use std::collections::VecDeque;

/// The number of a session among those of its connection.
pub(crate) type SessionNumber = u32;

/// A frame that waits to be written.
pub(super) struct QueuedFrame {
    pub(super) session: SessionNumber,
    pub(super) kind: FrameKind,
    pub(super) bytes: Bytes,
}

/// The ownership of a frame's bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FrameKind {
    /// Only this queue holds the bytes.
    Owned,
    /// Others hold the same bytes, which are accounted elsewhere.
    Shared,
    /// The placeholder of a replay, without bytes. It is expanded into frames before they are written.
    Replay,
}

impl QueuedFrame {
    /// Returns the bytes that only this queue holds.
    pub(super) fn owned_bytes(&self) -> usize {
        if self.kind == FrameKind::Owned { self.bytes.len() } else { 0 }
    }
}

/// The frames of one queue.
#[derive(Default)]
pub(super) struct Frames {
    /// The first frame; `None` if the queue is empty.
    first: Option<QueuedFrame>,
    /// The frames after the first one; `None` if there are none.
    #[expect(
        clippy::box_collection,
        reason = "most queues hold at most one frame, and should not be larger for others"
    )]
    rest: Option<Box<VecDeque<QueuedFrame>>>,
}

impl Frames {
    pub(super) fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    /// Returns the bytes that are allocated for frames.
    pub(super) fn capacity_bytes(&self) -> usize {
        self.rest.as_ref().map_or(0, |rest| rest.capacity() * size_of::<QueuedFrame>())
    }

    pub(super) fn first(&self) -> Option<&QueuedFrame> {
        self.first.as_ref()
    }

    pub(super) fn first_mut(&mut self) -> Option<&mut QueuedFrame> {
        self.first.as_mut()
    }

    pub(super) fn last(&self) -> Option<&QueuedFrame> {
        self.rest.as_ref().and_then(|rest| rest.back()).or(self.first.as_ref())
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &QueuedFrame> {
        self.first.iter().chain(self.rest.iter().flat_map(|rest| rest.iter()))
    }

    pub(super) fn push(&mut self, frame: QueuedFrame) {
        if self.first.is_none() {
            self.first = Some(frame);
        } else {
            self.rest.get_or_insert_default().push_back(frame);
        }
    }

    pub(super) fn push_first(&mut self, frame: QueuedFrame) {
        if let Some(second) = self.first.replace(frame) {
            self.rest.get_or_insert_default().push_front(second);
        }
    }

    pub(super) fn remove_first(&mut self) {
        self.first = self.rest.as_mut().and_then(|rest| rest.pop_front());
        if self.first.is_none() {
            self.rest = None;
        }
    }

    /// Keeps the first `count` frames, and releases the memory of the others.
    pub(super) fn truncate(&mut self, count: usize) {
        self.first = self.first.take().filter(|_| count > 0);
        if count < 2 {
            self.rest = None;
        }
        if let Some(rest) = &mut self.rest {
            rest.truncate(count - 1);
            rest.shrink_to_fit();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_first_in_first_out_and_leave_no_memory_behind() {
        let mut frames = Frames::default();
        let sessions = |frames: &Frames| frames.iter().map(|frame| frame.session).collect::<Vec<_>>();
        for session in 0..4 {
            frames.push(QueuedFrame { session, kind: FrameKind::Owned, bytes: Bytes::new() });
        }
        frames.remove_first();
        assert_eq!((sessions(&frames), frames.last().map(|last| last.session)), (vec![1, 2, 3], Some(3)));
        frames.push_first(QueuedFrame { session: 9, kind: FrameKind::Owned, bytes: Bytes::new() });
        assert_eq!(sessions(&frames), [9, 1, 2, 3]);
        frames.truncate(2);
        assert_eq!((sessions(&frames), frames.capacity_bytes()), (vec![9, 1], size_of::<QueuedFrame>()));
        frames.remove_first();
        frames.truncate(1);
        assert_eq!((sessions(&frames), frames.last().map(|last| last.session)), (vec![1], Some(1)));
        frames.remove_first();
        assert!(frames.is_empty() && frames.last().is_none() && frames.rest.is_none());
    }
}
