//! The members of other relays in a table, and what this relay tells them of its own.

use super::{ChannelNeed, Due, Member, MemberId, MemberState, Outbox, PresenceTable, SessionNames, Touch};
use crate::presence::{Owner, limits::TableLimits, member::RemoteState, record::Record};
use bytes::Bytes;
use sealwire_protocol::ChannelId;
use std::{
    mem,
    sync::Arc,
    time::{Duration, Instant},
};

/// A change of the members of another relay.
pub(in crate::presence) enum RemoteChange {
    /// A member of the relay is new, or has another entry or state.
    Record(Box<Record>, Owner),
    /// A member left.
    Left { id: MemberId, stamp: u64 },
    /// The relay sends all its members of the channel again.
    Begin,
    /// The members that did not come since [`Self::Begin`] have left.
    End,
    /// The relay is gone, and its members leave after this time.
    Orphan(Duration),
}

impl<W> PresenceTable<W> {
    /// Takes the changes for other relays.
    pub(in crate::presence) fn take_outbox(&mut self) -> Outbox {
        self.outbox.as_mut().map(mem::take).unwrap_or_default()
    }

    /// Keeps a channel open for a session that waits until it is synced. Returns whether it is.
    pub(in crate::presence) fn need(
        &mut self,
        channel: ChannelId,
        names: &SessionNames,
        now: Instant,
    ) -> bool {
        let presence = self.open(channel, Some(names), now);
        presence.waiting += 1;
        presence.is_synced
    }

    pub(in crate::presence) fn unneed(&mut self, channel: ChannelId) {
        if let Some(presence) = self.channels.get_mut(&channel) {
            presence.waiting -= 1;
            self.close_if_unneeded(channel);
        }
    }

    pub(in crate::presence) fn is_synced(&self, channel: ChannelId) -> bool {
        self.channels.get(&channel).is_some_and(|presence| presence.is_synced)
    }

    pub(in crate::presence) fn is_watching(&self, channel: ChannelId, session: super::SessionId) -> bool {
        self.channels.get(&channel).is_some_and(|presence| presence.is_watching(session))
    }

    /// Notes that the members at all other relays are known, and delivers the state to the watchers that wait for it.
    pub(in crate::presence) fn set_synced(&mut self, channel: ChannelId, push: &mut dyn FnMut(&W, &Bytes)) {
        let Some(presence) = self.channels.get_mut(&channel).filter(|presence| !presence.is_synced) else {
            return;
        };
        presence.is_synced = true;
        self.unschedule_sync(channel);
        self.deliver(channel, push);
    }

    /// Returns the members of this relay on a channel.
    pub(in crate::presence) fn own_members(&self, channel: ChannelId, now: Instant) -> Vec<Record> {
        self.records(channel, MemberState::is_own, now)
    }

    /// Returns the members on a channel whose relays are gone.
    pub(in crate::presence) fn orphans(&self, channel: ChannelId, now: Instant) -> Vec<Record> {
        self.records(channel, |state| matches!(state, MemberState::Orphaned { .. }), now)
    }

    fn records(
        &self,
        channel: ChannelId,
        is_meant: impl Fn(MemberState) -> bool,
        now: Instant,
    ) -> Vec<Record> {
        let members = self.channels.get(&channel).into_iter().flat_map(|presence| presence.iter());
        let meant = members.filter(|(_, member)| is_meant(member.state));
        meant.filter_map(|(id, member)| record(*id, member, now)).collect()
    }

    /// Returns a member of this relay.
    pub(in crate::presence) fn own(&self, channel: ChannelId, id: MemberId, now: Instant) -> Option<Record> {
        record(id, self.find(channel, &id).filter(|member| member.state.is_own())?, now)
    }

