//! A session's members and watched channels of presences. Dropping them begins the grace time of the members.

use super::SessionSink;
use crate::{
    presence::{Entering, MemberId, Need, Presences, SessionNames},
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
    /// The names of the session for other relays, once it has used presence; `None` if there are none.
    names: Option<Arc<SessionNames>>,
}

/// The result of an action that answers a request.
pub(super) enum PresenceResult {
    Entered { request: u32, channel: ChannelId, member: MemberId, result: Result<(), Refused> },
    Left { request: u32, channel: ChannelId, result: Result<(), Refused> },
}

impl SessionPresences {
    pub(super) fn new(session: SessionId, sink: SessionSink, presences: Arc<Presences>) -> Self {
        Self { session, sink, presences, members: Vec::new(), watched: Vec::new(), names: None }
    }

    pub(super) fn has_members(&self) -> bool {
        !self.members.is_empty()
    }

    /// Sets the names of the session for other relays, unless they are set.
    pub(super) fn name(&mut self, names: impl FnOnce() -> Option<SessionNames>) {
        if self.names.is_none() {
            self.names = names().map(Arc::new);
        }
    }

    /// Returns a future that waits until the session may enter, or `None` if it may.
    pub(super) fn prepare(
        &self,
        action: &PresenceAction,
    ) -> Option<impl Future<Output = Result<Need, Refused>> + Send + use<>> {
        let PresenceAction::Enter { channel, .. } = action else { return None };
        self.presences.prepare(*channel, self.names.as_ref()?)
    }

    /// Returns whether the session watched a channel and no longer does, because other relays cannot be reached.
    pub(super) fn is_lost(&self, channel: ChannelId) -> bool {
        self.watched.contains(&channel) && self.presences.has_lost(channel, self.session)
    }

    /// Performs an action. Returns the result if it answers a request.
    pub(super) fn perform(&mut self, action: PresenceAction) -> Option<PresenceResult> {
        let (presences, session) = (&self.presences, self.session);
        match action {
            PresenceAction::Enter { request, channel, owner, entry, expires } => {
                let member = entry.member;
                let (names, entered_before) = (self.names.clone(), self.members.contains(&(channel, member)));
                let entering = Entering { session, owner, names, entered_before, entry, expires };
                let result = presences.enter(channel, entering);
                if result.is_ok() && !entered_before {
                    self.members.push((channel, member));
                }
                Some(PresenceResult::Entered { request, channel, member, result })
            }
            PresenceAction::Leave { request, channel, owner, member } => {
                let entered_before = self.members.contains(&(channel, member));
                let result = presences.leave(channel, session, owner, (member, entered_before));
                // A session whose member a newer one has taken over does not get it back by leaving.
                if result.is_ok() {
                    self.members.retain(|known| *known != (channel, member));
                }
                request.map(|request| PresenceResult::Left { request, channel, result })
            }
            PresenceAction::Extend { channel, member, expires } => {
                presences.extend(channel, session, member, expires);
                None
            }
            PresenceAction::Depart { channel, member } => {
                presences.depart(channel, session, member);
                self.members.retain(|known| *known != (channel, member));
                None
            }
            PresenceAction::Watch(channel) => {
                if !self.watched.contains(&channel) {
                    self.watched.push(channel);
                }
                presences.watch(channel, (session, self.names.as_deref()), self.sink.clone());
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
