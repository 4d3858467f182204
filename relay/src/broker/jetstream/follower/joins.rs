//! Channels that become complete: the publications before the relay listened, and those of a hole.

use super::{
    Follower, FollowerAction, Phase, RequestId, StoredPublication, StreamInfo, followed::ChannelState,
    instant_of,
};
use crate::{clock::Now, hub::Hub};
use sealwire_protocol::ChannelId;

impl Follower {
    /// Takes the next step for the subscriptions that wait for a channel.
    pub(super) fn serve(&mut self, hub: &mut Hub, id: ChannelId, now: Now) {
        let Some(channel) = self.channels.get_mut(&id) else { return };
        match channel.state {
            ChannelState::Live => self.answer_waiters(hub, id, now),
            ChannelState::Joining(None) if !channel.waiters.is_empty() => self.join(id),
            ChannelState::Joining(_) | ChannelState::Mending { .. } => {}
        }
    }

    /// Listens to a channel and reads its publications.
    fn join(&mut self, id: ChannelId) {
        self.counts.joins += 1;
        let request = self.next_request();
        let Some(channel) = self.channels.get_mut(&id) else { return };
        channel.state = ChannelState::Joining(Some(request));
        self.actions.push_back(FollowerAction::Watch(id));
        self.actions.push_back(FollowerAction::ReadChannel { request, channel: id, from: 1 });
    }

    /// Handles the publications of a channel, complete at the leader when it sent the last of them, and the state of the
    /// stream after that.
    pub fn channel_read(
        &mut self,
        hub: &mut Hub,
        request: RequestId,
        id: ChannelId,
        publications: Vec<StoredPublication>,
        info: &StreamInfo,
        now: Now,
    ) {
        let Some(channel) = self.channels.get(&id) else { return };
        let hole = match channel.state {
            ChannelState::Joining(Some(expected)) if expected == request => None,
            ChannelState::Mending { request: expected, from } if expected == request => Some(from),
            _ => return,
        };
        if info.leader != self.leader {
            return self.relink(super::RelinkReason::Election);
        }
        match hole {
            None => self.open(hub, id, info, now),
            Some(from) if info.first <= from && info.deleted == 0 => {
                self.counts.mended += 1;
                self.counts.read_back += publications.len() as u64;
            }
            Some(_) => return self.end_channel(hub, id, now),
        }
        let Some(channel) = self.channels.get_mut(&id) else { return };
        channel.state = ChannelState::Live;
        for publication in publications {
            // A new subscription gets these as its replay.
            self.append_new(hub, publication, info, now, hole.is_some());
        }
        self.release_held_back(hub, id, now);
        self.serve(hub, id, now);
    }

    /// Opens a channel of which everything that the stream has was read.
    fn open(&mut self, hub: &mut Hub, id: ChannelId, info: &StreamInfo, now: Now) {
        let Some(channel) = self.channels.get_mut(&id) else { return };
        channel.head_time = None;
        // Contents before the epoch's oldest mark may lack messages.
        let (first, first_at) = self.origin.map_or((0, info.first_at), |mark| (mark.sequence, mark.time));
        let floor_at = instant_of(info.first_at.max(first_at), info.now, now.monotonic);
        // Messages that somebody removed may have been the channel's.
        let floor = if info.deleted > 0 { info.last } else { info.first.max(first).saturating_sub(1) };
        hub.open(channel.tenant, id, floor, floor_at);
    }

    /// Appends a publication that was read, unless the hub has it. Returns whether it was new.
    pub(super) fn append_new(
        &mut self,
        hub: &mut Hub,
        publication: StoredPublication,
        info: &StreamInfo,
        now: Now,
        deliver: bool,
    ) -> bool {
        let is_new = hub.head(publication.channel).is_some_and(|head| publication.sequence > head);
        if is_new {
            let at = instant_of(publication.stored_at, info.now, now.monotonic);
            self.append(hub, publication, at, deliver);
        }
        is_new
    }

    fn release_held_back(&mut self, hub: &mut Hub, id: ChannelId, now: Now) {
        let Some(channel) = self.channels.get_mut(&id) else { return };
        for (publication, previous) in std::mem::take(&mut channel.held_back) {
            self.take(hub, publication, previous, now);
        }
    }

    /// Ends the subscriptions of a channel of which publications are lost.
    fn end_channel(&mut self, hub: &mut Hub, id: ChannelId, now: Now) {
        let Some(channel) = self.channels.get_mut(&id) else { return };
        channel.held_back.clear();
        channel.state = ChannelState::Joining(None);
        hub.drop_channel(id);
        self.actions.push_back(FollowerAction::End(vec![id]));
        if matches!(self.phase, Phase::Following { .. }) {
            self.serve(hub, id, now);
        }
    }
}
