//! The requests to a stream's leader. A request that goes to a replica is checked against the leader's state.

use super::super::{
    follower::{Entry, Leader, Mark, StoredPublication, StreamInfo},
    names::StreamNames,
    stored,
};
use async_nats::{
    Client, HeaderMap,
    header::{NATS_EXPECTED_LAST_SUBJECT_SEQUENCE, NATS_MESSAGE_ID},
    jetstream::{
        self,
        message::StreamMessage,
        stream::{RawMessageError, RawMessageErrorKind, Stream},
    },
};
use bytes::Bytes;
use futures_util::StreamExt as _;
use sealwire_protocol::{ChannelId, UnixMillis};
use serde::{Deserialize, de::DeserializeOwned};
use std::time::Duration;
use tokio::time::timeout;

/// The maximum time of one request. A server that does not answer counts as away.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(2);
/// The number of messages in one answer when a stream is read again.
const BATCH: usize = 512;
/// The number of times that a replica that lags behind is asked again.
const MAX_LAGGING: usize = 50;
const LAG_PAUSE: Duration = Duration::from_millis(20);

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

    async fn stream(&self) -> Result<Stream<()>, ApiError> {
        let mut context = jetstream::new(self.client.clone());
        context.set_timeout(REQUEST_TIMEOUT);
        let stream = context.get_stream_no_info(self.names.stream()).await;
        stream.map_err(|error| ApiError::Unavailable(error.to_string()))
    }

    /// Returns the newest mark at the leader.
    pub(in crate::broker::jetstream) async fn find_mark(&self) -> Result<Option<Mark>, ApiError> {
        let message = self.stream().await?.get_last_raw_message_by_subject(&self.names.marks()).await;
        match found(message)?.map(read) {
            Some(Entry::Mark(mark)) => Ok(Some(mark)),
            Some(_) => Err(ApiError::Malformed("a mark has another content".to_owned())),
            None => Ok(None),
        }
    }

    /// Writes the first mark of a stream that has none. Of several relays that do, one succeeds.
    pub(in crate::broker::jetstream) async fn create_mark(
        &self,
        epoch: u64,
        now: UnixMillis,
    ) -> Result<bool, ApiError> {
        let mut headers = HeaderMap::new();
        headers.insert(NATS_EXPECTED_LAST_SUBJECT_SEQUENCE, "0");
        headers.insert("Nats-Expected-Last-Subject-Sequence-Subject", self.names.marks());
        self.write(self.names.mark(epoch), headers, stored::mark(now)).await
    }

    /// Writes a mark after the mark `last` of the same epoch. Of several relays that do, one succeeds.
    pub(in crate::broker::jetstream) async fn write_mark(
        &self,
        epoch: u64,
        last: u64,
        now: UnixMillis,
    ) -> Result<bool, ApiError> {
        let mut headers = HeaderMap::new();
        headers.insert(NATS_EXPECTED_LAST_SUBJECT_SEQUENCE, last.to_string());
        self.write(self.names.mark(epoch), headers, stored::mark(now)).await
    }

    /// Returns whether the message was written, and not another relay's.
    async fn write(&self, subject: String, headers: HeaderMap, payload: Bytes) -> Result<bool, ApiError> {
        match self.request::<Acknowledgement>(subject, Some(headers), payload, REQUEST_TIMEOUT).await {
            // Another relay wrote a mark.
            Err(ApiError::Refused { code: WRONG_LAST_SEQUENCE | WRONG_LAST_SEQUENCE_CONSTANT, .. }) => {
                Ok(false)
            }
            result => result.map(|_| true),
        }
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

    /// Reads one message at the leader.
    pub(in crate::broker::jetstream) async fn read_message(
        &self,
        sequence: u64,
    ) -> Result<Option<Entry>, ApiError> {
        let message = self.stream().await?.get_raw_message(sequence).await;
        Ok(found(message)?.map(read))
    }

    /// Reads the publications of a channel from a sequence on, and then the state of the stream. Replicas may answer for
    /// all but the end, since what a replica has is complete up to some point; the leader answers for the end.
    pub(in crate::broker::jetstream) async fn read_channel(
        &self,
        channel: ChannelId,
        from: u64,
    ) -> Result<(Vec<StoredPublication>, StreamInfo), ApiError> {
        let (mut publications, subject, mut from) = (Vec::new(), self.names.channel(channel), from.max(1));
        let stream = self.stream().await?;
        while let Some(message) = found(stream.get_first_raw_message_by_subject(&subject, from).await)? {
            from = message.sequence + 1;
            if let Entry::Publication(publication) = read(message) {
                publications.push(publication);
            }
            for entry in self.read_batch(&subject, from).await? {
                from = entry.sequence() + 1;
                if let Entry::Publication(publication) = entry {
                    publications.push(publication);
                }
            }
        }
        Ok((publications, self.info().await?))
    }

    /// Reads every message from a sequence on, at least up to the leader's end at the start of this call.
    pub(in crate::broker::jetstream) async fn read_stream(
        &self,
        from: u64,
    ) -> Result<(Vec<Entry>, StreamInfo), ApiError> {
        let (info, subject) = (self.info().await?, self.names.all());
        let (mut entries, mut next, mut lagging) = (Vec::new(), from, 0);
        while next <= info.last && lagging < MAX_LAGGING {
            let batch = self.read_batch(&subject, next).await?;
            match batch.last() {
                Some(last) => next = last.sequence() + 1,
                None => {
                    lagging += 1;
                    tokio::time::sleep(LAG_PAUSE).await;
                }
            }
            entries.extend(batch);
        }
        Ok((entries, info))
    }

    /// Reads the next messages of a subject, at any replica.
    async fn read_batch(&self, subject: &str, from: u64) -> Result<Vec<Entry>, ApiError> {
        let unavailable = |error: String| ApiError::Unavailable(error);
        let inbox = self.client.new_inbox();
        let subscribed = self.client.subscribe(inbox.clone()).await;
        let mut answers = subscribed.map_err(|error| unavailable(error.to_string()))?;
        let request = serde_json::json!({ "seq": from, "next_by_subj": subject, "batch": BATCH });
        let to = format!("$JS.API.DIRECT.GET.{}", self.names.stream());
        let sent = self.client.publish_with_reply(to, inbox, request.to_string().into()).await;
        sent.map_err(|error| unavailable(error.to_string()))?;
        let mut entries = Vec::new();
        loop {
            let answer = timeout(REQUEST_TIMEOUT, answers.next()).await;
            let answer = answer.ok().flatten().ok_or_else(|| unavailable("no answer in time".to_owned()))?;
            match answer.status.map(|status| status.as_u16()) {
                // The end of the batch, or no message.
                Some(204 | 404) => return Ok(entries),
                Some(status) => return Err(unavailable(format!("status {status}"))),
                None => entries.push(read_direct(&answer)?),
            }
        }
    }
}

