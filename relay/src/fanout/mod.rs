//! Fan-out: from a publication to the queues of all its subscribers. Channels are spread over shards; each has a table
//! of subscribers and one task that takes what is waiting, queues it and then writes to every touched connection once.

mod deliveries;
mod subscribers;

pub use deliveries::{Deliveries, Room};
pub use subscribers::{ConnectionId, Subscribers};

use crate::{
    connection::{Outbound, Outlet},
    hub::Replay,
    session::EventFilter,
};
use deliveries::{Delivery, Inbox};
use sealwire_protocol::ChannelId;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Most publications that one round queues before it writes.
const ROUND: usize = 256;
/// After so many writes a shard's task lets others run.
const WRITES_BETWEEN_YIELDS: usize = 64;

type Table = Subscribers<Outlet>;

/// The subscribers of this relay.
pub struct Fanout {
    shards: Box<[Mutex<Table>]>,
}

impl Fanout {
    /// Starts the tasks of all shards; they end when the last [`Deliveries`] is gone.
    #[must_use]
    pub fn start(shards: usize) -> (Arc<Self>, Deliveries) {
        let (deliveries, inboxes) = deliveries::channel(shards.max(1));
        let shards = inboxes.iter().map(|_| Mutex::default()).collect();
        let fanout = Arc::new(Self { shards });
        for (shard, inbox) in inboxes.into_iter().enumerate() {
            tokio::spawn(fanout.clone().run(shard, inbox));
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
        while inbox.receive_many(&mut round, ROUND).await > 0 {
            self.queue(shard, &mut round, &mut touched);
            for (written, outbound) in touched.drain(..).enumerate() {
                outbound.flush();
                if written % WRITES_BETWEEN_YIELDS == WRITES_BETWEEN_YIELDS - 1 {
                    tokio::task::yield_now().await;
                }
            }
        }
    }

    /// Queues publications at their subscribers. `touched` gets the connections that are to be written to.
    fn queue(&self, shard: usize, round: &mut Vec<Delivery>, touched: &mut Vec<Arc<Outbound>>) {
        let mut table = lock(&self.shards[shard]);
        for delivery in round.drain(..) {
            table.deliver(delivery.publication(), |outlet, publication| {
                if outlet.push_live(publication.frame()) {
                    touched.push(outlet.connection().clone());
                }
            });
        }
    }

    fn table(&self, channel: ChannelId) -> MutexGuard<'_, Table> {
        lock(&self.shards[deliveries::shard_of(channel, self.shards.len())])
    }
}

fn lock(table: &Mutex<Table>) -> MutexGuard<'_, Table> {
    table.lock().unwrap_or_else(PoisonError::into_inner)
}
