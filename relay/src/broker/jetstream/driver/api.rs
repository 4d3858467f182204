//! The requests to a stream's leader. A request that goes to a replica is checked against the leader's state.

use super::super::{
    follower::{Entry, Leader, StreamInfo},
    names::StreamNames,
    stored,
};
use async_nats::{
    Client, HeaderMap,
    header::{NATS_EXPECTED_LAST_SUBJECT_SEQUENCE, NATS_MESSAGE_ID},
    jetstream::{self, stream::Stream},
};
use bytes::Bytes;
use sealwire_protocol::{ChannelId, UnixMillis};
use serde::{Deserialize, de::DeserializeOwned};
use std::time::Duration;

/// The maximum time of one request. A server that does not answer counts as away.
pub(super) const REQUEST_TIMEOUT: Duration = Duration::from_secs(2);

/// The number of attempts to write a mark before another relay does.
const MAX_RACES: usize = 8;

const WRONG_LAST_SEQUENCE: u64 = 10071;
const WRONG_LAST_SEQUENCE_CONSTANT: u64 = 10164;
const STREAM_NOT_FOUND: u64 = 10059;

/// The failure of a request.
#[derive(Debug, thiserror::Error)]
pub(in crate::broker::jetstream) enum ApiError {
    /// No server answered, or the stream has no leader.
    #[error("NATS did not answer: {0}")]
    Unavailable(String),
    #[error("NATS refused the request: {description} ({code})")]
    Refused { code: u64, description: String },
    #[error("NATS sent an answer that the relay does not understand: {0}")]
    Malformed(String),
    /// The stream does not exist.
    #[error("the stream does not exist")]
    NoStream,
}

/// One stream at one connection.
#[derive(Clone)]
pub(in crate::broker::jetstream) struct StreamApi {
    pub(in crate::broker::jetstream) client: Client,
    pub(in crate::broker::jetstream) names: StreamNames,
    /// The name of the connected server.
    pub(in crate::broker::jetstream) server: String,
}

/// The acknowledgement of a stored message.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(in crate::broker::jetstream) struct Acknowledgement {
    pub(in crate::broker::jetstream) seq: u64,
    #[serde(default)]
    pub(in crate::broker::jetstream) duplicate: bool,
}

#[derive(Deserialize)]
struct Failure {
    error: Option<FailureDetail>,
}

#[derive(Deserialize)]
struct FailureDetail {
    #[serde(default)]
    err_code: u64,
    #[serde(default)]
    code: u64,
    #[serde(default)]
    description: String,
}

#[derive(Deserialize)]
struct InfoAnswer {
    state: StateAnswer,
    cluster: Option<ClusterAnswer>,
    ts: String,
}

#[derive(Deserialize)]
struct StateAnswer {
    messages: u64,
    first_seq: u64,
    first_ts: String,
    last_seq: u64,
    #[serde(default)]
    num_deleted: u64,
}

#[derive(Deserialize)]
struct ClusterAnswer {
    #[serde(default)]
    leader: String,
    #[serde(default)]
    leader_since: String,
}

impl StreamApi {
    /// Sends a request and reads its JSON answer.
    async fn request<T: DeserializeOwned>(
        &self,
        subject: String,
        headers: Option<HeaderMap>,
        payload: Bytes,
        limit: Duration,
    ) -> Result<T, ApiError> {
        let request = async_nats::Request::new().payload(payload).timeout(Some(limit));
        let request = match headers {
            Some(headers) => request.headers(headers),
            None => request,
        };
        let answer = self.client.send_request(subject, request).await;
        let answer = answer.map_err(|error| ApiError::Unavailable(error.to_string()))?;
        let malformed = |error: serde_json::Error| ApiError::Malformed(error.to_string());
        let failure: Failure = serde_json::from_slice(&answer.payload).map_err(malformed)?;
        match failure.error {
            Some(FailureDetail { err_code: STREAM_NOT_FOUND, .. }) => Err(ApiError::NoStream),
            Some(FailureDetail { code: 503, description, .. }) => Err(ApiError::Unavailable(description)),
            Some(FailureDetail { err_code, description, .. }) => {
                Err(ApiError::Refused { code: err_code, description })
            }
            None => serde_json::from_slice(&answer.payload).map_err(malformed),
        }
    }

