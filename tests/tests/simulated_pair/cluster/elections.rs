//! Elections, and the faults of servers that cause them.

use super::{events::Event, relay::STREAMS, replica::Message, world::World};
use std::rc::Rc;

/// The time without a leader after its loss.
const ELECTION_MS: (u64, u64) = (300, 4_000);

impl World {
    /// Removes old messages at a server.
    pub(super) fn discard(&mut self, stream: usize, server: usize) {
        let now = self.server_unix();
        self.streams[stream].replicas[server].discard(now, self.conditions.stream);
    }

    /// Lets the leader of a stream lose its office, and calls an election.
    pub(super) fn depose(&mut self, stream: usize) {
        let one = &mut self.streams[stream];
        one.leader = None;
        one.calls += 1;
        let call = one.calls;
        let (min, spread) = ELECTION_MS;
        let at = self.now_ms + if self.random.below(2) == 0 { min } else { min + self.random.below(spread) };
        self.queue.at(at, Event::Elect { stream, call });
    }

    pub(super) fn elect(&mut self, stream: usize, call: u64) {
        if self.streams[stream].calls != call || self.streams[stream].leader.is_some() {
            return;
        }
        let mut candidates = self.streams[stream].candidates(&self.servers, false);
        let all_up = self.servers.up.iter().all(|up| *up);
        if candidates.is_empty() && all_up {
            // Too many servers lost their contents. The others decide as they can.
            candidates = self.streams[stream].candidates(&self.servers, true);
        }
        if candidates.is_empty() {
            self.queue.at(self.now_ms + 500, Event::Elect { stream, call });
            return;
        }
        let leader = candidates[self.random.below(candidates.len() as u64) as usize];
        let one = &mut self.streams[stream];
        one.leader = Some(leader);
        one.term += 1;
        one.votes[leader] = true;
        let last = one.replicas[leader].last();
        one.replicas[leader].applied = last;
        self.trace(|| format!("stream {stream}: server {leader} leads up to {last}"));
        self.lose_what_is_missing(stream, leader);
        for sequence in self.streams[stream].replicas[leader].first()..=last {
            self.record(stream, leader, sequence);
        }
        self.streams[stream].committed = last;
        self.spread(stream, leader, last);
    }

    pub(super) fn start_server(&mut self, server: usize) {
        if self.servers.up[server] {
            return;
        }
        self.servers.up[server] = true;
        for relay in 0..self.relays.len() {
            let at = self.now_ms + 50 + self.random.below(500);
            self.queue.at(at, Event::Open { relay, server });
        }
        self.catch_up();
    }

    /// Lets every server take over the log of its leader.
    pub(super) fn catch_up(&mut self) {
        for stream in 0..STREAMS {
            if let Some(leader) = self.streams[stream].leader {
                let last = self.streams[stream].replicas[leader].last();
                self.spread(stream, leader, last);
            }
        }
    }

    /// Stops a server, which loses its contents.
    pub(super) fn stop_server(&mut self, server: usize) {
        self.servers.up[server] = false;
        self.servers.life[server] += 1;
        if self.servers.isolated == Some(server) {
            self.servers.isolated = None;
        }
        for stream in 0..STREAMS {
            let one = &mut self.streams[stream];
            one.replicas[server] = Default::default();
            one.votes[server] = false;
            one.deposed.take_if(|(deposed, _)| *deposed == server);
            if one.leader == Some(server) {
                self.depose(stream);
            }
        }
        for relay in 0..self.relays.len() {
            self.cut_wire(relay, server, 20);
        }
    }

    pub(super) fn isolate(&mut self, server: usize) {
        if self.servers.isolated.is_some() || !self.servers.up[server] {
            return;
        }
        self.servers.isolated = Some(server);
        for stream in 0..STREAMS {
            if self.streams[stream].leader == Some(server) {
                let term = self.streams[stream].term;
                self.streams[stream].deposed = Some((server, term));
                self.depose(stream);
            }
        }
        let at = self.now_ms + 500 + self.random.below(12_000);
        self.queue.at(at, Event::Heal);
    }

    pub(super) fn heal(&mut self) {
        let Some(server) = self.servers.isolated.take() else { return };
        for stream in 0..STREAMS {
            if self.streams[stream].deposed.take_if(|(deposed, _)| *deposed == server).is_some() {
                self.streams[stream].replicas[server].drop_pending();
            }
        }
        self.catch_up();
    }

    /// Tells the model what a new leader does not have.
    fn lose_what_is_missing(&mut self, stream: usize, leader: usize) {
        let replica = &self.streams[stream].replicas[leader];
        let is_lost = |(sequence, message): &(u64, Rc<Message>)| {
            *sequence > replica.last()
                || replica.get(*sequence).is_some_and(|present| !Rc::ptr_eq(present, message))
        };
        let (lost, kept): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.stored[stream]).into_iter().partition(is_lost);
        self.stored[stream] = kept;
        let is_wiped = replica.last() < self.streams[stream].committed;
        for (_, message) in &lost {
            if let Some(instance) = message.instance.get() {
                self.model.lose(instance, self.now_ms);
            }
        }
        self.model.is_lossy |= !lost.is_empty() || is_wiped;
    }
}
