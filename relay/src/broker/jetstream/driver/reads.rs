//! Reading a stream: one message, the publications of a channel, or everything from a sequence on.

use super::{
    super::{
        follower::{Entry, EpochMarks, Mark, StoredPublication, StreamInfo},
        stored,
    },
    ApiError, StreamApi,
    api::{REQUEST_TIMEOUT, millis},
};
use async_nats::jetstream::{
    message::StreamMessage,
    stream::{RawMessageError, RawMessageErrorKind},
};
use futures_util::StreamExt as _;
use sealwire_protocol::{ChannelId, UnixMillis};
use std::time::Duration;
use tokio::time::timeout;

/// The number of messages in one answer when a stream is read again.
const BATCH: usize = 512;
/// The number of times that a replica that lags behind is asked again.
const MAX_LAGGING: usize = 50;
const LAG_PAUSE: Duration = Duration::from_millis(20);

impl StreamApi {
    /// Returns the marks of the newest epoch at the leader.
    pub(in crate::broker::jetstream) async fn find_marks(&self) -> Result<Option<EpochMarks>, ApiError> {
        let Some(newest) = self.find_mark().await? else { return Ok(None) };
        let subject = self.names.mark(newest.epoch);
        let oldest = self.stream().await?.get_first_raw_message_by_subject(&subject, 1).await;
        match found(oldest)?.map(read) {
            Some(Entry::Mark(oldest)) => Ok(Some(EpochMarks { oldest, newest })),
            Some(_) => Err(ApiError::Malformed("a mark has another content".to_owned())),
            None => Ok(None),
        }
    }

    /// Returns the newest mark at the leader.
    pub(in crate::broker::jetstream) async fn find_mark(&self) -> Result<Option<Mark>, ApiError> {
        match self.last_of_marks().await? {
            Some(Entry::Mark(mark)) => Ok(Some(mark)),
            Some(stranger) => self.newest_mark(1, stranger.sequence()).await,
            None => Ok(None),
        }
    }

    /// Returns the newest message on the subjects of marks. One that is no mark was written by a stranger.
    pub(super) async fn last_of_marks(&self) -> Result<Option<Entry>, ApiError> {
        let message = self.stream().await?.get_last_raw_message_by_subject(&self.names.marks()).await;
        Ok(found(message)?.map(read))
    }

    /// Returns the newest mark from a sequence on, up to a message on the subjects of marks.
    pub(super) async fn newest_mark(&self, mut from: u64, end: u64) -> Result<Option<Mark>, ApiError> {
        let mut newest = None;
        while from <= end {
            let batch = self.read_batch(&self.names.marks(), from).await?;
            if batch.is_empty() {
                return Err(ApiError::Unavailable("a replica that lags behind answered".to_owned()));
            }
            for entry in batch {
                from = after(from, entry.sequence())?;
                if let Entry::Mark(mark) = entry {
                    newest = Some(mark);
                }
            }
        }
        Ok(newest)
    }

    /// Reads one message at the leader.
    pub(in crate::broker::jetstream) async fn read_message(
        &self,
        sequence: u64,
    ) -> Result<Option<Entry>, ApiError> {
        let message = self.stream().await?.get_raw_message(sequence).await;
        Ok(found(message)?.map(read))
    }

    /// Reads the publications of a channel from a sequence on. Replicas may answer for all but the end, since the contents of
    /// a replica are complete up to some point; the leader answers for the end.
    pub(in crate::broker::jetstream) async fn read_channel(
        &self,
        channel: ChannelId,
        from: u64,
    ) -> Result<Vec<StoredPublication>, ApiError> {
        let (mut publications, subject, mut from) = (Vec::new(), self.names.channel(channel), from.max(1));
        let stream = self.stream().await?;
        while let Some(message) = found(stream.get_first_raw_message_by_subject(&subject, from).await)? {
            from = after(from, message.sequence)?;
            if let Entry::Publication(publication) = read(message) {
                publications.push(publication);
            }
            for entry in self.read_batch(&subject, from).await? {
                from = after(from, entry.sequence())?;
                if let Entry::Publication(publication) = entry {
                    publications.push(publication);
                }
            }
        }
        Ok(publications)
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
            if batch.is_empty() {
                lagging += 1;
                tokio::time::sleep(LAG_PAUSE).await;
            }
            for entry in batch {
                next = after(next, entry.sequence())?;
                entries.push(entry);
            }
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
                None if entries.len() >= BATCH => {
                    return Err(ApiError::Malformed(format!("more than {BATCH} messages in an answer")));
                }
                None => entries.push(read_direct(&answer)?),
            }
        }
    }
}

/// Returns the sequence after `sequence`, which has to be `from` or higher. Otherwise a read would never end.
fn after(from: u64, sequence: u64) -> Result<u64, ApiError> {
    let next = sequence.checked_add(1).filter(|_| sequence >= from);
    next.ok_or_else(|| ApiError::Malformed(format!("message {sequence} in an answer from {from} on")))
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
