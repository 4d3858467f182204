//! The replays in a queue. A replay is one placeholder among the frames, which is expanded a few frames at a time once
//! everything before it is written. Queueing a replay is therefore cheap however long it is, and costs nothing more
//! while its client does not read.

use super::{FrameKind, Queue, QueuedFrame, SessionNumber};
use crate::{hub::History, session::EventFilter};
use bytes::Bytes;
use std::collections::VecDeque;

/// The maximum number of frames of one expansion, and the number of bytes after which it ends: those of a batch.
const MAX_FRAMES: usize = 63;
const MAX_BYTES: usize = 64 * 1024;
/// The maximum number of publications that one expansion examines, for filters that accept few of them.
const MAX_EXAMINED: usize = 512;
/// The cost of a publication that the filter rejects, as a number of written bytes.
const SKIP_COST: usize = 32;

/// The replays of one queue that are not fully expanded.
#[derive(Default)]
pub(super) struct Replays {
    /// The replays, in the order of their placeholders.
    waiting: VecDeque<QueuedReplay>,
    /// The bytes of all remaining publications.
    bytes: u64,
    /// The bytes that the replays occupy besides their publications.
    footprint: usize,
}

struct QueuedReplay {
    history: History,
    events: EventFilter,
    footprint: usize,
}

impl Replays {
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    pub(super) fn bytes(&self) -> usize {
        usize::try_from(self.bytes).unwrap_or(usize::MAX)
    }

    pub(super) fn footprint(&self) -> usize {
        self.footprint + self.waiting.capacity() * size_of::<QueuedReplay>()
    }
}

impl Queue {
    /// Queues a replay. It does not count against the limit.
    pub(in crate::connection) fn push_replay(
        &mut self,
        session: SessionNumber,
        history: History,
        events: EventFilter,
    ) {
        if self.state != super::QueueState::Open || history.is_empty() {
            return;
        }
        // Most replays are short, and are queued as frames at once.
        if history.len() <= MAX_FRAMES && history.bytes() <= MAX_BYTES as u64 {
            let accepted = history.iter().filter(|publication| events.accepts(publication.event()));
            for publication in accepted {
                self.replay_bytes += publication.frame().len();
                self.append(session, FrameKind::Shared, publication.frame().clone());
            }
            return;
        }
        self.append(session, FrameKind::Replay, Bytes::new());
        let replays = &mut self.unplaced.get_or_insert_default().replays;
        let footprint = history.footprint();
        replays.bytes += history.bytes();
        replays.footprint += footprint;
        replays.waiting.push_back(QueuedReplay { history, events, footprint });
    }

    /// Expands the next frames of a replay at the front of the queue. Returns the cost of the publications that its
    /// filter rejected, as a number of written bytes. Called before every write, and again while
    /// [`Self::has_writable_frame`] returns false.
    pub(in crate::connection) fn expand_replay(&mut self) -> usize {
        let Some(QueuedFrame { session, kind: FrameKind::Replay, .. }) = self.frames.first() else {
            return 0;
        };
        let session = *session;
        let Some(unplaced) = &mut self.unplaced else { return 0 };
        let replays = &mut unplaced.replays;
        let Some(replay) = replays.waiting.front_mut() else { return 0 };
        let (mut frames, mut bytes, mut skipped) = (Vec::new(), 0, 0);
        while frames.len() < MAX_FRAMES && bytes < MAX_BYTES && frames.len() + skipped < MAX_EXAMINED {
            let Some(publication) = replay.history.pop() else { break };
            replays.bytes -= publication.frame().len() as u64;
            if replay.events.accepts(publication.event()) {
                bytes += publication.frame().len();
                frames.push(publication.frame().clone());
            } else {
                skipped += 1;
            }
        }
        if replay.history.is_empty() {
            replays.footprint -= replay.footprint;
            replays.waiting.pop_front();
            self.frames.remove_first();
            self.release_unplaced();
        }
        self.bytes += bytes;
        self.replay_bytes += bytes;
        for bytes in frames.into_iter().rev() {
            self.frames.push_first(QueuedFrame { session, kind: FrameKind::Shared, bytes });
        }
        skipped * SKIP_COST
    }

    /// Returns whether a frame can be written now. A replay at the front may have had no accepted publication yet.
    pub(in crate::connection) fn has_writable_frame(&self) -> bool {
        self.frames.first().is_some_and(|first| first.kind != FrameKind::Replay)
    }
}

#[cfg(test)]
mod tests;
