//! Marks: the proof that everything before them has arrived.

use super::{
    Arrival, Follower, FollowerAction, Mark, Phase, Proof, RelinkReason, RequestId, ResetReason, StreamInfo,
    followed::ChannelState,
};
use crate::{clock::Now, hub::Hub};

impl Follower {
    /// Handles a mark that arrived. `previous` is the sequence of the mark before it, or 0.
    pub fn mark_arrived(&mut self, mark: Mark, previous: u64) {
        match &mut self.phase {
            Phase::Unlinked => {}
            Phase::FindingMarks { .. } => self.note_mark(mark),
            Phase::Resyncing { arrived, .. } => arrived.push(Arrival::Mark(mark, previous)),
            Phase::Following { .. } => self.take_mark(mark, previous),
        }
    }

    pub(super) fn take_mark(&mut self, mark: Mark, previous: u64) {
        if mark.epoch != self.epoch {
            return self.request_reset(ResetReason::NewEpoch, None);
        }
        let last = self.last_mark.map_or(0, |last| last.sequence);
        if mark.sequence <= last {
            return;
        }
        if previous > last {
            self.counts.mark_holes += 1;
            return match self.anchor {
                Some(anchor) => self.resync(anchor, None),
                None => self.relink(RelinkReason::Hole),
            };
        }
        self.note_mark(mark);
        let Phase::Following { proof: None } = self.phase else { return };
        let request = self.next_request();
        self.phase = Phase::Following { proof: Some(Proof { request, mark, highest: self.highest }) };
        self.actions.push_back(FollowerAction::ReadInfo(request));
    }

    /// Handles the state of the stream, which the driver asked the leader for.
    pub fn info_received(&mut self, hub: &Hub, request: RequestId, info: &StreamInfo, now: Now) {
        let Phase::Following { proof } = &mut self.phase else { return };
        let Some(Proof { mark, highest, .. }) = proof.take_if(|proof| proof.request == request) else {
            return;
        };
        // A leader that lacks what arrived lost its office without knowing, or a stranger forged what arrived.
        if info.leader != self.leader || info.last < mark.sequence.max(highest) {
            return self.relink(RelinkReason::Election);
        }
        let Some(anchor) = self.anchor else { return };
        // Publications since the last proven mark may have been discarded before anything pointed to them.
        if info.first > anchor.sequence || info.deleted > 0 {
            return self.resync(anchor, None);
        }
        // The next mark proves what a channel lacks at present.
        let is_mending = |state: &ChannelState| matches!(state, ChannelState::Mending { .. });
        if self.channels.values().any(|channel| is_mending(&channel.state)) {
            return;
        }
        self.prove(mark, now);
        self.deny(hub);
    }

    /// Records the newest mark that arrived.
    pub(super) fn note_mark(&mut self, mark: Mark) {
        if self.last_mark.is_none_or(|last| last.sequence < mark.sequence) {
            self.last_mark = Some(mark);
        }
    }

    /// Records that every publication of a live channel up to the mark was appended.
    pub(super) fn prove(&mut self, mark: Mark, now: Now) {
        if self.anchor.is_none_or(|anchor| anchor.sequence < mark.sequence) {
            self.renewed_at = Some(now.monotonic);
        }
        self.anchor = Some(mark);
        self.note_mark(mark);
        self.marks.push(mark);
        self.receipts.retain(|(sequence, _)| *sequence > mark.sequence);
        self.actions.push_back(FollowerAction::Proven(mark));
    }
}
