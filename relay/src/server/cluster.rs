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

/// Starts the relay's part in the cluster, unless it uses the embedded broker.
pub(super) fn join(
    state: &SharedState,
    settings: &Settings,
    connections: Vec<NatsConnection>,
) -> Result<Option<Arc<Cluster>>, StartError> {
    if settings.broker == BrokerAddress::Embedded {
        return Ok(None);
    }
    let parts = ClusterParts {
        connections,
        limits: state.limits.clone(),
        revocations: state.revocations.clone(),
        keys: state.keys.clone(),
        registry: state.registry.clone(),
        ended: state.ended.clone(),
    };
    Ok(Some(Cluster::start(getrandom::u64().map_err(StartError::Random)?, settings, parts)))
}
