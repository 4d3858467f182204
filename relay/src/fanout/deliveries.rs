//! The queues from the broker to the shards: in order per channel, bounded in bytes.

use super::backlog::{Backlog, BacklogPermit, Wave};
use crate::{hub::Publication, memory::Memory, tenant::Tenant};
use sealwire_protocol::ChannelId;
use std::{sync::Arc, time::Instant};
use tokio::sync::mpsc;

/// The sending end of fan-out, held by the broker.
#[derive(Clone)]
pub struct Deliveries {
    shards: Arc<[mpsc::UnboundedSender<Delivery>]>,
    backlog: Arc<Backlog>,
    memory: Arc<Memory>,
}

/// A publication on its way to its subscribers.
pub(super) struct Delivery {
    publication: Arc<Publication>,
    accepted_at: Instant,
    permit: BacklogPermit,
}

impl Delivery {
    pub(super) fn publication(&self) -> &Arc<Publication> {
        &self.publication
    }

    pub(super) fn tenant(&self) -> Tenant {
        self.permit.tenant()
    }

    /// Returns the time at which the broker handed the publication over.
    pub(super) fn accepted_at(&self) -> Instant {
        self.accepted_at
    }

    #[cfg(test)]
    pub(super) fn of(publication: Arc<Publication>, permit: BacklogPermit) -> Self {
        Self { publication, accepted_at: Instant::now(), permit }
    }
}

/// The receiving end of one shard.
pub(super) struct ShardInbox(mpsc::UnboundedReceiver<Delivery>);

pub(super) fn channel(shards: usize, memory: Arc<Memory>) -> (Deliveries, Vec<ShardInbox>) {
    let (senders, inboxes): (Vec<_>, Vec<_>) = (0..shards)
        .map(|_| {
            let (sender, receiver) = mpsc::unbounded_channel();
            (sender, ShardInbox(receiver))
        })
        .unzip();
    (Deliveries { shards: senders.into(), backlog: Arc::default(), memory }, inboxes)
}

/// Returns the shard of a channel. Channel ids are hashes, so any of their bytes is evenly distributed.
pub(super) fn shard_of(channel: ChannelId, shards: usize) -> usize {
    usize::from(channel.0[0]) % shards
}

impl Deliveries {
    /// Returns the memory in which brokers account the frames that they keep.
    #[must_use]
    pub fn memory(&self) -> &Arc<Memory> {
        &self.memory
    }

    /// Waits until the tenant's backlog has room for a message of `bytes`, and reserves them.
    pub async fn reserve(&self, tenant: Tenant, bytes: usize) -> BacklogPermit {
        self.backlog.acquire(tenant, bytes).await
    }

    /// Hands a publication to its channel's shard. Callers deliver the publications of a channel in the order of
    /// offsets.
    pub fn deliver(&self, publication: Arc<Publication>, permit: BacklogPermit) {
        let shard = shard_of(publication.channel(), self.shards.len());
        // A shard's task ends only with the relay.
        let _ = self.shards[shard].send(Delivery { publication, accepted_at: Instant::now(), permit });
    }

    /// Hands a publication that another system accepted to its channel's shard; see [`Self::deliver`].
    pub(crate) fn deliver_followed(&self, publication: Arc<Publication>, tenant: Tenant, wave: Arc<Wave>) {
        let permit = self.backlog.overdraw(tenant, publication.frame().len(), wave);
        self.deliver(publication, permit);
    }

    /// Waits until every publication with a permit of [`Self::reserve`] is queued at its subscribers.
    pub(crate) async fn wait_until_delivered(&self) {
        self.backlog.wait_until_empty().await;
    }
}

impl ShardInbox {
    /// Receives up to `limit` deliveries. With `waits`, waits for the first one. Returns their number; 0 if there are
    /// none, or if all senders are gone.
    pub(super) async fn receive_many(
        &mut self,
        arrived: &mut Vec<Delivery>,
        limit: usize,
        waits: bool,
    ) -> usize {
        if !waits && self.0.is_empty() {
            return 0;
        }
        self.0.recv_many(arrived, limit).await
    }
}
