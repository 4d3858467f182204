//! The way of publications from the broker to the shards: in order per channel, bounded in bytes.

use super::backlog::{Backlog, BacklogPermit};
use crate::{hub::Publication, memory::Memory, tenant::Tenant};
use sealwire_protocol::ChannelId;
use std::{sync::Arc, time::Instant};
use tokio::sync::mpsc;

/// Takes publications for fan-out; held by the broker.
#[derive(Clone)]
pub struct Deliveries {
    shards: Arc<[mpsc::UnboundedSender<Delivery>]>,
    backlog: Arc<Backlog>,
    memory: Arc<Memory>,
}

pub(super) struct Delivery {
    publication: Arc<Publication>,
    taken: Instant,
    room: BacklogPermit,
}

impl Delivery {
    pub(super) fn publication(&self) -> &Arc<Publication> {
        &self.publication
    }

    pub(super) fn tenant(&self) -> Tenant {
        self.room.tenant()
    }

    /// When it was handed to fan-out.
    pub(super) fn taken(&self) -> Instant {
        self.taken
    }

    #[cfg(test)]
    pub(super) fn of(publication: Arc<Publication>, room: BacklogPermit) -> Self {
        Self { publication, taken: Instant::now(), room }
    }
}

/// A shard's end.
pub(super) struct Inbox(mpsc::UnboundedReceiver<Delivery>);

pub(super) fn channel(shards: usize, memory: Arc<Memory>) -> (Deliveries, Vec<Inbox>) {
    let (senders, inboxes): (Vec<_>, Vec<_>) = (0..shards)
        .map(|_| {
            let (sender, receiver) = mpsc::unbounded_channel();
            (sender, Inbox(receiver))
        })
        .unzip();
    (Deliveries { shards: senders.into(), backlog: Arc::default(), memory }, inboxes)
}

/// Channel ids are hashes, so any of their bytes spread well.
pub(super) fn shard_of(channel: ChannelId, shards: usize) -> usize {
    usize::from(channel.0[0]) % shards
}

impl Deliveries {
    /// Where brokers count the frames that they keep.
    #[must_use]
    pub fn memory(&self) -> &Arc<Memory> {
        &self.memory
    }

    /// Waits until a message of so many bytes may be published by a tenant.
    pub async fn room(&self, tenant: Tenant, bytes: usize) -> BacklogPermit {
        self.backlog.room(tenant, bytes).await
    }

    /// Hands a publication to its channel's shard. Callers keep the order of offsets within a channel.
    pub fn deliver(&self, publication: Arc<Publication>, room: BacklogPermit) {
        let shard = shard_of(publication.channel(), self.shards.len());
        // A shard's task ends only when the relay does.
        let _ = self.shards[shard].send(Delivery { publication, taken: Instant::now(), room });
    }

    /// Waits until everything that was handed over with [`Self::room`] is queued at its subscribers.
    pub(crate) async fn settled(&self) {
        self.backlog.settled().await;
    }
}

impl Inbox {
    /// Takes the deliveries that are there, up to a limit; waits for the first one if `waits`. Returns 0 if there are none,
    /// or if none will come any more.
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
