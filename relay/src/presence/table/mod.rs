//! The rules of presence, without I/O: members enter, change, lose their session and leave; watchers get the state and
//! batches of changes. Time is an argument.

mod activities;
mod entering;
mod remote;
mod timeouts;

pub(crate) use entering::Entering;
use entering::{check_owner, entrance};
pub(super) use remote::RemoteChange;
#[cfg(test)]
pub(super) use timeouts::BATCH_WINDOW;
pub(super) use timeouts::SYNC_TIMEOUT;

use super::{
    Entry, MemberId, Owner,
    channel::ChannelPresence,
    counts::PresenceCounts,
    limits::{PresenceError, TableLimits},
    member::{Member, MemberState},
    names::SessionNames,
    outbox::{ChannelNeed, Outbox, Touch},
};
use crate::{
    activity::Activity,
    clock::Now,
    memory::{Memory, MemoryKind, Reservation},
    session_id::SessionId,
};
use bytes::Bytes;
use sealwire_protocol::ChannelId;
use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
    time::{Duration, Instant},
};
use timeouts::Due;

/// The bytes of a channel, of a member besides its entry, and of a watcher; measured by `process::counted` and rounded up.
const CHANNEL_BYTES: usize = 832;
const MEMBER_BYTES: usize = 256;
const WATCHER_BYTES: usize = 96;

/// The presence of many channels. `W` receives the messages of a watcher.
pub(super) struct PresenceTable<W> {
    channels: HashMap<ChannelId, ChannelPresence<W>>,
    deadlines: BTreeSet<(Instant, ChannelId, Due)>,
    counts: PresenceCounts,
    memory: Arc<Memory>,
    held: Reservation,
    /// The changes for other relays; `None` if this relay is alone.
    outbox: Option<Outbox>,
    /// The id of this relay among others.
    relay: u64,
    /// The activities since the last call of [`Self::take_activities`]; `None` without an observer.
    activities: Option<Vec<Activity<'static>>>,
}

impl<W> PresenceTable<W> {
    pub(super) fn new(memory: Arc<Memory>) -> Self {
        let held = Reservation::new(memory.clone(), MemoryKind::Presence, 0);
        let (channels, deadlines) = (HashMap::new(), BTreeSet::new());
        let counts = PresenceCounts::default();
        Self { channels, deadlines, counts, memory, held, outbox: None, relay: 0, activities: None }
    }

    /// Creates the table of a relay that shares its presences with others. A channel has a state for watchers once
    /// [`Self::set_synced`] was called.
    pub(super) fn shared(memory: Arc<Memory>, relay: u64) -> Self {
        Self { outbox: Some(Outbox::default()), relay, ..Self::new(memory) }
    }

    pub(super) fn counts(&self) -> PresenceCounts {
        self.counts
    }

    pub(super) fn enter(
        &mut self,
        channel: ChannelId,
        entering: Entering,
        limits: TableLimits,
        now: Now,
    ) -> Result<(), PresenceError> {
        let Entering { session, owner, names, entered_before, entry, expires } = entering;
        let Entry { member: id, number, sealed } = entry;
        let presence = self.channels.get(&channel);
        let before = presence.and_then(|presence| presence.find(&id));
        let mut stamp = now.wall.0;
        if let Some(before) = before {
            check_owner(before, session, owner, entered_before)?;
            if number < before.number || (number == before.number && sealed != before.sealed) {
                return Err(PresenceError::Outdated);
            }
            stamp = match before.state {
                MemberState::Connected(holder) if holder == session => before.stamp,
                _ => stamp.max(before.stamp.saturating_add(1)),
            };
        } else if let Some(presence) = presence {
            if presence.members() >= limits.members {
                return Err(PresenceError::Members);
            }
            if presence.members_of(owner) >= limits.members_per_account {
                return Err(PresenceError::MembersOfAccount);
            }
        }
        let (bytes, replaced) =
            (presence.map_or(0, ChannelPresence::bytes), before.map_or(0, |before| before.sealed.len()));
        let is_more = before.is_none() || sealed.len() > replaced;
        if is_more && bytes - replaced + sealed.len() > limits.bytes {
            return Err(PresenceError::Bytes);
        }
        let entrance = entrance(before, session, number);
        self.open(channel, names.as_deref(), now.monotonic);
        self.note_entrance((channel, id), session, entrance, sealed.len());
        let state = MemberState::Connected(session);
        let digests = names.map(|names| names.owner.clone());
        self.put(channel, id, Member { number, sealed, owner, state, expires, stamp, digests });
        if let Some(outbox) = &mut self.outbox {
            outbox.touch_entry(channel, id);
        }
        self.schedule_changes(channel, now.monotonic);
        Ok(())
    }

