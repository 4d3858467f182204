//! What waits to be written to one client: whole frames, shared with every other queue, bounded in bytes. Where the frames
//! of several sessions follow each other on one socket, a small frame between them says whose the next ones are.

mod batch;

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
    /// How many frames at the front have to be written before anything else: one that is written in part, or a batch.
    begun: u8,
    takes_batches: bool,
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
    /// `takes_batches`: whether the client takes several messages in one.
    pub(super) fn new(limit: usize, takes_batches: bool) -> Self {
        Self {
            frames: Frames::default(),
            written: 0,
            bytes: 0,
            limit,
            exempt: 0,
            own: 0,
            begun: 0,
            takes_batches,
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
        self.give_up(self.begun);
        Overflow
    }

    /// Memory is short: gives up everything that is not begun, and also that where the end was under way already. Whether
    /// it was: the socket is of no more use then.
    pub(super) fn shed(&mut self) -> bool {
        let is_ending = self.stage != Stage::Open;
        if is_ending {
            self.stage = Stage::Finished;
            self.give_up(0);
        } else {
            self.overflow();
        }
        is_ending
    }

    fn give_up(&mut self, all_but: u8) {
        self.held = None;
        self.frames.keep(usize::from(all_but));
        self.begun = all_but;
        let kept = self.frames.iter().map(|frame| (frame.bytes.len(), frame.shared));
        (self.bytes, self.own) = kept
            .fold((0, 0), |(bytes, own), (len, shared)| (bytes + len, own + if shared { 0 } else { len }));
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
            self.give_up(self.begun);
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

    /// True if more than half of the limit waits.
    pub(super) fn is_half_full(&self) -> bool {
        self.bytes > self.limit / 2
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
        // What waits behind a batch makes the next one.
        let most = if self.takes_batches && self.begun > 0 { usize::from(self.begun) } else { slices.len() };
        for (slice, frame) in slices.iter_mut().zip(self.frames.iter()).take(most) {
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
                self.begun = self.begun.max(u8::from(written > 0));
                return;
            }
            written -= frame.bytes.len();
            if !frame.shared {
                self.own -= frame.bytes.len();
            }
            self.written = frame.session;
            self.frames.remove_first();
            self.begun = self.begun.saturating_sub(1);
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
mod tests;
