//! The sessions of one connection. Most connections have one; the frames of a page share one, and each has its own
//! session with its own rules, channels and token.

use super::{
    ConnectionContext, Outbound, SessionSink, queue::SessionNumber, registry::Listing,
    subscriptions::Memberships,
};
use crate::{
    clock::Now,
    memory::SEAT,
    metrics::OpenSession,
    refused::Refused,
    session::{Fault, Identity, SessionRules},
    session_id::SessionId,
};
use sealwire_protocol::limits;
use std::{sync::Arc, time::Instant};

/// One session on a connection.
pub(super) struct Seat {
    pub(super) number: SessionNumber,
    pub(super) rules: SessionRules,
    pub(super) memberships: Memberships,
    /// Once its token was accepted.
    pub(super) opened: Option<(OpenSession, Listing)>,
}

impl Seat {
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
            memberships: Memberships::new(id, sink, context.fanout.clone(), context.broker.clone()),
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
pub(super) struct Seats {
    seats: Vec<Seat>,
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

impl Seats {
    /// A connection that was just opened has session 0.
    pub(super) fn new(id: SessionId, context: &ConnectionContext, outbound: &Arc<Outbound>) -> Self {
        Self { seats: vec![Seat::new(0, id, context, outbound)], selected: 0, highest: 0 }
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
        if self.seats.len() >= limits::MAX_SESSIONS {
            return Turn::Full;
        }
        self.seats.push(Seat::new(number, context.next_id(), context, outbound));
        Turn::Taken
    }

    /// The session that the client has turned to, unless it is over.
    pub(super) fn selected(&mut self) -> Option<&mut Seat> {
        self.find(self.selected)
    }

    pub(super) fn find(&mut self, number: SessionNumber) -> Option<&mut Seat> {
        self.seats.iter_mut().find(|seat| seat.number == number)
    }

    pub(super) fn at(&mut self, index: usize) -> Option<&mut Seat> {
        self.seats.get_mut(index)
    }

    pub(super) fn len(&self) -> usize {
        self.seats.len()
    }

    /// Bytes of the sessions, without the place of the first one.
    pub(super) fn footprint(&self) -> usize {
        let sessions: usize = self.seats.iter().map(|seat| seat.rules.footprint()).sum();
        sessions + self.seats.len().saturating_sub(1) * SEAT
    }

    /// Leaves all channels of all sessions.
    pub(super) fn clear(&mut self) {
        self.seats = Vec::new();
    }

    /// Leaves its channels.
    pub(super) fn remove(&mut self, number: SessionNumber) {
        self.seats.retain(|seat| seat.number != number);
    }

    /// Something happened to the connection that concerns all of its sessions.
    pub(super) fn fail(&mut self, fault: Fault) {
        self.seats.iter_mut().for_each(|seat| seat.rules.handle_fault(fault));
    }

    /// Signing keys were taken out of the configuration.
    pub(super) fn handle_keys_removed(&mut self) {
        self.seats.iter_mut().for_each(|seat| seat.rules.handle_keys_removed());
    }

    /// The connection breaks a limit, so that all of its sessions end.
    pub(super) fn refuse(&mut self, refused: &Refused) {
        self.seats.iter_mut().for_each(|seat| seat.rules.handle_refused(refused.clone()));
    }

    /// Sessions were revoked.
    pub(super) fn handle_revocations(&mut self) {
        let now = Now::read();
        self.seats.iter_mut().for_each(|seat| seat.rules.handle_revocations(now));
    }

    pub(super) fn heard(&mut self) {
        let now = Now::read();
        self.seats.iter_mut().for_each(|seat| seat.rules.handle_heard(now));
    }

    pub(super) fn handle_timeout(&mut self) {
        let now = Now::read();
        self.seats.iter_mut().for_each(|seat| seat.rules.handle_timeout(now));
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.seats.iter().filter_map(|seat| seat.rules.poll_timeout()).min()
    }

    /// Who is behind the connection, for the log.
    pub(super) fn identity(&self) -> Option<Identity> {
        self.seats.iter().find_map(|seat| seat.rules.identity())
    }
}
