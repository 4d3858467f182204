//! The broker of a single relay: the hub behind a lock, in memory only.

use super::{Broker, BrokerError, BrokerFuture, BrokerStatus};
use crate::{
    clock::Now,
    critical_task,
    fanout::Deliveries,
    hub::{Draft, Hub, HubLimits, PublishReceipt, Replay},
    tenant::Tenant,
};
use sealwire_protocol::{ChannelId, wire::Since};
use std::{
    sync::{Arc, Mutex, MutexGuard},
    time::Instant,
};

/// An in-memory broker for one relay.
pub struct EmbeddedBroker {
    shared: Arc<Shared>,
}

struct Shared {
    hub: Mutex<Hub>,
    deliveries: Deliveries,
}

impl EmbeddedBroker {
    /// Creates an empty broker. `epoch` must be random.
    #[must_use]
    pub fn new(epoch: u64, limits: HubLimits, deliveries: Deliveries) -> Self {
        let hub = Hub::new(epoch, limits, Now::read()).with_memory(deliveries.memory().clone());
        let hub = Mutex::new(hub);
        Self { shared: Arc::new(Shared { hub, deliveries }) }
    }

    /// Removes expired publications. The server calls it once a second, so that an idle relay releases its memory.
    pub fn expire(&self) {
        // Each call removes a part, and the lock is released in between.
        while self.shared.hub().expire(Instant::now()) {}
    }
}

impl Shared {
    fn hub(&self) -> MutexGuard<'_, Hub> {
        critical_task::unpoisoned(self.hub.lock())
    }
}

impl Broker for EmbeddedBroker {
    fn publish(&self, draft: Draft) -> BrokerFuture<PublishReceipt> {
        let shared = self.shared.clone();
        Box::pin(async move {
            if !shared.deliveries.memory().wait_for_room().await {
                return Err(BrokerError::Full);
            }
            let permit = shared.deliveries.reserve(draft.tenant, draft.sealed.len()).await;
            // The publication is delivered under the lock, so that deliveries keep the order of the offsets.
            let mut hub = shared.hub();
            let outcome = hub.publish(draft, Now::read())?;
            if let Some(publication) = outcome.publication {
                shared.deliveries.deliver(publication, permit);
            }
            Ok(outcome.receipt)
        })
    }

    fn subscribe(&self, tenant: Tenant, channel: ChannelId, since: Option<Since>) -> BrokerFuture<Replay> {
        let shared = self.shared.clone();
        Box::pin(async move { Ok(shared.hub().subscribe(tenant, channel, since, Now::read())) })
    }

    fn unsubscribe(&self, channel: ChannelId) {
        self.shared.hub().unsubscribe(channel, Now::read());
    }

    fn has_presence(&self) -> bool {
        true
    }

    fn evict(&self, bytes: usize) -> usize {
        self.shared.hub().evict(bytes, Instant::now())
    }

    fn status(&self) -> BrokerStatus {
        let hub = self.shared.hub();
        BrokerStatus { counts: hub.counts(), channels: hub.channels(), cached_bytes: hub.cached_bytes() }
    }
}
