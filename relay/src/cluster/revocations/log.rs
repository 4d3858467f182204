//! The log of all revocations of a cluster, with one message for each selection. NATS implements it; tests simulate it.

use super::entry::EntryName;
use sealwire_protocol::UnixMillis;

/// The error of an operation on the log.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum LogError {
    /// The broker was unreachable, did not respond in time, or refused the operation.
    #[error("{0}")]
    Unavailable(String),
    /// The log has another last message for the name than expected.
    #[error("another relay wrote the same revocation")]
    Conflict,
    /// The log has no room for more messages.
    #[error("the broker's memory for revocations is full")]
    Full,
}

/// The identity of a log's contents. It ends with them, for example when all servers of the broker restart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Epoch {
    pub(crate) id: u64,
    /// The time at which a relay wrote it, by the broker's clock.
    pub(crate) time: UnixMillis,
}

/// The state of the log at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LogState {
    /// The sequence of the last message that was written; 0 without one.
    pub(crate) last: u64,
    /// The moment, by the broker's clock.
    pub(crate) time: UnixMillis,
}

/// A message of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LogMessage {
    pub(crate) sequence: u64,
    /// The tokens of the subject that an [`EntryName`] has.
    pub(crate) name: String,
    pub(crate) payload: Vec<u8>,
}

/// The log. Every read is answered by the leader, so that an absent message is proof.
pub(crate) trait RevocationLog: Send + Sync + 'static {
    /// Returns the identity of the contents; `None` if there are none yet.
    fn epoch(&self) -> impl Future<Output = Result<Option<Epoch>, LogError>> + Send;

    /// Gives the contents an identity, unless another relay did so first.
    fn start_epoch(&self, id: u64) -> impl Future<Output = Result<(), LogError>> + Send;

    /// Returns the state of the log.
    fn state(&self) -> impl Future<Output = Result<LogState, LogError>> + Send;

    /// Returns the first message whose sequence is at least `from`.
    fn next(&self, from: u64) -> impl Future<Output = Result<Option<LogMessage>, LogError>> + Send;

    /// Returns the message with this name.
    fn find(&self, name: EntryName) -> impl Future<Output = Result<Option<LogMessage>, LogError>> + Send;

    /// Replaces the message with this name. Fails with [`LogError::Conflict`] unless its sequence is `expected`; 0 stands
    /// for no message. Returns the new sequence.
    fn replace(
        &self,
        name: EntryName,
        payload: Vec<u8>,
        expected: u64,
    ) -> impl Future<Output = Result<u64, LogError>> + Send;

    /// Removes the messages of the name's installation whose sequence is less than `before`.
    fn purge(&self, name: EntryName, before: u64) -> impl Future<Output = Result<(), LogError>> + Send;
}
