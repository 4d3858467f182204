//! Publishing: a message is acknowledged to its sender after the stream stored it, and stored once, however often it is
//! repeated.

use super::{
    driver::{Acknowledgement, ApiError, StreamApi},
    follower::Entry,
    shared::SharedStream,
    stored,
};
use crate::{
    broker::BrokerError,
    clock::Now,
    hub::{Draft, IdReused, PublishReceipt, identity},
    metrics::BrokerMetrics,
};
use sealwire_protocol::{UnixMillis, wire::Position};
use std::{sync::Arc, time::Duration};
use tokio::time::{Instant, sleep, timeout_at};

/// The time after which a publication without an acknowledgement is sent again, under the same id.
const ATTEMPT: Duration = Duration::from_millis(1500);
const PAUSE: Duration = Duration::from_millis(50);

/// Publishes until the stream acknowledges, at most for `limit`.
pub(super) async fn publish(
    stream: Arc<SharedStream>,
    draft: Draft,
    limit: Duration,
    metrics: &BrokerMetrics,
) -> Result<PublishReceipt, BrokerError> {
    let (start, trace) = (Instant::now(), draft.trace.as_ref().map(|trace| trace.to_traceparent()));
    let deadline = start + limit;
    let publishing = async {
        let time = Now::read().wall;
        let payload = stored::publication(&draft, time);
        let id = format!("{}.{:032x}", draft.channel, u128::from_be_bytes(draft.id));
        let mut leaders = stream.leader();
        loop {
            let Ok(leader) = leaders.wait_for(Option::is_some).await.map(|leader| leader.clone()) else {
                return Err(BrokerError::Unavailable);
            };
            let Some(leader) = leader else { continue };
            match leader.publish(draft.channel, &id, trace.as_deref(), payload.clone(), ATTEMPT).await {
                Ok(Acknowledgement { seq, duplicate: false }) => return Ok(receipt(&stream, seq, time)),
                Ok(Acknowledgement { seq, duplicate: true }) => match repeated(&leader, seq, &draft).await {
                    Ok(result) => return result.map(|time| receipt(&stream, seq, time)).map_err(Into::into),
                    Err(error) => tracing::debug!(%error, "a repeated publication could not be compared"),
                },
                Err(error) => tracing::debug!(%error, "a publication was not acknowledged"),
            }
            metrics.publish_retried();
            sleep(PAUSE).await;
        }
    };
    let result = timeout_at(deadline, publishing).await;
    match &result {
        Ok(Ok(_)) => metrics.acknowledged(start.elapsed()),
        Ok(Err(_)) => {}
        Err(_) => metrics.publish_timed_out(),
    }
    result.unwrap_or(Err(BrokerError::Unavailable))
}

fn receipt(stream: &SharedStream, sequence: u64, time: UnixMillis) -> PublishReceipt {
    let epoch = stream.acknowledged(sequence, time);
    let position = Position { epoch, offset: sequence, time_ms: time.0 };
    PublishReceipt { position, time }
}

/// Compares a publication with the stored one of the same id. Returns the time of the stored one.
async fn repeated(
    leader: &StreamApi,
    sequence: u64,
    draft: &Draft,
) -> Result<Result<UnixMillis, IdReused>, ApiError> {
    if let Some(Entry::Publication(first)) = leader.read_message(sequence).await?
        && first.channel == draft.channel
    {
        let is_same =
            first.event == draft.event && identity(first.content.as_ref(), &first.sealed) == draft.identity();
        return Ok(if is_same { Ok(first.time) } else { Err(IdReused) });
    }
    if leader.info().await?.first > sequence {
        // The first one was discarded within the duplicate window, so nothing is left to compare with.
        return Ok(Ok(Now::read().wall));
    }
    // A new leader knows ids before it serves their messages. A receipt with a guessed time would look like a loss.
    Err(ApiError::Unavailable("the stored publication cannot be read at present".to_owned()))
}

#[cfg(test)]
mod tests;
