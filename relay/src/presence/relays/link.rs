//! The link to one other relay for the presences of one app. No I/O; time is an argument.
//!
//! Each relay chooses a number for the stream of messages to it, and a greater one when it missed a message. The other relay
//! then begins a stream with that number, with all that the receiver has to know. A recorded message is worthless: it has
//! another receiver, an old stream, or a sequence that was received.

use super::{
    BEAT_INTERVAL, Local,
    message::{ChannelNews, LinkMessage, Need},
    parts::Parts,
};
use crate::presence::{MemberId, outbox::Touch, record::Record, table::RemoteChange};
use sealwire_protocol::ChannelId;
use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
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
    received: u64,
    pub(super) last_heard: Instant,
    /// The number of the stream to the other relay, once it is known.
    peer_stream: u64,
    is_listening: bool,
    /// True if the stream to the other relay begins again.
    restarts: bool,
    sent: u64,
    last_sent: Option<Instant>,
    /// True if the other relay waits for a message.
    owes: bool,
    /// The channels that both relays need.
    common: HashSet<ChannelId>,
    /// The common channels whose members the other relay needs all.
    whole: BTreeSet<ChannelId>,
    /// The channels whose members were not told yet, with the message that asked for them, once it was sent.
    wanted: BTreeMap<ChannelId, Option<u64>>,
    unneeded: BTreeSet<ChannelId>,
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
            common: HashSet::new(),
            whole: BTreeSet::new(),
            wanted: needed.map(|channel| (channel, None)).collect(),
            unneeded: BTreeSet::new(),
        }
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

    /// The number of entries in its tables, for the memory budget.
    pub(super) fn entries(&self) -> usize {
        self.common.len() + self.whole.len() + self.wanted.len() + self.unneeded.len()
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
            self.hearing = Hearing::Starting;
            self.common.clear();
            needed.iter().for_each(|channel| local.apply(*channel, self.ends.1, RemoteChange::Begin, now));
        }
        let mut received = Received::default();
        for news in message.channels {
            received.refused += self.apply(news, needed, local, now);
        }
        let acknowledged = message.acknowledged.min(self.sent);
        self.wanted.retain(|_, asked| asked.is_none_or(|asked| asked > acknowledged));
        received.is_over = message.own_stream == 0;
        if message.is_complete || received.is_over {
            self.hearing = Hearing::Complete;
            needed.iter().for_each(|channel| local.apply(*channel, self.ends.1, RemoteChange::End, now));
        }
        if received.is_over {
            needed.iter().for_each(|channel| self.drop_members(*channel, local, now));
            (self.hearing, self.is_listening) = (Hearing::Idle, false);
            self.common.clear();
            self.whole.clear();
        }
        received
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
        if begins || need == Need::Begins {
            self.common.insert(channel);
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

    /// Returns the messages that are due. `changes` are the changes of members of this relay since the last call.
    pub(super) fn flush(
        &mut self,
        needed: &BTreeSet<ChannelId>,
        changes: &BTreeMap<(ChannelId, MemberId), Touch>,
        local: &mut dyn Local,
        now: Instant,
    ) -> Vec<LinkMessage> {
        let is_beat = self.last_sent.is_none_or(|sent| now.saturating_duration_since(sent) >= BEAT_INTERVAL);
        if !self.is_listening {
            let greets = self.owes || (is_beat && self.hearing == Hearing::Awaited);
            self.owes = false;
            if !greets {
                return Vec::new();
            }
            self.last_sent = Some(now);
            return vec![self.envelope(0)];
        }
        let mut parts = Parts::default();
        let is_complete = mem::take(&mut self.restarts);
        if is_complete {
            self.unneeded.clear();
            self.whole.extend(self.common.iter().copied());
            self.wanted = needed.iter().map(|channel| (*channel, None)).collect();
        }
        mem::take(&mut self.unneeded).into_iter().for_each(|channel| parts.need(channel, Need::Ends));
        let asks: Vec<_> =
            self.wanted.iter().filter(|(_, asked)| asked.is_none()).map(|(id, _)| *id).collect();
        asks.iter().for_each(|channel| parts.need(*channel, Need::Begins));
        let whole = mem::take(&mut self.whole);
        for channel in &whole {
            parts.members(*channel, local.own_members(*channel, now));
        }
        for ((channel, id), touch) in changes {
            if self.common.contains(channel) && !whole.contains(channel) {
                match (local.own(*channel, *id, now), touch) {
                    (Some(record), Touch::State) => parts.record(*channel, Record { sealed: None, ..record }),
                    (Some(record), _) => parts.record(*channel, record),
                    (None, Touch::Left { stamp }) => parts.left(*channel, (*id, *stamp)),
                    // Another relay has the member.
                    (None, Touch::State | Touch::Entry) => {}
                }
            }
        }
        if !(is_complete || is_beat || self.owes) && parts.is_empty() {
            return Vec::new();
        }
        (self.owes, self.last_sent) = (false, Some(now));
        let mut messages: Vec<LinkMessage> = parts.take().into_iter().map(|part| self.next(part)).collect();
        if let Some(last) = messages.last_mut() {
            (last.acknowledged, last.is_complete) = (self.received, is_complete);
        }
        for asked in self.wanted.values_mut() {
            asked.get_or_insert(self.sent);
        }
        messages
    }

    /// Returns the message that ends the stream to the other relay, because this one has no presence of the app any more.
    pub(super) fn end(&mut self) -> Option<LinkMessage> {
        // A stream that did not begin yet would begin with its end.
        let message = self.is_listening.then(|| self.next(Vec::new()))?;
        Some(LinkMessage { own_stream: 0, is_complete: true, ..message })
    }

    fn next(&mut self, channels: Vec<ChannelNews>) -> LinkMessage {
        self.sent += 1;
        LinkMessage { sequence: self.sent, channels, ..self.envelope(self.peer_stream) }
    }

    fn envelope(&self, stream: u64) -> LinkMessage {
        let (from, to) = self.ends;
        LinkMessage { from, to, stream, own_stream: self.stream, ..LinkMessage::default() }
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
