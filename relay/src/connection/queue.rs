//! What waits to be written to one client: whole frames, shared with every other queue, bounded in bytes. Where the frames
//! of several sessions follow each other on one socket, a small frame between them says whose the next ones are.

use super::frames::{Frame, Frames};
use crate::websocket;
use bytes::{Buf as _, Bytes};
use sealwire_protocol::wire::{Session, ToClient};
use std::io::IoSlice;

/// A session's number on its socket.
pub(crate) type SessionNumber = u32;

pub(super) struct Queue {
    frames: Frames,
    /// The session of the last frame that was written.
    written: SessionNumber,
    bytes: usize,
    limit: usize,
    /// Bytes of replayed publications among them. They do not count against the limit: a client that resumes gets its
    /// whole replay, and the frames are those of the replay cache.
    exempt: usize,
    /// Bytes of frames that nobody else holds.
    own: usize,
    /// Whether the first frame is written in part.
    started: bool,
    /// Publications that came while an answer was due that goes before them.
    held: Option<Box<Held>>,
    stage: Stage,
}

#[derive(Default)]
struct Held {
    frames: Vec<Frame>,
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
            written: 0,
            bytes: 0,
            limit,
            exempt: 0,
            own: 0,
            started: false,
            held: None,
            stage: Stage::Open,
        }
    }

    /// Queues a publication. Returns whether there is something to write now and was not before, or [`Overflow`] the
    /// first time that the queue is too long.
    pub(super) fn push(&mut self, session: SessionNumber, frame: &Bytes) -> Result<bool, Overflow> {
        if !self.has_room(frame.len())? {
            return Ok(false);
        }
        match &mut self.held {
            Some(held) => {
                held.bytes += frame.len();
                held.frames.push(Frame { session, shared: true, bytes: frame.clone() });
                Ok(false)
            }
            None => Ok(self.append(session, true, frame.clone())),
        }
    }

    /// Queues an answer, ahead of what is held.
    pub(super) fn push_answer(&mut self, session: SessionNumber, frame: Bytes) -> Result<(), Overflow> {
        if self.has_room(frame.len())? {
            self.append(session, false, frame);
        }
        Ok(())
    }

    /// Queues a frame of the WebSocket itself.
    pub(super) fn push_control(&mut self, frame: Bytes) -> Result<(), Overflow> {
        let session = self.session();
        self.push_answer(session, frame)
    }

    /// Publications wait from now on until [`Self::release`].
    pub(super) fn hold(&mut self) {
        self.held.get_or_insert_default();
    }

    /// Queues what was held.
    pub(super) fn release(&mut self) {
        if let Some(held) = self.held.take() {
            for Frame { session, shared, bytes } in held.frames {
                self.append(session, shared, bytes);
            }
        }
    }

    fn has_room(&mut self, len: usize) -> Result<bool, Overflow> {
        if self.stage != Stage::Open {
            return Ok(false);
        }
        let held = self.held.as_ref().map_or(0, |held| held.bytes);
        if self.bytes - self.exempt + held + len > self.limit {
            return Err(self.overflow());
        }
        Ok(true)
    }

    /// Queues a frame that does not count against the limit.
    pub(super) fn push_exempt(&mut self, session: SessionNumber, frame: &Bytes) {
        if self.stage == Stage::Open {
            self.exempt += frame.len();
            self.append(session, true, frame.clone());
        }
    }

    /// Gives up everything that is not begun; only the goodbye follows.
    pub(super) fn overflow(&mut self) -> Overflow {
        self.stage = Stage::Overflowed;
        self.give_up(self.started);
        Overflow
    }

    /// Memory is short: gives up everything that is not begun, and also that where the end was under way already. Whether
    /// it was: the socket is of no more use then.
    pub(super) fn shed(&mut self) -> bool {
        let is_ending = self.stage != Stage::Open;
        if is_ending {
            self.stage = Stage::Finished;
            self.give_up(false);
        } else {
            self.overflow();
        }
        is_ending
    }

    fn give_up(&mut self, keeps_first: bool) {
        self.held = None;
        self.frames.clear(keeps_first);
        let first = self.frames.first();
        self.bytes = first.map_or(0, |frame| frame.bytes.len());
        self.own = first.map_or(0, |frame| if frame.shared { 0 } else { frame.bytes.len() });
        self.exempt = 0;
    }

    /// Bytes that this queue alone is the cause of.
    pub(super) fn footprint(&self) -> usize {
        let held = self.held.as_ref().map_or(0, |held| held.frames.capacity() * size_of::<Frame>());
        self.frames.room() + held + self.own
    }

    /// Queues the last frames, of one session. After an overflow they replace what was not begun, so that they are read
    /// soon.
    pub(super) fn finish(&mut self, session: SessionNumber, frames: &[Bytes]) {
        if self.stage == Stage::Finished {
            return;
        }
        if self.stage == Stage::Open {
            self.release();
        } else {
            self.give_up(self.started);
        }
        for frame in frames {
            self.append(session, false, frame.clone());
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
        frames.next().is_none().then_some(&first.bytes)
    }

    /// The frames to write next.
    pub(super) fn slices<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        let mut count = 0;
        for (slice, frame) in slices.iter_mut().zip(self.frames.iter()) {
            *slice = IoSlice::new(&frame.bytes);
            count += 1;
        }
        count
    }

    /// So many bytes were written.
    pub(super) fn advance(&mut self, mut written: usize) {
        self.bytes -= written;
        self.exempt = self.exempt.saturating_sub(written).min(self.bytes);
        while let Some(frame) = self.frames.first_mut() {
            if written < frame.bytes.len() {
                frame.bytes.advance(written);
                if !frame.shared {
                    self.own -= written;
                }
                self.started |= written > 0;
                return;
            }
            written -= frame.bytes.len();
            if !frame.shared {
                self.own -= frame.bytes.len();
            }
            self.written = frame.session;
            self.frames.remove_first();
            self.started = false;
        }
    }

    fn append(&mut self, session: SessionNumber, shared: bool, bytes: Bytes) -> bool {
        let was_empty = self.frames.is_empty();
        if self.session() != session {
            let turn = ToClient::Session(Session { number: session });
            self.put(session, false, websocket::encode_message(&turn).0);
        }
        self.put(session, shared, bytes);
        was_empty
    }

    /// Whose frame would need no turn.
    fn session(&self) -> SessionNumber {
        self.frames.last().map_or(self.written, |frame| frame.session)
    }

    fn put(&mut self, session: SessionNumber, shared: bool, bytes: Bytes) {
        self.bytes += bytes.len();
        if !shared {
            self.own += bytes.len();
        }
        self.frames.push(Frame { session, shared, bytes });
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
        assert_eq!(queue.push(0, &frame(6)), Ok(true));
        assert_eq!(queue.push(0, &frame(4)), Ok(false));
        queue.advance(2);
        assert_eq!(queue.push(0, &frame(3)), Err(Overflow));
        assert_eq!(queue.push(0, &frame(1)), Ok(false));
        // What was begun has to be ended; the rest is given up at once.
        assert_eq!(queue.bytes(), 4);
        queue.finish(0, &[frame(5)]);
        assert_eq!((queue.bytes(), front(&queue)), (4 + 5, 4));
        queue.finish(0, &[frame(5)]);
        assert_eq!(queue.bytes(), 9);
        queue.advance(9);
        assert!(queue.is_empty());
    }

    #[test]
    fn a_replay_does_not_count_against_the_limit() {
        let mut queue = Queue::new(10);
        queue.push_exempt(0, &frame(100));
        assert_eq!(queue.push(0, &frame(10)), Ok(false));
        queue.advance(50);
        assert_eq!(queue.push(0, &frame(1)), Err(Overflow));
    }

    #[test]
    fn an_answer_goes_before_what_was_published_while_it_was_due() {
        let mut queue = Queue::new(10);
        queue.hold();
        assert_eq!(queue.push(0, &frame(1)), Ok(false));
        assert_eq!(queue.push(0, &frame(2)), Ok(false));
        assert!(queue.is_empty());
        assert_eq!(queue.push_answer(0, frame(3)), Ok(()));
        queue.release();
        assert_eq!(queue.push(0, &frame(4)), Ok(false));
        let order: Vec<usize> = queue.frames.iter().map(|frame| frame.bytes.len()).collect();
        assert_eq!(order, [3, 1, 2, 4]);
        // What is held counts as well.
        let mut queue = Queue::new(10);
        queue.hold();
        assert_eq!(queue.push(0, &frame(10)), Ok(false));
        assert_eq!(queue.push(0, &frame(1)), Err(Overflow));
        queue.finish(0, &[frame(2)]);
        assert_eq!(queue.bytes(), 2);
    }

    #[test]
    fn an_overflow_before_anything_was_written_keeps_nothing() {
        let mut queue = Queue::new(10);
        assert_eq!(queue.push(0, &frame(10)), Ok(true));
        assert_eq!(queue.push(0, &frame(1)), Err(Overflow));
        queue.finish(0, &[frame(3)]);
        assert_eq!(queue.bytes(), 3);
    }

    #[test]
    fn a_queue_is_the_cause_of_its_places_and_of_what_nobody_else_holds() {
        let mut queue = Queue::new(10_000);
        assert_eq!(queue.push(0, &frame(1000)), Ok(true));
        assert_eq!(queue.footprint(), 0);
        for _ in 0..8 {
            assert!(queue.push(0, &frame(100)).is_ok());
        }
        assert_eq!(queue.footprint(), 8 * size_of::<Frame>());
        queue.push_answer(0, frame(500)).unwrap();
        assert_eq!(queue.footprint(), 16 * size_of::<Frame>() + 500);
        queue.advance(1000 + 8 * 100 + 200);
        assert_eq!(queue.footprint(), 16 * size_of::<Frame>() + 300);
        queue.hold();
        assert!(queue.push(0, &frame(100)).is_ok());
        assert!(queue.footprint() > 16 * size_of::<Frame>() + 300);
        assert!(!queue.shed());
        assert_eq!((queue.bytes(), queue.footprint()), (300, 300));
        // It does not even read its last frame.
        assert!(queue.shed());
        assert_eq!((queue.bytes(), queue.footprint(), queue.is_empty()), (0, 0, true));
        queue.finish(0, &[frame(10)]);
        assert!(queue.is_empty());
    }

    /// What is queued: a session's number where the socket turns to it, a frame's length otherwise.
    fn written(queue: &mut Queue) -> Vec<String> {
        let frames = queue.frames.iter().map(|frame| match ToClient::from_bytes(frame.bytes.slice(2..)) {
            Ok(ToClient::Session(Session { number })) => format!("session {number}"),
            _ => frame.bytes.len().to_string(),
        });
        let frames = frames.collect();
        queue.advance(queue.bytes);
        frames
    }

    #[test]
    fn the_socket_turns_to_another_session_only_where_it_must() {
        let mut queue = Queue::new(1000);
        for (session, len) in [(0, 50), (0, 51), (3, 52), (3, 53), (0, 54)] {
            assert!(queue.push(session, &frame(len)).is_ok());
        }
        assert_eq!(written(&mut queue), ["50", "51", "session 3", "52", "53", "session 0", "54"]);
        assert_eq!(queue.push(0, &frame(50)), Ok(true));
        assert_eq!(queue.push_answer(3, frame(51)), Ok(()));
        assert_eq!(written(&mut queue), ["50", "session 3", "51"]);
        queue.push_exempt(3, &frame(50));
        queue.finish(4, &[frame(51), frame(52)]);
        assert_eq!(written(&mut queue), ["50", "session 4", "51", "52"]);
    }

    #[test]
    fn after_an_overflow_the_goodbye_is_told_to_its_session() {
        let mut queue = Queue::new(100);
        assert_eq!(queue.push(1, &frame(50)), Ok(true));
        // The turn is written, the frame behind it begun.
        queue.advance(6 + 10);
        assert_eq!(queue.push(2, &frame(70)), Err(Overflow));
        queue.finish(2, &[frame(51)]);
        assert_eq!(written(&mut queue), ["40", "session 2", "51"]);
    }
}
