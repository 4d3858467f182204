//! The servers: storing, replicating, acknowledging and republishing messages, and elections.

use super::{
    events::{Acknowledged, Event},
    relay::Live,
    replica::Subject,
    stream::Proposal,
    wires::{SERVERS, Way},
    world::World,
};
use sealwire_relay::Entry;
use std::rc::Rc;

impl World {
    pub(super) fn handle_server(&mut self, event: Event) {
        match event {
            Event::Replicate { stream, term, from, to, sequence } => {
                self.replicate(stream, term, (from, to), sequence)
            }
            Event::Commit { stream, term, leader, to, sequence } => {
                self.commit(stream, term, (leader, to), sequence)
            }
            Event::Apply { stream, term, to, sequence } => {
                let one = &mut self.streams[stream];
                if one.term == term && self.servers.up[to] {
                    let replica = &mut one.replicas[to];
                    replica.applied = replica.applied.max(sequence.min(replica.last()));
                }
            }
            Event::Elect { stream, call } => self.elect(stream, call),
            Event::Start(server) => self.start_server(server),
            Event::Heal => self.heal(),
            Event::Republish { stream, server, life, sequence, message, previous }
                if self.servers.up[server] && self.servers.life[server] == life =>
            {
                let live = || match message.entry(sequence) {
                    Entry::Publication(publication) => Some(Live::Publication(publication, previous)),
                    Entry::Mark(mark) => Some(Live::Mark(mark, previous)),
                    Entry::Unknown(_) => None,
                };
                self.republish(stream, server, message.subject, live);
            }
            _ => {}
        }
    }

    /// Returns the wall clock of the servers.
    pub(super) fn server_unix(&self) -> u64 {
        super::world::UNIX_START.saturating_add_signed(self.conditions.server_clock_ms) + self.now_ms
    }

    /// Handles a message that arrives at a server.
    pub(super) fn propose(&mut self, event: Event) {
        let Event::Propose { origin, attempt, message, expected } = event else { return };
        let wire = &self.wires[origin.run.0][origin.server];
        if wire.generation != origin.generation {
            return;
        }
        let now = self.server_unix();
        let leader = self.streams[origin.stream].leader_for(&self.servers, origin.server);
        let Some(leader) = leader else {
            if let Some(attempt) = attempt {
                self.acknowledge(origin, attempt, Acknowledged::Failed);
            }
            return;
        };
        self.discard(origin.stream, leader);
        let limits = self.conditions.stream;
        let stream = &mut self.streams[origin.stream];
        match stream.propose(leader, message, expected, now, limits) {
            Proposal::Pending(sequence) => {
                let term = stream.acts(leader).expect("the leader answers");
                if let Some(attempt) = attempt {
                    self.replies.insert((origin.stream, term, sequence), (origin, attempt));
                }
                self.spread(origin.stream, leader, sequence);
            }
            Proposal::Duplicate(sequence) => {
                let is_stored = sequence <= stream.replicas[leader].applied;
                let answer = if is_stored { Acknowledged::Duplicate(sequence) } else { Acknowledged::Failed };
                if let Some(attempt) = attempt {
                    self.acknowledge(origin, attempt, answer);
                }
            }
            // A leader repeats what the others did not get.
            Proposal::WrongLast => {
                let last = self.streams[origin.stream].replicas[leader].last();
                self.spread(origin.stream, leader, last);
            }
        }
    }

    /// Sends the leader's log up to a sequence to the other servers.
    pub(super) fn spread(&mut self, stream: usize, leader: usize, sequence: u64) {
        let Some(term) = self.streams[stream].acts(leader) else { return };
        for to in (0..SERVERS).filter(|to| *to != leader) {
            let at = self.now_ms
                + 1
                + self.random.below(self.conditions.commit_ms)
                + self.conditions.lag_ms[to] / 4;
            self.queue.at(at, Event::Replicate { stream, term, from: leader, to, sequence });
        }
    }

