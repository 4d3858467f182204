//! Where publications for a session go.

use super::{Outbound, queue::SessionNumber};
use crate::fanout::Opening;
use bytes::Bytes;
use std::sync::Arc;

/// One session's place at its connection: where publications for it go.
#[derive(Clone)]
pub(crate) struct Outlet {
    pub(super) outbound: Arc<Outbound>,
    pub(super) session: SessionNumber,
}

impl Outlet {
    /// Queues a publication; whether the caller should flush: there was nothing to write before.
    pub(crate) fn push_live(&self, frame: &Bytes) -> bool {
        self.outbound.push_live(self.session, frame)
    }

    /// Queues what a subscription starts with; a flush follows.
    pub(crate) fn push_opening(&self, opening: Opening<'_>) {
        self.outbound.push_opening(self.session, opening);
    }

    pub(crate) fn connection(&self) -> &Arc<Outbound> {
        &self.outbound
    }
}