    /// Asks the leader for the state of the stream.
    pub(in crate::broker::jetstream) async fn info(&self) -> Result<StreamInfo, ApiError> {
        let subject = format!("$JS.API.STREAM.INFO.{}", self.names.stream());
        let answer: InfoAnswer = self.request(subject, None, Bytes::new(), REQUEST_TIMEOUT).await?;
        let leader = match answer.cluster {
            // A single server is the leader of its streams for as long as it runs; its restart ends the connection.
            None => Leader { server: self.server.clone(), since: String::new() },
            Some(ClusterAnswer { leader, .. }) if leader.is_empty() => {
                return Err(ApiError::Unavailable("the stream has no leader at present".to_owned()));
            }
            Some(ClusterAnswer { leader, leader_since }) => Leader { server: leader, since: leader_since },
        };
        let state = answer.state;
        Ok(StreamInfo {
            leader,
            first: if state.messages == 0 { state.last_seq + 1 } else { state.first_seq },
            last: state.last_seq,
            first_at: if state.messages == 0 { millis(&answer.ts)? } else { millis(&state.first_ts)? },
            deleted: state.num_deleted,
            now: millis(&answer.ts)?,
        })
    }

    pub(super) async fn stream(&self) -> Result<Stream<()>, ApiError> {
        let mut context = jetstream::new(self.client.clone());
        context.set_timeout(REQUEST_TIMEOUT);
        let stream = context.get_stream_no_info(self.names.stream()).await;
        stream.map_err(|error| ApiError::Unavailable(error.to_string()))
    }

    /// Writes a mark after the newest one, and returns its sequence once it is stored; see
    /// [`FollowerAction::RenewMark`](super::super::follower::FollowerAction::RenewMark).
    pub(in crate::broker::jetstream) async fn renew_mark(
        &self,
        replaces: Option<u64>,
        now: UnixMillis,
    ) -> Result<u64, ApiError> {
        let random = getrandom::u64().map_err(|error| ApiError::Malformed(error.to_string()))?;
        // 0 stands for no epoch.
        let fresh = random.max(1);
        for _ in 0..MAX_RACES {
            let newest = self.find_mark().await?;
            let epoch = newest.map(|mark| mark.epoch).filter(|epoch| Some(*epoch) != replaces);
            let last = newest.map_or(0, |mark| mark.sequence);
            if let Some(sequence) = self.write_mark(epoch.unwrap_or(fresh), last, now).await? {
                return Ok(sequence);
            }
        }
        Err(ApiError::Unavailable("other relays were always faster to write a mark".to_owned()))
    }

    /// Writes a mark after the mark `last`, or the first one after 0. Of several relays that do, one succeeds. Returns the
    /// mark's sequence if this one did.
    pub(in crate::broker::jetstream) async fn write_mark(
        &self,
        epoch: u64,
        mut last: u64,
        now: UnixMillis,
    ) -> Result<Option<u64>, ApiError> {
        for _ in 0..MAX_RACES {
            let mut headers = HeaderMap::new();
            headers.insert(NATS_EXPECTED_LAST_SUBJECT_SEQUENCE, last.to_string());
            // The marks of all epochs are one chain: a relay that continues a former epoch fails.
            headers.insert("Nats-Expected-Last-Subject-Sequence-Subject", self.names.marks());
            let (subject, mark) = (self.names.mark(epoch), stored::mark(now));
            match self.request::<Acknowledgement>(subject, Some(headers), mark, REQUEST_TIMEOUT).await {
                Ok(acknowledgement) => return Ok(Some(acknowledgement.seq)),
                Err(ApiError::Refused {
                    code: WRONG_LAST_SEQUENCE | WRONG_LAST_SEQUENCE_CONSTANT, ..
                }) => {}
                Err(error) => return Err(error),
            }
            // A stranger's message on the subjects of marks is followed as if it were one, unless a mark precedes it.
            let Some(Entry::Unknown(end)) = self.last_of_marks().await? else { return Ok(None) };
            if end <= last || self.newest_mark(last + 1, end).await?.is_some() {
                return Ok(None);
            }
            last = end;
        }
        Ok(None)
    }

    /// Stores a publication once, however often it is repeated within the stream's duplicate window.
    pub(in crate::broker::jetstream) async fn publish(
        &self,
        channel: ChannelId,
        id: &str,
        trace: Option<&str>,
        payload: Bytes,
        limit: Duration,
    ) -> Result<Acknowledgement, ApiError> {
        let mut headers = HeaderMap::new();
        headers.insert(NATS_MESSAGE_ID, id);
        if let Some(trace) = trace {
            headers.insert("traceparent", trace);
        }
        self.request(self.names.channel(channel), Some(headers), payload, limit).await
    }
}

pub(super) fn millis(text: &str) -> Result<UnixMillis, ApiError> {
    let time = async_nats::datetime::parse_rfc3339(text);
    let time = time.map_err(|_| ApiError::Malformed("a time is not in RFC 3339".to_owned()))?;
    Ok(UnixMillis(u64::try_from(time.unix_timestamp_nanos() / 1_000_000).unwrap_or(0)))
}
