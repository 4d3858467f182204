//! The link to one other relay for the presences of one app. No I/O; time is an argument.
//!
//! Each relay chooses a number for the stream of messages to it, and a greater one when it missed a message. The other relay
//! then begins a stream with that number, with all that the receiver has to know. A recorded message is worthless: it has
//! another receiver, an old stream, or a sequence that was received. This file reads the stream to this relay; `flush.rs`
//! writes the one to the other relay.

mod flush;

use super::{
    Local,
    message::{ChannelNews, LinkMessage, Need},
};
use crate::presence::{
    MemberId,
    table::{RemoteChange, SYNC_TIMEOUT},
};
use sealwire_protocol::ChannelId;
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    mem,
    time::Instant,
};

/// The knowledge of the other relay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hearing {
    /// Nothing yet.
    Awaited,
    /// A part of its stream's start.
    Starting,
    /// All of its members on common channels.
    Complete,
    /// It has no presence of the app.
    Idle,
}

/// One link.
pub(super) struct Link {
    /// The ids of this relay and of the other one.
    ends: (u64, u64),
    pub(super) hearing: Hearing,
    /// The number of the stream to this relay.
    stream: u64,
    /// The number of the last message of that stream.
    received: u64,
    pub(super) last_heard: Instant,
    /// The number of the stream to the other relay, once it is known.
    peer_stream: u64,
    /// True if the other relay wants a stream from this one.
    is_listening: bool,
    /// True if the stream to the other relay begins again.
    restarts: bool,
    /// The number of the last message of the stream to the other relay.
    sent: u64,
    last_sent: Option<Instant>,
    /// True if the other relay waits for a message: an acknowledgement, or the number of the stream to this relay.
    owes: bool,
    /// The channels that both relays need, with the time at which the other one began to need them.
    common: HashMap<ChannelId, Instant>,
    /// The common channels whose members the other relay needs all.
    whole: BTreeSet<ChannelId>,
    /// The channels whose members were not told yet, with the message that asked for them, once it was sent.
    wanted: BTreeMap<ChannelId, Option<u64>>,
    /// The channels that this relay needs no longer, which the other one has to hear.
    unneeded: BTreeSet<ChannelId>,
    /// The channels on which the other relay does not know the members of a relay that is gone.
    orphaned: BTreeSet<ChannelId>,
    /// The members of other relays that left at this one, until the other relay acknowledges that.
    leaves: BTreeMap<(ChannelId, MemberId), Leave>,
}

/// A member of another relay that left at this one.
struct Leave {
    stamp: u64,
    /// The message that told it, once it was sent.
    sent: Option<u64>,
}

impl Link {
    /// Creates a link. `stream` is greater than in all links before.
    pub(super) fn new(
        ends: (u64, u64),
        stream: u64,
        needed: impl Iterator<Item = ChannelId>,
        now: Instant,
    ) -> Self {
        Self {
            ends,
            hearing: Hearing::Awaited,
            stream,
            received: 0,
            last_heard: now,
            peer_stream: 0,
            is_listening: false,
            restarts: false,
            sent: 0,
            last_sent: None,
            owes: true,
            common: HashMap::new(),
            whole: BTreeSet::new(),
            wanted: needed.map(|channel| (channel, None)).collect(),
            unneeded: BTreeSet::new(),
            orphaned: BTreeSet::new(),
            leaves: BTreeMap::new(),
        }
    }

    /// Begins the link anew, to a relay that was silent.
    pub(super) fn replace(&mut self, stream: u64, needed: impl Iterator<Item = ChannelId>, now: Instant) {
        let leaves = mem::take(&mut self.leaves);
        *self = Self { leaves, ..Self::new(self.ends, stream, needed, now) };
    }

    /// Begins to need a channel.
    pub(super) fn need(&mut self, channel: ChannelId) {
        self.unneeded.remove(&channel);
        self.wanted.insert(channel, None);
    }

    pub(super) fn unneed(&mut self, channel: ChannelId) {
        self.wanted.remove(&channel);
        self.common.remove(&channel);
        self.whole.remove(&channel);
        self.unneeded.insert(channel);
    }

    /// Notes that a member of another relay left at this one. The other relay hears of it even if a message is lost.
    pub(super) fn leave(&mut self, channel: ChannelId, id: MemberId, stamp: u64) {
        // While the stream of the other relay begins, the channels that it needs are not known.
        let is_starting = matches!(self.hearing, Hearing::Awaited | Hearing::Starting);
        if is_starting || self.common.contains_key(&channel) {
            self.leaves.insert((channel, id), Leave { stamp, sent: None });
        }
    }

    /// Returns whether the other relay has acknowledged everything that only this relay can tell.
    pub(super) fn is_done(&self) -> bool {
        self.leaves.is_empty()
    }

    /// Notes that a third relay, which was heard at this time for the last time, is gone. The other relay may not know its
    /// members on channels that it began to need after that time, or so shortly before that the answer can be lost.
    pub(super) fn hand_on(&mut self, last_heard: Instant) {
        let recent = self.common.iter().filter(|(_, since)| **since + SYNC_TIMEOUT >= last_heard);
        self.orphaned.extend(recent.map(|(channel, _)| *channel));
    }

    /// Asks for the stream from its start.
    pub(super) fn listen_again(&mut self, stream: u64) {
        (self.stream, self.received, self.hearing, self.owes) = (stream, 0, Hearing::Awaited, true);
    }

    /// Returns whether the members of the other relay on a channel are known.
    pub(super) fn is_synced(&self, channel: ChannelId) -> bool {
        match self.hearing {
            Hearing::Idle => true,
            Hearing::Complete => !self.restarts && !self.wanted.contains_key(&channel),
            Hearing::Awaited | Hearing::Starting => false,
        }
    }

