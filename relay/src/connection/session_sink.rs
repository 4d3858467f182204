//! The receiving end of one session's subscriptions.

use super::{Outbound, queue::SessionNumber};
use crate::fanout::{Opening, Sink};
use bytes::Bytes;
use std::sync::Arc;

/// Queues the publications for one session at its connection.
#[derive(Clone)]
pub(crate) struct SessionSink {
    pub(super) outbound: Arc<Outbound>,
    pub(super) session: SessionNumber,
}

impl Sink for SessionSink {
    type Connection = Outbound;

    fn push_live(&self, frame: &Bytes) -> bool {
        self.outbound.push_live(self.session, frame)
    }

    fn push_opening(&self, opening: Opening<'_>) {
        self.outbound.push_opening(self.session, opening);
    }

    fn connection(&self) -> &Arc<Outbound> {
        &self.outbound
    }

    fn flush(connection: &Outbound) -> usize {
        connection.flush()
    }
}
