//! The write queue of one client: whole frames, shared with all other queues, bounded in bytes. Where frames of
//! different sessions follow each other on one socket, a small `Session` frame between them names the session of the
//! next ones.

mod batch;
mod frames;
mod replays;

pub(crate) use frames::SessionNumber;

use crate::websocket;
use bytes::{Buf as _, Bytes};
use frames::{FrameKind, Frames, QueuedFrame};
use replays::Replays;
use sealwire_protocol::wire::{Session, ToClient};
use std::io::IoSlice;

/// The number of bytes after which no further frame is added to a write: a system call is not interrupted.
const MAX_WRITE: usize = 64 * 1024;

/// The frames that wait to be written to one client.
pub(super) struct Queue {
    frames: Frames,
    /// The session of the last frame that was written.
    last_written: SessionNumber,
    /// The bytes of `frames`.
    bytes: usize,
    /// The maximum bytes of frames, without replays.
    limit: usize,
    /// The bytes of replayed publications in `frames`. They do not count against the limit: a client that resumes gets
    /// its whole replay, and the replay cache holds the same frames.
    replay_bytes: usize,
    /// The bytes of frames that only this queue holds.
    owned_bytes: usize,
    /// The number of frames at the front that must be written before anything else: a partly written frame, or a batch.
    committed: u8,
    takes_batches: bool,
    /// The frames without a place in `frames`. Boxed, because most queues have none.
    unplaced: Option<Box<Unplaced>>,
    state: QueueState,
}

/// The frames that have no place among the queue's frames yet.
#[derive(Default)]
struct Unplaced {
    /// The publications that arrived while an answer that must precede them was due.
    deferred: Option<Deferred>,
    /// The replays whose frames are not all in the queue.
    replays: Replays,
}

/// Publications that wait for an answer.
#[derive(Default)]
struct Deferred {
    frames: Vec<QueuedFrame>,
    bytes: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum QueueState {
    Open,
    /// The limit was exceeded; only the goodbye is accepted.
    Overflowed,
    /// The goodbye is queued; nothing more is accepted.
    Finished,
}

impl Queue {
    /// Creates an empty queue. `takes_batches` tells whether the client accepts batches of messages.
    pub(super) fn new(limit: usize, takes_batches: bool) -> Self {
        Self {
            frames: Frames::default(),
            last_written: 0,
            bytes: 0,
            limit,
            replay_bytes: 0,
            owned_bytes: 0,
            committed: 0,
            takes_batches,
            unplaced: None,
            state: QueueState::Open,
        }
    }

    /// Queues a publication. Returns whether the queue was empty and now has a frame to write, or [`Overflow`] the
    /// first time that the limit is exceeded.
    pub(super) fn push_publication(
        &mut self,
        session: SessionNumber,
        frame: &Bytes,
    ) -> Result<bool, Overflow> {
        if !self.has_room(frame.len())? {
            return Ok(false);
        }
        match self.unplaced.as_mut().and_then(|unplaced| unplaced.deferred.as_mut()) {
            Some(deferred) => {
                deferred.bytes += frame.len();
                deferred.frames.push(QueuedFrame { session, kind: FrameKind::Shared, bytes: frame.clone() });
                Ok(false)
            }
            None => Ok(self.append(session, FrameKind::Shared, frame.clone())),
        }
    }

    /// Queues an answer, before the deferred publications.
    pub(super) fn push_answer(&mut self, session: SessionNumber, frame: Bytes) -> Result<(), Overflow> {
        if self.has_room(frame.len())? {
            self.append(session, FrameKind::Owned, frame);
        }
        Ok(())
    }

    /// Queues a control frame of the WebSocket.
    pub(super) fn push_control(&mut self, frame: Bytes) -> Result<(), Overflow> {
        let session = self.last_session();
        self.push_answer(session, frame)
    }

    /// Defers publications until [`Self::flush_deferred`].
    pub(super) fn defer(&mut self) {
        self.unplaced.get_or_insert_default().deferred.get_or_insert_default();
    }

    /// Queues the deferred publications.
    pub(super) fn flush_deferred(&mut self) {
        let deferred = self.unplaced.as_mut().and_then(|unplaced| unplaced.deferred.take());
        self.release_unplaced();
        if let Some(deferred) = deferred {
            for QueuedFrame { session, kind, bytes } in deferred.frames {
                self.append(session, kind, bytes);
            }
        }
    }

    /// Checks a frame of `len` bytes against the limit. Returns false once the queue accepts no more frames.
    fn has_room(&mut self, len: usize) -> Result<bool, Overflow> {
        if self.state != QueueState::Open {
            return Ok(false);
        }
        let deferred = self.deferred().map_or(0, |deferred| deferred.bytes);
        if self.bytes - self.replay_bytes + deferred + len > self.limit {
            return Err(self.overflow());
        }
        Ok(true)
    }

    /// Discards all frames that are not committed. The queue then accepts only the goodbye.
    pub(super) fn overflow(&mut self) -> Overflow {
        self.state = QueueState::Overflowed;
        self.discard_after(self.committed);
        Overflow
    }

    /// Discards frames because memory is short: those that are not committed, or all if the connection was already
    /// ending. Returns whether it was; the socket is then unusable.
    pub(super) fn shed(&mut self) -> bool {
        let is_ending = self.state != QueueState::Open;
        if is_ending {
            self.state = QueueState::Finished;
            self.discard_after(0);
        } else {
            self.overflow();
        }
        is_ending
    }

