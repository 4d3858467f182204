//! Questions to the servers of a cluster: their health, and the streams that they hold and lead.

use super::{
    cluster::{NatsCluster, POLL},
    monitor,
};
use std::{
    collections::BTreeMap,
    net::SocketAddr,
    thread,
    time::{Duration, Instant},
};

/// The number of messages by which the views of two servers may differ, because they are asked one after the other.
const MAX_LAG: u64 = 100;
/// The interval of the questions during an election. `cargo xtask bench` measures one with them.
const ELECTION_POLL: Duration = Duration::from_millis(20);

impl NatsCluster {
    /// Returns the server that leads a stream. `None` if no server that answers believes that it is the leader.
    #[must_use]
    pub fn leader_of(&self, stream: &str) -> Option<usize> {
        let claims = self.monitored().enumerate().filter_map(|(index, address)| {
            let view = monitor::streams(address)?.into_iter().find(|view| view.name == stream)?;
            Some((view.leadership?.since, index))
        });
        // A former leader that is separated from the others does not know of the election.
        claims.max().map(|(_, index)| index)
    }

    /// Returns the names of all streams.
    #[must_use]
    pub fn streams(&self) -> Vec<String> {
        let mut names: Vec<_> =
            self.monitored().filter_map(monitor::streams).flatten().map(|view| view.name).collect();
        names.sort();
        names.dedup();
        names
    }

    /// Returns the sequence of the last message of each stream, by the stream's name.
    #[must_use]
    pub fn last_sequences(&self) -> BTreeMap<String, u64> {
        let mut sequences = BTreeMap::new();
        for view in self.monitored().filter_map(monitor::streams).flatten() {
            let last = sequences.entry(view.name).or_default();
            *last = view.last_sequence.max(*last);
        }
        sequences
    }

    /// Returns the server that leads JetStream's own group.
    #[must_use]
    pub fn meta_leader(&self) -> Option<usize> {
        self.monitored().find_map(|port| self.index_of(&monitor::meta_leader(port)?))
    }

    fn monitored(&self) -> impl Iterator<Item = SocketAddr> {
        self.members.iter().map(|member| member.at(member.ports.monitor))
    }

    fn index_of(&self, name: &str) -> Option<usize> {
        self.members.iter().position(|member| member.name == name)
    }

    /// Waits until every server is healthy, JetStream has a leader and every stream has one, with replicas that have
    /// everything. Returns false after `timeout`, or once a server has ended.
    #[must_use]
    pub fn await_ready(&self, timeout: Duration) -> bool {
        let deadline = Instant::now() + timeout;
        while !self.is_ready() {
            let has_ended = (0..self.size()).any(|index| !self.is_running(index));
            if has_ended || Instant::now() >= deadline {
                return false;
            }
            thread::sleep(POLL);
        }
        true
    }

    /// Waits until other servers than the former leader lead all of these streams. Returns false after `timeout`.
    #[must_use]
    pub fn await_elections(&self, streams: &[impl AsRef<str>], former: usize, timeout: Duration) -> bool {
        let deadline = Instant::now() + timeout;
        let has_other = |stream: &str| self.leader_of(stream).is_some_and(|leader| leader != former);
        while !streams.iter().all(|stream| has_other(stream.as_ref())) {
            if Instant::now() >= deadline {
                return false;
            }
            thread::sleep(ELECTION_POLL);
        }
        true
    }

    /// Returns whether [`Self::await_ready`] would not wait.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        let Some(views) = self.monitored().map(monitor::streams).collect::<Option<Vec<_>>>() else {
            return false;
        };
        let views: Vec<_> = views.into_iter().flatten().collect();
        let is_whole = |name: &str| {
            let of_stream = || views.iter().filter(|view| view.name == name);
            // A leader has not noticed yet that a server restarted a moment ago.
            let sequences = of_stream().map(|view| view.last_sequence);
            let is_level = sequences.clone().max() <= sequences.min().map(|least| least + MAX_LAG);
            let mut leaderships = of_stream().filter_map(|view| view.leadership.as_ref());
            is_level && leaderships.any(|leadership| leadership.is_whole)
        };
        self.monitored().all(monitor::is_healthy)
            && (self.size() == 1 || self.monitored().all(|address| monitor::meta_leader(address).is_some()))
            && views.iter().all(|view| is_whole(&view.name))
    }
}