    /// Applies a change of another relay. Returns false if it is refused because the channel is full.
    pub(in crate::presence) fn apply(
        &mut self,
        channel: ChannelId,
        relay: u64,
        change: RemoteChange,
        limits: TableLimits,
        now: Instant,
    ) -> bool {
        if !self.channels.contains_key(&channel) {
            return true;
        }
        let is_taken = match change {
            RemoteChange::Record(record, owner) => {
                self.apply_record(channel, relay, *record, owner, limits, now)
            }
            RemoteChange::Left { id, stamp } => {
                // The relay that has the member tells all others, if it heard of this.
                if let Some(member) = self.find(channel, &id)
                    && !member.state.is_at_another_than(relay)
                    && has_left(member, stamp)
                {
                    // The other relays know the member from this one.
                    if member.state.is_own() {
                        self.touch(channel, id, Touch::Left { stamp, is_foreign: false });
                    }
                    self.forget(channel, &[id]);
                }
                true
            }
            RemoteChange::Begin => {
                let begin = |state: &mut RemoteState| state.is_stale = true;
                self.channels.get_mut(&channel).into_iter().for_each(|presence| {
                    presence.change_remote(relay, begin);
                });
                true
            }
            RemoteChange::End => {
                let stale = self.ids_of(channel, |state| state.relay == relay && state.is_stale);
                self.forget(channel, &stale);
                true
            }
            RemoteChange::Orphan(grace) => {
                self.orphan(channel, relay, now + grace);
                true
            }
        };
        self.schedule_changes(channel, now);
        is_taken
    }

    fn apply_record(
        &mut self,
        channel: ChannelId,
        relay: u64,
        record: Record,
        owner: Owner,
        limits: TableLimits,
        now: Instant,
    ) -> bool {
        if let Some(gone) = record.gone {
            return self.apply_orphan(channel, gone, record, owner, limits, now);
        }
        let Record { id, number, stamp, sealed, in_grace, expires_in, .. } = record;
        let digests = Some(Arc::new(record.owner));
        let (expires, state) = (now + expires_in, RemoteState { relay, in_grace, is_stale: false });
        let (is_outdated, is_elsewhere) = self.find(channel, &id).map_or((false, false), |before| {
            (!self.is_replaced(before, relay, (stamp, number, relay)), before.state.is_at_another_than(relay))
        });
        let Some(presence) = self.channels.get_mut(&channel) else { return true };
        presence.is_contested |= is_outdated || is_elsewhere;
        if is_outdated {
            return true;
        }
        let before = presence.find(&id);
        let sealed = match (sealed, before) {
            (Some(sealed), _) => sealed,
            // Without an entry, the record changes the state of the one that is known.
            (None, Some(before)) if before.number == number => before.sealed.clone(),
            (None, _) => return true,
        };
        let replaced = before.map_or(0, |before| before.sealed.len());
        if !presence.has_room(before.is_none(), sealed.len(), replaced, limits) || self.memory.is_full() {
            return false;
        }
        // A relay that does not hear the new one must not keep the member of this one.
        if let Some(stamp) = before.filter(|before| before.state.is_own()).map(|before| before.stamp) {
            self.touch(channel, id, Touch::Left { stamp, is_foreign: false });
        }
        let state = MemberState::Remote(state);
        self.put(channel, id, Member { number, sealed, owner, state, expires, stamp, digests });
        true
    }

    /// Adds a member whose relay is gone, unless this relay knows the member: what it knows itself is at least as late.
    fn apply_orphan(
        &mut self,
        channel: ChannelId,
        relay: u64,
        record: Record,
        owner: Owner,
        limits: TableLimits,
        now: Instant,
    ) -> bool {
        let Some(presence) = self.channels.get(&channel) else { return true };
        let (Some(sealed), None) = (record.sealed, presence.find(&record.id)) else { return true };
        if !presence.has_room(true, sealed.len(), 0, limits) || self.memory.is_full() {
            return false;
        }
        let Record { id, number, stamp, .. } = record;
        let end = now + record.expires_in;
        let (state, digests) = (MemberState::Orphaned { relay, end }, Some(Arc::new(record.owner)));
        self.put(channel, id, Member { number, sealed, owner, state, expires: end, stamp, digests });
        self.deadlines.insert((end, channel, Due::Grace(id)));
        true
    }

    /// Begins the grace time of all members of a relay.
    fn orphan(&mut self, channel: ChannelId, relay: u64, end: Instant) {
        for id in self.ids_of(channel, |state| state.relay == relay) {
            let Some(presence) = self.channels.get_mut(&channel) else { return };
            let Some(member) = presence.find(&id) else { continue };
            let end = end.min(member.expires);
            presence.set_state(&id, MemberState::Orphaned { relay, end });
            self.deadlines.insert((end, channel, Due::Grace(id)));
            self.ask_again_if_contested(channel);
        }
    }

