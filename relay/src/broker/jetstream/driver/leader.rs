//! The search for a stream's leader among the connections.

use super::{
    super::{follower::StreamInfo, names::StreamNames, stream_config},
    ApiError, StreamApi,
};
use crate::{nats::NatsConnection, settings::Settings};
use async_nats::jetstream;
use futures_util::{StreamExt as _, stream::FuturesUnordered};
use std::time::Duration;
use tokio::time::{interval, timeout};

/// The time that the other servers have after the first answer.
const SLOWER: Duration = Duration::from_millis(300);
/// The time without an answer after which the servers are asked again.
const AGAIN: Duration = Duration::from_millis(300);
/// The maximum number of requests that wait for an answer of the same server.
const MAX_ROUNDS: usize = 4;

/// Returns the connection to the leader of the stream, and the server's name. Creates the stream if it does not exist.
pub(super) async fn find_leader(
    connections: &[NatsConnection],
    names: &StreamNames,
    settings: &Settings,
) -> Result<(NatsConnection, String), String> {
    let mut problem = "no NATS server is connected; see broker".to_owned();
    let mut newest: Option<(StreamApi, StreamInfo)> = None;
    for (api, answer) in ask_all(connections, names).await {
        match answer {
            Ok(info) => {
                if newest.as_ref().is_none_or(|(_, known)| known.leader.is_before(&info.leader)) {
                    newest = Some((api, info));
                }
            }
            Err(ApiError::NoStream) => create(&api, settings).await?,
            Err(error) => problem = format!("{}: {error}", api.server),
        }
    }
    let (api, info) = newest.ok_or(problem)?;
    check(&api, settings).await?;
    connected_to(connections, &info.leader.server)
}

/// Asks every connected server for the state of the stream. A leader that lost its office and does not know it yet still
/// answers, so the answer of one server is not enough. Servers that are slower than the first one by far are left out.
///
/// No server answers during an election, nor afterwards to a request from before it. So the servers are asked again while
/// earlier requests wait.
async fn ask_all(
    connections: &[NatsConnection],
    names: &StreamNames,
) -> Vec<(StreamApi, Result<StreamInfo, ApiError>)> {
    let mut asked = FuturesUnordered::new();
    let (mut answers, mut rounds) = (Vec::new(), interval(AGAIN));
    let most = MAX_ROUNDS * connections.len().max(1);
    loop {
        tokio::select! {
            _ = rounds.tick(), if asked.len() < most => {
                asked.extend(connections.iter().filter_map(|connection| ask(connection, names)));
                if asked.is_empty() {
                    return answers;
                }
            }
            Some((api, answer)) = asked.next() => {
                let is_final = !matches!(answer, Err(ApiError::Unavailable(_)));
                answers.push((api, answer));
                if is_final {
                    break;
                }
                if answers.len() >= most {
                    return answers;
                }
            }
        }
    }
    let rest = async {
        while let Some(answer) = asked.next().await {
            answers.push(answer);
        }
    };
    let _ = timeout(SLOWER, rest).await;
    answers
}

/// Asks a server, if it is connected.
fn ask(
    connection: &NatsConnection,
    names: &StreamNames,
) -> Option<impl Future<Output = (StreamApi, Result<StreamInfo, ApiError>)> + use<>> {
    let server = connection.server_name()?;
    let api = StreamApi { client: connection.client().clone(), names: names.clone(), server };
    Some(async move {
        let answer = api.info().await;
        (api, answer)
    })
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
