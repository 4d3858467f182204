//! The answers to subscriptions, and the comparison of clients' positions with the stream.

use super::{Follower, FollowerAction, Phase, RequestId, Ticket, UnixMillis, followed::Waiter};
use crate::{
    clock::Now,
    hub::{FollowedReplay, History, Hub, Replay},
};
use sealwire_protocol::{
    ChannelId,
    wire::{Position, Since},
};
use std::time::Duration;

/// A message of the stream that is being read, because positions of clients name it.
pub(super) struct Verification {
    request: RequestId,
    waiters: Vec<(ChannelId, Waiter)>,
}

impl Verification {
    pub(super) fn into_waiters(self) -> Vec<(ChannelId, Waiter)> {
        self.waiters
    }

    /// Removes a waiter. Returns whether it was there.
    pub(super) fn cancel(&mut self, ticket: Ticket) -> bool {
        let before = self.waiters.len();
        self.waiters.retain(|(_, waiter)| waiter.ticket != ticket);
        self.waiters.len() < before
    }
}

/// A position that the leader does not have. A leader that lost its majority may lack what others have, so the subscription
/// is answered only after the leader stored marks.
pub(super) struct Denial {
    channel: ChannelId,
    waiter: Waiter,
    /// The number of marks that have to be proven. The first one may have been stored before the position was compared.
    marks: usize,
}

impl Denial {
    pub(super) fn is_of(&self, ticket: Ticket) -> bool {
        self.waiter.ticket == ticket
    }

    pub(super) fn into_waiter(self) -> (ChannelId, Waiter) {
        (self.channel, self.waiter)
    }
}

impl Follower {
    /// Answers the subscriptions that wait for a live channel.
    pub(super) fn answer_waiters(&mut self, hub: &Hub, id: ChannelId, now: Now) {
        let Some(channel) = self.channels.get_mut(&id) else { return };
        for waiter in std::mem::take(&mut channel.waiters) {
            match waiter.since {
                Some(Since::Position(position)) => match self.is_of_this_stream(hub, id, position) {
                    Some(true) => self.answer_position(hub, id, waiter.ticket, position, true),
                    Some(false) => self.deny_later(id, waiter),
                    None => self.verify(id, position, waiter),
                },
                Some(Since::ReplaySeconds(seconds)) => {
                    self.answer_seconds(hub, id, waiter.ticket, seconds, now);
                }
                None => {
                    let position = self.newest_position(hub, id);
                    let replay = Replay { position, recovered: false, publications: History::default() };
                    self.actions.push_back(FollowerAction::Answer(waiter.ticket, replay));
                }
            }
        }
    }

    /// Returns whether the stream's message at a position's offset has the position's time, if that is known here.
    fn is_of_this_stream(&self, hub: &Hub, id: ChannelId, position: Position) -> Option<bool> {
        if position.epoch != self.epoch || position.offset == 0 || position.time_ms == 0 {
            return Some(false);
        }
        let time = UnixMillis(position.time_ms);
        let mark = self.marks.at(position).map(|mark| mark.time);
        let known = mark.or_else(|| hub.find(id, position.offset).map(|publication| publication.time()));
        known.map(|known| known == time)
    }

    /// Reads the message at a position's offset, once for all subscriptions that name it.
    fn verify(&mut self, id: ChannelId, position: Position, waiter: Waiter) {
        if let Some(verification) = self.verifications.get_mut(&position.offset) {
            verification.waiters.push((id, waiter));
            return;
        }
        let request = self.next_request();
        let waiters = vec![(id, waiter)];
        self.verifications.insert(position.offset, Verification { request, waiters });
        self.actions.push_back(FollowerAction::ReadMessage { request, sequence: position.offset });
    }

    /// Handles the time of the message at a sequence, or `None` if the leader has no such message.
    pub fn message_read(&mut self, hub: &Hub, request: RequestId, sequence: u64, time: Option<UnixMillis>) {
        let is_expected =
            self.verifications.get(&sequence).is_some_and(|verification| verification.request == request);
        if !is_expected || !matches!(self.phase, Phase::Following { .. }) {
            return;
        }
        let Some(verification) = self.verifications.remove(&sequence) else { return };
        for (id, waiter) in verification.waiters {
            let Some(channel) = self.channels.get_mut(&id) else { continue };
            let Some(Since::Position(position)) = waiter.since else { continue };
            if !channel.is_live() {
                channel.waiters.push(waiter);
                continue;
            }
            if position.epoch == self.epoch && time == Some(UnixMillis(position.time_ms)) {
                self.answer_position(hub, id, waiter.ticket, position, true);
            } else {
                self.deny_later(id, waiter);
            }
        }
    }

