//! The requests of the relays at the servers. The leader answers most of them; any replica answers a read of many messages.

use super::{
    driver::REQUEST_MS,
    events::{Call, Event, Origin, Step, Told},
    replica::Subject,
    stream::Proposal,
    wires::{Interest, SERVERS},
    world::World,
};
use sealwire_protocol::ChannelId;
use sealwire_relay::{Entry, StoredPublication};

/// The number of messages in one answer.
const BATCH: usize = 4;
/// The number of times that a replica that lags behind is asked again.
const MAX_LAGGING: usize = 50;

impl World {
    /// Handles a subscription to a channel that arrives at a server.
    pub(super) fn watch(&mut self, origin: Origin, channel: ChannelId) {
        let wire = &mut self.wires[origin.run.0][origin.server];
        let interest = &mut wire.interests[origin.stream];
        if wire.generation == origin.generation && interest.link == origin.link {
            interest.channels.insert(channel);
        }
    }

    /// Handles a request that arrives at a server.
    pub(super) fn asked(&mut self, origin: Origin, call: Call) {
        let Origin { run: (relay, _), stream, server, link, .. } = origin;
        let wire = &mut self.wires[relay][server];
        if wire.generation != origin.generation || !self.servers.up[server] {
            return self.queue.at(origin.sent_at + 2_000, Event::Told(origin, Told::Failed));
        }
        if let Call::Link(channels) = &call {
            let channels = channels.iter().copied().collect();
            wire.interests[stream] = Interest { link, marks: true, channels };
        }
        (0..SERVERS).for_each(|server| self.discard(stream, server));
        let told = match self.streams[stream].leader_for(&self.servers, server) {
            Some(leader) => self.answer_call(origin, leader, call),
            None => Told::Failed,
        };
        self.tell(origin, told);
    }

    fn answer_call(&mut self, origin: Origin, leader: usize, call: Call) -> Told {
        let (stream, now) = (origin.stream, self.server_unix());
        let info = self.streams[stream].info(leader, now).expect("the leader answers");
        let replica = &self.streams[stream].replicas[leader];
        match call {
            Call::FindLeader => {
                let term = self.streams[stream].acts(leader).expect("the leader answers");
                Told::Leader(leader, term)
            }
            Call::Link(_) => Told::Linked(info),
            Call::ReadInfo(request) => Told::Info(request, info),
            Call::ReadMessage(request, sequence) => Told::Message(
                request,
                sequence,
                replica.read(sequence).map(|message| message.entry(sequence)),
            ),
            Call::FindMarks(request, least) => match replica.marks() {
                marks if marks.map_or(0, |marks| marks.newest.sequence) >= least => {
                    Told::Marks(request, marks)
                }
                _ => Told::Failed,
            },
            Call::RenewMark(request, replaces) => match self.renew_mark(origin, leader, replaces) {
                Some(sequence) => Told::Next(Call::AwaitStored(request, sequence, self.now_ms)),
                None => Told::Failed,
            },
            Call::AwaitStored(request, sequence, _) if replica.applied >= sequence => {
                Told::Next(Call::FindMarks(request, sequence))
            }
            Call::AwaitStored(_, _, since) if self.now_ms > since + REQUEST_MS => Told::Failed,
            Call::AwaitStored(..) => Told::Next(call),
            Call::ReadStream { request, next, info: None, entries, lagging } => {
                Told::Next(Call::ReadStream { request, next, info: Some(info), entries, lagging })
            }
            Call::ReadStream { request, mut next, info: Some(info), mut entries, mut lagging } => {
                if next > info.last || lagging >= MAX_LAGGING {
                    return Told::Stream(request, entries, info);
                }
                let batch = self.read_at_any(origin, next, None);
                match batch.last() {
                    Some(last) => next = last.sequence() + 1,
                    None => lagging += 1,
                }
                entries.extend(batch);
                Told::Next(Call::ReadStream { request, next, info: Some(info), entries, lagging })
            }
            Call::ReadChannel { request, channel, from, found, step } => {
                self.read_channel(origin, leader, (request, channel, from), found, step)
            }
        }
    }

    /// Reads the next messages at one of the replicas that the server reaches.
    fn read_at_any(&mut self, origin: Origin, from: u64, channel: Option<ChannelId>) -> Vec<Entry> {
        let reached: Vec<usize> =
            (0..SERVERS).filter(|to| self.servers.reaches(origin.server, *to)).collect();
        let Some(index) = (!reached.is_empty()).then(|| self.random.below(reached.len() as u64) as usize)
        else {
            return Vec::new();
        };
        let replica = &self.streams[origin.stream].replicas[reached[index]];
        let is_wanted = |subject: Subject| channel.is_none_or(|channel| subject == Subject::Channel(channel));
        let messages = replica.from(from).filter(|(_, message)| is_wanted(message.subject));
        messages.take(BATCH).map(|(sequence, message)| message.entry(sequence)).collect()
    }

    fn read_channel(
        &mut self,
        origin: Origin,
        leader: usize,
        (request, channel, mut from): (u64, ChannelId, u64),
        mut found: Vec<StoredPublication>,
        step: Step,
    ) -> Told {
        let entries = match step {
            Step::Info => {
                let info = self.streams[origin.stream].info(leader, self.server_unix());
                return Told::Channel(request, channel, found, info.expect("the leader answers"));
            }
            Step::First => {
                let replica = &self.streams[origin.stream].replicas[leader];
                let mut messages = replica.from(from);
                let first = messages.find(|(_, message)| message.subject == Subject::Channel(channel));
                first.map(|(sequence, message)| message.entry(sequence)).into_iter().collect()
            }
            Step::Batch => self.read_at_any(origin, from, Some(channel)),
        };
        let step = match step {
            Step::First if entries.is_empty() => Step::Info,
            Step::First => Step::Batch,
            Step::Batch | Step::Info => Step::First,
        };
        for entry in entries {
            from = entry.sequence() + 1;
            if let Entry::Publication(publication) = entry {
                found.push(publication);
            }
        }
        Told::Next(Call::ReadChannel { request, channel, from, found, step })
    }

    /// Writes a mark after the newest one that is stored. Returns its sequence, unless another mark is on its way.
    fn renew_mark(&mut self, origin: Origin, leader: usize, replaces: Option<u64>) -> Option<u64> {
        let fresh = self.random.next().max(1);
        let newest = self.streams[origin.stream].replicas[leader].marks().map(|marks| marks.newest);
        let epoch = newest.map(|mark| mark.epoch).filter(|epoch| Some(*epoch) != replaces);
        let message = self.mark(origin.run.0, epoch.unwrap_or(fresh));
        let (now, limits) = (self.server_unix(), self.conditions.stream);
        let last = newest.map_or(0, |mark| mark.sequence);
        let stream = &mut self.streams[origin.stream];
        let Proposal::Pending(sequence) = stream.propose(leader, message, Some(last), now, limits) else {
            return None;
        };
        self.spread(origin.stream, leader, sequence);
        Some(sequence)
    }
}
