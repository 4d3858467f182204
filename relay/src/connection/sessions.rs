//! The sessions of one connection. Most connections have one; the frames of a page share one, and each has its own
//! session with its own rules, channels and token.

use super::{
    ConnectionContext, Outbound, SessionSink, queue::SessionNumber, registry::Listing,
    subscriptions::Subscriptions,
};
use crate::{
    clock::Now,
    memory::SESSION_SLOT,
    metrics::OpenSession,
    refused::Refused,
    session::{EndReason, Identity, SessionRules},
    session_id::SessionId,
};
use sealwire_protocol::limits;
use std::{sync::Arc, time::Instant};

/// One session on a connection.
pub(super) struct SessionSlot {
    pub(super) number: SessionNumber,
    pub(super) rules: SessionRules,
    pub(super) subscriptions: Subscriptions,
    /// Once its token was accepted.
    pub(super) opened: Option<(OpenSession, Listing)>,
}

impl SessionSlot {
    fn new(
        number: SessionNumber,
        id: SessionId,
        context: &ConnectionContext,
        outbound: &Arc<Outbound>,
    ) -> Self {
        // Consecutive ids are spread over the whole range.
        let jitter = (id.0 as u32).wrapping_mul(0x9e37_79b9) >> 8;
        let sink = SessionSink { outbound: outbound.clone(), session: number };
        Self {
            number,
            rules: SessionRules::new(context.terms.load_full(), jitter, Now::read()),
            subscriptions: Subscriptions::new(id, sink, context.fanout.clone(), context.broker.clone()),
            opened: None,
        }
    }

    /// Its token was accepted.
    pub(super) fn open(&mut self, context: &ConnectionContext, outbound: &Arc<Outbound>) {
        let Some(place) = self.rules.place() else { return };
        let (installation, account) = (place.tenant().installation, place.account());
        let listing = context.registry.sessions().add(installation, account, outbound);
        self.opened = Some((OpenSession::new(&context.metrics), listing));
        // A revocation since its token was checked has passed it by.
        self.rules.handle_revocations(Now::read());
    }
}

/// The sessions, and which of them the client has turned to.
pub(super) struct Sessions {
    sessions: Vec<SessionSlot>,
    selected: SessionNumber,
    /// Numbers up to this one were used.
    highest: SessionNumber,
}

/// What became of a client's turn to a session.
pub(super) enum Turn {
    Taken,
    /// There are as many sessions as there may be.
    Full,
}

impl Sessions {
    /// A connection that was just opened has session 0.
    pub(super) fn new(id: SessionId, context: &ConnectionContext, outbound: &Arc<Outbound>) -> Self {
        Self { sessions: vec![SessionSlot::new(0, id, context, outbound)], selected: 0, highest: 0 }
    }

    /// The client turns to a session, and begins it where its number is new. Nothing is selected where it is over.
    pub(super) fn select(
        &mut self,
        number: SessionNumber,
        context: &ConnectionContext,
        outbound: &Arc<Outbound>,
    ) -> Turn {
        self.selected = number;
        if number <= self.highest {
            return Turn::Taken;
        }
        self.highest = number;
        if self.sessions.len() >= limits::MAX_SESSIONS {
            return Turn::Full;
        }
        self.sessions.push(SessionSlot::new(number, context.next_id(), context, outbound));
        Turn::Taken
    }

    /// The session that the client has turned to, unless it is over.
    pub(super) fn selected(&mut self) -> Option<&mut SessionSlot> {
        self.find(self.selected)
    }

    pub(super) fn find(&mut self, number: SessionNumber) -> Option<&mut SessionSlot> {
        self.sessions.iter_mut().find(|slot| slot.number == number)
    }

    pub(super) fn at(&mut self, index: usize) -> Option<&mut SessionSlot> {
        self.sessions.get_mut(index)
    }

    pub(super) fn len(&self) -> usize {
        self.sessions.len()
    }

    /// Bytes of the sessions, without the place of the first one.
    pub(super) fn footprint(&self) -> usize {
        let sessions: usize = self.sessions.iter().map(|slot| slot.rules.footprint()).sum();
        sessions + self.sessions.len().saturating_sub(1) * SESSION_SLOT
    }

    /// Leaves all channels of all sessions.
    pub(super) fn clear(&mut self) {
        self.sessions = Vec::new();
    }

    /// Leaves its channels.
    pub(super) fn remove(&mut self, number: SessionNumber) {
        self.sessions.retain(|slot| slot.number != number);
    }

    /// Something happened to the connection that concerns all of its sessions.
    pub(super) fn fail(&mut self, fault: EndReason) {
        self.sessions.iter_mut().for_each(|slot| slot.rules.handle_end(fault));
    }

    /// Signing keys were taken out of the configuration.
    pub(super) fn handle_keys_removed(&mut self) {
        self.sessions.iter_mut().for_each(|slot| slot.rules.handle_keys_removed());
    }

    /// The connection breaks a limit, so that all of its sessions end.
    pub(super) fn refuse(&mut self, refused: &Refused) {
        self.sessions.iter_mut().for_each(|slot| slot.rules.handle_refused(refused.clone()));
    }

    /// Sessions were revoked.
    pub(super) fn handle_revocations(&mut self) {
        let now = Now::read();
        self.sessions.iter_mut().for_each(|slot| slot.rules.handle_revocations(now));
    }

    pub(super) fn heard(&mut self) {
        let now = Now::read();
        self.sessions.iter_mut().for_each(|slot| slot.rules.handle_heard(now));
    }

    pub(super) fn handle_timeout(&mut self) {
        let now = Now::read();
        self.sessions.iter_mut().for_each(|slot| slot.rules.handle_timeout(now));
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.sessions.iter().filter_map(|slot| slot.rules.poll_timeout()).min()
    }

    /// Who is behind the connection, for the log.
    pub(super) fn identity(&self) -> Option<Identity> {
        self.sessions.iter().find_map(|slot| slot.rules.identity())
    }
}