/// Reads a message of an answer to a direct get.
fn read_direct(message: &async_nats::Message) -> Result<Entry, ApiError> {
    let header = |name: &str| {
        let value = message.headers.as_ref().and_then(|headers| headers.get(name));
        value.map(async_nats::HeaderValue::as_str).ok_or_else(|| ApiError::Malformed(format!("no {name}")))
    };
    let sequence = header("Nats-Sequence")?.parse();
    let sequence = sequence.map_err(|_| ApiError::Malformed("Nats-Sequence is not a number".to_owned()))?;
    let stored_at = millis(header("Nats-Time-Stamp")?)?;
    Ok(stored::read(header("Nats-Subject")?, sequence, stored_at, message.payload.clone()))
}

fn read(message: StreamMessage) -> Entry {
    let nanos = message.time.unix_timestamp_nanos();
    let stored_at = UnixMillis(u64::try_from(nanos / 1_000_000).unwrap_or(0));
    stored::read(&message.subject, message.sequence, stored_at, message.payload)
}

/// Separates "no such message" from failures.
fn found(result: Result<StreamMessage, RawMessageError>) -> Result<Option<StreamMessage>, ApiError> {
    match result {
        Ok(message) => Ok(Some(message)),
        Err(error) if error.kind() == RawMessageErrorKind::NoMessageFound => Ok(None),
        Err(error) => Err(ApiError::Unavailable(error.to_string())),
    }
}

fn millis(text: &str) -> Result<UnixMillis, ApiError> {
    let time = async_nats::datetime::parse_rfc3339(text);
    let time = time.map_err(|_| ApiError::Malformed("a time is not in RFC 3339".to_owned()))?;
    Ok(UnixMillis(u64::try_from(time.unix_timestamp_nanos() / 1_000_000).unwrap_or(0)))
}
