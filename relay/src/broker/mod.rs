//! The broker: the interface for relays on several machines. A broker assigns every publication its offset and time, keeps
//! the last two minutes for replay, and delivers each publication to every relay with subscribers for it.
//!
//! [`EmbeddedBroker`] serves a single relay from its own memory; `jetstream` serves many from NATS JetStream.

mod embedded;
pub(crate) mod jetstream;
pub(crate) mod traced;

pub use embedded::EmbeddedBroker;

use crate::{
    hub::{Draft, HubCounts, IdReused, PublishReceipt, Replay},
    metrics::BrokerMetrics,
    refused::Refused,
    tenant::Tenant,
};
use sealwire_protocol::{ChannelId, Code, wire::Since};
use std::{pin::Pin, time::Duration};

/// The future result of a broker's operation.
pub type BrokerFuture<T> = Pin<Box<dyn Future<Output = Result<T, BrokerError>> + Send>>;

/// The error of a broker's operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BrokerError {
    /// The broker was unreachable or did not respond in time.
    #[error("the relay could not reach its broker; try again")]
    Unavailable,
    /// The memory budget is exhausted.
    #[error("the relay has no memory for more messages at the moment; try again")]
    Full,
    /// Another message of the channel has the same id as the draft.
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

/// Orders publications, keeps them for replay and distributes them.
pub trait Broker: Send + Sync + 'static {
    /// Publishes a message exactly once. A repeat on the same channel within the replay window gets the first result; a
    /// different message with the same id is refused. The publication reaches subscribers through the [`Deliveries`] that
    /// the broker was created with, in order per channel.
    ///
    /// [`Deliveries`]: crate::fanout::Deliveries
    fn publish(&self, draft: Draft) -> BrokerFuture<PublishReceipt>;

    /// Adds a subscription of this relay to a tenant's channel. Every publication after the replay is delivered; a
    /// publication that is in both is recognised by its offset. Dropping the future before it is ready undoes the
    /// subscription.
    fn subscribe(&self, tenant: Tenant, channel: ChannelId, since: Option<Since>) -> BrokerFuture<Replay>;

    /// Removes one subscription.
    fn unsubscribe(&self, channel: ChannelId);

    /// Evicts publications that are kept for replay because memory is short, first those of the tenants that hold the most.
    /// `bytes` is the total to evict. Returns the bytes evicted; a broker may evict fewer at once, and keep a minimum.
    fn evict(&self, bytes: usize) -> usize {
        let _ = bytes;
        0
    }

    /// Returns whether the broker can take and deliver publications. A relay with a broker that cannot is not ready.
    fn is_ready(&self) -> bool {
        true
    }

    /// Returns whether the relay keeps the presence of channels. It does so in its own memory, and the relays on NATS tell each
    /// other their members. Another broker that connects several relays returns false, because members at other relays would
    /// be missing.
    fn has_presence(&self) -> bool {
        false
    }

    /// Returns the maximum time of a client's request at the broker.
    fn timeout(&self) -> Duration {
        Duration::from_secs(5)
    }

    /// The broker's counters and gauges on this machine, for the metrics.
    fn status(&self) -> BrokerStatus {
        BrokerStatus::default()
    }

    /// The metrics of the broker's connections and streams, if it reaches other machines.
    fn metrics(&self) -> Option<&BrokerMetrics> {
        None
    }
}

/// A broker's counters and gauges on one machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BrokerStatus {
    /// The counters since the start.
    pub counts: HubCounts,
    /// The number of channels with a subscription or a history.
    pub channels: usize,
    /// The size of all publications kept for replay, in bytes.
    pub cached_bytes: usize,
}
