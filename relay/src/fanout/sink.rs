//! The receiving end of a subscription, as fan-out sees it.

use super::Opening;
use bytes::Bytes;
use std::sync::Arc;

/// Takes the publications for one session. Several sinks may share a connection, which fan-out writes to once a round.
pub(crate) trait Sink: Clone + Send + Sync + 'static {
    type Connection: Send + Sync;

    /// Queues a publication. True if nothing was queued before, so that the caller has to flush the connection.
    fn push_live(&self, frame: &Bytes) -> bool;

    /// Queues the publications that a subscription starts with. A flush follows.
    fn push_opening(&self, opening: Opening<'_>);

    fn connection(&self) -> &Arc<Self::Connection>;

    /// Writes the queued bytes to the connection, as many as it takes, and returns their number.
    fn flush(connection: &Self::Connection) -> usize;
}