    fn deny_later(&mut self, channel: ChannelId, waiter: Waiter) {
        if self.denials.is_empty() {
            self.actions.push_back(FollowerAction::HastenMark);
        }
        self.denials.push_back(Denial { channel, waiter, marks: 2 });
    }

    /// Answers the subscriptions whose positions the leader does not have, after another mark was proven.
    pub(super) fn deny(&mut self, hub: &Hub) {
        self.denials.iter_mut().for_each(|denial| denial.marks -= 1);
        while let Some(denial) = self.denials.pop_front_if(|denial| denial.marks == 0) {
            let (id, waiter) = denial.into_waiter();
            let Some(channel) = self.channels.get_mut(&id) else { continue };
            match waiter.since {
                Some(Since::Position(position)) if channel.is_live() => {
                    self.answer_position(hub, id, waiter.ticket, position, false);
                }
                _ => channel.waiters.push(waiter),
            }
        }
        if !self.denials.is_empty() {
            self.actions.push_back(FollowerAction::HastenMark);
        }
    }

    /// Answers with the publications after a position. If the position is not known, or the cache begins after it, the client
    /// reports a gap. Of another epoch, the client has an unknown part: the answer leaves all of it out, and the client's gap
    /// covers it.
    fn answer_position(
        &mut self,
        hub: &Hub,
        id: ChannelId,
        ticket: Ticket,
        position: Position,
        is_known: bool,
    ) {
        let after = hub.replay_after(id, position.offset).filter(|replay| is_known && replay.is_complete);
        let replay = match after {
            Some(FollowedReplay { publications, .. }) => Replay { position, recovered: true, publications },
            None if position.epoch == self.epoch => {
                self.replay_of(hub, id, hub.replay_after(id, position.offset), false)
            }
            None => self.replay_of(hub, id, None, false),
        };
        self.actions.push_back(FollowerAction::Answer(ticket, replay));
    }

    fn answer_seconds(&mut self, hub: &Hub, id: ChannelId, ticket: Ticket, seconds: u32, now: Now) {
        let start = now.monotonic.checked_sub(Duration::from_secs(seconds.into()));
        let replay = start.and_then(|start| hub.replay_since(id, start));
        let recovered = replay.as_ref().is_some_and(|replay| replay.is_complete);
        let replay = self.replay_of(hub, id, replay, recovered);
        self.actions.push_back(FollowerAction::Answer(ticket, replay));
    }

    fn replay_of(&self, hub: &Hub, id: ChannelId, replay: Option<FollowedReplay>, recovered: bool) -> Replay {
        let Some(FollowedReplay { before, publications, .. }) = replay else {
            return Replay {
                position: self.newest_position(hub, id),
                recovered: false,
                publications: History::default(),
            };
        };
        let position = match publications.iter().next() {
            None => self.newest_position(hub, id),
            Some(first) => self.position_before(hub, id, before, first.offset()),
        };
        Replay { position, recovered, publications }
    }

    /// Returns the position up to which everything on a live channel is known: its newest publication or the newest proven
    /// mark.
    fn newest_position(&self, hub: &Hub, id: ChannelId) -> Position {
        let head = hub.head(id).unwrap_or(0);
        let time_ms = self.channels.get(&id).and_then(|channel| channel.head_time).map_or(0, |time| time.0);
        let publication = Position { epoch: self.epoch, offset: head, time_ms };
        match self.anchor {
            Some(anchor) if anchor.sequence >= head => anchor.position(),
            _ => publication,
        }
    }

    /// Returns a position before the first publication of a replay. It names a message of the stream if one is known.
    fn position_before(&self, hub: &Hub, id: ChannelId, before: u64, first: u64) -> Position {
        let mark = self.marks.up_to(first - 1).filter(|mark| mark.sequence > before);
        if let Some(mark) = mark {
            return mark.position();
        }
        let time_ms = hub.find(id, before).map_or(0, |publication| publication.time().0);
        Position { epoch: self.epoch, offset: before, time_ms }
    }
}
