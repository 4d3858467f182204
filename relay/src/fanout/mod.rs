//! Fan-out: from a publication to the queues of all its subscribers. Channels are spread over shards; each has a table
//! of subscribers and one task that takes what is waiting, queues it and then writes to every touched connection once.

mod deliveries;
mod subscribers;

pub use deliveries::{Deliveries, Room};
pub use subscribers::{ConnectionId, Subscribers};

use crate::{
    connection::{Outbound, Outlet},
    hub::Replay,
    memory::Memory,
    metrics::{self, Distribution, Latency},
    session::EventFilter,
    vital,
};
use deliveries::{Delivery, Inbox};
use sealwire_protocol::ChannelId;
use std::{
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

/// Most publications that one round queues before it writes.
const ROUND: usize = 256;
/// After so many writes a shard's task lets others run.
const WRITES_BETWEEN_YIELDS: usize = 64;

type Table = Subscribers<Outlet>;

/// The subscribers of this relay.
pub struct Fanout {
    shards: Box<[Shard]>,
}

/// On cache lines of its own: what one shard counts slows no other down.
#[repr(align(128))]
#[derive(Default)]
struct Shard {
    table: Mutex<Table>,
    /// Written by the shard's task alone, like the rest.
    deliveries: AtomicU64,
    sent: AtomicU64,
    latency: Latency,
}

/// What fan-out did so far.
#[derive(Default)]
pub(crate) struct FanoutCounts {
    /// Publications queued for a subscriber.
    pub(crate) deliveries: u64,
    /// Bytes written.
    pub(crate) sent: u64,
    /// From taking a publication until it was written to its subscribers.
    pub(crate) latency: Distribution,
}

impl Fanout {
    /// Starts the tasks of all shards; they end when the last [`Deliveries`] is gone.
    #[must_use]
    pub fn start(shards: usize, memory: Arc<Memory>) -> (Arc<Self>, Deliveries) {
        let (deliveries, inboxes) = deliveries::channel(shards.max(1), memory);
        let shards = inboxes.iter().map(|_| Shard::default()).collect();
        let fanout = Arc::new(Self { shards });
        for (shard, inbox) in inboxes.into_iter().enumerate() {
            vital::spawn("fan-out", fanout.clone().run(shard, inbox));
        }
        (fanout, deliveries)
    }

    pub(crate) fn join(
        &self,
        channel: ChannelId,
        connection: ConnectionId,
        outlet: Outlet,
        events: EventFilter,
    ) {
        self.table(channel).join(channel, connection, outlet, events);
    }

    pub(crate) fn open(&self, channel: ChannelId, connection: ConnectionId, replay: &Replay) {
        self.table(channel).open(channel, connection, replay, |outlet, publications| {
            outlet.push_replay(publications.iter().map(|publication| publication.frame()));
        });
    }

    pub(crate) fn leave(&self, channel: ChannelId, connection: ConnectionId) {
        self.table(channel).leave(channel, connection);
    }

    async fn run(self: Arc<Self>, shard: usize, mut inbox: Inbox) {
        let mut round = Vec::with_capacity(ROUND);
        let mut touched: Vec<Arc<Outbound>> = Vec::new();
        let mut taken: Vec<Instant> = Vec::with_capacity(ROUND);
        let shard = &self.shards[shard];
        while inbox.receive_many(&mut round, ROUND).await > 0 {
            taken.extend(round.iter().map(Delivery::taken));
            let queued = shard.queue(&mut round, &mut touched);
            let mut sent = 0;
            for (written, outbound) in touched.drain(..).enumerate() {
                sent += outbound.flush();
                if written % WRITES_BETWEEN_YIELDS == WRITES_BETWEEN_YIELDS - 1 {
                    tokio::task::yield_now().await;
                }
            }
            let now = Instant::now();
            taken.drain(..).for_each(|at| shard.latency.record(now - at));
            metrics::add(&shard.deliveries, queued);
            metrics::add(&shard.sent, sent as u64);
        }
    }

    /// Subscriptions of all channels.
    pub(crate) fn subscriptions(&self) -> usize {
        self.shards.iter().map(|shard| lock(&shard.table).len()).sum()
    }

    pub(crate) fn counts(&self) -> FanoutCounts {
        let mut counts = FanoutCounts::default();
        for shard in &self.shards {
            counts.deliveries += shard.deliveries.load(Ordering::Relaxed);
            counts.sent += shard.sent.load(Ordering::Relaxed);
            shard.latency.add_to(&mut counts.latency);
        }
        counts
    }

    fn table(&self, channel: ChannelId) -> MutexGuard<'_, Table> {
        lock(&self.shards[deliveries::shard_of(channel, self.shards.len())].table)
    }
}

impl Shard {
    /// Queues publications at their subscribers, and says how often it did. `touched` gets the connections that are to be
    /// written to.
    fn queue(&self, round: &mut Vec<Delivery>, touched: &mut Vec<Arc<Outbound>>) -> u64 {
        let mut table = lock(&self.table);
        let mut queued = 0;
        for delivery in round.drain(..) {
            table.deliver(delivery.publication(), |outlet, publication| {
                queued += 1;
                if outlet.push_live(publication.frame()) {
                    touched.push(outlet.connection().clone());
                }
            });
        }
        queued
    }
}

fn lock(table: &Mutex<Table>) -> MutexGuard<'_, Table> {
    vital::sound(table.lock())
}
