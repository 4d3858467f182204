//! Marks: the proof that everything before them has arrived.

use super::{
    Arrival, Follower, FollowerAction, Mark, Phase, RelinkReason, RequestId, StreamInfo,
    followed::ChannelState,
};
use crate::{clock::Now, hub::Hub};

impl Follower {
    /// Handles a mark that arrived. `previous` is the sequence of the mark before it, or 0.
    pub fn mark_arrived(&mut self, hub: &mut Hub, mark: Mark, previous: u64) {
        match &mut self.phase {
            Phase::Unlinked => {}
            Phase::FindingMark(_) => self.last_mark = self.last_mark.max(mark.sequence),
            Phase::Resyncing { arrived, .. } => arrived.push(Arrival::Mark(mark, previous)),
            Phase::Following { .. } => self.take_mark(hub, mark, previous),
        }
    }

    pub(super) fn take_mark(&mut self, hub: &mut Hub, mark: Mark, previous: u64) {
        if mark.epoch != self.epoch {
            return self.reset(hub);
        }
        if mark.sequence <= self.last_mark {
            return;
        }
        if previous > self.last_mark {
            self.counts.mark_holes += 1;
            return match self.anchor {
                Some(anchor) => self.resync(anchor),
                None => self.relink(RelinkReason::Hole),
            };
        }
        self.last_mark = mark.sequence;
        let Phase::Following { proof: None } = self.phase else { return };
        let request = self.next_request();
        self.phase = Phase::Following { proof: Some((request, mark)) };
        self.actions.push_back(FollowerAction::ReadInfo(request));
    }

    /// Handles the state of the stream, which the driver asked the leader for.
    pub fn info_received(&mut self, request: RequestId, info: &StreamInfo, now: Now) {
        let Phase::Following { proof } = &mut self.phase else { return };
        let Some((_, mark)) = proof.take_if(|(expected, _)| *expected == request) else { return };
        // A leader that does not have the mark lost its office without knowing.
        if info.leader != self.leader || info.last < mark.sequence {
            return self.relink(RelinkReason::Election);
        }
        let Some(anchor) = self.anchor else { return };
        // Publications since the last proven mark may have been discarded before anything pointed to them.
        if info.first > anchor.sequence || info.deleted > 0 {
            return self.resync(anchor);
        }
        // The next mark proves what a channel lacks at present.
        let is_mending = |state: &ChannelState| matches!(state, ChannelState::Mending { .. });
        if self.channels.values().any(|channel| is_mending(&channel.state)) {
            return;
        }
        self.prove(mark, now);
    }

    /// Records that every publication of a live channel up to the mark was appended.
    pub(super) fn prove(&mut self, mark: Mark, now: Now) {
        if self.anchor.is_none_or(|anchor| anchor.sequence < mark.sequence) {
            self.renewed_at = Some(now.monotonic);
        }
        self.anchor = Some(mark);
        self.last_mark = self.last_mark.max(mark.sequence);
        self.marks.push(mark);
        self.actions.push_back(FollowerAction::Proven(mark));
    }
}
