//! What waits to be written to one client: whole frames, shared with every other queue, bounded in bytes. Where the frames
//! of several sessions follow each other on one socket, a small frame between them says whose the next ones are.

mod batch;
mod frames;
mod replays;

pub(crate) use frames::SessionNumber;

use crate::websocket;
use bytes::{Buf as _, Bytes};
use frames::{Frame, Frames, Kind};
use replays::Replays;
use sealwire_protocol::wire::{Session, ToClient};
use std::io::IoSlice;

/// Most bytes of one write, but for its last frame: one call of the system is not interrupted.
const MAX_WRITE: usize = 64 * 1024;

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
    /// Boxed, as most queues have none of it.
    rest: Option<Box<Rest>>,
    stage: Stage,
}

/// The parts of a queue that do not wait in their place yet.
#[derive(Default)]
struct Rest {
    /// Publications that came while an answer was due that goes before them.
    held: Option<Deferred>,
    /// Replays of which not all is among the frames.
    replays: Replays,
}

#[derive(Default)]
struct Deferred {
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
            rest: None,
            stage: Stage::Open,
        }
    }

    /// Queues a publication. Returns whether there is something to write now and was not before, or [`Overflow`] the
    /// first time that the queue is too long.
    pub(super) fn push(&mut self, session: SessionNumber, frame: &Bytes) -> Result<bool, Overflow> {
        if !self.has_room(frame.len())? {
            return Ok(false);
        }
        match self.rest.as_mut().and_then(|rest| rest.held.as_mut()) {
            Some(held) => {
                held.bytes += frame.len();
                held.frames.push(Frame { session, kind: Kind::Shared, bytes: frame.clone() });
                Ok(false)
            }
            None => Ok(self.append(session, Kind::Shared, frame.clone())),
        }
    }

    /// Queues an answer, ahead of what is held.
    pub(super) fn push_answer(&mut self, session: SessionNumber, frame: Bytes) -> Result<(), Overflow> {
        if self.has_room(frame.len())? {
            self.append(session, Kind::Own, frame);
        }
        Ok(())
    }

    /// Queues a frame of the WebSocket itself.
    pub(super) fn push_control(&mut self, frame: Bytes) -> Result<(), Overflow> {
        let session = self.session();
        self.push_answer(session, frame)
    }

    /// Publications wait from now on until [`Self::flush_deferred`].
    pub(super) fn defer(&mut self) {
        self.rest.get_or_insert_default().held.get_or_insert_default();
    }

    /// Queues what was held.
    pub(super) fn flush_deferred(&mut self) {
        let held = self.rest.as_mut().and_then(|rest| rest.held.take());
        self.tidy();
        if let Some(held) = held {
            for Frame { session, kind, bytes } in held.frames {
                self.append(session, kind, bytes);
            }
        }
    }

    fn has_room(&mut self, len: usize) -> Result<bool, Overflow> {
        if self.stage != Stage::Open {
            return Ok(false);
        }
        let held = self.held().map_or(0, |held| held.bytes);
        if self.bytes - self.exempt + held + len > self.limit {
            return Err(self.overflow());
        }
        Ok(true)
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
        self.rest = None;
        self.frames.keep(usize::from(all_but));
        self.begun = all_but;
        self.bytes = self.frames.iter().map(|frame| frame.bytes.len()).sum();
        self.own = self.frames.iter().map(Frame::own).sum();
        self.exempt = 0;
    }

    /// Bytes that this queue alone is the cause of.
    pub(super) fn footprint(&self) -> usize {
        let held = self.held().map_or(0, |held| held.frames.capacity() * size_of::<Frame>());
        let replays = self.rest.as_ref().map_or(0, |rest| rest.replays.footprint());
        self.frames.room() + held + replays + self.own
    }

    /// Queues the last frames, of one session. After an overflow they replace what was not begun, so that they are read
    /// soon.
    pub(super) fn finish(&mut self, session: SessionNumber, frames: &[Bytes]) {
        if self.stage == Stage::Finished {
            return;
        }
        if self.stage == Stage::Open {
            self.flush_deferred();
        } else {
            self.give_up(self.begun);
        }
        for frame in frames {
            self.append(session, Kind::Own, frame.clone());
        }
        self.stage = Stage::Finished;
    }

    pub(super) fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    /// Bytes of everything that waits, replays included.
    pub(super) fn bytes(&self) -> usize {
        self.bytes + self.rest.as_ref().map_or(0, |rest| rest.replays.bytes())
    }

    /// True if more than half of the limit waits.
    pub(super) fn is_half_full(&self) -> bool {
        self.bytes > self.limit / 2
    }

    /// The frame to write next, where there is just one.
    pub(super) fn only(&self) -> Option<&Bytes> {
        let mut frames = self.ready();
        let first = frames.next()?;
        frames.next().is_none().then_some(&first.bytes)
    }

    /// The frames that can be written before a replay has to be brought in.
    fn ready(&self) -> impl Iterator<Item = &Frame> {
        self.frames.iter().take_while(|frame| frame.kind != Kind::Replay)
    }

    /// The frames to write next, of so many bytes but for the last one.
    pub(super) fn slices<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        let (mut count, mut bytes) = (0, 0);
        // What waits behind a batch makes the next one.
        let most = if self.takes_batches && self.begun > 0 { usize::from(self.begun) } else { slices.len() };
        for (slice, frame) in slices.iter_mut().zip(self.ready()).take(most) {
            if bytes >= MAX_WRITE {
                break;
            }
            *slice = IoSlice::new(&frame.bytes);
            count += 1;
            bytes += frame.bytes.len();
        }
        count
    }

    /// So many bytes were written.
    pub(super) fn advance(&mut self, mut written: usize) {
        self.bytes -= written;
        self.exempt = self.exempt.saturating_sub(written).min(self.bytes);
        while let Some(frame) = self.frames.first_mut().filter(|frame| frame.kind != Kind::Replay) {
            let own = frame.own();
            if written < frame.bytes.len() {
                frame.bytes.advance(written);
                self.own -= own.min(written);
                self.begun = self.begun.max(u8::from(written > 0));
                return;
            }
            written -= frame.bytes.len();
            self.own -= own;
            self.written = frame.session;
            self.frames.remove_first();
            self.begun = self.begun.saturating_sub(1);
        }
    }

    fn held(&self) -> Option<&Deferred> {
        self.rest.as_ref()?.held.as_ref()
    }

    /// Gives back the memory of what is no longer there.
    fn tidy(&mut self) {
        if self.rest.as_ref().is_some_and(|rest| rest.held.is_none() && rest.replays.is_empty()) {
            self.rest = None;
        }
    }

    fn append(&mut self, session: SessionNumber, kind: Kind, bytes: Bytes) -> bool {
        let was_empty = self.frames.is_empty();
        if self.session() != session {
            let turn = ToClient::Session(Session { number: session });
            self.put(session, Kind::Own, websocket::encode_message(&turn).0);
        }
        self.put(session, kind, bytes);
        was_empty
    }

    /// Whose frame would need no turn.
    fn session(&self) -> SessionNumber {
        self.frames.last().map_or(self.written, |frame| frame.session)
    }

    fn put(&mut self, session: SessionNumber, kind: Kind, bytes: Bytes) {
        let frame = Frame { session, kind, bytes };
        self.bytes += frame.bytes.len();
        self.own += frame.own();
        self.frames.push(frame);
    }
}

/// The queue is too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Overflow;

#[cfg(test)]
mod tests;
