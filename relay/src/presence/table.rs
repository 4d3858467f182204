//! The rules of presence, without I/O: members enter, change, lose their session and leave; watchers get the state and
//! batches of changes. Time is an argument.

use super::{
    Entry, MemberId, Owner,
    channel::ChannelPresence,
    counts::PresenceCounts,
    limits::{PresenceError, TableLimits},
    member::{Member, MemberState},
};
use crate::{
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

/// The time from the first change of a channel until its watchers are told, together with the later ones.
pub(super) const BATCH_WINDOW: Duration = Duration::from_millis(100);

/// The bytes of a channel, of a member besides its entry, and of a watcher: estimates, rounded up.
const CHANNEL_BYTES: usize = 320;
const MEMBER_BYTES: usize = 320;
const WATCHER_BYTES: usize = 128;

/// Something that happens at a time.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    /// The watchers of the channel are told its changes.
    Changes,
    /// The grace time of a member ends.
    Grace(MemberId),
}

/// The presence of many channels. `W` receives the messages of a watcher.
pub(super) struct PresenceTable<W> {
    channels: HashMap<ChannelId, ChannelPresence<W>>,
    deadlines: BTreeSet<(Instant, ChannelId, Due)>,
    counts: PresenceCounts,
    memory: Arc<Memory>,
    held: Reservation,
}

impl<W> PresenceTable<W> {
    pub(super) fn new(memory: Arc<Memory>) -> Self {
        let held = Reservation::new(memory.clone(), MemoryKind::Presence, 0);
        let (channels, deadlines) = (HashMap::new(), BTreeSet::new());
        Self { channels, deadlines, counts: PresenceCounts::default(), memory, held }
    }

    pub(super) fn counts(&self) -> PresenceCounts {
        self.counts
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.deadlines.first().map(|(at, ..)| *at)
    }

    pub(super) fn enter(
        &mut self,
        channel: ChannelId,
        (session, owner): (SessionId, Owner),
        entry: Entry,
        expires: Instant,
        limits: TableLimits,
        now: Instant,
    ) -> Result<(), PresenceError> {
        let Entry { member: id, number, sealed } = entry;
        let presence = self.channels.get(&channel);
        let before = presence.and_then(|presence| presence.find(&id));
        let (members, bytes) = presence.map_or((0, 0), |presence| (presence.members(), presence.bytes()));
        let is_more = match before {
            Some(before) => {
                check_owner(before, session, owner)?;
                if number < before.number || (number == before.number && sealed != before.sealed) {
                    return Err(PresenceError::Outdated);
                }
                sealed.len() > before.sealed.len()
            }
            None if members >= limits.members => return Err(PresenceError::Members),
            None => true,
        };
        let replaced = before.map_or(0, |before| before.sealed.len());
        if is_more && bytes - replaced + sealed.len() > limits.bytes {
            return Err(PresenceError::Bytes);
        }
        let former = before.map(|before| before.state);
        match former {
            Some(state) => self.end_grace(channel, id, state),
            None => {
                self.counts.members += 1;
                self.hold(MEMBER_BYTES);
            }
        }
        self.hold_difference(replaced, sealed.len());
        let state = MemberState::Connected(session);
        let member = Member { number, sealed, owner, state, expires };
        self.open(channel).insert(id, member);
        self.schedule_changes(channel, now);
        Ok(())
    }

    pub(super) fn leave(
        &mut self,
        channel: ChannelId,
        (session, owner): (SessionId, Owner),
        id: MemberId,
        now: Instant,
    ) -> Result<(), PresenceError> {
        if let Some(member) = self.find(channel, &id) {
            check_owner(member, session, owner)?;
            self.remove(channel, id, now);
        }
        Ok(())
    }

