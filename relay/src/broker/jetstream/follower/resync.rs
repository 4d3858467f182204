//! Reading the stream again after a loss: from the last proven mark, or from nothing after the contents were replaced.

use super::{
    Arrival, Denial, Entry, EpochMarks, Follower, FollowerAction, Mark, Phase, Purpose, RelinkReason,
    RequestId, ResetReason, StreamInfo, Verification, followed::ChannelState,
};
use crate::{clock::Now, hub::Hub};
use sealwire_protocol::{ChannelId, UnixMillis};

impl Follower {
    /// Forgets the requests that are under way. Everything that they would bring is read again.
    pub(super) fn interrupt(&mut self) {
        let verified = std::mem::take(&mut self.verifications).into_values();
        let denied = std::mem::take(&mut self.denials).into_iter().map(Denial::into_waiter);
        for (id, waiter) in verified.flat_map(Verification::into_waiters).chain(denied) {
            if let Some(channel) = self.channels.get_mut(&id) {
                channel.waiters.push(waiter);
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
    pub(super) fn resync(&mut self, anchor: Mark, witness: Option<Mark>) {
        self.interrupt();
        self.counts.resyncs += 1;
        let request = self.next_request();
        let receipts = self.receipts.iter().copied().collect();
        self.phase = Phase::Resyncing { request, witness, receipts, arrived: Vec::new() };
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
        let Phase::Resyncing { request: expected, witness, .. } = self.phase else { return };
        let (true, Some(anchor)) = (expected == request, self.anchor) else { return };
        if info.leader != self.leader {
            return self.relink(RelinkReason::Election);
        }
        if info.first > anchor.sequence || info.deleted > 0 {
            return self.request_reset(ResetReason::Discarded, None);
        }
        let last = entries.last().map_or(0, Entry::sequence);
        if info.last >= anchor.sequence && last < info.last && continues(&entries) {
            // A replica that lags behind answered.
            return self.resync(anchor, witness);
        }
        if !self.is_continued_by(hub, &entries, anchor) {
            return match witness {
                None => self.request_witness(),
                Some(mark) if entries.contains(&Entry::Mark(mark)) => {
                    self.request_reset(ResetReason::Lost, Some(self.epoch));
                }
                // A former leader answered.
                Some(_) => self.relink(RelinkReason::Election),
            };
        }
        if entries.iter().any(|entry| matches!(entry, Entry::Mark(mark) if mark.epoch != self.epoch)) {
            return self.request_reset(ResetReason::NewEpoch, None);
        }
        let Phase::Resyncing { arrived, .. } = std::mem::take(&mut self.phase) else { return };
        (self.phase, self.highest) = (Phase::Following { proof: None }, 0);
        self.apply(hub, entries, info, now);
        for arrival in arrived {
            match arrival {
                Arrival::Publication(publication, previous) => {
                    self.publication_arrived(hub, publication, previous, now);
                }
                Arrival::Mark(mark, previous) => self.mark_arrived(mark, previous),
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

    /// Returns whether the stream's messages from the anchor on continue everything that this relay knows: the last proven
    /// mark, the newest mark, the newest publication of every live channel, and the acknowledged publications. Otherwise the
    /// leader is a former one, or messages were lost, and their sequences may be used a second time.
    fn is_continued_by(&self, hub: &Hub, entries: &[Entry], anchor: Mark) -> bool {
        let entry_at = |sequence: u64| {
            let index = usize::try_from(sequence.checked_sub(anchor.sequence)?).ok()?;
            entries.get(index)
        };
        let is_at = |sequence: u64, time: UnixMillis| {
            sequence < anchor.sequence || entry_at(sequence).and_then(Entry::time) == Some(time)
        };
        let is_anchor = matches!(entries.first(), Some(Entry::Mark(mark)) if *mark == anchor);
        let Phase::Resyncing { receipts, .. } = &self.phase else { return false };
        let mut heads = self.channels.iter().filter(|(_, channel)| channel.is_live());
        is_anchor
            && continues(entries)
            && self.last_mark.is_none_or(|mark| is_at(mark.sequence, mark.time))
            && heads.all(|(id, channel)| {
                channel.head_time.is_none_or(|time| is_at(hub.head(*id).unwrap_or(0), time))
            })
            && receipts.iter().all(|(sequence, time)| is_at(*sequence, *time))
    }

    /// Requests a mark that is stored now, because the leader lacks something that this relay knows.
    fn request_witness(&mut self) {
        self.interrupt();
        let request = self.next_request();
        self.phase = Phase::FindingMarks { request, purpose: Purpose::Witness };
        self.actions.push_back(FollowerAction::RenewMark { request, replaces: None });
    }

    /// Ends all subscriptions of the stream once the leader has stored a mark: a leader without a majority may lack what
    /// others have. A new epoch replaces that of contents that lost messages, for every relay.
    pub(super) fn request_reset(&mut self, reason: ResetReason, replaces: Option<u64>) {
        self.interrupt();
        let request = self.next_request();
        self.phase = Phase::FindingMarks { request, purpose: Purpose::Reset(reason) };
        self.actions.push_back(FollowerAction::RenewMark { request, replaces });
    }

    /// Ends all subscriptions of the stream, because nothing proves that they miss nothing.
    fn reset(&mut self, hub: &mut Hub, reason: ResetReason) {
        self.counts.resets += 1;
        self.actions.push_back(FollowerAction::Reset(reason));
        let channels: Vec<ChannelId> = self.channels.keys().copied().collect();
        channels.iter().for_each(|id| hub.drop_channel(*id));
        for channel in self.channels.values_mut() {
            channel.state = ChannelState::Joining(None);
        }
        self.actions.push_back(FollowerAction::End(channels));
        (self.anchor, self.last_mark, self.highest) = (None, None, 0);
        self.marks.clear();
        self.receipts.clear();
    }

    pub(super) fn find_marks(&mut self) {
        let request = self.next_request();
        self.phase = Phase::FindingMarks { request, purpose: Purpose::Start };
        self.actions.push_back(FollowerAction::FindMarks(request));
    }

    /// Handles the marks of the newest epoch, or that the stream has none.
    pub fn marks_found(&mut self, hub: &mut Hub, request: RequestId, marks: Option<EpochMarks>, now: Now) {
        let Phase::FindingMarks { request: expected, purpose } = self.phase else { return };
        if expected != request {
            return;
        }
        let Some(EpochMarks { oldest, newest }) = marks else {
            let request = self.next_request();
            self.phase = Phase::FindingMarks { request, purpose };
            self.actions.push_back(FollowerAction::RenewMark { request, replaces: None });
            return;
        };
        let is_older = |origin: Mark| newest.epoch != self.epoch && oldest.time <= origin.time;
        if self.anchor.is_some() && self.origin.is_some_and(is_older) {
            return self.request_reset(ResetReason::FormerContents, Some(newest.epoch));
        }
        if let (Purpose::Witness, Some(anchor)) = (purpose, self.anchor)
            && newest.epoch == self.epoch
        {
            return match newest.sequence > anchor.sequence {
                true => self.resync(anchor, Some(newest)),
                // The stream does not even reach as far as before.
                false => self.request_reset(ResetReason::Lost, Some(self.epoch)),
            };
        }
        match purpose {
            Purpose::Start => {}
            // The stream has a newer epoch than this relay asked for.
            Purpose::Witness => self.reset(hub, ResetReason::NewEpoch),
            Purpose::Reset(reason) => self.reset(hub, reason),
        }
        (self.epoch, self.origin) = (newest.epoch, Some(oldest));
        // A mark that arrived meanwhile may begin another epoch.
        self.last_mark.take_if(|mark| mark.epoch != newest.epoch);
        self.phase = Phase::Following { proof: None };
        self.prove(newest, now);
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

/// Returns whether messages have consecutive sequences.
fn continues(entries: &[Entry]) -> bool {
    entries.windows(2).all(|pair| pair[1].sequence() == pair[0].sequence() + 1)
}
