//! The log of revocations as a stream of NATS JetStream, `<prefix>-revocations`: in memory, one message for each subject,
//! and without room it refuses new messages.

use super::{
    entry::{EntryName, MAX_MESSAGE},
    log::{Epoch, LogError, LogMessage, LogState, RevocationLog},
};
use crate::{nats::NatsConnection, settings::Settings};
use async_nats::{
    datetime::{DateTime, parse_rfc3339},
    jetstream::{
        self, Context, ErrorCode,
        context::{ContextBuilder, GetStreamErrorKind, PublishError, PublishErrorKind},
        message::{PublishMessage, StreamMessage},
        response::Response,
        stream::{self, DiscardPolicy, RawMessageError, RawMessageErrorKind, StorageType, Stream},
    },
};
use sealwire_protocol::{UnixMillis, limits};
use serde::Deserialize;
use std::{
    error::Error,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

/// The time for which the stream keeps a message: the life of the tokens that it can cover, and ten minutes for clocks that
/// differ.
const MAX_AGE: Duration = Duration::from_secs(limits::MAX_TOKEN_LIFETIME + 10 * 60);
/// The size of the stream, in bytes: more than all relays together may hold.
const MAX_BYTES: i64 = 32 << 20;
/// The time for one request, after which another server is asked.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(1);
const ALL: &str = "*.*";
const EPOCH: &str = "epoch";

/// The stream of revocations.
pub(crate) struct JetStreamLog {
    connections: Vec<(NatsConnection, Context)>,
    /// The index of the connection that is used first.
    preferred: AtomicUsize,
    stream: String,
    prefix: String,
    replicas: usize,
}

impl JetStreamLog {
    pub(crate) fn new(settings: &Settings, connections: Vec<NatsConnection>) -> Self {
        let prefix = settings.broker_prefix.as_str();
        let with_context = |connection: NatsConnection| {
            let builder = ContextBuilder::new().timeout(REQUEST_TIMEOUT).ack_timeout(REQUEST_TIMEOUT);
            let context = builder.build(connection.client().clone());
            (connection, context)
        };
        Self {
            connections: connections.into_iter().map(with_context).collect(),
            preferred: AtomicUsize::new(0),
            stream: format!("{prefix}-revocations"),
            prefix: format!("{prefix}.revocations"),
            replicas: settings.broker_replicas,
        }
    }

    /// The subject of all revocations.
    pub(crate) fn subject(&self) -> String {
        format!("{}.{ALL}", self.prefix)
    }

    /// Creates the stream unless it exists.
    pub(crate) async fn prepare(&self) -> Result<(), LogError> {
        let context = self.context()?;
        let found = context.get_stream(&self.stream).await;
        match found {
            Ok(found) if found.cached_info().config.num_replicas == self.replicas => return Ok(()),
            Ok(found) => {
                let config =
                    stream::Config { num_replicas: self.replicas, ..found.cached_info().config.clone() };
                context.update_stream(config).await.map_err(|error| self.failed(error))?;
                return Ok(());
            }
            Err(error) => match error.kind() {
                GetStreamErrorKind::JetStream(error) if error.error_code() == ErrorCode::STREAM_NOT_FOUND => {
                }
                _ => return Err(self.failed(error)),
            },
        }
        let config = stream::Config {
            name: self.stream.clone(),
            subjects: vec![format!("{}.>", self.prefix)],
            storage: StorageType::Memory,
            num_replicas: self.replicas,
            max_age: MAX_AGE,
            max_bytes: MAX_BYTES,
            max_message_size: i32::try_from(2 * MAX_MESSAGE).unwrap_or(i32::MAX),
            max_messages_per_subject: 1,
            discard: DiscardPolicy::New,
            // The epoch outlives the revocations.
            allow_message_ttl: true,
            duplicate_window: Duration::from_secs(1),
            ..stream::Config::default()
        };
        context.create_stream(config).await.map_err(|error| self.failed(error))?;
        Ok(())
    }

    /// Returns the context of a connected server.
    fn context(&self) -> Result<&Context, LogError> {
        let preferred = self.preferred.load(Ordering::Relaxed) % self.connections.len().max(1);
        let (before, from) = self.connections.split_at(preferred);
        let mut connected = from.iter().chain(before).filter(|(connection, _)| connection.is_connected());
        let unconnected = || LogError::Unavailable("no server of NATS is connected".to_owned());
        connected.next().map(|(_, context)| context).ok_or_else(unconnected)
    }

    async fn stream(&self) -> Result<Stream<()>, LogError> {
        self.context()?.get_stream_no_info(&self.stream).await.map_err(|error| self.failed(error))
    }

    /// Returns the error, and prefers another server from now on.
    fn failed(&self, error: impl Error) -> LogError {
        self.preferred.fetch_add(1, Ordering::Relaxed);
        LogError::Unavailable(format!("the stream {} cannot be used: {error}", self.stream))
    }

    fn found(
        &self,
        found: Result<StreamMessage, RawMessageError>,
    ) -> Result<Option<StreamMessage>, LogError> {
        match found {
            Ok(message) => Ok(Some(message)),
            Err(error) if error.kind() == RawMessageErrorKind::NoMessageFound => Ok(None),
            Err(error) => Err(self.failed(error)),
        }
    }

    fn log_message(&self, message: StreamMessage) -> LogMessage {
        let name = message.subject.strip_prefix(&*self.prefix).and_then(|rest| rest.strip_prefix('.'));
        LogMessage {
            sequence: message.sequence,
            name: name.unwrap_or_default().to_owned(),
            payload: message.payload.to_vec(),
        }
    }

    /// Publishes a message whose subject has a last message of this sequence.
    async fn put(&self, name: &str, message: PublishMessage, expected: u64) -> Result<u64, LogError> {
        let message = message.expected_stream(&self.stream).expected_last_subject_sequence(expected);
        let subject = format!("{}.{name}", self.prefix);
        let acknowledged = match self.context()?.send_publish(subject, message).await {
            Ok(acknowledgement) => acknowledgement.await,
            Err(error) => Err(error),
        };
        match acknowledged {
            Ok(acknowledgement) => Ok(acknowledgement.sequence),
            Err(error) if error.kind() == PublishErrorKind::WrongLastSequence => Err(LogError::Conflict),
            Err(error) if is_full(&error) => Err(LogError::Full),
            Err(error) => Err(self.failed(error)),
        }
    }
}

/// The part of a stream's information that the relay reads.
#[derive(Deserialize)]
struct StreamInfo {
    state: StreamState,
    ts: Timestamp,
}

#[derive(Deserialize)]
struct StreamState {
    last_seq: u64,
}

/// A time of the broker.
#[derive(Deserialize)]
#[serde(try_from = "String")]
struct Timestamp(DateTime);

impl TryFrom<String> for Timestamp {
    type Error = async_nats::Error;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        parse_rfc3339(&text).map(Self)
    }
}

