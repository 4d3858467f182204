//! The presence of one channel: the members that the client knows, and the member that the page itself is.
//!
//! The client keeps a presence as a channel of its own, beside the channel of the messages. Both have the same name, scope and
//! keys. The presence has its own subscriptions, tokens and retries, under the id that [`presence_id`] returns.

use crate::{
    Instant,
    event::{Member, VerificationId},
    state::{
        listed_entry::{Known, Listed, Stage},
        own_entry::{Own, Sent},
        vec_map::VecMap,
    },
};
use sealwire_protocol::{ChannelId, MemberId};

/// The time for which a member that may be about to return stays: the default grace time of a relay.
pub(crate) const GRACE_MS: u64 = 15_000;
/// The bytes of all entries of a presence. Further entries are refused.
const MAX_BYTES: usize = 8 * 1024 * 1024;

/// Returns the id under which the client keeps the presence of a channel, or, given this id, that of the channel.
pub(crate) fn presence_id(channel: ChannelId) -> ChannelId {
    ChannelId(channel.0.map(|byte| !byte))
}

/// The presence of a channel.
pub(crate) struct Presence {
    pub(crate) own: Own,
    members: VecMap<MemberId, Box<Known>>,
    /// Entries that wait for a key, for the time or for the verification of their signature.
    pub(crate) waiting: Vec<(Listed, Stage)>,
    bytes: usize,
    /// The version of the last state or batch.
    version: u64,
    awaits_state: bool,
    /// Another piece of the current state or batch follows.
    has_more: bool,
    /// The next state comes from another connection, and perhaps from a relay that has just started: members that it lacks
    /// stay for a grace time.
    is_resuming: bool,
    /// A state was complete.
    is_known: bool,
    /// The app knows the members.
    pub(crate) is_reported: bool,
    left: Vec<MemberId>,
    /// The time at which a member may leave or return.
    check_at: Option<Instant>,
}

/// The place of a `Presence` message in the sequence of its presence.
pub(crate) enum Place {
    /// The message continues what the client knows, or replaces it.
    InOrder,
    /// The client awaits the state and ignores the message.
    Ignored,
    /// Changes are missing before the message.
    AfterGap,
}

impl Presence {
    pub(crate) fn new(id: MemberId, entered_at_ms: u64) -> Self {
        Self {
            own: Own::new(id, entered_at_ms),
            members: VecMap::default(),
            waiting: Vec::new(),
            bytes: 0,
            version: 0,
            awaits_state: true,
            has_more: false,
            is_resuming: false,
            is_known: false,
            is_reported: false,
            left: Vec::new(),
            check_at: None,
        }
    }

    /// Records that the connection is gone.
    pub(crate) fn detach(&mut self) {
        self.is_resuming |= self.is_known;
        self.own.sent = Sent::No;
    }

    /// Records that the client requested the state.
    pub(crate) fn await_state(&mut self) {
        self.awaits_state = true;
        self.has_more = false;
    }

    /// Records the beginning of a `Presence` message.
    pub(crate) fn begin(&mut self, version: u64, is_state: bool, more: bool) -> Place {
        let continues = self.has_more && version == self.version;
        if is_state {
            if !continues {
                self.members.values_mut().for_each(|known| known.is_listed = false);
                self.waiting.clear();
            }
            self.awaits_state = false;
        } else if self.awaits_state {
            return Place::Ignored;
        } else if !continues && version != self.version.wrapping_add(1) {
            return Place::AfterGap;
        }
        self.version = version;
        self.has_more = more;
        Place::InOrder
    }

    /// Records the end of a state: members that it lacks have left.
    pub(crate) fn end_state(&mut self, now: Instant) {
        let absent: Vec<MemberId> =
            self.members.iter().filter(|(_, known)| !known.is_listed).map(|(id, _)| id).collect();
        for id in absent {
            match self.members.get_mut(&id) {
                Some(known) if self.is_resuming => {
                    known.is_missing = true;
                    self.set_grace(now, id, true);
                }
                _ => self.remove(&id),
            }
        }
        self.is_known = true;
        self.is_resuming = false;
    }

    /// Records that the relay listed an entry. Returns true if the client knows this or a later entry of the member.
    pub(crate) fn knows(&mut self, now: Instant, listed: Listed) -> bool {
        let Some(known) = self.members.get_mut(&listed.member) else { return false };
        // A member keeps its former entry while a later one waits.
        (known.is_listed, known.is_missing) = (true, false);
        let is_known = known.number >= listed.number;
        if is_known {
            self.set_grace(now, listed.member, listed.in_grace);
        }
        is_known
    }

