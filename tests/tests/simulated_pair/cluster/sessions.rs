//! The sessions of a relay: they perform the actions of the rules as the relay's connections do. A request that waits for
//! the broker delays the messages behind it.

use super::{
    events::Event,
    relay::{Followed, PendingJoin, Session, stream_of},
    world::World,
};
use bytes::Bytes;
use sealwire_protocol::{
    ChannelId,
    wire::{Since, ToClient},
};
use sealwire_relay::{
    BrokerError, EndReason, EventFilter, Publishing, Replay, SessionAction, SessionId, SessionRules,
    SubscriptionStart, Tenant, Ticket,
};
use std::collections::{BTreeSet, VecDeque};

/// The time that a subscribe request has at the broker.
const JOIN_MS: u64 = 5_500;

impl World {
    pub(super) fn accept(&mut self, relay: usize, connection: u64) {
        let now = self.relay_now(relay);
        let relay = &mut self.relays[relay];
        let rules = SessionRules::new(relay.config.clone(), 0, now);
        let session = Session { rules, channels: BTreeSet::new(), inbox: VecDeque::new(), pending: None };
        relay.sessions.insert(connection, session);
    }

    pub(super) fn receive(&mut self, relay: usize, connection: u64, message: Bytes) {
        if let Some(session) = self.relays[relay].sessions.get_mut(&connection) {
            session.inbox.push_back(message);
            self.serve(relay, connection);
        }
    }

    /// Handles the messages of a client until one waits for the broker.
    pub(super) fn serve(&mut self, relay: usize, connection: u64) {
        let now = self.relay_now(relay);
        loop {
            self.run_actions(relay, connection);
            let Some(session) = self.relays[relay].sessions.get_mut(&connection) else { return };
            if session.rules.is_waiting() {
                return;
            }
            let Some(message) = session.inbox.pop_front() else { return };
            session.rules.handle_frame(message, now);
        }
    }

    pub(super) fn end_session(&mut self, relay: usize, connection: u64, reason: EndReason) {
        if let Some(session) = self.relays[relay].sessions.get_mut(&connection) {
            session.rules.handle_end(reason);
            self.serve(relay, connection);
        }
    }

    pub(super) fn time_out_sessions(&mut self, relay: usize) {
        let now = self.relay_now(relay);
        let due = |session: &Session| session.rules.poll_timeout().is_some_and(|at| at <= now.monotonic);
        let sessions = self.relays[relay].sessions.iter();
        let due: Vec<u64> = sessions.filter(|(_, session)| due(session)).map(|(id, _)| *id).collect();
        for connection in due {
            if let Some(session) = self.relays[relay].sessions.get_mut(&connection) {
                session.rules.handle_timeout(now);
            }
            self.serve(relay, connection);
        }
    }

    /// Removes a connection whose socket has closed.
    pub(super) fn remove(&mut self, relay: usize, connection: u64) {
        let Some(session) = self.relays[relay].sessions.remove(&connection) else { return };
        self.relays[relay].publishes.forget(connection);
        if let Some(pending) = session.pending {
            self.relays[relay].subscribers.unsubscribe(pending.channel, SessionId(connection));
            self.drop_join(relay, pending);
        }
        for channel in session.channels {
            self.relays[relay].subscribers.unsubscribe(channel, SessionId(connection));
            self.act(relay, stream_of(channel), |follower, _, now| follower.unsubscribe(channel, now));
        }
    }

    /// Undoes a subscribe request that nobody waits for any more.
    fn drop_join(&mut self, relay: usize, PendingJoin { channel, ticket, is_answered }: PendingJoin) {
        let stream = stream_of(channel);
        self.relays[relay].streams[stream].answers.remove(&ticket);
        self.act(relay, stream, |follower, _, now| match is_answered {
            true => follower.unsubscribe(channel, now),
            false => follower.cancel(ticket, channel, now),
        });
    }

