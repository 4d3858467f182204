//! Where publications for a session go.

use super::{Outbound, queue::SessionNumber};
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

    /// Queues a replay; a flush follows.
    pub(crate) fn push_replay<'a>(&self, frames: impl Iterator<Item = &'a Bytes>) {
        self.outbound.push_replay(self.session, frames);
    }

    pub(crate) fn connection(&self) -> &Arc<Outbound> {
        &self.outbound
    }
}
