//! Fan-out: from a publication to the queues of all its subscribers. Channels are spread over shards. Each shard has a
//! table of subscribers and one task that works in rounds: it queues a bounded number of deliveries, channel by channel
//! in turn, and then flushes every touched connection once.

mod backlog;
mod deliveries;
mod rotation;
mod sink;
mod subscribers;

pub use backlog::BacklogPermit;
pub(crate) use backlog::Wave;
pub use deliveries::Deliveries;
pub(crate) use sink::Sink;
pub use subscribers::{CatchUp, Subscribers, Visited};

use crate::session_id::SessionId;
use crate::{
    critical_task,
    hub::{Publication, Replay},
    memory::Memory,
    metrics::{self, Distribution, Latency},
    session::EventFilter,
    telemetry::{Delivered, Telemetry},
};
use deliveries::{Delivery, ShardInbox};
use rotation::{Rotation, Turn};
use sealwire_protocol::ChannelId;
use std::{
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

/// The number of deliveries that a round queues, and of connections that it then flushes. The last turn of a round may
/// exceed either.
const ROUND_DELIVERIES: usize = 4096;
const ROUND_FLUSHES: usize = 64;
/// The maximum number of deliveries and of subscribers in one turn of a channel, during which the table is locked.
const TURN_DELIVERIES: usize = 1024;
const TURN_SUBSCRIBERS: usize = 64;
/// The maximum number of publications received before a round.
const MAX_ARRIVALS: usize = 256;
/// The number of bytes after which a shard's task yields while it flushes. It also yields after every round.
const BYTES_BETWEEN_YIELDS: usize = 512 * 1024;

/// The subscribers of this relay, by channel.
pub(crate) struct Fanout<S: Sink> {
    shards: Box<[Shard<S>]>,
    telemetry: Telemetry,
}

/// One shard, aligned to its own cache lines so that the shards' counters do not slow each other down.
#[repr(align(128))]
struct Shard<S> {
    table: Mutex<Subscribers<S>>,
    /// This and the following counters are written only by the shard's task.
    deliveries: AtomicU64,
    sent: AtomicU64,
    latency: Latency,
}

/// Counters of fan-out, since the start.
#[derive(Default)]
pub(crate) struct FanoutCounts {
    /// The number of publications queued for a subscriber.
    pub(crate) deliveries: u64,
    /// The number of bytes written.
    pub(crate) sent: u64,
    /// The time from the acceptance of a publication until it was written to its subscribers.
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
    /// Starts the tasks of all shards. They end when the last [`Deliveries`] is dropped.
    pub(crate) fn start(shards: usize, memory: Arc<Memory>, telemetry: Telemetry) -> (Arc<Self>, Deliveries) {
        let (deliveries, inboxes) = deliveries::channel(shards.max(1), memory);
        let shards = inboxes.iter().map(|_| Shard::default()).collect();
        let fanout = Arc::new(Self { shards, telemetry });
        for (shard, inbox) in inboxes.into_iter().enumerate() {
            critical_task::spawn("fan-out", fanout.clone().run(shard, inbox));
        }
        (fanout, deliveries)
    }

    /// Adds a subscriber. It receives publications once [`Self::catch_up`] was called.
    pub(crate) fn subscribe(&self, channel: ChannelId, session: SessionId, sink: S, events: EventFilter) {
        self.table(channel).subscribe(channel, session, sink, events);
    }

    /// Queues a subscriber's replay and the publications since. From then on the subscriber is live. Returns true instead
    /// if [`Self::lose`] ended the delivery to it meanwhile.
    pub(crate) fn catch_up(&self, channel: ChannelId, session: SessionId, replay: &Replay) -> bool {
        self.table(channel).catch_up(channel, session, replay, S::push_catch_up)
    }

    /// Ends the delivery to all present subscribers of a channel. Returns their connections.
    pub(crate) fn lose(&self, channel: ChannelId) -> Vec<Arc<S::Connection>> {
        let mut connections = Vec::new();
        self.table(channel).lose(channel, |sink| connections.push(sink.connection().clone()));
        connections
    }

    /// Returns whether [`Self::lose`] ended the delivery to a subscriber.
    pub(crate) fn is_lost(&self, channel: ChannelId, session: SessionId) -> bool {
        self.table(channel).is_lost(channel, session)
    }

    /// Removes a subscriber.
    pub(crate) fn unsubscribe(&self, channel: ChannelId, session: SessionId) {
        self.table(channel).unsubscribe(channel, session);
    }

    async fn run(self: Arc<Self>, shard: usize, mut inbox: ShardInbox) {
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
            round.delivered.drain(..).for_each(|at: Instant| shard.latency.record(now - at));
            self.record(&mut round.recorded);
            metrics::add(&shard.deliveries, std::mem::take(&mut round.queued));
            metrics::add(&shard.sent, sent as u64);
            round.work = 0;
            if !rotation.is_empty() {
                tokio::task::yield_now().await;
            }
        }
    }

    /// Records the deliveries that belong to a recorded trace.
    fn record(&self, recorded: &mut Vec<Delivered>) {
        if let Some(recorder) = self.telemetry.recorder() {
            recorded.iter().for_each(|delivered| recorder.delivered(delivered));
        }
        recorded.clear();
    }

    /// Returns the number of subscriptions, over all channels.
    pub(crate) fn subscriptions(&self) -> usize {
        self.shards.iter().map(|shard| lock(&shard.table).len()).sum()
    }

    /// Visits up to `max` channels of a shard as [`Subscribers::visit_channels`] does. Returns the number of its channels, or
    /// `None` if there is no such shard.
    pub(crate) fn visit_channels(
        &self,
        shard: usize,
        first: usize,
        max: usize,
        visit: impl FnMut(ChannelId, usize),
    ) -> Option<usize> {
        Some(lock(&self.shards.get(shard)?.table).visit_channels(first, max, visit))
    }

    /// Returns the number of subscriptions to a channel.
    pub(crate) fn subscriptions_to(&self, channel: ChannelId) -> usize {
        self.table(channel).len_of(channel)
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

/// The state of one round of a shard's task.
struct Round<S: Sink> {
    /// The number of turns, plus the deliveries that were examined in them.
    work: usize,
    /// The number of deliveries that a subscriber's filter accepted.
    queued: u64,
    /// The connections to flush.
    touched: Vec<Arc<S::Connection>>,
    /// The acceptance times of the publications that are now queued at all their subscribers.
    delivered: Vec<Instant>,
    /// Those of them that belong to a recorded trace.
    recorded: Vec<Delivered>,
}

impl<S: Sink> Default for Round<S> {
    fn default() -> Self {
        Self { work: 0, queued: 0, touched: Vec::new(), delivered: Vec::new(), recorded: Vec::new() }
    }
}

impl<S: Sink> Round<S> {
    fn is_full(&self) -> bool {
        self.work >= ROUND_DELIVERIES || self.touched.len() >= ROUND_FLUSHES
    }
}

impl<S: Sink> Shard<S> {
    /// Runs the turn of the next channel. Returns whether there was one.
    fn take_turn(&self, rotation: &mut Rotation, round: &mut Round<S>) -> bool {
        let Round { work, queued, touched, delivered, recorded } = round;
        let deliver = |turn: &Turn<'_>| {
            let batch = turn.batch();
            let (publications, count) = (batch.clone().map(Delivery::publication), batch.len());
            let mut push = |sink: &S, publication: &Publication| {
                *queued += 1;
                if sink.push_live(publication.frame()) {
                    touched.push(sink.connection().clone());
                }
            };
            let max = (TURN_DELIVERIES / count.max(1)).clamp(1, TURN_SUBSCRIBERS);
            let mut table = lock(&self.table);
            let visited = table.deliver_to_some(turn.channel, publications, turn.after(), max, &mut push);
            *work += 1 + visited.count * count;
            visited.last
        };
        rotation.take_turn(deliver, |delivery| {
            delivered.push(delivery.accepted_at());
            recorded.extend(self.recorded(delivery));
        })
    }

    /// Returns a publication that belongs to a recorded trace and is queued at all its subscribers.
    fn recorded(&self, delivery: &Delivery) -> Option<Delivered> {
        let publication = delivery.publication();
        let publisher = *publication.trace()?;
        Some(Delivered {
            publisher,
            channel: publication.channel(),
            tenant: delivery.tenant(),
            offset: publication.offset(),
            accepted_at: delivery.accepted_at(),
            subscribers: lock(&self.table).len_of(publication.channel()),
        })
    }
}

/// Flushes every touched connection once. Returns the number of bytes written.
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
    critical_task::unpoisoned(table.lock())
}