    fn run_actions(&mut self, relay: usize, connection: u64) {
        loop {
            let Some(session) = self.relays[relay].sessions.get_mut(&connection) else { return };
            let Some(action) = session.rules.poll_action() else { return };
            match action {
                SessionAction::Send(message) => self.push(relay, connection, &message),
                SessionAction::Subscribe { channel, tenant, since, events } => {
                    self.subscribe_at_relay(relay, connection, (tenant, channel), since, events);
                }
                SessionAction::Unsubscribe(channel) => {
                    let removed = session.channels.remove(&channel);
                    self.relays[relay].subscribers.unsubscribe(channel, SessionId(connection));
                    if removed {
                        self.act(relay, stream_of(channel), |follower, _, now| {
                            follower.unsubscribe(channel, now)
                        });
                    }
                }
                SessionAction::Publish(Publishing(draft)) => self.start_publish(relay, connection, draft),
                SessionAction::Name(_) | SessionAction::Presence(_) => {}
                SessionAction::Audit(refusal) => self.trace(|| format!("relay {relay} refused {refusal:?}")),
                SessionAction::Close(code) => {
                    self.relays[relay].outbox.borrow_mut().push((connection, Err(code as u16)));
                    self.remove(relay, connection);
                }
            }
        }
    }

    fn push(&self, relay: usize, connection: u64, message: &ToClient) {
        self.relays[relay].outbox.borrow_mut().push((connection, Ok(message.to_bytes().into())));
    }

    fn subscribe_at_relay(
        &mut self,
        relay: usize,
        connection: u64,
        (tenant, channel): (Tenant, ChannelId),
        since: Option<Since>,
        events: EventFilter,
    ) {
        let run = (relay, self.relays[relay].life);
        let one = &mut self.relays[relay];
        let sink = (connection, one.outbox.clone());
        one.subscribers.subscribe(channel, SessionId(connection), sink, events);
        let stream = stream_of(channel);
        let Followed { answers, last_ticket, .. } = &mut one.streams[stream];
        *last_ticket += 1;
        let ticket = *last_ticket;
        answers.insert(ticket, connection);
        if let Some(session) = one.sessions.get_mut(&connection) {
            session.pending = Some(PendingJoin { channel, ticket, is_answered: false });
        }
        self.queue.at(self.now_ms + JOIN_MS, Event::JoinTimeout { run, connection, ticket });
        self.act(relay, stream, |follower, hub, now| {
            follower.subscribe(hub, ticket, tenant, channel, since, now);
        });
    }

    /// Handles the broker's answer to a subscribe request.
    pub(super) fn answered(&mut self, relay: usize, connection: u64, ticket: Ticket, replay: Replay) {
        let Some(pending) = self.take_pending(relay, connection, ticket) else { return };
        let now = self.relay_now(relay);
        let Some(session) = self.relays[relay].sessions.get_mut(&connection) else { return };
        let channel = pending.channel;
        let is_new = session.channels.insert(channel);
        session.rules.handle_subscribed(Ok(SubscriptionStart::of(&replay)), now);
        if !is_new {
            self.act(relay, stream_of(channel), |follower, _, now| follower.unsubscribe(channel, now));
        }
        self.run_actions(relay, connection);
        self.relays[relay].subscribers.catch_up(
            channel,
            SessionId(connection),
            &replay,
            |(to, outbox), all| {
                for publication in all.publications() {
                    outbox.borrow_mut().push((*to, Ok(publication.message())));
                }
            },
        );
        // The relay may have lost track of the channel while the answer was on its way.
        self.end_lost(relay, connection);
    }

    pub(super) fn join_times_out(&mut self, relay: usize, connection: u64, ticket: Ticket) {
        let Some(pending) = self.take_pending(relay, connection, ticket) else { return };
        let (now, channel) = (self.relay_now(relay), pending.channel);
        self.drop_join(relay, pending);
        self.relays[relay].subscribers.unsubscribe(channel, SessionId(connection));
        let Some(session) = self.relays[relay].sessions.get_mut(&connection) else { return };
        let removed = session.channels.remove(&channel);
        session.rules.handle_subscribed(Err(BrokerError::Unavailable.into()), now);
        if removed {
            self.act(relay, stream_of(channel), |follower, _, now| follower.unsubscribe(channel, now));
        }
        self.serve(relay, connection);
    }

    fn take_pending(&mut self, relay: usize, connection: u64, ticket: Ticket) -> Option<PendingJoin> {
        let session = self.relays[relay].sessions.get_mut(&connection)?;
        session.pending.take_if(|pending| pending.ticket == ticket)
    }

    /// Ends the subscriptions of a connection of which the relay lost track.
    pub(super) fn end_lost(&mut self, relay: usize, connection: u64) {
        let one = &mut self.relays[relay];
        let Some(session) = one.sessions.get_mut(&connection) else { return };
        let subscribers = &mut one.subscribers;
        session.rules.handle_broker_reset(&mut |channel| subscribers.is_lost(channel, SessionId(connection)));
        self.serve(relay, connection);
    }
}
