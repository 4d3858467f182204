//! Performs the actions of the sessions, and passes the broker's answers back to them.

use super::{Actor, End, Phase};
use crate::{
    activity::Activity,
    audit::trace::Source,
    broker::{BrokerError, traced},
    clock::Now,
    connection::queue::SessionNumber,
    hub::{Draft, PublishReceipt, Replay},
    presence::Need,
    refused::Refused,
    session::{EndReason, EventFilter, PresenceAction, Publishing, SessionAction, SubscriptionStart},
    telemetry::Origin,
    tenant::Tenant,
    websocket::{self, CloseStatus},
};
use bytes::Bytes;
use sealwire_protocol::{
    ChannelId, CloseCode, Code,
    wire::{Since, ToClient},
};
use std::{pin::Pin, time::Duration};
use tokio::time::timeout;

/// The time that a request may take beyond the broker's own limit.
const BROKER_GRACE: Duration = Duration::from_millis(500);

/// A request that waits for the broker.
pub(super) struct Pending {
    pub(super) session: SessionNumber,
    pub(super) answer: Pin<Box<dyn Future<Output = Completion> + Send>>,
}

/// The broker's answer to a request.
pub(super) enum Completion {
    Subscribed {
        channel: ChannelId,
        result: Result<Replay, BrokerError>,
    },
    Published {
        result: Result<PublishReceipt, BrokerError>,
    },
    /// The session may enter a presence.
    Prepared {
        action: Box<PresenceAction>,
        result: Result<Need, Refused>,
    },
}

impl Actor {
    /// Performs the actions of all sessions.
    pub(super) fn run_actions(&mut self) -> Result<(), End> {
        let mut index = 0;
        while let Some(number) = self.sessions.at(index).map(|slot| slot.number()) {
            match self.run_session_actions(index) {
                None => index += 1,
                Some((goodbye, code)) if self.sessions.len() == 1 => {
                    return Err(self.close(number, goodbye, CloseStatus::Sealwire(code)));
                }
                // The connection stays open for the other sessions.
                Some((goodbye, _)) => {
                    self.end_session(number);
                    if let Some(goodbye) = goodbye {
                        self.outbound.push_answer(number, goodbye);
                    }
                }
            }
        }
        Ok(())
    }

    /// Performs the actions of one session. Returns its goodbye and its close code if the session has ended.
    fn run_session_actions(&mut self, index: usize) -> Option<(Option<Bytes>, CloseCode)> {
        let (mut goodbye, mut refused) = (None, None);
        while let Some(action) = self.sessions.at(index)?.rules.poll_action() {
            match action {
                // The end of a session after a refused attempt is part of that attempt.
                SessionAction::Send(ToClient::Goodbye(message)) => {
                    if refused != Some(message.code) {
                        self.keep_end(index, message.code);
                    }
                    goodbye = self.send(index, &ToClient::Goodbye(message)).or(goodbye);
                }
                SessionAction::Send(message) => goodbye = self.send(index, &message).or(goodbye),
                SessionAction::Subscribe { channel, tenant, since, events } => {
                    self.subscribe(index, channel, tenant, since, events);
                }
                SessionAction::Unsubscribe(channel) => {
                    let slot = self.sessions.at(index)?;
                    slot.subscriptions.unsubscribe(channel);
                    let session = slot.id();
                    self.context.observation.observe(&Activity::Unsubscribed { session, channel });
                }
                SessionAction::Publish(Publishing(draft)) => self.publish(index, draft),
                SessionAction::Presence(action) => self.change_presence(index, action),
                SessionAction::Name(name) => self.context.observation.observe(&Activity::Named(&name)),
                SessionAction::Audit(refusal) => {
                    let source = Source::connection(self.outbound.remote(), self.id);
                    self.context.audit.refused(&refusal, &source);
                    refused = Some(refusal.code.number());
                }
                SessionAction::Close(code) => return Some((goodbye, code)),
            }
        }
        None
    }

    /// Keeps for the console that the relay ends a session, unless it ends all of them.
    fn keep_end(&mut self, index: usize, code: u32) {
        let Some(code) = Code::from_number(code).filter(|code| *code != Code::ShuttingDown) else { return };
        let registered = self.sessions.at(index).and_then(|slot| slot.registered.as_ref());
        let subject = registered.map(|(_, registration)| registration.subject());
        let source = Source::connection(self.outbound.remote(), self.id);
        self.context.audit.ended(subject, code, &source);
    }

