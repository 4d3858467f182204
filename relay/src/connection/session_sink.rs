//! The receiving end of one session's subscriptions: fan-out's handle to the connection's queue.

use super::{Outbound, queue::SessionNumber};
use crate::fanout::{CatchUp, Sink};
use bytes::Bytes;
use std::sync::Arc;

/// Queues publications for one session at its connection.
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

    fn push_catch_up(&self, catch_up: CatchUp<'_>) {
        self.outbound.push_catch_up(self.session, catch_up);
    }

    fn connection(&self) -> &Arc<Outbound> {
        &self.outbound
    }

    fn flush(connection: &Outbound) -> usize {
        connection.flush()
    }
}
