//! Reading the stream again after a loss: from the last proven mark, or from nothing after the contents were replaced.

use super::{
    Arrival, Entry, Follower, FollowerAction, Mark, Phase, RelinkReason, RequestId, StreamInfo,
    followed::ChannelState,
};
use crate::{clock::Now, hub::Hub};
use sealwire_protocol::ChannelId;

impl Follower {
    /// Forgets the requests that are under way. Everything that they would bring is read again.
    pub(super) fn interrupt(&mut self) {
        for (_, verification) in std::mem::take(&mut self.verifications) {
            for (id, waiter) in verification.into_waiters() {
                if let Some(channel) = self.channels.get_mut(&id) {
                    channel.waiters.push(waiter);
                }
            }
        }
        for channel in self.channels.values_mut() {
            channel.held_back.clear();
            channel.state = match channel.state {
                ChannelState::Joining(_) => ChannelState::Joining(None),
                ChannelState::Live | ChannelState::Mending { .. } => ChannelState::Live,
            };
        }
    }

    /// Reads the stream again from the last proven mark.
    pub(super) fn resync(&mut self, anchor: Mark) {
        self.interrupt();
        self.counts.resyncs += 1;
        let request = self.next_request();
        self.phase = Phase::Resyncing { request, arrived: Vec::new() };
        self.actions.push_back(FollowerAction::ReadStream { request, from: anchor.sequence });
    }

    /// Handles the messages of the stream from the requested sequence on. `info` is the leader's state from before they
    /// were read and after the driver listened: the messages reach at least to its end, or they are not complete.
    pub fn stream_read(
        &mut self,
        hub: &mut Hub,
        request: RequestId,
        entries: Vec<Entry>,
        info: &StreamInfo,
        now: Now,
    ) {
        let Phase::Resyncing { request: expected, .. } = &self.phase else { return };
        let (true, Some(anchor)) = (*expected == request, self.anchor) else { return };
        if info.leader != self.leader {
            return self.relink(RelinkReason::Election);
        }
        if !continues(&entries, anchor, self.epoch)
            || info.deleted > 0
            || !self.has_all_heads(hub, &entries, anchor)
        {
            return self.reset(hub);
        }
        let last = entries.last().map_or(0, Entry::sequence);
        if last < info.last {
            // A replica that lags behind answered.
            return self.resync(anchor);
        }
        let Phase::Resyncing { arrived, .. } = std::mem::take(&mut self.phase) else { return };
        self.phase = Phase::Following { proof: None };
        self.apply(hub, entries, info, now);
        for arrival in arrived {
            match arrival {
                Arrival::Publication(publication, previous) => {
                    self.publication_arrived(hub, publication, previous, now);
                }
                Arrival::Mark(mark, previous) => self.mark_arrived(hub, mark, previous),
            }
        }
        self.serve_all(hub, now);
    }

    /// Appends what the live channels lack, and takes the newest mark as proven.
    fn apply(&mut self, hub: &mut Hub, entries: Vec<Entry>, info: &StreamInfo, now: Now) {
        for entry in entries {
            match entry {
                Entry::Mark(mark) => self.prove(mark, now),
                Entry::Publication(publication) => {
                    let is_live =
                        self.channels.get(&publication.channel).is_some_and(super::FollowedChannel::is_live);
                    if is_live && self.append_new(hub, publication, info, now, true) {
                        self.counts.read_back += 1;
                    }
                }
                Entry::Unknown(_) => {}
            }
        }
    }

    /// Returns whether the newest publication of every live channel is still in the stream: otherwise sequences were used
    /// a second time.
    fn has_all_heads(&self, hub: &Hub, entries: &[Entry], anchor: Mark) -> bool {
        self.channels.iter().filter(|(_, channel)| channel.is_live()).all(|(id, channel)| {
            let head = hub.head(*id).unwrap_or(0);
            let Some(index) = head.checked_sub(anchor.sequence) else { return true };
            let entry = usize::try_from(index).ok().and_then(|index| entries.get(index));
            index == 0
                || matches!(entry, Some(Entry::Publication(publication))
                if publication.channel == *id && publication.time == channel.head_time)
        })
    }

    /// Ends all subscriptions of the stream, because nothing proves that they miss nothing, and begins with the stream's
    /// present contents.
    pub(super) fn reset(&mut self, hub: &mut Hub) {
        self.interrupt();
        self.counts.resets += 1;
        let channels: Vec<ChannelId> = self.channels.keys().copied().collect();
        channels.iter().for_each(|id| hub.drop_channel(*id));
        for channel in self.channels.values_mut() {
            channel.state = ChannelState::Joining(None);
        }
        self.actions.push_back(FollowerAction::End(channels));
        self.find_mark();
    }

    pub(super) fn find_mark(&mut self) {
        self.anchor = None;
        self.marks.clear();
        self.last_mark = 0;
        self.epoch = 0;
        let request = self.next_request();
        self.phase = Phase::FindingMark(request);
        self.actions.push_back(FollowerAction::FindMark(request));
    }

    /// Handles the newest mark of the stream, or that it has none.
    pub fn mark_found(&mut self, hub: &mut Hub, request: RequestId, mark: Option<Mark>, now: Now) {
        let Phase::FindingMark(expected) = self.phase else { return };
        if expected != request {
            return;
        }
        let Some(mark) = mark else {
            let request = self.next_request();
            self.phase = Phase::FindingMark(request);
            self.actions.push_back(FollowerAction::CreateMark(request));
            return;
        };
        self.epoch = mark.epoch;
        self.phase = Phase::Following { proof: None };
        self.prove(mark, now);
        self.serve_all(hub, now);
    }

    fn serve_all(&mut self, hub: &mut Hub, now: Now) {
        let waiting: Vec<ChannelId> = self
            .channels
            .iter()
            .filter(|(_, channel)| !channel.waiters.is_empty())
            .map(|(id, _)| *id)
            .collect();
        for id in waiting {
            self.serve(hub, id, now);
        }
    }
}

/// Returns whether messages begin with the anchor and have consecutive sequences.
fn continues(entries: &[Entry], anchor: Mark, epoch: u64) -> bool {
    let is_anchor =
        matches!(entries.first(), Some(Entry::Mark(mark)) if *mark == anchor && mark.epoch == epoch);
    is_anchor && entries.windows(2).all(|pair| pair[1].sequence() == pair[0].sequence() + 1)
}