    /// Keeps an entry that waits. Returns false if there is no room.
    pub(crate) fn wait(&mut self, listed: Listed, stage: Stage) -> bool {
        let waiting: usize = self.waiting.iter().map(|(_, stage)| stage.bytes()).sum();
        let has_room = waiting + self.bytes + stage.bytes() <= MAX_BYTES;
        if has_room {
            // A later entry does not end a verification. Otherwise the client would never show a member that changes often.
            self.waiting.retain(|(other, stage)| other.member != listed.member || stage.is_being_verified());
            self.waiting.push((listed, stage));
        }
        has_room
    }

    /// Takes the entry whose signature the host was asked about.
    pub(crate) fn take_verifying(&mut self, verification: VerificationId) -> Option<(Listed, Box<Known>)> {
        let is_asked =
            |(_, stage): &(_, Stage)| matches!(stage, Stage::Verifying(id, _) if *id == verification);
        let index = self.waiting.iter().position(is_asked)?;
        match self.waiting.remove(index) {
            (listed, Stage::Verifying(_, known)) => Some((listed, known)),
            _ => None,
        }
    }

    /// Inserts or replaces a member, unless the client knows a later entry. Returns false if there is no room.
    pub(crate) fn insert(&mut self, now: Instant, mut known: Box<Known>, in_grace: bool) -> bool {
        let (id, expires_at) = (known.member.id, known.expires_at);
        let former = self.members.get(&id);
        if former.is_some_and(|former| former.number >= known.number) {
            return true;
        }
        let bytes = self.bytes - former.map_or(0, |former| former.bytes()) + known.bytes();
        if bytes > MAX_BYTES {
            return false;
        }
        self.bytes = bytes;
        known.member.is_self = id == self.own.id && self.own.data.is_some();
        self.members.insert(id, known);
        self.check_no_later_than(expires_at);
        self.set_grace(now, id, in_grace);
        true
    }

    pub(crate) fn remove(&mut self, id: &MemberId) {
        self.waiting.retain(|(listed, _)| listed.member != *id);
        let Some(known) = self.members.remove(id) else { return };
        self.bytes -= known.bytes();
        self.left.push(*id);
    }

    /// Removes the members whose grace time ended without a return, and those whose entry is too old.
    pub(crate) fn expire(&mut self, now: Instant) {
        if self.check_at.is_none_or(|at| at > now) {
            return;
        }
        self.check_at = None;
        for id in self.members.keys() {
            let Some(known) = self.members.get(&id) else { continue };
            let (grace_ends, expires_at) = (known.grace_ends, known.expires_at);
            let grace_ended = grace_ends.is_some_and(|at| at <= now);
            if expires_at <= now || grace_ended && known.is_missing {
                self.remove(&id);
                continue;
            }
            self.check_no_later_than(expires_at);
            if grace_ended {
                self.set_grace(now, id, false);
            } else if let Some(at) = grace_ends {
                self.check_no_later_than(at);
            }
        }
    }

    /// Returns the time at which [`Self::expire`] is due.
    pub(crate) fn check_at(&self) -> Option<Instant> {
        self.check_at
    }

    /// Takes the changes since the last call: the members that joined or changed, and the ids of those that left. Returns
    /// `None` if there are none. The first state counts as a change. It waits for the verification of its signatures.
    pub(crate) fn take_changes(&mut self) -> Option<(Vec<Member>, Vec<MemberId>)> {
        let is_first = !self.is_reported;
        if is_first && (!self.is_known || self.waiting.iter().any(|(_, stage)| stage.is_being_verified())) {
            return None;
        }
        self.is_reported = true;
        let mut changed = Vec::new();
        for known in self.members.values_mut() {
            if core::mem::take(&mut known.is_changed) {
                changed.push(known.member.clone());
            }
        }
        let mut left = core::mem::take(&mut self.left);
        left.retain(|id| !self.members.contains(id));
        (is_first || !changed.is_empty() || !left.is_empty()).then_some((changed, left))
    }

    /// Returns all members.
    pub(crate) fn members(&self) -> Vec<Member> {
        self.members.values().map(|known| known.member.clone()).collect()
    }

    fn set_grace(&mut self, now: Instant, id: MemberId, in_grace: bool) {
        let Some(known) = self.members.get_mut(&id) else { return };
        let ends = in_grace.then_some(now.after(GRACE_MS));
        known.grace_ends = ends;
        known.is_changed |= core::mem::replace(&mut known.member.in_grace, in_grace) != in_grace;
        if let Some(ends) = ends {
            self.check_no_later_than(ends);
        }
    }

    fn check_no_later_than(&mut self, at: Instant) {
        self.check_at = Some(self.check_at.map_or(at, |earlier| earlier.min(at)));
    }
}
