//! The parts that the relays of a cluster have in common, besides the messages: limits and revocations. A relay with the
//! embedded broker has none of this.

mod gossip;
mod gossip_task;
pub(crate) mod relay_ids;
mod revocation_task;
mod revocations;

#[cfg(feature = "fuzzing")]
pub(crate) use gossip::recode_report;
#[cfg(feature = "fuzzing")]
pub(crate) use revocations::{Entry, tag_record};

use crate::{
    auth::{
        revocations::{Completeness, Revocations, SharedRevocation},
        signing_keys::SigningKeys,
    },
    broker::Broker,
    connection::Registry,
    critical_task,
    limits::Limits,
    nats::NatsConnection,
    presence::{PresenceTask, Presences},
    refused::Refused,
    settings::Settings,
};
use arc_swap::ArcSwap;
use gossip::Gossip;
use relay_ids::RelayIds;
use revocation_task::RevocationFollower;
use revocations::{JetStreamLog, LogError, Replica};
use sealwire_protocol::Code;
use std::{sync::Arc, time::Duration};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

/// The delay before a revocation is written again.
const RETRY_DELAY: Duration = Duration::from_millis(100);

/// A relay's part in its cluster.
pub(crate) struct Cluster {
    relays: Arc<RelayIds>,
    replica: Arc<Replica<JetStreamLog>>,
    timeout: Duration,
}

/// The parts of a relay that the cluster changes.
pub(crate) struct ClusterParts {
    /// The connections to the servers of the broker, which other parts may use as well.
    pub(crate) connections: Vec<NatsConnection>,
    /// Limits that are [shared](Limits::shared).
    pub(crate) limits: Arc<Limits>,
    pub(crate) revocations: Arc<Revocations>,
    pub(crate) keys: Arc<SigningKeys>,
    /// The sessions that revocations end.
    pub(crate) registry: Arc<Registry>,
    /// The members that other relays hear of.
    pub(crate) presences: Arc<Presences>,
    pub(crate) broker: Arc<dyn Broker>,
    pub(crate) ended: CancellationToken,
}

impl Cluster {
    /// Starts the tasks. `relay` is a random id of this process. Until the revocations were read from the broker, the
    /// relay refuses new sessions, and [`Revocations::is_complete`] is false.
    pub(crate) fn start(relay: u64, settings: &Settings, parts: ClusterParts) -> Arc<Self> {
        let ClusterParts { connections, limits, revocations, keys, registry, presences, broker, ended } =
            parts;
        revocations.set_completeness(Completeness::Unread);
        let prefix = settings.broker_prefix.as_str();
        let relays = Arc::new(RelayIds { own: relay, others: ArcSwap::default() });
        let (gossip, prefix) = (Gossip::new(relay, limits.clone()), prefix.to_owned());
        let gossip = gossip_task::run(gossip, prefix, connections.clone(), relays.clone(), ended.clone());
        critical_task::spawn("gossip", gossip);
        let task = PresenceTask {
            prefix: settings.broker_prefix.as_str().to_owned(),
            connections: connections.clone(),
            relays: relays.clone(),
            keys: keys.clone(),
            presences: presences.clone(),
            broker,
            ended: ended.clone(),
        };
        critical_task::spawn("presence links", task.run());
        let log = JetStreamLog::new(settings, connections.clone());
        let replica = Arc::new(Replica::new(log, revocations, keys));
        let follower =
            RevocationFollower { replica: replica.clone(), connections, limits, registry, presences, ended };
        critical_task::spawn("revocations", follower.run());
        Arc::new(Self { relays, replica, timeout: settings.broker_timeout })
    }

    /// The relays that are present.
    pub(crate) fn relays(&self) -> &Arc<RelayIds> {
        &self.relays
    }

    /// Passes a revocation on to all relays, and to those that start later. It is in force at this relay already, and stays
    /// so after an error; the relay then keeps trying.
    pub(crate) async fn revoke(&self, revocation: &SharedRevocation) -> Result<(), Refused> {
        let publish = async {
            loop {
                match self.replica.publish(revocation).await {
                    // The broker may be electing a leader.
                    Err(error @ (LogError::Unavailable(_) | LogError::Conflict)) => {
                        tracing::debug!(%error, "writing a revocation again");
                        sleep(RETRY_DELAY).await;
                    }
                    published => return published,
                }
            }
        };
        match timeout(self.timeout, publish).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(Refused::new(
                Code::Overloaded,
                "the sessions at this relay have ended, but the broker has no memory for more revocations; try again later",
            )),
            Err(_) => {
                tracing::warn!("a revocation did not reach the other relays yet");
                Err(Self::unavailable())
            }
        }
    }

    fn unavailable() -> Refused {
        Refused::new(
            Code::BrokerUnavailable,
            "the sessions at this relay have ended, but the relay could not reach its broker to end them everywhere; try again",
        )
    }
}