    /// Discards all frames except the first `committed`.
    fn discard_after(&mut self, committed: u8) {
        self.unplaced = None;
        self.frames.truncate(usize::from(committed));
        self.committed = committed;
        self.bytes = self.frames.iter().map(|frame| frame.bytes.len()).sum();
        self.owned_bytes = self.frames.iter().map(QueuedFrame::owned_bytes).sum();
        self.replay_bytes = 0;
    }

    /// Returns the bytes of memory that only this queue holds.
    pub(super) fn footprint(&self) -> usize {
        let deferred =
            self.deferred().map_or(0, |deferred| deferred.frames.capacity() * size_of::<QueuedFrame>());
        let replays = self.unplaced.as_ref().map_or(0, |unplaced| unplaced.replays.footprint());
        self.frames.capacity_bytes() + deferred + replays + self.owned_bytes
    }

    /// Queues the last frames, which belong to one session. After an overflow they replace all frames that are not
    /// committed, so that the client reads them soon.
    pub(super) fn finish(&mut self, session: SessionNumber, frames: &[Bytes]) {
        if self.state == QueueState::Finished {
            return;
        }
        if self.state == QueueState::Open {
            self.flush_deferred();
        } else {
            self.discard_after(self.committed);
        }
        for frame in frames {
            self.append(session, FrameKind::Owned, frame.clone());
        }
        self.state = QueueState::Finished;
    }

    pub(super) fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    /// Returns the bytes of all frames, including replays.
    pub(super) fn bytes(&self) -> usize {
        self.bytes + self.unplaced.as_ref().map_or(0, |unplaced| unplaced.replays.bytes())
    }

    /// Returns whether the queue is more than half full.
    pub(super) fn is_half_full(&self) -> bool {
        self.bytes > self.limit / 2
    }

    /// Returns the frame to write next if there is exactly one.
    pub(super) fn single_frame(&self) -> Option<&Bytes> {
        let mut frames = self.writable_frames();
        let first = frames.next()?;
        frames.next().is_none().then_some(&first.bytes)
    }

    /// Iterates over the frames that can be written before a replay must be expanded.
    fn writable_frames(&self) -> impl Iterator<Item = &QueuedFrame> {
        self.frames.iter().take_while(|frame| frame.kind != FrameKind::Replay)
    }

    /// Fills `slices` with the frames to write next, and returns their number.
    pub(super) fn fill_slices<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        let (mut count, mut bytes) = (0, 0);
        // The frames behind a batch form the next batch.
        let limit =
            if self.takes_batches && self.committed > 0 { usize::from(self.committed) } else { slices.len() };
        for (slice, frame) in slices.iter_mut().zip(self.writable_frames()).take(limit) {
            if bytes >= MAX_WRITE {
                break;
            }
            *slice = IoSlice::new(&frame.bytes);
            count += 1;
            bytes += frame.bytes.len();
        }
        count
    }

    /// Removes `written` bytes from the front.
    pub(super) fn advance(&mut self, mut written: usize) {
        self.bytes -= written;
        self.replay_bytes = self.replay_bytes.saturating_sub(written).min(self.bytes);
        while let Some(frame) = self.frames.first_mut().filter(|frame| frame.kind != FrameKind::Replay) {
            let own = frame.owned_bytes();
            if written < frame.bytes.len() {
                frame.bytes.advance(written);
                self.owned_bytes -= own.min(written);
                self.committed = self.committed.max(u8::from(written > 0));
                return;
            }
            written -= frame.bytes.len();
            self.owned_bytes -= own;
            self.last_written = frame.session;
            self.frames.remove_first();
            self.committed = self.committed.saturating_sub(1);
        }
    }

    fn deferred(&self) -> Option<&Deferred> {
        self.unplaced.as_ref()?.deferred.as_ref()
    }

    /// Releases the memory of `unplaced` if it is empty.
    fn release_unplaced(&mut self) {
        if self
            .unplaced
            .as_ref()
            .is_some_and(|unplaced| unplaced.deferred.is_none() && unplaced.replays.is_empty())
        {
            self.unplaced = None;
        }
    }

    /// Appends a frame, after a `Session` frame if the session changes. Returns whether the queue was empty.
    fn append(&mut self, session: SessionNumber, kind: FrameKind, bytes: Bytes) -> bool {
        let was_empty = self.frames.is_empty();
        if self.last_session() != session {
            let switch = ToClient::Session(Session { number: session });
            self.push_frame(session, FrameKind::Owned, websocket::encode_message(&switch).0);
        }
        self.push_frame(session, kind, bytes);
        was_empty
    }

    /// Returns the session whose next frame needs no `Session` frame before it.
    fn last_session(&self) -> SessionNumber {
        self.frames.last().map_or(self.last_written, |frame| frame.session)
    }

    fn push_frame(&mut self, session: SessionNumber, kind: FrameKind, bytes: Bytes) {
        let frame = QueuedFrame { session, kind, bytes };
        self.bytes += frame.bytes.len();
        self.owned_bytes += frame.owned_bytes();
        self.frames.push(frame);
    }
}

/// The error of a queue whose limit is exceeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Overflow;

#[cfg(test)]
mod tests;
