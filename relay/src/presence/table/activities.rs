//! The activities of a table, for the observer of a relay.

use super::{MemberId, PresenceTable};
use crate::{
    activity::{Activity, Entrance},
    session_id::SessionId,
};
use sealwire_protocol::ChannelId;

impl<W> PresenceTable<W> {
    /// Begins to keep the activities.
    pub(in crate::presence) fn keep_activities(&mut self) {
        self.activities = Some(Vec::new());
    }

    /// Takes the activities since the last call.
    pub(in crate::presence) fn take_activities(&mut self) -> Vec<Activity<'static>> {
        self.activities.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// Returns the bytes that count against the memory budget.
    #[cfg(feature = "fuzzing")]
    pub(in crate::presence) fn held_bytes(&self) -> usize {
        self.held.bytes()
    }

    pub(super) fn note(&mut self, activity: Activity<'static>) {
        if let Some(activities) = &mut self.activities {
            activities.push(activity);
        }
    }

    pub(super) fn note_entrance(
        &mut self,
        (channel, member): (ChannelId, MemberId),
        session: SessionId,
        entrance: Option<Entrance>,
        sealed: usize,
    ) {
        if let Some(entrance) = entrance {
            self.note(Activity::PresenceEntered { session, channel, member, entrance, sealed });
        }
    }
}