    /// Queues a message to the client. Returns a goodbye instead, which is written when the session is closed.
    fn send(&mut self, index: usize, message: &ToClient) -> Option<Bytes> {
        let slot = self.sessions.at(index)?;
        let frame = websocket::encode_message(message).0;
        match message {
            ToClient::Goodbye(goodbye) => {
                self.context.metrics.said_goodbye(goodbye.code);
                let (session, code) = (slot.id(), Code::from_number(goodbye.code));
                self.context.observation.observe(&Activity::Goodbye { session, code });
                return Some(frame);
            }
            ToClient::Welcome(_) => {
                slot.establish(&self.context, &self.outbound);
                self.decoder.session_opened();
                self.outbound.open_session();
            }
            // `complete` queues the deferred publications after this answer.
            ToClient::Published(_) | ToClient::Failed(_) => {}
            _ => self.outbound.flush_deferred(),
        }
        self.outbound.push_answer(slot.number(), frame);
        None
    }

    fn subscribe(
        &mut self,
        index: usize,
        channel: ChannelId,
        tenant: Tenant,
        since: Option<Since>,
        events: EventFilter,
    ) {
        let Some(slot) = self.sessions.at(index) else { return };
        let answer = slot.subscriptions.subscribe(tenant, channel, since, events);
        let limit = self.context.broker.timeout() + BROKER_GRACE;
        let answer = Box::pin(async move {
            let result = timeout(limit, answer).await;
            Completion::Subscribed { channel, result: result.unwrap_or(Err(BrokerError::Unavailable)) }
        });
        self.phase = Phase::AwaitingBroker(Pending { session: slot.number(), answer });
    }

    fn publish(&mut self, index: usize, draft: Draft) {
        let Some(slot) = self.sessions.at(index) else { return };
        let Some(in_flight) = self.context.lifecycle.begin_publish() else {
            // The session ends instead of refusing the publication: the client reconnects to a relay that accepts it.
            slot.rules.handle_end(EndReason::ShuttingDown);
            return;
        };
        let (session, channel, sealed) = (Some(slot.id()), draft.channel, draft.sealed.len());
        let published = Activity::Published { session, channel, event: &draft.event, sealed };
        self.context.observation.observe(&published);
        // A publisher gets its answer before its own publication.
        self.outbound.defer();
        let context = &self.context;
        let answer = traced::publish(&context.telemetry, &*context.broker, draft, Origin::Own);
        let limit = self.context.broker.timeout() + BROKER_GRACE;
        let answer = Box::pin(async move {
            let result = timeout(limit, answer).await;
            drop(in_flight);
            Completion::Published { result: result.unwrap_or(Err(BrokerError::Unavailable)) }
        });
        self.phase = Phase::AwaitingBroker(Pending { session: slot.number(), answer });
    }

    /// Performs a change of a presence. A session that enters waits until the members at other relays are known.
    fn change_presence(&mut self, index: usize, action: Box<PresenceAction>) {
        let Some(slot) = self.sessions.at(index) else { return };
        match slot.prepare_presence(&action) {
            Some(ready) => {
                let answer = Box::pin(async move { Completion::Prepared { action, result: ready.await } });
                self.phase = Phase::AwaitingBroker(Pending { session: slot.number(), answer });
            }
            None => slot.perform_presence(*action),
        }
    }

    /// Passes the broker's answer to the session that waits for it.
    pub(super) fn complete(&mut self, completion: Completion) -> Result<(), End> {
        let Phase::AwaitingBroker(Pending { session: number, .. }) = self.phase else { return Ok(()) };
        self.phase = Phase::Serving;
        let Some(slot) = self.sessions.find(number) else { return Ok(()) };
        match completion {
            Completion::Subscribed { channel, result: Ok(replay) } => {
                slot.subscriptions.confirm(channel);
                if self.context.observation.is_on() {
                    let (session, replayed) = (slot.id(), replay.publications.iter().count());
                    let subscribed = Activity::Subscribed { session, channel, replayed };
                    self.context.observation.observe(&subscribed);
                }
                slot.rules.handle_subscribed(Ok(SubscriptionStart::of(&replay)), Now::read());
                // `Subscribed` is sent first, then the replay, then live publications.
                self.run_actions()?;
                if let Some(slot) = self.sessions.find(number) {
                    let is_lost = slot.subscriptions.catch_up(channel, &replay);
                    if is_lost {
                        slot.rules.handle_broker_reset(&mut |lost| lost == channel);
                        self.run_actions()?;
                    }
                }
            }
            Completion::Subscribed { channel, result: Err(error) } => {
                slot.subscriptions.abort(channel);
                slot.rules.handle_subscribed(Err(error.into()), Now::read());
            }
            Completion::Prepared { action, result } => slot.enter_prepared(*action, result),
            Completion::Published { result } => {
                slot.rules.handle_published(result.map_err(Into::into));
                self.run_actions()?;
                self.outbound.flush_deferred();
            }
        }
        Ok(())
    }

    /// Ends a session, and cancels its pending request.
    pub(super) fn end_session(&mut self, number: SessionNumber) {
        if matches!(&self.phase, Phase::AwaitingBroker(pending) if pending.session == number) {
            self.phase = Phase::Serving;
            self.outbound.flush_deferred();
        }
        self.sessions.remove(number, &self.context);
    }
}
