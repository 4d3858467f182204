//! Replays that wait in a queue. A replay has one place among the frames, and its frames take that place a few at a
//! time, once everything before it is written: however long it is, it costs little to queue, and nothing while its client
//! does not read.

use super::{Frame, Kind, Queue, SessionNumber};
use crate::{hub::History, session::EventFilter};
use bytes::Bytes;
use std::collections::VecDeque;

/// Most frames that are brought in at once, and their bytes but for the last one: a batch.
const FRAMES: usize = 63;
const BYTES: usize = 64 * 1024;
/// Most publications that are looked at meanwhile, where few of them are wanted.
const LOOKED_AT: usize = 512;
/// The cost of looking at a publication that is not wanted, in bytes that could have been written instead.
const PASSED_OVER: usize = 32;

/// In the order of their permits.
#[derive(Default)]
pub(super) struct Replays {
    waiting: VecDeque<Replay>,
    /// Bytes of all publications that are left.
    bytes: u64,
    /// Bytes that the replays occupy besides their publications.
    footprint: usize,
}

struct Replay {
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
        self.footprint + self.waiting.capacity() * size_of::<Replay>()
    }
}

impl Queue {
    /// Queues a replay, which does not count against the limit.
    pub(in crate::connection) fn push_replay(
        &mut self,
        session: SessionNumber,
        history: History,
        events: EventFilter,
    ) {
        if self.stage != super::Stage::Open || history.is_empty() {
            return;
        }
        // Most replays are short, and wait in their place like everything else.
        if history.len() <= FRAMES && history.bytes() <= BYTES as u64 {
            let wanted = history.iter().filter(|publication| events.accepts(publication.event()));
            for publication in wanted {
                self.exempt += publication.frame().len();
                self.append(session, Kind::Shared, publication.frame().clone());
            }
            return;
        }
        self.append(session, Kind::Replay, Bytes::new());
        let replays = &mut self.rest.get_or_insert_default().replays;
        let footprint = history.footprint();
        replays.bytes += history.bytes();
        replays.footprint += footprint;
        replays.waiting.push_back(Replay { history, events, footprint });
    }

    /// Brings in the next frames of a replay whose turn it is. Returns what that cost besides writing them, in bytes that
    /// could have been written instead. To be called before every write, and again where [`Self::is_ready`] says so.
    pub(in crate::connection) fn unfold(&mut self) -> usize {
        let Some(Frame { session, kind: Kind::Replay, .. }) = self.frames.first() else { return 0 };
        let session = *session;
        let Some(rest) = &mut self.rest else { return 0 };
        let replays = &mut rest.replays;
        let Some(replay) = replays.waiting.front_mut() else { return 0 };
        let (mut frames, mut bytes, mut passed_over) = (Vec::new(), 0, 0);
        while frames.len() < FRAMES && bytes < BYTES && frames.len() + passed_over < LOOKED_AT {
            let Some(publication) = replay.history.pop() else { break };
            replays.bytes -= publication.frame().len() as u64;
            if replay.events.accepts(publication.event()) {
                bytes += publication.frame().len();
                frames.push(publication.frame().clone());
            } else {
                passed_over += 1;
            }
        }
        if replay.history.is_empty() {
            replays.footprint -= replay.footprint;
            replays.waiting.pop_front();
            self.frames.remove_first();
            self.tidy();
        }
        self.bytes += bytes;
        self.exempt += bytes;
        for bytes in frames.into_iter().rev() {
            self.frames.push_first(Frame { session, kind: Kind::Shared, bytes });
        }
        passed_over * PASSED_OVER
    }

    /// Returns whether a frame can be written now. A replay of which nothing was wanted so far gives none yet.
    pub(in crate::connection) fn is_ready(&self) -> bool {
        self.frames.first().is_some_and(|first| first.kind != Kind::Replay)
    }
}

#[cfg(test)]
mod tests;