    fn replicate(&mut self, stream: usize, term: u64, (from, to): (usize, usize), sequence: u64) {
        let one = &mut self.streams[stream];
        if !self.servers.reaches(from, to) || one.leader != Some(from) || one.term != term {
            return;
        }
        let leader = one.replicas[from].clone();
        one.replicas[to].sync(&leader, sequence);
        one.votes[to] = true;
        let commit_at = self.now_ms + 1 + self.random.below(self.conditions.commit_ms);
        self.queue.at(commit_at, Event::Commit { stream, term, leader: from, to, sequence });
    }

    /// Stores what two servers have, acknowledges it, and republishes it.
    fn commit(&mut self, stream: usize, term: u64, (leader, to): (usize, usize), sequence: u64) {
        let one = &mut self.streams[stream];
        if !self.servers.up[leader] || one.leader != Some(leader) || one.term != term {
            return;
        }
        let first = one.replicas[leader].applied + 1;
        let last = sequence.min(one.replicas[leader].last());
        one.replicas[leader].applied = last.max(first - 1);
        one.committed = one.committed.max(last);
        for sequence in first..=last {
            let Some(message) = self.streams[stream].replicas[leader].get(sequence).cloned() else {
                continue;
            };
            let previous = self.streams[stream].replicas[leader].previous(message.subject, sequence);
            self.record(stream, leader, sequence);
            let delay = self.random.below(self.conditions.commit_ms);
            if let Some((origin, attempt)) = self.replies.remove(&(stream, term, sequence)) {
                self.acknowledge_later(origin, attempt, Acknowledged::Stored(sequence), (leader, delay));
            }
            let delay = self.random.below(self.conditions.commit_ms);
            let newest = &mut self.republished[stream][leader];
            *newest = (*newest).max(self.now_ms + delay);
            let life = self.servers.life[leader];
            let event = Event::Republish { stream, server: leader, life, sequence, message, previous };
            let at = *newest;
            self.queue.at(at, event);
        }
        let lag = self.random.below(self.conditions.lag_ms[to]) + 1;
        self.queue.at(self.now_ms + lag, Event::Apply { stream, term, to, sequence });
    }

    fn republish(&mut self, stream: usize, leader: usize, subject: Subject, live: impl Fn() -> Option<Live>) {
        for relay in 0..self.relays.len() {
            for server in 0..SERVERS {
                if !self.servers.reaches(leader, server) {
                    continue;
                }
                let lost = server != leader
                    && self.conditions.route_loss > 0
                    && self.random.below(self.conditions.route_loss) == 0;
                let delay = 1 + self.random.below(self.conditions.wire_ms);
                let wire = &mut self.wires[relay][server];
                let interest = &wire.interests[stream];
                let is_wanted = match subject {
                    Subject::Channel(channel) => interest.channels.contains(&channel),
                    Subject::Mark(_) => interest.marks,
                };
                let link = interest.link;
                if !is_wanted || lost {
                    continue;
                }
                let Some(at) = wire.send(self.now_ms, delay, Way::ToRelay) else { continue };
                let generation = wire.generation;
                let life = self.relays[relay].life;
                if let Some(live) = live() {
                    let origin = super::events::Origin {
                        run: (relay, life),
                        stream,
                        link,
                        server,
                        generation,
                        sent_at: self.now_ms,
                    };
                    self.queue.at(at, Event::Live { origin, live });
                }
            }
        }
    }

    /// Records a committed publication for the model.
    pub(super) fn record(&mut self, stream: usize, leader: usize, sequence: u64) {
        let replica = &self.streams[stream].replicas[leader];
        let Some(message) = replica.get(sequence).cloned() else { return };
        let Subject::Channel(channel) = message.subject else { return };
        if message.instance.get().is_some() {
            return;
        }
        let marks = (replica.first()..sequence).rev().filter_map(|sequence| replica.get(sequence));
        let epoch = marks
            .filter_map(|message| match message.subject {
                Subject::Mark(epoch) => Some(epoch),
                Subject::Channel(_) => None,
            })
            .next();
        let instance = self.model.store(channel, sequence, message.time, epoch, self.now_ms);
        message.instance.set(Some(instance));
        self.stored[stream].push((sequence, Rc::clone(&message)));
    }
}
