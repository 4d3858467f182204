//! The broker for many relays: NATS JetStream. Channels are spread over a fixed number of streams in memory. A publication
//! is answered after the stream stored it; its offset is its sequence. Each relay follows every stream at its leader, and
//! listens only to the channels that its clients hold.
//!
//! A [`Follower`] decides what is proven, without I/O; a driver per stream performs its requests.

mod driver;
mod follower;
mod names;
mod publish;
mod shared;
mod stored;
mod stream_config;

pub use follower::{
    Entry, EpochMarks, Follower, FollowerAction, FollowerCounts, Leader, Mark, RelinkReason, RequestId,
    ResetReason, StoredPublication, StreamInfo, Ticket,
};
pub(crate) use shared::ClientEffects;

use super::{Broker, BrokerError, BrokerFuture, BrokerStatus};
use crate::{
    clock::Now,
    critical_task,
    fanout::Deliveries,
    hub::{Draft, Hub, HubLimits, PublishReceipt, Replay},
    metrics::BrokerMetrics,
    nats::NatsConnection,
    settings::Settings,
    tenant::Tenant,
};
use driver::{Driver, StreamMetrics};
use names::{StreamNames, stream_of};
use sealwire_protocol::{ChannelId, wire::Since};
use shared::SharedStream;
use std::{
    sync::{Arc, Mutex, MutexGuard},
    time::{Duration, Instant},
};

/// The interval in which the marks for clients are renewed.
const MARKS_INTERVAL: Duration = Duration::from_millis(500);

/// A broker on NATS JetStream.
pub(crate) struct JetStreamBroker {
    streams: Box<[Arc<SharedStream>]>,
    hub: Arc<Mutex<Hub>>,
    deliveries: Deliveries,
    effects: Arc<dyn ClientEffects>,
    metrics: Arc<BrokerMetrics>,
    timeout: Duration,
}

impl JetStreamBroker {
    /// Starts to follow all streams. Requests wait until NATS can be reached.
    pub(crate) fn start(
        settings: &Settings,
        connections: Vec<NatsConnection>,
        deliveries: Deliveries,
        effects: Arc<dyn ClientEffects>,
        metrics: Arc<BrokerMetrics>,
    ) -> Arc<Self> {
        let limits = HubLimits { replay_window: settings.replay_window, replay_bytes: settings.replay_bytes };
        // The streams have their own epochs.
        let hub = Hub::new(0, limits, Now::read()).with_memory(deliveries.memory().clone());
        let hub = Arc::new(Mutex::new(hub));
        let (connections, shared_settings) = (Arc::<[_]>::from(connections), Arc::new(settings.clone()));
        let streams = (0..settings.broker_streams).map(|index| {
            let (stream, actions) = SharedStream::new(hub.clone(), deliveries.clone(), effects.clone());
            let driver = Driver {
                stream: stream.clone(),
                names: StreamNames::new(&settings.broker_prefix, index),
                settings: shared_settings.clone(),
                connections: connections.clone(),
                actions,
                metrics: StreamMetrics::new(metrics.clone(), index),
            };
            critical_task::spawn("stream", driver.run());
            stream
        });
        let streams = streams.collect();
        Arc::new(Self { streams, hub, deliveries, effects, metrics, timeout: settings.broker_timeout })
    }

    /// Removes expired publications, and renews the marks for clients. The server calls it regularly.
    pub(crate) fn tend(&self) {
        while self.hub().expire(Instant::now()) {}
        let marks = self.streams.iter().filter_map(|stream| stream.delivered_mark());
        self.effects.set_marks(marks.map(|mark| mark.position()).collect());
    }

    /// The interval of [`Self::tend`].
    pub(crate) const TEND_INTERVAL: Duration = MARKS_INTERVAL;

    fn stream(&self, channel: ChannelId) -> &Arc<SharedStream> {
        &self.streams[stream_of(channel, self.streams.len())]
    }

    fn hub(&self) -> MutexGuard<'_, Hub> {
        critical_task::unpoisoned(self.hub.lock())
    }
}

impl Broker for JetStreamBroker {
    fn publish(&self, draft: Draft) -> BrokerFuture<PublishReceipt> {
        let (stream, memory) = (self.stream(draft.channel).clone(), self.deliveries.memory().clone());
        let (timeout, metrics) = (self.timeout, self.metrics.clone());
        Box::pin(async move {
            if !memory.wait_for_room().await {
                return Err(BrokerError::Full);
            }
            publish::publish(stream, draft, timeout, &metrics).await
        })
    }

    fn subscribe(&self, tenant: Tenant, channel: ChannelId, since: Option<Since>) -> BrokerFuture<Replay> {
        let stream = self.stream(channel).clone();
        Box::pin(async move {
            stream.subscribe(tenant, channel, since).answer().await.ok_or(BrokerError::Unavailable)
        })
    }

    fn unsubscribe(&self, channel: ChannelId) {
        self.stream(channel).unsubscribe(channel);
    }

    fn has_presence(&self) -> bool {
        true
    }

    fn evict(&self, bytes: usize) -> usize {
        self.hub().evict(bytes, Instant::now())
    }

    fn status(&self) -> BrokerStatus {
        let hub = self.hub();
        BrokerStatus { counts: hub.counts(), channels: hub.channels(), cached_bytes: hub.cached_bytes() }
    }

    fn metrics(&self) -> Option<&BrokerMetrics> {
        Some(&self.metrics)
    }

    fn is_ready(&self) -> bool {
        let now = Instant::now();
        self.streams.iter().all(|stream| stream.with(|follower, _| follower.is_following(now)))
    }

    fn timeout(&self) -> Duration {
        self.timeout
    }
}
