//! Joins the cluster of relays that the setting `broker` names.

use super::{StartError, state::SharedState};
use crate::{
    cluster::{Cluster, ClusterParts},
    metrics::BrokerMetrics,
    nats::NatsConnection,
    settings::{BrokerAddress, NatsServer, Settings},
};
use std::sync::Arc;

/// Starts the connections to all servers of the broker.
pub(super) async fn connect(
    settings: &Settings,
    servers: &[NatsServer],
    metrics: &Arc<BrokerMetrics>,
) -> Result<Vec<NatsConnection>, StartError> {
    let mut connections = Vec::with_capacity(servers.len());
    for (index, server) in servers.iter().enumerate() {
        let connection = NatsConnection::start(settings, server, index, metrics.clone()).await;
        connections.push(connection.map_err(|error| StartError::Nats(error.to_string()))?);
    }
    Ok(connections)
}

/// Starts the relay's part in the cluster, unless it uses the embedded broker. `relay` is a random id of this process.
pub(super) fn join(
    state: &SharedState,
    settings: &Settings,
    relay: u64,
    connections: Vec<NatsConnection>,
) -> Option<Arc<Cluster>> {
    if settings.broker == BrokerAddress::Embedded {
        return None;
    }
    let parts = ClusterParts {
        connections,
        limits: state.limits.clone(),
        revocations: state.revocations.clone(),
        keys: state.keys.clone(),
        registry: state.registry.clone(),
        presences: state.presences.clone(),
        broker: state.broker.clone(),
        ended: state.ended.clone(),
    };
    Some(Cluster::start(relay, settings, parts))
}