    pub(super) fn leave(
        &mut self,
        channel: ChannelId,
        (session, owner): (SessionId, Owner),
        id: MemberId,
        entered_before: bool,
        now: Instant,
    ) -> Result<(), PresenceError> {
        if let Some(member) = self.find(channel, &id) {
            check_owner(member, session, owner, entered_before)?;
            let stamp = member.stamp.saturating_add(u64::from(!member.state.is_own()));
            self.remove(channel, id, stamp, now);
        }
        Ok(())
    }

    /// Sets the expiry of a session's member.
    pub(super) fn extend(&mut self, channel: ChannelId, session: SessionId, id: MemberId, expires: Instant) {
        if self.is_connected(channel, session, &id)
            && let Some(presence) = self.channels.get_mut(&channel)
        {
            presence.set_expiry(&id, expires);
            self.touch(channel, id, Touch::State);
        }
    }

    /// Begins the grace time of a member whose session broke. It ends with the expiry of the member's tokens at the latest.
    pub(super) fn depart(
        &mut self,
        channel: ChannelId,
        session: SessionId,
        id: MemberId,
        grace: Duration,
        now: Instant,
    ) {
        if !self.is_connected(channel, session, &id) {
            return;
        }
        let Some(presence) = self.channels.get_mut(&channel) else { return };
        let Some(member) = presence.find(&id) else { return };
        let end = member.expires.min(now + grace);
        presence.set_state(&id, MemberState::InGrace(end));
        self.counts.in_grace += 1;
        self.deadlines.insert((end, channel, Due::Grace(id)));
        self.touch(channel, id, Touch::State);
        self.note(Activity::PresenceBroken {
            channel,
            member: id,
            grace: end.saturating_duration_since(now),
        });
    }

    /// Removes the members in grace for whose owner `is_covered` returns true.
    pub(super) fn end_graces(&mut self, is_covered: &dyn Fn(Owner) -> bool, now: Instant) {
        let graces = self.deadlines.iter().filter_map(|(_, channel, due)| match due {
            Due::Grace(id) => Some((*channel, *id)),
            Due::Changes | Due::Sync => None,
        });
        let covered = graces.filter_map(|(channel, id)| {
            let member = self.find(channel, &id).filter(|member| is_covered(member.owner))?;
            Some((channel, id, member.stamp))
        });
        let covered: Vec<_> = covered.collect();
        covered.into_iter().for_each(|(channel, id, stamp)| self.remove(channel, id, stamp, now));
    }

    /// Adds a watcher, or restarts it. The state is queued at once, with the pending changes, or once the members of other
    /// relays are known.
    pub(super) fn watch(
        &mut self,
        channel: ChannelId,
        (session, names): (SessionId, Option<&SessionNames>),
        sink: W,
        now: Instant,
        push: &mut dyn FnMut(&W, &Bytes),
    ) {
        if self.open(channel, names, now).watch(session, sink) {
            self.counts.watchers += 1;
            self.hold(WATCHER_BYTES);
        }
        if self.channels.get(&channel).is_some_and(|presence| !presence.has_changes()) {
            self.deliver(channel, push);
        }
    }

    pub(super) fn unwatch(&mut self, channel: ChannelId, session: SessionId) {
        if self.channels.get_mut(&channel).is_some_and(|presence| presence.unwatch(session)) {
            self.counts.watchers -= 1;
            self.release(WATCHER_BYTES);
            self.close_if_unneeded(channel);
        }
    }