    /// Sets the expiry of a session's member.
    pub(super) fn extend(&mut self, channel: ChannelId, session: SessionId, id: MemberId, expires: Instant) {
        if self.is_connected(channel, session, &id)
            && let Some(presence) = self.channels.get_mut(&channel)
        {
            presence.set_expiry(&id, expires);
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
    }

    /// Removes the members in grace for whose owner `is_covered` returns true.
    pub(super) fn end_graces(&mut self, is_covered: &dyn Fn(Owner) -> bool, now: Instant) {
        let graces = self.deadlines.iter().filter_map(|(_, channel, due)| match due {
            Due::Grace(id) => Some((*channel, *id)),
            Due::Changes => None,
        });
        let covered: Vec<(ChannelId, MemberId)> = graces
            .filter(|(channel, id)| self.find(*channel, id).is_some_and(|member| is_covered(member.owner)))
            .collect();
        covered.into_iter().for_each(|(channel, id)| self.remove(channel, id, now));
    }

    /// Adds a watcher, or restarts it. The state is queued at once, or with the pending changes.
    pub(super) fn watch(
        &mut self,
        channel: ChannelId,
        session: SessionId,
        sink: W,
        push: &mut dyn FnMut(&W, &Bytes),
    ) {
        if self.open(channel).watch(session, sink) {
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
            self.close_if_empty(channel);
        }
    }

    /// Performs the earliest thing that is due. Returns whether there was one.
    pub(super) fn handle_timeout(&mut self, now: Instant, push: &mut dyn FnMut(&W, &Bytes)) -> bool {
        if self.poll_timeout().is_none_or(|at| at > now) {
            return false;
        }
        let Some((_, channel, due)) = self.deadlines.pop_first() else { return false };
        match due {
            Due::Changes => {
                if let Some(presence) = self.channels.get_mut(&channel) {
                    presence.changes_due = None;
                }
                self.deliver(channel, push);
            }
            Due::Grace(id) => self.remove(channel, id, now),
        }
        true
    }

    fn deliver(&mut self, channel: ChannelId, push: &mut dyn FnMut(&W, &Bytes)) {
        if let Some(presence) = self.channels.get_mut(&channel) {
            let (changes, messages) = presence.deliver(channel, &self.memory, push);
            self.counts.changes += changes;
            self.counts.messages += messages;
        }
    }

    fn remove(&mut self, channel: ChannelId, id: MemberId, now: Instant) {
        let Some(presence) = self.channels.get_mut(&channel) else { return };
        let Some(member) = presence.remove(&id) else { return };
        self.end_grace(channel, id, member.state);
        self.counts.members -= 1;
        self.release(MEMBER_BYTES + member.sealed.len());
        self.schedule_changes(channel, now);
        self.close_if_empty(channel);
    }

    /// Ends the grace time of a member, if it is in grace.
    fn end_grace(&mut self, channel: ChannelId, id: MemberId, state: MemberState) {
        if let MemberState::InGrace(end) = state {
            self.deadlines.remove(&(end, channel, Due::Grace(id)));
            self.counts.in_grace -= 1;
        }
    }

    /// Schedules the delivery of a channel's changes, unless it is scheduled or there are none.
    fn schedule_changes(&mut self, channel: ChannelId, now: Instant) {
        if let Some(presence) = self.channels.get_mut(&channel)
            && presence.has_changes()
            && presence.changes_due.is_none()
        {
            let due = now + BATCH_WINDOW;
            presence.changes_due = Some(due);
            self.deadlines.insert((due, channel, Due::Changes));
        }
    }

    fn find(&self, channel: ChannelId, id: &MemberId) -> Option<&Member> {
        self.channels.get(&channel)?.find(id)
    }

    fn is_connected(&self, channel: ChannelId, session: SessionId, id: &MemberId) -> bool {
        self.find(channel, id).is_some_and(|member| member.state == MemberState::Connected(session))
    }

    fn open(&mut self, channel: ChannelId) -> &mut ChannelPresence<W> {
        if !self.channels.contains_key(&channel) {
            self.hold(CHANNEL_BYTES);
        }
        self.channels.entry(channel).or_default()
    }

    fn close_if_empty(&mut self, channel: ChannelId) {
        if self.channels.get(&channel).is_some_and(ChannelPresence::is_empty)
            && let Some(presence) = self.channels.remove(&channel)
        {
            if let Some(due) = presence.changes_due {
                self.deadlines.remove(&(due, channel, Due::Changes));
            }
            self.release(CHANNEL_BYTES);
        }
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

/// Checks that a session may change a member.
fn check_owner(member: &Member, session: SessionId, owner: Owner) -> Result<(), PresenceError> {
    if member.owner != owner {
        return Err(PresenceError::OtherAccount);
    }
    match member.state {
        MemberState::Connected(holder) if holder > session => Err(PresenceError::NewerSession),
        _ => Ok(()),
    }
}