impl From<Timestamp> for UnixMillis {
    fn from(Timestamp(time): Timestamp) -> Self {
        Self(u64::try_from(time.unix_timestamp_nanos() / 1_000_000).unwrap_or(0))
    }
}

fn is_full(error: &PublishError) -> bool {
    let refused = error.source().and_then(|source| source.downcast_ref::<jetstream::Error>());
    refused.is_some_and(|refused| refused.error_code() == ErrorCode::STREAM_STORE_FAILED)
}

impl RevocationLog for JetStreamLog {
    async fn epoch(&self) -> Result<Option<Epoch>, LogError> {
        let subject = format!("{}.{EPOCH}", self.prefix);
        let found = self.stream().await?.get_last_raw_message_by_subject(&subject).await;
        let Some(message) = self.found(found)? else { return Ok(None) };
        let time = Timestamp(message.time).into();
        // The content of a foreign message is an identity as well.
        let mut id = [0; 8];
        id.iter_mut().zip(message.payload.iter()).for_each(|(to, from)| *to = *from);
        Ok(Some(Epoch { id: u64::from_be_bytes(id), time }))
    }

    async fn start_epoch(&self, id: u64) -> Result<(), LogError> {
        let message = PublishMessage::build()
            .payload(id.to_be_bytes().to_vec().into())
            .header(async_nats::header::NATS_MESSAGE_TTL, "never");
        match self.put(EPOCH, message, 0).await {
            Ok(_) | Err(LogError::Conflict) => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn state(&self) -> Result<LogState, LogError> {
        // The client does not return the time of the answer.
        let (subject, nothing) = (format!("STREAM.INFO.{}", self.stream), serde_json::json!({}));
        let response = self.context()?.request(subject, &nothing).await;
        let response: Response<StreamInfo> = response.map_err(|error| self.failed(error))?;
        match response {
            Response::Ok(StreamInfo { state, ts }) => Ok(LogState { last: state.last_seq, time: ts.into() }),
            Response::Err { error } => Err(self.failed(error)),
        }
    }

    async fn next(&self, from: u64) -> Result<Option<LogMessage>, LogError> {
        let found = self.stream().await?.get_first_raw_message_by_subject(self.subject(), from).await;
        Ok(self.found(found)?.map(|message| self.log_message(message)))
    }

    async fn find(&self, name: EntryName) -> Result<Option<LogMessage>, LogError> {
        let subject = format!("{}.{name}", self.prefix);
        let found = self.stream().await?.get_last_raw_message_by_subject(&subject).await;
        Ok(self.found(found)?.map(|message| self.log_message(message)))
    }

    async fn replace(&self, name: EntryName, payload: Vec<u8>, expected: u64) -> Result<u64, LogError> {
        self.put(&name.to_string(), PublishMessage::build().payload(payload.into()), expected).await
    }

    async fn purge(&self, name: EntryName, before: u64) -> Result<(), LogError> {
        let filter = format!("{}.{}.*", self.prefix, name.installation);
        let purged = self.stream().await?.purge().filter(filter).sequence(before).await;
        purged.map(|_| ()).map_err(|error| self.failed(error))
    }
}
