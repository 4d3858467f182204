//! A stream: the replicas at three servers, the leader and its term. A message is committed when two servers have it.

use super::{
    replica::{Message, Replica, StreamLimits, Subject},
    wires::SERVERS,
};
use sealwire_protocol::UnixMillis;
use sealwire_relay::{Leader, StreamInfo};
use std::rc::Rc;

/// The servers, which all streams share.
pub(super) struct Servers {
    pub(super) up: [bool; SERVERS],
    /// A number that grows with each restart.
    pub(super) life: [u64; SERVERS],
    /// The server that the others do not reach.
    pub(super) isolated: Option<usize>,
}

impl Servers {
    pub(super) fn new() -> Self {
        Self { up: [true; SERVERS], life: [0; SERVERS], isolated: None }
    }

    pub(super) fn reaches(&self, from: usize, to: usize) -> bool {
        let apart = |server| self.isolated == Some(server);
        self.up[from] && self.up[to] && (from == to || !apart(from) && !apart(to))
    }
}

pub(super) struct Stream {
    pub(super) replicas: [Replica; SERVERS],
    /// For each server, whether it may vote: an empty one has to catch up first.
    pub(super) votes: [bool; SERVERS],
    pub(super) leader: Option<usize>,
    pub(super) term: u64,
    /// A former leader that does not know that it lost its office, with its term.
    pub(super) deposed: Option<(usize, u64)>,
    /// The newest sequence that was ever committed in the present contents.
    pub(super) committed: u64,
    /// The number of elections that were called.
    pub(super) calls: u64,
}

/// The result of handing a message to a leader.
pub(super) enum Proposal {
    /// The message has this sequence and waits for its commit.
    Pending(u64),
    /// A message with this id is there, or on its way, at this sequence.
    Duplicate(u64),
    /// The last sequence on the subject is not the expected one.
    WrongLast,
}

impl Stream {
    pub(super) fn new() -> Self {
        Self {
            replicas: Default::default(),
            votes: [true; SERVERS],
            leader: None,
            term: 0,
            deposed: None,
            committed: 0,
            calls: 0,
        }
    }

    /// Returns the term in which a server acts as the leader.
    pub(super) fn acts(&self, server: usize) -> Option<u64> {
        match (self.leader, self.deposed) {
            (Some(leader), _) if leader == server => Some(self.term),
            (_, Some((deposed, term))) if deposed == server => Some(term),
            _ => None,
        }
    }

    /// Returns the leader that answers a request that arrives at a server.
    pub(super) fn leader_for(&self, servers: &Servers, at: usize) -> Option<usize> {
        if !servers.up[at] {
            return None;
        }
        if self.acts(at).is_some() {
            return Some(at);
        }
        self.leader.filter(|leader| servers.reaches(at, *leader))
    }

    pub(super) fn info(&self, server: usize, now: u64) -> Option<StreamInfo> {
        let term = self.acts(server)?;
        let replica = &self.replicas[server];
        let (first, last) = (replica.first(), replica.applied);
        let first_at = replica.read(first).map_or(now, |message| message.stored_at.get());
        Some(StreamInfo {
            leader: Leader { server: server.to_string(), since: term.to_string() },
            first,
            last,
            first_at: UnixMillis(first_at),
            deleted: 0,
            now: UnixMillis(now),
        })
    }

    /// Hands a message to a leader. `expected` is the sequence of the last mark, of any epoch.
    pub(super) fn propose(
        &mut self,
        server: usize,
        message: Rc<Message>,
        expected: Option<u64>,
        now: u64,
        limits: StreamLimits,
    ) -> Proposal {
        let replica = &mut self.replicas[server];
        if let (Subject::Channel(channel), Some(id)) = (message.subject, message.id)
            && let Some(sequence) = replica.find_id(channel, id, now, limits)
        {
            return Proposal::Duplicate(sequence);
        }
        let end = replica.last() + 1;
        let is_mark = |sequence: &u64| {
            matches!(replica.get(*sequence).map(|message| message.subject), Some(Subject::Mark(_)))
        };
        let last = (replica.first()..end).rev().find(is_mark).unwrap_or(0);
        if expected.is_some_and(|expected| expected != last) {
            return Proposal::WrongLast;
        }
        message.stored_at.set(now);
        Proposal::Pending(replica.push(message))
    }

    /// Returns the servers that can win an election.
    pub(super) fn candidates(&self, servers: &Servers, everybody: bool) -> Vec<usize> {
        let voters: Vec<usize> = (0..SERVERS)
            .filter(|server| servers.up[*server] && servers.isolated != Some(*server))
            .filter(|server| everybody || self.votes[*server])
            .collect();
        let last = |server: usize| self.replicas[server].last();
        let wins = |one: &&usize| voters.iter().filter(|other| last(**other) <= last(**one)).count() >= 2;
        voters.iter().filter(wins).copied().collect()
    }
}
