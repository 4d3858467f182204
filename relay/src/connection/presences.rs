//! A session's members and watched channels of presences. Dropping them begins the grace time of the members.

use super::SessionSink;
use crate::{
    presence::{MemberId, Presences},
    refused::Refused,
    session::PresenceAction,
    session_id::SessionId,
};
use sealwire_protocol::ChannelId;
use std::sync::Arc;

/// The presences in which one session has a part.
pub(super) struct SessionPresences {
    session: SessionId,
    sink: SessionSink,
    presences: Arc<Presences>,
    members: Vec<(ChannelId, MemberId)>,
    watched: Vec<ChannelId>,
}

/// The result of an action that answers a request.
pub(super) enum PresenceResult {
    Entered { request: u32, channel: ChannelId, member: MemberId, result: Result<(), Refused> },
    Left { request: u32, channel: ChannelId, result: Result<(), Refused> },
}

impl SessionPresences {
    pub(super) fn new(session: SessionId, sink: SessionSink, presences: Arc<Presences>) -> Self {
        Self { session, sink, presences, members: Vec::new(), watched: Vec::new() }
    }

    pub(super) fn has_members(&self) -> bool {
        !self.members.is_empty()
    }

    /// Performs an action. Returns the result if it answers a request.
    pub(super) fn perform(&mut self, action: PresenceAction) -> Option<PresenceResult> {
        let (presences, session) = (&self.presences, self.session);
        match action {
            PresenceAction::Enter { request, channel, owner, entry, expires } => {
                let member = entry.member;
                let result = presences.enter(channel, session, owner, entry, expires);
                if result.is_ok() && !self.members.contains(&(channel, member)) {
                    self.members.push((channel, member));
                }
                Some(PresenceResult::Entered { request, channel, member, result })
            }
            PresenceAction::Leave { request, channel, owner, member } => {
                let result = presences.leave(channel, session, owner, member);
                self.members.retain(|known| *known != (channel, member));
                request.map(|request| PresenceResult::Left { request, channel, result })
            }
            PresenceAction::Extend { channel, member, expires } => {
                presences.extend(channel, session, member, expires);
                None
            }
            PresenceAction::Watch(channel) => {
                if !self.watched.contains(&channel) {
                    self.watched.push(channel);
                }
                presences.watch(channel, session, self.sink.clone());
                None
            }
            PresenceAction::Unwatch(channel) => {
                self.watched.retain(|known| *known != channel);
                presences.unwatch(channel, session);
                None
            }
        }
    }
}

impl Drop for SessionPresences {
    fn drop(&mut self) {
        for channel in std::mem::take(&mut self.watched) {
            self.presences.unwatch(channel, self.session);
        }
        for (channel, member) in std::mem::take(&mut self.members) {
            self.presences.depart(channel, self.session, member);
        }
    }
}
