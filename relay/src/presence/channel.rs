//! The presence of one channel: its members, its watchers, and the changes that its watchers do not know yet.

use super::{
    MemberId, Owner,
    limits::TableLimits,
    member::{Member, MemberState, RemoteState},
    pieces::Pieces,
};
use crate::{memory::Memory, session_id::SessionId};
use bytes::Bytes;
use sealwire_protocol::ChannelId;
use std::{collections::BTreeMap, sync::Arc, time::Instant};

/// A channel may have this many times the members and bytes of its limits when several relays admit members at the same
/// moment. Further members of other relays are refused.
const OVERSHOOT: usize = 2;

struct Watcher<W> {
    sink: W,
    /// True until the state was queued.
    awaits_state: bool,
}

/// The presence of one channel.
pub(super) struct ChannelPresence<W> {
    version: u64,
    /// Boxed, because a node of the map has room for eleven.
    members: BTreeMap<MemberId, Box<Member>>,
    /// The bytes of the sealed entries.
    bytes: usize,
    watchers: BTreeMap<SessionId, Watcher<W>>,
    /// The members that may have changed, with the number of the entry that the watchers know, if they know one.
    changed: BTreeMap<MemberId, Option<u64>>,
    /// The encoded state, or empty if it must be encoded again.
    state: Vec<Bytes>,
    /// The changes of members that its watchers were told.
    pub(super) changes: u64,
    /// The time at which the changes are delivered, if that is scheduled.
    pub(super) changes_due: Option<Instant>,
    /// True if the members at all relays are known.
    pub(super) is_synced: bool,
    /// True if two relays told a record of one member. The one with the earlier record may still have the member when the later
    /// one is gone, and this relay would not know.
    pub(super) is_contested: bool,
    /// The time at which the wait for the members at other relays ends, while that is scheduled.
    pub(super) sync_due: Option<Instant>,
    /// The sessions that wait until the channel is synced.
    pub(super) waiting: usize,
    /// The app of the channel, if other relays hear of it.
    pub(super) app: Option<String>,
}

impl<W> ChannelPresence<W> {
    /// Creates a presence without members. `is_synced` tells whether there are no other relays.
    pub(super) fn new(app: Option<String>, is_synced: bool) -> Self {
        Self {
            version: 0,
            members: BTreeMap::new(),
            bytes: 0,
            watchers: BTreeMap::new(),
            changed: BTreeMap::new(),
            state: Vec::new(),
            changes: 0,
            changes_due: None,
            is_synced,
            is_contested: false,
            sync_due: None,
            waiting: 0,
            app,
        }
    }

    pub(super) fn members(&self) -> usize {
        self.members.len()
    }

