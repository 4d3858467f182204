//! The effects of the broker for many relays on this relay's clients.

use crate::{broker::jetstream::ClientEffects, connection::SessionSink, fanout::Fanout, session::Marks};
use sealwire_protocol::{ChannelId, wire::Position};
use std::sync::Arc;

/// The clients of this relay, as the broker sees them.
pub(super) struct RelayClients {
    pub(super) fanout: Arc<Fanout<SessionSink>>,
    pub(super) marks: Arc<Marks>,
}

impl ClientEffects for RelayClients {
    fn end_subscriptions(&self, channels: Vec<ChannelId>) {
        for channel in channels {
            self.fanout.lose(channel).iter().for_each(|connection| connection.wake_for_lost());
        }
    }

    fn set_marks(&self, marks: Vec<Position>) {
        if **self.marks.current() != *marks {
            self.marks.set(marks);
        }
    }
}