    #[cfg(feature = "fuzzing")]
    pub(super) fn next_message(&self) -> (u64, u64) {
        (self.stream, self.received + 1)
    }

    /// The number of entries in its tables, for the memory budget.
    pub(super) fn entries(&self) -> usize {
        let told = self.common.len() + self.whole.len() + self.orphaned.len() + self.leaves.len();
        told + self.wanted.len() + self.unneeded.len()
    }

    /// Applies a message. `needed` are the channels that this relay needs.
    pub(super) fn receive(
        &mut self,
        message: LinkMessage,
        needed: &BTreeSet<ChannelId>,
        local: &mut dyn Local,
        now: Instant,
    ) -> Received {
        // Before the other relay knows this link, it may count the messages of a former one.
        let knows_link = self.peer_stream != 0 || message.stream == 0 || message.stream == self.stream;
        if message.own_stream > self.peer_stream && knows_link {
            self.peer_stream = message.own_stream;
            (self.is_listening, self.restarts, self.sent) = (true, true, 0);
            if message.stream == 0 && self.received > 0 {
                return Received { must_begin_again: true, ..Received::default() };
            }
        } else if message.own_stream != 0 && message.own_stream < self.peer_stream {
            return Received::default();
        }
        if message.stream != self.stream {
            // The other relay does not know the number yet.
            self.owes = true;
            return Received::default();
        }
        if message.sequence == 0 {
            if message.own_stream == 0 && self.hearing == Hearing::Awaited {
                (self.hearing, self.last_heard) = (Hearing::Idle, now);
                self.leaves.clear();
                // The messages with which its last members left may be lost.
                needed.iter().for_each(|channel| self.drop_members(*channel, local, now));
            }
            return Received::default();
        }
        if message.sequence <= self.received {
            return Received::default();
        }
        if message.sequence > self.received + 1 {
            return Received { must_begin_again: true, ..Received::default() };
        }
        (self.received, self.last_heard) = (message.sequence, now);
        if message.sequence == 1 {
            self.begin_stream(needed, local, now);
        }
        let mut received = Received::default();
        for news in message.channels {
            received.refused += self.apply(news, needed, local, now);
        }
        let acknowledged = message.acknowledged.min(self.sent);
        self.wanted.retain(|_, asked| asked.is_none_or(|asked| asked > acknowledged));
        self.leaves.retain(|_, leave| leave.sent.is_none_or(|sent| sent > acknowledged));
        received.is_over = message.own_stream == 0;
        if message.is_complete || received.is_over {
            self.hearing = Hearing::Complete;
            needed.iter().for_each(|channel| local.apply(*channel, self.ends.1, RemoteChange::End, now));
        }
        if received.is_over {
            self.end_stream(needed, local, now);
        }
        received
    }

    /// Handles the first message of a stream from the other relay.
    fn begin_stream(&mut self, needed: &BTreeSet<ChannelId>, local: &mut dyn Local, now: Instant) {
        self.hearing = Hearing::Starting;
        self.common.clear();
        needed.iter().for_each(|channel| local.apply(*channel, self.ends.1, RemoteChange::Begin, now));
    }

    /// Handles the end of the stream from the other relay, which shares no channel with this one any more.
    fn end_stream(&mut self, needed: &BTreeSet<ChannelId>, local: &mut dyn Local, now: Instant) {
        needed.iter().for_each(|channel| self.drop_members(*channel, local, now));
        (self.hearing, self.is_listening) = (Hearing::Idle, false);
        self.common.clear();
        self.whole.clear();
        self.leaves.clear();
    }

    /// Removes all members of the other relay on a channel.
    fn drop_members(&self, channel: ChannelId, local: &mut dyn Local, now: Instant) {
        local.apply(channel, self.ends.1, RemoteChange::Begin, now);
        local.apply(channel, self.ends.1, RemoteChange::End, now);
    }

    /// Renews the number of the stream to this relay after the other one has ended it.
    pub(super) fn renew(&mut self, stream: u64) {
        (self.stream, self.received, self.owes) = (stream, 0, false);
    }

    /// Applies the news of a channel. Returns the number of records for which there is no room.
    fn apply(
        &mut self,
        news: ChannelNews,
        needed: &BTreeSet<ChannelId>,
        local: &mut dyn Local,
        now: Instant,
    ) -> u64 {
        let ChannelNews { channel, need, begins, ends, records, left } = news;
        self.owes |= need != Need::Unchanged;
        if !needed.contains(&channel) {
            return 0;
        }
        let peer = self.ends.1;
        match need {
            Need::Begins => {
                self.common.insert(channel, now);
                self.whole.insert(channel);
            }
            // A relay without members and watchers of a channel ceases to need it.
            Need::Ends => {
                self.common.remove(&channel);
                self.whole.remove(&channel);
                self.drop_members(channel, local, now);
            }
            Need::Unchanged => {}
        }
        if begins {
            self.common.entry(channel).or_insert(now);
        }
        if begins {
            local.apply(channel, peer, RemoteChange::Begin, now);
        }
        let mut refused = 0;
        for record in records {
            refused += u64::from(!local.apply_record(channel, peer, record, now));
        }
        for (id, stamp) in left {
            local.apply(channel, peer, RemoteChange::Left { id, stamp }, now);
        }
        if ends {
            local.apply(channel, peer, RemoteChange::End, now);
        }
        refused
    }
}

/// The result of a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Received {
    /// True if the stream to this relay has to begin again: a message was lost, or the other relay has a new link, on which it
    /// counts its messages from the beginning.
    pub(super) must_begin_again: bool,
    /// True if the other relay has no presence of the app any more.
    pub(super) is_over: bool,
    /// The records for which there was no room.
    pub(super) refused: u64,
}
