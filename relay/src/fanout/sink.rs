//! The interface between fan-out and the connections.

use super::CatchUp;
use bytes::Bytes;
use std::sync::Arc;

/// Receives the publications of one session. Several sinks may share a connection, which fan-out flushes once per
/// round.
pub(crate) trait Sink: Clone + Send + Sync + 'static {
    type Connection: Send + Sync;

    /// Queues a publication. Returns whether the queue was empty, so that the caller must flush the connection.
    fn push_live(&self, frame: &Bytes) -> bool;

    /// Queues the publications that a new subscriber missed. The caller flushes afterwards.
    fn push_catch_up(&self, catch_up: CatchUp<'_>);

    /// Returns the connection of the session.
    fn connection(&self) -> &Arc<Self::Connection>;

    /// Writes as many queued bytes as the socket accepts, and returns their number.
    fn flush(connection: &Self::Connection) -> usize;
}
