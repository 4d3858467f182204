//! What waits to be written to one client: whole frames, shared with every other queue, bounded in bytes.

use super::frames::Frames;
use bytes::{Buf as _, Bytes};
use std::io::IoSlice;

pub(super) struct Queue {
    frames: Frames,
    bytes: usize,
    limit: usize,
    /// Bytes of replayed publications among them. They do not count against the limit: a client that resumes gets its
    /// whole replay, and the frames are those of the replay cache.
    exempt: usize,
    /// Whether the first frame is written in part.
    started: bool,
    /// Publications that came while an answer was due that goes before them.
    held: Option<Box<Held>>,
    stage: Stage,
}

#[derive(Default)]
struct Held {
    frames: Vec<Bytes>,
    bytes: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Open,
    /// More was queued than the limit allows; only the goodbye follows.
    Overflowed,
    /// The goodbye is queued; nothing follows.
    Finished,
}

impl Queue {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            frames: Frames::default(),
            bytes: 0,
            limit,
            exempt: 0,
            started: false,
            held: None,
            stage: Stage::Open,
        }
    }

    /// Queues a publication. Returns whether there is something to write now and was not before, or [`Overflow`] the
    /// first time that the queue is too long.
    pub(super) fn push(&mut self, frame: &Bytes) -> Result<bool, Overflow> {
        if !self.has_room(frame.len())? {
            return Ok(false);
        }
        match &mut self.held {
            Some(held) => {
                held.bytes += frame.len();
                held.frames.push(frame.clone());
                Ok(false)
            }
            None => Ok(self.append(frame.clone())),
        }
    }

    /// Queues an answer, ahead of what is held.
    pub(super) fn push_answer(&mut self, frame: Bytes) -> Result<(), Overflow> {
        if self.has_room(frame.len())? {
            self.append(frame);
        }
        Ok(())
    }

    /// Publications wait from now on until [`Self::release`].
    pub(super) fn hold(&mut self) {
        self.held.get_or_insert_default();
    }

    /// Queues what was held.
    pub(super) fn release(&mut self) {
        if let Some(held) = self.held.take() {
            for frame in held.frames {
                self.append(frame);
            }
        }
    }

    fn has_room(&mut self, len: usize) -> Result<bool, Overflow> {
        if self.stage != Stage::Open {
            return Ok(false);
        }
        let held = self.held.as_ref().map_or(0, |held| held.bytes);
        if self.bytes - self.exempt + held + len > self.limit {
            self.stage = Stage::Overflowed;
            return Err(Overflow);
        }
        Ok(true)
    }

    /// Queues a frame that does not count against the limit.
    pub(super) fn push_exempt(&mut self, frame: &Bytes) {
        if self.stage == Stage::Open {
            self.exempt += frame.len();
            self.append(frame.clone());
        }
    }

    /// Queues the last frames. After an overflow they replace what was not begun, so that they are read soon.
    pub(super) fn finish(&mut self, frames: &[Bytes]) {
        if self.stage == Stage::Finished {
            return;
        }
        if self.stage == Stage::Open {
            self.release();
        } else {
            self.held = None;
            self.frames.clear(self.started);
            self.bytes = self.frames.first().map_or(0, Bytes::len);
            self.exempt = 0;
        }
        for frame in frames {
            self.append(frame.clone());
        }
        self.stage = Stage::Finished;
    }

    pub(super) fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The frame to write next, where there is just one.
    pub(super) fn only(&self) -> Option<&Bytes> {
        let mut frames = self.frames.iter();
        let first = frames.next()?;
        frames.next().is_none().then_some(first)
    }

    /// The frames to write next.
    pub(super) fn slices<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        let mut count = 0;
        for (slice, frame) in slices.iter_mut().zip(self.frames.iter()) {
            *slice = IoSlice::new(frame);
            count += 1;
        }
        count
    }

    /// So many bytes were written.
    pub(super) fn advance(&mut self, mut written: usize) {
        self.bytes -= written;
        self.exempt = self.exempt.saturating_sub(written).min(self.bytes);
        while let Some(frame) = self.frames.first_mut() {
            if written < frame.len() {
                frame.advance(written);
                self.started |= written > 0;
                return;
            }
            written -= frame.len();
            self.frames.remove_first();
            self.started = false;
        }
    }

    fn append(&mut self, frame: Bytes) -> bool {
        let was_empty = self.frames.is_empty();
        self.bytes += frame.len();
        self.frames.push(frame);
        was_empty
    }
}

/// The queue is too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Overflow;

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(len: usize) -> Bytes {
        vec![0; len].into()
    }

    fn front(queue: &Queue) -> usize {
        let mut slices = [IoSlice::new(&[]); 1];
        queue.slices(&mut slices);
        slices[0].len()
    }

    #[test]
    fn a_queue_past_its_limit_overflows_once_and_keeps_only_what_was_begun() {
        let mut queue = Queue::new(10);
        assert_eq!(queue.push(&frame(6)), Ok(true));
        assert_eq!(queue.push(&frame(4)), Ok(false));
        queue.advance(2);
        assert_eq!(queue.push(&frame(3)), Err(Overflow));
        assert_eq!(queue.push(&frame(1)), Ok(false));
        assert_eq!(queue.bytes(), 8);
        queue.finish(&[frame(5)]);
        assert_eq!((queue.bytes(), front(&queue)), (4 + 5, 4));
        queue.finish(&[frame(5)]);
        assert_eq!(queue.bytes(), 9);
        queue.advance(9);
        assert!(queue.is_empty());
    }

    #[test]
    fn a_replay_does_not_count_against_the_limit() {
        let mut queue = Queue::new(10);
        queue.push_exempt(&frame(100));
        assert_eq!(queue.push(&frame(10)), Ok(false));
        queue.advance(50);
        assert_eq!(queue.push(&frame(1)), Err(Overflow));
    }

    #[test]
    fn an_answer_goes_before_what_was_published_while_it_was_due() {
        let mut queue = Queue::new(10);
        queue.hold();
        assert_eq!(queue.push(&frame(1)), Ok(false));
        assert_eq!(queue.push(&frame(2)), Ok(false));
        assert!(queue.is_empty());
        assert_eq!(queue.push_answer(frame(3)), Ok(()));
        queue.release();
        assert_eq!(queue.push(&frame(4)), Ok(false));
        let order: Vec<usize> = queue.frames.iter().map(Bytes::len).collect();
        assert_eq!(order, [3, 1, 2, 4]);
        // What is held counts as well.
        let mut queue = Queue::new(10);
        queue.hold();
        assert_eq!(queue.push(&frame(10)), Ok(false));
        assert_eq!(queue.push(&frame(1)), Err(Overflow));
        queue.finish(&[frame(2)]);
        assert_eq!(queue.bytes(), 2);
    }

    #[test]
    fn an_overflow_before_anything_was_written_keeps_nothing() {
        let mut queue = Queue::new(10);
        assert_eq!(queue.push(&frame(10)), Ok(true));
        assert_eq!(queue.push(&frame(1)), Err(Overflow));
        queue.finish(&[frame(3)]);
        assert_eq!(queue.bytes(), 3);
    }
}
