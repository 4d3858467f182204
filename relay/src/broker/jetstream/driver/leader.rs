//! The search for a stream's leader among the connections.

use super::{
    super::{names::StreamNames, stream_config},
    ApiError, StreamApi,
};
use crate::{nats::NatsConnection, settings::Settings};
use async_nats::jetstream;

/// Returns the connection to the leader of the stream, and the server's name. Creates the stream if it does not exist.
pub(super) async fn find_leader(
    connections: &[NatsConnection],
    names: &StreamNames,
    settings: &Settings,
) -> Result<(NatsConnection, String), String> {
    let mut problem = "no NATS server is connected; see broker".to_owned();
    for connection in connections {
        let Some(server) = connection.server_name() else { continue };
        let api = StreamApi { client: connection.client().clone(), names: names.clone(), server };
        match api.info().await {
            Ok(info) => {
                check(&api, settings).await?;
                return connected_to(connections, &info.leader.server);
            }
            Err(ApiError::NoStream) => create(&api, settings).await?,
            Err(error) => problem = format!("{}: {error}", connection.server()),
        }
    }
    Err(problem)
}

fn connected_to(connections: &[NatsConnection], leader: &str) -> Result<(NatsConnection, String), String> {
    let found = connections.iter().find(|connection| connection.server_name().as_deref() == Some(leader));
    found.map(|connection| (connection.clone(), leader.to_owned())).ok_or_else(|| {
        format!(
            "the relay is not connected to the stream's leader, the NATS server '{leader}'; list every server of the \
             cluster in broker"
        )
    })
}

async fn create(api: &StreamApi, settings: &Settings) -> Result<(), String> {
    let desired = stream_config::desired(settings, &api.names);
    match jetstream::new(api.client.clone()).create_stream(desired).await {
        Ok(_) => {
            tracing::info!(stream = %api.names.stream(), "created the stream");
            Err("the stream was created a moment ago".to_owned())
        }
        Err(error) => Err(format!(
            "the stream cannot be created: {error}; check broker_replicas (at most the number of NATS servers), \
             broker_bytes (all streams together must fit into max_mem of JetStream), and the permissions of the NATS user"
        )),
    }
}

/// Compares the stream's configuration with this relay's.
async fn check(api: &StreamApi, settings: &Settings) -> Result<(), String> {
    let context = jetstream::new(api.client.clone());
    let stream = context.get_stream(api.names.stream()).await.map_err(|error| error.to_string())?;
    let desired = stream_config::desired(settings, &api.names);
    stream_config::difference(&stream.cached_info().config, &desired).map_or(Ok(()), Err)
}
