//! The messages of a link to the other relay.

use super::Link;
use crate::presence::{
    MemberId,
    outbox::Touch,
    record::Record,
    relays::{
        BEAT_INTERVAL, Local,
        link::Hearing,
        message::{ChannelNews, LinkMessage, Need},
        parts::Parts,
    },
};
use sealwire_protocol::ChannelId;
use std::{
    collections::{BTreeMap, BTreeSet},
    mem,
    time::Instant,
};

impl Link {
    /// Returns the messages that are due. `changes` are the changes of members of this relay since the last call.
    pub(in crate::presence::relays) fn flush(
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
        let is_complete = mem::take(&mut self.restarts);
        if is_complete {
            self.begin(needed);
        }
        let parts = self.news(changes, local, now);
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
        for leave in self.leaves.values_mut() {
            leave.sent.get_or_insert(self.sent);
        }
        messages
    }

    /// Begins the stream to the other relay with everything that it has to know.
    fn begin(&mut self, needed: &BTreeSet<ChannelId>) {
        self.unneeded.clear();
        self.whole.extend(self.common.keys().copied());
        self.wanted = needed.iter().map(|channel| (*channel, None)).collect();
        self.leaves.values_mut().for_each(|leave| leave.sent = None);
    }

    /// Collects the news since the last call.
    fn news(
        &mut self,
        changes: &BTreeMap<(ChannelId, MemberId), Touch>,
        local: &mut dyn Local,
        now: Instant,
    ) -> Parts {
        let mut parts = Parts::default();
        mem::take(&mut self.unneeded).into_iter().for_each(|channel| parts.need(channel, Need::Ends));
        let asks = self.wanted.iter().filter(|(_, asked)| asked.is_none());
        asks.for_each(|(channel, _)| parts.need(*channel, Need::Begins));
        let whole = mem::take(&mut self.whole);
        for channel in &whole {
            let members = local.own_members(*channel, now).into_iter();
            parts.members(*channel, members.chain(local.orphans(*channel, now)));
        }
        let is_common = |channel: &ChannelId| self.common.contains_key(channel) && !whole.contains(channel);
        for channel in mem::take(&mut self.orphaned).into_iter().filter(is_common) {
            local.orphans(channel, now).into_iter().for_each(|record| parts.record(channel, record));
        }
        for ((channel, id), touch) in changes.iter().filter(|((channel, _), _)| is_common(channel)) {
            match (local.own(*channel, *id, now), touch) {
                (Some(record), Touch::State) => parts.record(*channel, Record { sealed: None, ..record }),
                (Some(record), _) => parts.record(*channel, record),
                (None, Touch::Left { stamp, is_foreign: false }) => parts.left(*channel, (*id, *stamp)),
                // Another relay has the member.
                (None, Touch::State | Touch::Entry | Touch::Left { .. }) => {}
            }
        }
        for ((channel, id), leave) in self.leaves.iter().filter(|(_, leave)| leave.sent.is_none()) {
            parts.left(*channel, (*id, leave.stamp));
        }
        parts
    }

    /// Returns the message that ends the stream to the other relay, because this one has no presence of the app any more.
    pub(in crate::presence::relays) fn end(&mut self) -> Option<LinkMessage> {
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