    /// Removes a member. Other relays remove it too, unless they know a session with a later stamp.
    fn remove(&mut self, channel: ChannelId, id: MemberId, stamp: u64, now: Instant) {
        let Some(presence) = self.channels.get_mut(&channel) else { return };
        let Some(member) = presence.remove(&id) else { return };
        self.discount(channel, id, &member);
        self.note(Activity::PresenceLeft { channel, member: id });
        self.touch(channel, id, Touch::Left { stamp, is_foreign: !member.state.is_own() });
        self.schedule_changes(channel, now);
        self.close_if_unneeded(channel);
    }

    /// Inserts or replaces a member of an open channel.
    fn put(&mut self, channel: ChannelId, id: MemberId, member: Member) {
        let (bytes, state) = (member.sealed.len(), member.state);
        let before = self.channels.get_mut(&channel).and_then(|presence| presence.insert(id, member));
        self.hold(MEMBER_BYTES + bytes);
        *self.gauge(state) += 1;
        if let Some(before) = before {
            self.discount(channel, id, &before);
        }
    }

    /// Undoes the accounts of a member that is no longer in the table.
    fn discount(&mut self, channel: ChannelId, id: MemberId, member: &Member) {
        if let Some(end) = member.state.grace_end() {
            self.deadlines.remove(&(end, channel, Due::Grace(id)));
        }
        if matches!(member.state, MemberState::InGrace(_)) {
            self.counts.in_grace -= 1;
        }
        *self.gauge(member.state) -= 1;
        self.release(MEMBER_BYTES + member.sealed.len());
    }

    fn gauge(&mut self, state: MemberState) -> &mut u64 {
        if state.is_own() { &mut self.counts.members } else { &mut self.counts.remote_members }
    }

    fn touch(&mut self, channel: ChannelId, id: MemberId, touch: Touch) {
        if let Some(outbox) = &mut self.outbox {
            outbox.touch(channel, id, touch);
        }
    }

    fn find(&self, channel: ChannelId, id: &MemberId) -> Option<&Member> {
        self.channels.get(&channel)?.find(id)
    }

    fn is_connected(&self, channel: ChannelId, session: SessionId, id: &MemberId) -> bool {
        self.find(channel, id).is_some_and(|member| member.state == MemberState::Connected(session))
    }

    fn open(
        &mut self,
        channel: ChannelId,
        names: Option<&SessionNames>,
        now: Instant,
    ) -> &mut ChannelPresence<W> {
        let is_alone = self.outbox.is_none();
        if !self.channels.contains_key(&channel) {
            self.hold(CHANNEL_BYTES);
            let app = names.map(|names| names.app.clone());
            if let (Some(outbox), Some(app)) = (&mut self.outbox, app.clone()) {
                outbox.channels.insert(channel, ChannelNeed::Opened { app });
            }
            self.channels.insert(channel, ChannelPresence::new(app, is_alone));
        }
        self.schedule_sync(channel, now);
        self.channels.entry(channel).or_insert_with(|| ChannelPresence::new(None, is_alone))
    }

    fn close_if_unneeded(&mut self, channel: ChannelId) {
        if !self.channels.get(&channel).is_some_and(ChannelPresence::is_unneeded) {
            return;
        }
        self.unschedule_sync(channel);
        let Some(presence) = self.channels.remove(&channel) else { return };
        if let Some(due) = presence.changes_due {
            self.deadlines.remove(&(due, channel, Due::Changes));
        }
        // The remaining members are those of other relays.
        presence.iter().for_each(|(id, member)| self.discount(channel, *id, member));
        if let Some(outbox) = &mut self.outbox {
            outbox.channels.insert(channel, ChannelNeed::Closed);
        }
        self.release(CHANNEL_BYTES);
    }

    fn hold(&mut self, bytes: usize) {
        self.hold_difference(0, bytes);
    }

    fn release(&mut self, bytes: usize) {
        self.hold_difference(bytes, 0);
    }

    fn hold_difference(&mut self, before: usize, now: usize) {
        // The session checked the budget before; a state that is held already is never refused.
        let _ = self.held.set(self.held.bytes() + now - before);
    }
}
