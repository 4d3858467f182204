//! The largest installations and channels, and the clients that read slowly. A census runs only while somebody looks. It
//! holds each lock for a bounded number of entries.

use super::presence::PresenceCensus;
use crate::{
    connection::Outbound,
    fanout::Fanout,
    http::HttpContext,
    memory::{Holder as _, ShedClass},
};
use sealwire_protocol::ChannelId;
use serde::Serialize;
use std::{cmp::Reverse, time::Instant};
use tokio::task::yield_now;

/// The number of channels of a shard that one census examines. The next one continues behind them, so that all channels are
/// examined in turn.
const CHANNELS: usize = 2048;
/// The number of installations of a shard that one census examines. Further ones are not counted.
const INSTALLATIONS: usize = 16_384;
/// The number of connections that are examined under one lock.
const CONNECTIONS: usize = 1024;
/// The number of channels that are remembered between two censuses.
const REMEMBERED: usize = 64;
/// The number of installations, channels and slow clients that are shown.
pub(super) const SHOWN: usize = 10;

/// The result of the latest census, and the position of the next one.
#[derive(Default)]
pub(super) struct Census {
    /// The installations with their sessions, the largest first.
    pub(super) installations: Vec<(u64, usize)>,
    /// The channels with their subscriptions, the largest first.
    pub(super) channels: Vec<(ChannelId, usize)>,
    pub(super) slow: SlowClients,
    pub(super) presence: PresenceCensus,
    /// The first channel to examine, by shard.
    next: Vec<usize>,
}

/// The clients for which at least 4 KiB wait.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SlowClients {
    /// The number of clients.
    clients: usize,
    /// Those of them that have read nothing for a second.
    stalled: usize,
    /// The bytes that wait for all of them.
    bytes: usize,
    /// The clients with the most bytes.
    largest: Vec<SlowClient>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct SlowClient {
    bytes: usize,
    /// The time since the client last read, in milliseconds.
    stalled_ms: u32,
}

impl Census {
    pub(super) async fn take(&mut self, http: &HttpContext) {
        self.count_installations(http).await;
        self.count_channels(&http.connection.fanout).await;
        self.slow = slow_clients(http).await;
        self.presence.take(&http.connection.presences, Instant::now()).await;
    }

    async fn count_installations(&mut self, http: &HttpContext) {
        let mut all = Vec::new();
        let sessions = http.connection.registry.sessions();
        let mut shard = 0;
        while sessions
            .visit_installations(shard, INSTALLATIONS, |key, count| all.push((key, count)))
            .is_some()
        {
            keep_largest(&mut all, SHOWN);
            shard += 1;
            yield_now().await;
        }
        self.installations = all;
    }

    async fn count_channels<S: crate::fanout::Sink>(&mut self, fanout: &Fanout<S>) {
        for (channel, count) in &mut self.channels {
            *count = fanout.subscriptions_to(*channel);
        }
        let known: Vec<ChannelId> = self.channels.iter().map(|(channel, _)| *channel).collect();
        let mut shard = 0;
        loop {
            if self.next.len() == shard {
                self.next.push(0);
            }
            let first = self.next[shard];
            let mut some = Vec::with_capacity(CHANNELS);
            let Some(len) =
                fanout.visit_channels(shard, first, CHANNELS, |channel, count| some.push((channel, count)))
            else {
                break;
            };
            self.next[shard] = if first + CHANNELS < len { first + CHANNELS } else { 0 };
            some.retain(|(channel, _)| !known.contains(channel));
            self.channels.append(&mut some);
            keep_largest(&mut self.channels, REMEMBERED);
            shard += 1;
            yield_now().await;
        }
        self.channels.retain(|(_, count)| *count > 0);
    }
}

fn keep_largest<T: Copy>(all: &mut Vec<(T, usize)>, max: usize) {
    all.sort_by_key(|(_, count)| Reverse(*count));
    all.truncate(max);
}

/// Examines the connections. If every client reads, no kernel buffer is accounted, and there is nothing to examine.
async fn slow_clients(http: &HttpContext) -> SlowClients {
    let mut slow = SlowClients::default();
    if http.connection.memory.usage().kernel == 0 {
        return slow;
    }
    let (mut shard, mut first) = (0, 0);
    while let Some((connections, next)) = http.connection.registry.some(shard, first, CONNECTIONS) {
        connections.iter().for_each(|connection| slow.add(connection));
        (shard, first) = next.map_or((shard + 1, 0), |next| (shard, next));
        yield_now().await;
    }
    slow
}

impl SlowClients {
    fn add(&mut self, connection: &Outbound) {
        let ShedClass::Backlogged { stalled: stalled_ms, bytes } = connection.shed_class() else { return };
        self.clients += 1;
        self.stalled += usize::from(stalled_ms >= 1000);
        self.bytes += bytes;
        self.largest.push(SlowClient { bytes, stalled_ms });
        self.largest.sort_by_key(|client| Reverse(client.bytes));
        self.largest.truncate(SHOWN);
    }
}
