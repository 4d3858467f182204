//! Fan-out: from a publication to the queues of all its subscribers. Channels are spread over shards; each has a table
//! of subscribers and one task that works in rounds: it queues so many deliveries, of the channels whose turn it is, and
//! then writes to every touched connection once.

mod backlog;
mod deliveries;
mod rotation;
mod sink;
mod subscribers;

pub use backlog::BacklogPermit;
pub use deliveries::Deliveries;
pub(crate) use sink::Sink;
pub use subscribers::{Opening, Subscribers, Visited};

use crate::session_id::SessionId;
use crate::{
    critical_task,
    hub::{Publication, Replay},
    memory::Memory,
    metrics::{self, Distribution, Latency},
    session::EventFilter,
};
use deliveries::{Delivery, Inbox};
use rotation::{Rotation, Turn};
use sealwire_protocol::ChannelId;
use std::{
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

/// Deliveries that one round queues before it writes, and connections that it then writes to; the last turn may go past
/// either.
const ROUND_DELIVERIES: usize = 4096;
const ROUND_WRITES: usize = 64;
/// Most deliveries of a channel's turn, for which the table is locked, and most subscribers.
const TURN_DELIVERIES: usize = 1024;
const TURN_SUBSCRIBERS: usize = 64;
/// Most publications that are taken in before the next round.
const MAX_ARRIVALS: usize = 256;
/// After so many bytes written, a shard's task lets others run, as it does after every round.
const BYTES_BETWEEN_YIELDS: usize = 512 * 1024;

/// The subscribers of this relay.
pub(crate) struct Fanout<S: Sink> {
    shards: Box<[Shard<S>]>,
}

/// On cache lines of its own: what one shard counts slows no other down.
#[repr(align(128))]
struct Shard<S> {
    table: Mutex<Subscribers<S>>,
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

impl<S> Default for Shard<S> {
    fn default() -> Self {
        Self {
            table: Mutex::default(),
            deliveries: AtomicU64::default(),
            sent: AtomicU64::default(),
            latency: Latency::default(),
        }
    }
}

impl<S: Sink> Fanout<S> {
    /// Starts the tasks of all shards; they end when the last [`Deliveries`] is gone.
    pub(crate) fn start(shards: usize, memory: Arc<Memory>) -> (Arc<Self>, Deliveries) {
        let (deliveries, inboxes) = deliveries::channel(shards.max(1), memory);
        let shards = inboxes.iter().map(|_| Shard::default()).collect();
        let fanout = Arc::new(Self { shards });
        for (shard, inbox) in inboxes.into_iter().enumerate() {
            critical_task::spawn("fan-out", fanout.clone().run(shard, inbox));
        }
        (fanout, deliveries)
    }

    pub(crate) fn join(&self, channel: ChannelId, session: SessionId, sink: S, events: EventFilter) {
        self.table(channel).join(channel, session, sink, events);
    }

    pub(crate) fn open(&self, channel: ChannelId, session: SessionId, replay: &Replay) {
        self.table(channel).open(channel, session, replay, S::push_opening);
    }

    pub(crate) fn leave(&self, channel: ChannelId, session: SessionId) {
        self.table(channel).leave(channel, session);
    }

    async fn run(self: Arc<Self>, shard: usize, mut inbox: Inbox) {
        let (mut arrived, mut rotation) = (Vec::with_capacity(MAX_ARRIVALS), Rotation::default());
        let mut round = Round::<S>::default();
        let shard = &self.shards[shard];
        while inbox.receive_many(&mut arrived, MAX_ARRIVALS, rotation.is_empty()).await > 0
            || !rotation.is_empty()
        {
            arrived.drain(..).for_each(|delivery| rotation.add(delivery));
            while !round.is_full() && shard.take_turn(&mut rotation, &mut round) {}
            let sent = flush::<S>(&mut round.touched).await;
            let now = Instant::now();
            round.over.drain(..).for_each(|at: Instant| shard.latency.record(now - at));
            metrics::add(&shard.deliveries, std::mem::take(&mut round.queued));
            metrics::add(&shard.sent, sent as u64);
            round.work = 0;
            if !rotation.is_empty() {
                tokio::task::yield_now().await;
            }
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

    fn table(&self, channel: ChannelId) -> MutexGuard<'_, Subscribers<S>> {
        lock(&self.shards[deliveries::shard_of(channel, self.shards.len())].table)
    }
}

/// The work of a shard's task between two rounds of writes.
struct Round<S: Sink> {
    /// Deliveries that were looked at, and turns.
    work: usize,
    /// Deliveries that were wanted.
    queued: u64,
    /// The connections that are to be written to.
    touched: Vec<Arc<S::Connection>>,
    /// The moments at which the publications were taken that all subscribers have now.
    over: Vec<Instant>,
}

impl<S: Sink> Default for Round<S> {
    fn default() -> Self {
        Self { work: 0, queued: 0, touched: Vec::new(), over: Vec::new() }
    }
}

impl<S: Sink> Round<S> {
    fn is_full(&self) -> bool {
        self.work >= ROUND_DELIVERIES || self.touched.len() >= ROUND_WRITES
    }
}

impl<S: Sink> Shard<S> {
    /// Gives the channel whose turn it is its turn, if there is one.
    fn take_turn(&self, rotation: &mut Rotation, round: &mut Round<S>) -> bool {
        let Round { work, queued, touched, over } = round;
        let deliver = |turn: &Turn<'_>| {
            let batch = turn.batch();
            let (publications, count) = (batch.clone().map(Delivery::publication), batch.len());
            let mut push = |sink: &S, publication: &Publication| {
                *queued += 1;
                if sink.push_live(publication.frame()) {
                    touched.push(sink.connection().clone());
                }
            };
            let most = (TURN_DELIVERIES / count.max(1)).clamp(1, TURN_SUBSCRIBERS);
            let mut table = lock(&self.table);
            let visited = table.deliver_to_some(turn.channel, publications, turn.after(), most, &mut push);
            *work += 1 + visited.count * count;
            visited.last
        };
        rotation.turn(deliver, |delivery| over.push(delivery.taken()))
    }
}

/// Writes to every connection once. Returns how many bytes were written.
async fn flush<S: Sink>(touched: &mut Vec<Arc<S::Connection>>) -> usize {
    let (mut sum, mut bytes) = (0, 0);
    for connection in touched.drain(..) {
        let sent = S::flush(&connection);
        (sum, bytes) = (sum + sent, bytes + sent);
        if bytes >= BYTES_BETWEEN_YIELDS {
            bytes = 0;
            tokio::task::yield_now().await;
        }
    }
    sum
}

fn lock<S>(table: &Mutex<Subscribers<S>>) -> MutexGuard<'_, Subscribers<S>> {
    critical_task::sound(table.lock())
}
