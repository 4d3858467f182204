//! The sessions of one connection. Most connections carry one session. The iframes of a page share a connection, on
//! which each has its own session with its own token and subscriptions.

use super::{
    ConnectionContext, Outbound, SessionSink,
    presences::{PresenceResult, SessionPresences},
    queue::SessionNumber,
    registry::SessionRegistration,
    subscriptions::ChannelSubscriptions,
};
use crate::{
    activity::Activity,
    clock::Now,
    memory::SESSION_SLOT,
    metrics::OpenSession,
    presence::Need,
    refused::Refused,
    session::{EndReason, Identity, PresenceAction, SessionAction, SessionRules},
    session_id::SessionId,
};
use sealwire_protocol::{Code, limits};
use std::{sync::Arc, time::Instant};

/// One session on a connection.
pub(super) struct SessionSlot {
    pub(super) rules: SessionRules,
    pub(super) subscriptions: ChannelSubscriptions,
    /// Boxed, because most sessions use no presence.
    presences: Option<Box<SessionPresences>>,
    /// The registrations of an established session.
    pub(super) registered: Option<(OpenSession, SessionRegistration)>,
}

impl SessionSlot {
    fn new(
        number: SessionNumber,
        id: SessionId,
        context: &Arc<ConnectionContext>,
        outbound: &Arc<Outbound>,
    ) -> Self {
        // The multiplication spreads consecutive ids over the whole range.
        let jitter = (id.0 as u32).wrapping_mul(0x9e37_79b9) >> 8;
        let sink = SessionSink { outbound: outbound.clone(), session: number };
        Self {
            rules: SessionRules::new(context.session_config.load_full(), jitter, Now::read()),
            subscriptions: ChannelSubscriptions::new(id, sink, context.clone()),
            presences: None,
            registered: None,
        }
    }

    /// Registers a session whose token was accepted.
    pub(super) fn establish(&mut self, context: &ConnectionContext, outbound: &Arc<Outbound>) {
        let Some(permit) = self.rules.permit() else { return };
        let (installation, account) = (permit.tenant().installation, permit.account());
        let registration = context.registry.sessions().insert(installation, account, outbound);
        self.registered = Some((OpenSession::new(&context.metrics), registration));
        if context.observation.is_on() {
            self.observe_opening(context, outbound);
        }
        // A revocation between the check of the token and the registration did not reach the session.
        self.rules.handle_revocations(Now::read());
    }

    fn observe_opening(&self, context: &ConnectionContext, outbound: &Outbound) {
        let Some(identity) = self.rules.identity() else { return };
        let (session, remote) = (self.id(), outbound.remote());
        context.observation.observe(&Activity::Opened { session, identity: &identity, remote });
    }

    /// Tells an observer that the session ends, if it was established.
    pub(super) fn observe_end(&self, context: &ConnectionContext) {
        if self.registered.is_some() {
            context.observation.observe(&Activity::Ended { session: self.id() });
        }
    }

    /// Removes the members of a session whose tokens were revoked or lost their key before its connection noticed. The others
    /// get their grace time when the slot is dropped.
    fn check_members(&mut self) {
        if !self.presences.as_ref().is_some_and(|presences| presences.has_members()) {
            return;
        }
        self.rules.handle_revocations(Now::read());
        self.rules.handle_keys_removed();
        while let Some(action) = self.rules.poll_action() {
            if let SessionAction::Presence(action) = action
                && matches!(*action, PresenceAction::Leave { .. })
            {
                self.perform_presence(*action);
            }
        }
    }

    /// Returns a future that waits until the session may perform an action, or `None` if it may.
    pub(super) fn prepare_presence(
        &mut self,
        action: &PresenceAction,
    ) -> Option<impl Future<Output = Result<Need, Refused>> + Send + use<>> {
        let Self { rules, subscriptions, presences, .. } = self;
        let presences = presences.get_or_insert_with(|| Box::new(subscriptions.presences()));
        presences.name(|| rules.names());
        presences.prepare(action)
    }

    /// Performs a change of a presence.
    pub(super) fn perform_presence(&mut self, action: PresenceAction) {
        match self.presences.as_mut().and_then(|presences| presences.perform(action)) {
            Some(PresenceResult::Entered { request, channel, member, result }) => {
                self.rules.handle_entered(request, channel, member, result);
            }
            Some(PresenceResult::Left { request, channel, result }) => {
                self.rules.handle_left(request, channel, result);
            }
            None => {}
        }
    }

    /// Enters a presence after the wait for the members at other relays. The session may have lost the permission meanwhile.
    pub(super) fn enter_prepared(&mut self, action: PresenceAction, result: Result<Need, Refused>) {
        let PresenceAction::Enter { request, channel, ref entry, .. } = action else { return };
        let member = entry.member;
        let ended = || Refused::new(Code::BrokerUnavailable, "the presence ended meanwhile; try again");
        match result {
            Ok(_need) if self.rules.has_presence(channel) => self.perform_presence(action),
            result => {
                let refused = result.err().unwrap_or_else(ended);
                self.rules.handle_entered(request, channel, member, Err(refused));
            }
        }
    }

    pub(super) fn number(&self) -> SessionNumber {
        self.subscriptions.number()
    }

    pub(super) fn id(&self) -> SessionId {
        self.subscriptions.session()
    }
}