    /// Counts the members of an account.
    pub(super) fn members_of(&self, owner: Owner) -> usize {
        self.members.values().filter(|member| member.owner == owner).count()
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Returns whether there is room for an entry of another relay, which is a new member or replaces `replaced` bytes.
    pub(super) fn has_room(&self, is_new: bool, bytes: usize, replaced: usize, limits: TableLimits) -> bool {
        (!is_new || self.members() < limits.members.saturating_mul(OVERSHOOT))
            && self.bytes - replaced + bytes <= limits.bytes.saturating_mul(OVERSHOOT)
    }

    pub(super) fn find(&self, id: &MemberId) -> Option<&Member> {
        self.members.get(id).map(AsRef::as_ref)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&MemberId, &Member)> {
        self.members.iter().map(|(id, member)| (id, &**member))
    }

    /// Returns whether the relay has no member of the channel, and no session that watches it or waits for it.
    pub(super) fn is_unneeded(&self) -> bool {
        self.watchers.is_empty()
            && self.waiting == 0
            && !self.members.values().any(|member| member.state.is_own())
    }

    /// Inserts or replaces a member. Returns the former one.
    pub(super) fn insert(&mut self, id: MemberId, member: Member) -> Option<Member> {
        let known = self.members.get(&id).map(|member| member.number);
        if known != Some(member.number) {
            self.note_change(id, known);
        }
        self.bytes += member.sealed.len();
        let before = self.members.insert(id, Box::new(member)).map(|before| *before);
        self.bytes -= before.as_ref().map_or(0, |before| before.sealed.len());
        self.state.clear();
        before
    }

    pub(super) fn remove(&mut self, id: &MemberId) -> Option<Member> {
        let member = *self.members.remove(id)?;
        self.note_change(*id, Some(member.number));
        self.bytes -= member.sealed.len();
        self.state.clear();
        Some(member)
    }

    /// Changes the state of a member, which the watchers are not told.
    pub(super) fn set_state(&mut self, id: &MemberId, state: MemberState) {
        if let Some(member) = self.members.get_mut(id) {
            member.state = state;
            self.state.clear();
        }
    }

    /// Changes the state of all members of another relay, which the watchers are not told.
    pub(super) fn change_remote(&mut self, relay: u64, change: impl Fn(&mut RemoteState)) {
        for member in self.members.values_mut() {
            if let MemberState::Remote(state) = &mut member.state
                && state.relay == relay
            {
                change(state);
            }
        }
    }

    pub(super) fn set_expiry(&mut self, id: &MemberId, expires: Instant) {
        if let Some(member) = self.members.get_mut(id) {
            member.expires = expires;
        }
    }

    /// Adds a watcher. Returns true if the session did not watch before.
    pub(super) fn watch(&mut self, session: SessionId, sink: W) -> bool {
        self.watchers.insert(session, Watcher { sink, awaits_state: true }).is_none()
    }

    /// Returns whether the session watched.
    pub(super) fn unwatch(&mut self, session: SessionId) -> bool {
        let was_watching = self.watchers.remove(&session).is_some();
        if self.watchers.is_empty() {
            self.changed.clear();
        }
        was_watching
    }

    pub(super) fn watchers(&self) -> usize {
        self.watchers.len()
    }

    pub(super) fn is_watching(&self, session: SessionId) -> bool {
        self.watchers.contains_key(&session)
    }

    /// Removes all watchers.
    pub(super) fn take_watchers(&mut self) -> Vec<W> {
        self.changed.clear();
        std::mem::take(&mut self.watchers).into_values().map(|watcher| watcher.sink).collect()
    }

    pub(super) fn has_changes(&self) -> bool {
        !self.changed.is_empty()
    }

    /// Queues the changes for the watchers that know the members before, and the state for the others. Returns the number
    /// of changed members and of queued messages.
    pub(super) fn deliver(
        &mut self,
        channel: ChannelId,
        memory: &Arc<Memory>,
        push: &mut dyn FnMut(&W, &Bytes),
    ) -> (u64, u64) {
        let (changes, changed) = self.take_changes(channel, memory);
        let mut messages = 0;
        for watcher in self.watchers.values_mut() {
            let frames = if watcher.awaits_state {
                if self.state.is_empty() {
                    self.state = encode_state(channel, self.version, &self.members, memory);
                }
                watcher.awaits_state = false;
                &self.state
            } else {
                &changes
            };
            frames.iter().for_each(|frame| push(&watcher.sink, frame));
            messages += frames.len() as u64;
        }
        self.changes += changed;
        (changed, messages)
    }

    /// Takes the changes, encoded, and their number.
    fn take_changes(&mut self, channel: ChannelId, memory: &Arc<Memory>) -> (Vec<Bytes>, u64) {
        let mut pieces = Pieces::new(channel, self.version + 1, false);
        let mut count = 0;
        for (id, known) in std::mem::take(&mut self.changed) {
            match (self.members.get(&id), known) {
                // The entry is the one that the watchers know.
                (Some(member), Some(known)) if member.number == known => continue,
                (Some(member), _) => pieces.push_entry(&id, member, false),
                (None, Some(_)) => pieces.push_left(&id),
                (None, None) => continue,
            }
            count += 1;
        }
        if pieces.is_empty() {
            return (Vec::new(), 0);
        }
        self.version += 1;
        // The encoded state has the version before.
        self.state.clear();
        (pieces.encode(memory), count)
    }

    /// Notes that a member changed, and the number that the watchers know unless an earlier change is pending.
    fn note_change(&mut self, id: MemberId, known: Option<u64>) {
        if !self.watchers.is_empty() {
            self.changed.entry(id).or_insert(known);
        }
    }
}

fn encode_state(
    channel: ChannelId,
    version: u64,
    members: &BTreeMap<MemberId, Box<Member>>,
    memory: &Arc<Memory>,
) -> Vec<Bytes> {
    let mut pieces = Pieces::new(channel, version, true);
    for (id, member) in members {
        pieces.push_entry(id, member, member.state.is_in_grace());
    }
    pieces.encode(memory)
}