    /// Asks all relays for their members again if one of them has a member for which another relay had a later record.
    fn ask_again_if_contested(&mut self, channel: ChannelId) {
        if let (Some(presence), Some(outbox)) = (self.channels.get_mut(&channel), &mut self.outbox)
            && mem::take(&mut presence.is_contested)
            && let Some(app) = presence.app.clone()
        {
            outbox.channels.insert(channel, ChannelNeed::Opened { app });
        }
    }

    /// Forgets all that other relays told, and loses all watchers, because the other relays cannot be reached.
    pub(in crate::presence) fn isolate(&mut self, now: Instant, lose: &mut dyn FnMut(&W)) {
        let channels: Vec<ChannelId> = self.channels.keys().copied().collect();
        for channel in channels {
            let remote = self.ids_of(channel, |_| true);
            self.forget(channel, &remote);
            let orphaned = self.channels.get(&channel).into_iter().flat_map(|presence| presence.iter());
            let orphaned: Vec<_> =
                orphaned.filter(|(_, member)| !member.state.is_own()).map(|(id, _)| *id).collect();
            self.forget(channel, &orphaned);
            if let Some(presence) = self.channels.get_mut(&channel) {
                presence.is_synced = false;
                if let (Some(outbox), Some(app)) = (&mut self.outbox, presence.app.clone()) {
                    outbox.channels.insert(channel, ChannelNeed::Opened { app });
                }
            }
            self.lose_watchers(channel, lose);
            self.schedule_sync(channel, now);
        }
    }

    /// Removes members of other relays, of which the other relays know.
    fn forget(&mut self, channel: ChannelId, ids: &[MemberId]) {
        for id in ids {
            let removed = self.channels.get_mut(&channel).and_then(|presence| presence.remove(id));
            if let Some(member) = removed {
                self.discount(channel, *id, &member);
                self.ask_again_if_contested(channel);
            }
        }
        self.close_if_unneeded(channel);
    }

    /// Returns whether news of a relay, with their stamp, number and relay, replace what is known of a member. All relays decide
    /// alike, in whatever order they hear.
    fn is_replaced(&self, member: &Member, relay: u64, news: (u64, u64, u64)) -> bool {
        let holder = match member.state {
            MemberState::Remote(state) if state.relay == relay => return true,
            MemberState::Orphaned { .. } => return true,
            MemberState::Remote(state) => state.relay,
            MemberState::Connected(_) | MemberState::InGrace(_) => self.relay,
        };
        news > (member.stamp, member.number, holder)
    }

    fn ids_of(&self, channel: ChannelId, is_meant: impl Fn(RemoteState) -> bool) -> Vec<MemberId> {
        let members = self.channels.get(&channel).into_iter().flat_map(|presence| presence.iter());
        let is_meant =
            |member: &Member| matches!(member.state, MemberState::Remote(state) if is_meant(state));
        members.filter(|(_, member)| is_meant(member)).map(|(id, _)| *id).collect()
    }
}

/// Returns whether a leave with this stamp concerns a member, and not a session that entered later.
fn has_left(member: &Member, stamp: u64) -> bool {
    if member.state.is_own() { stamp > member.stamp } else { stamp >= member.stamp }
}

/// Returns a member as other relays hear of it; `None` if its own relay tells them.
fn record(id: MemberId, member: &Member, now: Instant) -> Option<Record> {
    let (gone, expires) = match member.state {
        MemberState::Connected(_) | MemberState::InGrace(_) => (None, member.expires),
        MemberState::Orphaned { relay, end } => (Some(relay), end),
        MemberState::Remote(_) => return None,
    };
    Some(Record {
        id,
        number: member.number,
        stamp: member.stamp,
        sealed: Some(member.sealed.clone()),
        owner: **member.digests.as_ref()?,
        in_grace: member.state.is_in_grace(),
        expires_in: expires.saturating_duration_since(now),
        gone,
    })
}