/// The sessions of a connection, and the number of the selected one.
pub(super) struct Sessions {
    sessions: Vec<SessionSlot>,
    selected: SessionNumber,
    /// The highest number that the client has used.
    highest: SessionNumber,
}

/// The result of selecting a session.
pub(super) enum Selection {
    Selected,
    /// The connection already has the maximum number of sessions.
    TooMany,
}

impl Sessions {
    /// Creates the sessions of a new connection, which starts with session 0.
    pub(super) fn new(id: SessionId, context: &Arc<ConnectionContext>, outbound: &Arc<Outbound>) -> Self {
        Self { sessions: vec![SessionSlot::new(0, id, context, outbound)], selected: 0, highest: 0 }
    }

    /// Selects the session for the following messages, and creates it if its number is new. If the session has ended,
    /// nothing is selected.
    pub(super) fn select(
        &mut self,
        number: SessionNumber,
        context: &Arc<ConnectionContext>,
        outbound: &Arc<Outbound>,
    ) -> Selection {
        self.selected = number;
        if number <= self.highest {
            return Selection::Selected;
        }
        self.highest = number;
        if self.sessions.len() >= limits::MAX_SESSIONS {
            return Selection::TooMany;
        }
        self.sessions.push(SessionSlot::new(number, context.next_id(), context, outbound));
        Selection::Selected
    }

    /// Returns the selected session, unless it has ended.
    pub(super) fn selected(&mut self) -> Option<&mut SessionSlot> {
        self.find(self.selected)
    }

    pub(super) fn find(&mut self, number: SessionNumber) -> Option<&mut SessionSlot> {
        self.sessions.iter_mut().find(|slot| slot.number() == number)
    }

    pub(super) fn at(&mut self, index: usize) -> Option<&mut SessionSlot> {
        self.sessions.get_mut(index)
    }

    pub(super) fn len(&self) -> usize {
        self.sessions.len()
    }

    /// Returns the bytes of the sessions, without the slot of the first one, which the connection's bytes include.
    pub(super) fn footprint(&self) -> usize {
        let sessions: usize = self.sessions.iter().map(|slot| slot.rules.footprint()).sum();
        sessions + self.sessions.len().saturating_sub(1) * SESSION_SLOT
    }

    /// Removes all sessions, which ends their subscriptions.
    pub(super) fn clear(&mut self, context: &ConnectionContext) {
        self.sessions.iter().for_each(|slot| slot.observe_end(context));
        self.sessions.iter_mut().for_each(SessionSlot::check_members);
        self.sessions = Vec::new();
    }

    /// Removes a session, which ends its subscriptions.
    pub(super) fn remove(&mut self, number: SessionNumber, context: &ConnectionContext) {
        if let Some(slot) = self.find(number) {
            slot.observe_end(context);
            slot.check_members();
        }
        self.sessions.retain(|slot| slot.number() != number);
    }

    /// Ends all sessions for this reason.
    pub(super) fn end_all(&mut self, reason: EndReason) {
        self.sessions.iter_mut().for_each(|slot| slot.rules.handle_end(reason));
    }

    /// Tells all sessions that signing keys were removed.
    pub(super) fn handle_keys_removed(&mut self) {
        self.sessions.iter_mut().for_each(|slot| slot.rules.handle_keys_removed());
    }

    /// Ends all sessions because the connection exceeded a limit.
    pub(super) fn refuse_all(&mut self, refused: &Refused) {
        self.sessions.iter_mut().for_each(|slot| slot.rules.handle_refused(refused.clone()));
    }

    /// Tells all sessions that there are new revocations.
    pub(super) fn handle_revocations(&mut self) {
        let now = Now::read();
        self.sessions.iter_mut().for_each(|slot| slot.rules.handle_revocations(now));
    }

    /// Ends the subscriptions of which the relay lost track.
    pub(super) fn handle_lost(&mut self) {
        for slot in &mut self.sessions {
            let subscriptions = &slot.subscriptions;
            slot.rules.handle_broker_reset(&mut |channel| subscriptions.is_lost(channel));
            if let Some(presences) = &slot.presences {
                slot.rules.handle_presence_lost(&mut |channel| presences.is_lost(channel));
            }
        }
    }

    /// Tells all sessions that the client is alive.
    pub(super) fn handle_activity(&mut self) {
        let now = Now::read();
        self.sessions.iter_mut().for_each(|slot| slot.rules.handle_activity(now));
    }

    pub(super) fn handle_timeout(&mut self) {
        let now = Now::read();
        self.sessions.iter_mut().for_each(|slot| slot.rules.handle_timeout(now));
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.sessions.iter().filter_map(|slot| slot.rules.poll_timeout()).min()
    }

    /// Returns the identity of the first established session, for the log.
    pub(super) fn identity(&self) -> Option<Identity> {
        self.sessions.iter().find_map(|slot| slot.rules.identity())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slot_of_a_session_has_at_most_216_bytes() {
        assert!(size_of::<SessionSlot>() <= 216, "{}", size_of::<SessionSlot>());
        // The two counters of an `Arc` come on top, and glibc's sizes are 8 more than a multiple of 16.
        assert!(size_of::<Outbound>() <= 264 - 2 * size_of::<usize>(), "{}", size_of::<Outbound>());
    }
}
