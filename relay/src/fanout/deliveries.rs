//! The way of publications from the broker to the shards: in order per channel, bounded in bytes.

use crate::{hub::Publication, memory::Memory};
use sealwire_protocol::ChannelId;
use std::{sync::Arc, time::Instant};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

/// Most bytes of publications that wait for fan-out; past it, publishers wait.
const BACKLOG: usize = 64 * 1024 * 1024;

/// Takes publications for fan-out; held by the broker.
#[derive(Clone)]
pub struct Deliveries {
    shards: Arc<[mpsc::UnboundedSender<Delivery>]>,
    backlog: Arc<Semaphore>,
    memory: Arc<Memory>,
}

/// Room in the backlog, given back when the publication is queued at its subscribers.
#[derive(Debug, Default)]
pub struct Room {
    _permit: Option<OwnedSemaphorePermit>,
}

pub(super) struct Delivery {
    publication: Arc<Publication>,
    taken: Instant,
    _room: Room,
}

impl Delivery {
    pub(super) fn publication(&self) -> &Arc<Publication> {
        &self.publication
    }

    /// When it was handed to fan-out.
    pub(super) fn taken(&self) -> Instant {
        self.taken
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
    (Deliveries { shards: senders.into(), backlog: Arc::new(Semaphore::new(BACKLOG)), memory }, inboxes)
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

    /// Waits until a message of so many bytes may be published.
    pub async fn room(&self, bytes: usize) -> Room {
        let bytes = u32::try_from(bytes.min(BACKLOG)).unwrap_or(u32::MAX);
        Room { _permit: self.backlog.clone().acquire_many_owned(bytes).await.ok() }
    }

    /// Hands a publication to its channel's shard. Callers keep the order of offsets within a channel.
    pub fn deliver(&self, publication: Arc<Publication>, room: Room) {
        let shard = shard_of(publication.channel(), self.shards.len());
        // A shard's task ends only when the relay does.
        let _ = self.shards[shard].send(Delivery { publication, taken: Instant::now(), _room: room });
    }

    /// Waits until everything that was handed over with [`Self::room`] is queued at its subscribers.
    pub(crate) async fn settled(&self) {
        let _ = self.backlog.acquire_many(BACKLOG as u32).await;
    }
}

impl Inbox {
    /// Waits for one, then takes what is there; 0 where nothing will come any more.
    pub(super) async fn receive_many(&mut self, round: &mut Vec<Delivery>, limit: usize) -> usize {
        self.0.recv_many(round, limit).await
    }
}
