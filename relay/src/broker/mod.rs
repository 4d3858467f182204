//! The seam to other machines. A broker gives every message its place and time, remembers the last two minutes, and
//! hands each publication to every relay that has subscribers for it.
//!
//! The shape fits NATS JetStream (one stream in memory with `max_age`, a subject per channel): `publish` is a publish
//! with `Nats-Msg-Id` whose acknowledgement carries the sequence, `subscribe` reads the subject from a sequence or start
//! time and adds the subject to the relay's consumer, the epoch is the stream's, and what the consumer yields goes to
//! [`Deliveries`](crate::fanout::Deliveries).

mod embedded;

pub use embedded::EmbeddedBroker;

use crate::{
    hub::{Draft, HubCounts, IdReused, PublishReceipt, Replay},
    refused::Refused,
    tenant::Tenant,
};
use sealwire_protocol::{ChannelId, Code, wire::Since};
use std::pin::Pin;

/// A broker's answer, some time.
pub type BrokerFuture<T> = Pin<Box<dyn Future<Output = Result<T, BrokerError>> + Send>>;

/// Why a broker could not do its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BrokerError {
    /// It could not be reached or did not answer in time.
    #[error("the relay could not reach its broker; try again")]
    Unavailable,
    /// There is no memory for more.
    #[error("the relay has no memory for more messages at the moment; try again")]
    Full,
    /// Another message of the channel has the draft's id.
    #[error(transparent)]
    IdReused(#[from] IdReused),
}

impl From<BrokerError> for Refused {
    fn from(error: BrokerError) -> Self {
        match error {
            BrokerError::Unavailable => Self::new(Code::BrokerUnavailable, error.to_string()),
            BrokerError::Full => Self::new(Code::Overloaded, error.to_string()),
            BrokerError::IdReused(_) => Self::new(Code::IdReused, error.to_string()),
        }
    }
}

/// Orders, remembers and distributes publications.
pub trait Broker: Send + Sync + 'static {
    /// Takes a message once: a repeat on the same channel within the replay window gets the first answer, and another
    /// message with the id of one is refused. The publication reaches subscribers through the deliveries that the broker was made with, in order per channel.
    fn publish(&self, draft: Draft) -> BrokerFuture<PublishReceipt>;

    /// Adds a subscription of this relay to a tenant's channel. Everything after the replay is delivered; a publication that
    /// is in both is recognised by its offset. Dropping the answer before it is ready undoes it.
    fn subscribe(&self, tenant: Tenant, channel: ChannelId, since: Option<Since>) -> BrokerFuture<Replay>;

    /// Removes a subscription that was added.
    fn unsubscribe(&self, channel: ChannelId);

    /// Memory is short: gives up publications that are kept for replay, of so many bytes in all, first those of the tenants
    /// that hold most. Returns how many bytes that were; a broker may give up fewer at once, and keep a floor.
    fn evict(&self, bytes: usize) -> usize {
        let _ = bytes;
        0
    }

    /// What it did and holds on this machine, for the metrics.
    fn status(&self) -> BrokerStatus {
        BrokerStatus::default()
    }
}

/// What a broker did and holds on this machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BrokerStatus {
    /// What it did so far.
    pub counts: HubCounts,
    /// Channels with a subscription or a history.
    pub channels: usize,
    /// Publications kept for replay, in bytes.
    pub cached_bytes: usize,
}
