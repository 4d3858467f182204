//! What the rules of a connection's sessions ask for, and what the broker answers to that.

use super::{Actor, End};
use crate::{
    audit::trace::Source,
    broker::BrokerError,
    clock::Now,
    connection::queue::SessionNumber,
    hub::{Accepted, Replay},
    session::{EndReason, Joined, Publishing, SessionAction},
    websocket::{self, CloseStatus},
};
use bytes::Bytes;
use sealwire_protocol::{ChannelId, CloseCode, wire::ToClient};
use std::{pin::Pin, time::Duration};
use tokio::time::timeout;

/// How long a client's request waits for the broker.
const BROKER_TIMEOUT: Duration = Duration::from_secs(5);

/// A request whose answer the broker owes to a session. Meanwhile no request of any session is read.
pub(super) struct Pending {
    pub(super) session: SessionNumber,
    pub(super) answer: Pin<Box<dyn Future<Output = Completion> + Send>>,
}

pub(super) enum Completion {
    Joined { channel: ChannelId, result: Result<Replay, BrokerError> },
    Published { result: Result<Accepted, BrokerError> },
}

impl Actor {
    /// Does what the rules of every session ask for.
    pub(super) fn act(&mut self) -> Result<(), End> {
        let mut index = 0;
        while let Some(number) = self.sessions.at(index).map(|slot| slot.number) {
            match self.act_for(index) {
                None => index += 1,
                Some((goodbye, code)) if self.sessions.len() == 1 => {
                    return Err(self.close(number, goodbye, CloseStatus::Sealwire(code)));
                }
                // The connection stays for the others.
                Some((goodbye, _)) => {
                    self.leave(number);
                    if let Some(goodbye) = goodbye {
                        self.outbound.push_answer(number, goodbye);
                    }
                }
            }
        }
        Ok(())
    }

    /// The goodbye and the code to close with, where that was the session's end.
    fn act_for(&mut self, index: usize) -> Option<(Option<Bytes>, CloseCode)> {
        let mut goodbye = None;
        let slot = self.sessions.at(index)?;
        let session = slot.number;
        while let Some(action) = slot.rules.poll_action() {
            match action {
                SessionAction::Send(message) => {
                    let frame = websocket::encode_message(&message).0;
                    match message {
                        ToClient::Goodbye(said) => {
                            self.context.metrics.said_goodbye(said.code);
                            goodbye = Some(frame);
                        }
                        ToClient::Welcome(_) => {
                            slot.open(&self.context, &self.outbound);
                            self.decoder.session_opened();
                            self.outbound.open_session();
                            self.outbound.push_answer(session, frame);
                        }
                        ToClient::Published(_) | ToClient::Failed(_) => {
                            self.outbound.push_answer(session, frame);
                        }
                        _ => {
                            self.outbound.flush_deferred();
                            self.outbound.push_answer(session, frame);
                        }
                    }
                }
                SessionAction::Join { channel, tenant, since, events } => {
                    let answer = slot.subscriptions.join(tenant, channel, since, events);
                    let answer = Box::pin(async move {
                        let result = timeout(BROKER_TIMEOUT, answer).await;
                        Completion::Joined {
                            channel,
                            result: result.unwrap_or(Err(BrokerError::Unavailable)),
                        }
                    });
                    self.pending = Some(Pending { session, answer });
                }
                SessionAction::Leave(channel) => slot.subscriptions.leave(channel),
                SessionAction::Publish(Publishing(draft)) => {
                    let Some(under_way) = self.context.lifecycle.publish() else {
                        // Not refused: the client comes back and sends it again, to a relay that takes it.
                        slot.rules.handle_end(EndReason::ShuttingDown);
                        continue;
                    };
                    // The publisher is answered first, also where it gets its own message.
                    self.outbound.defer();
                    let answer = self.context.broker.publish(draft);
                    let answer = Box::pin(async move {
                        let result = timeout(BROKER_TIMEOUT, answer).await;
                        drop(under_way);
                        Completion::Published { result: result.unwrap_or(Err(BrokerError::Unavailable)) }
                    });
                    self.pending = Some(Pending { session, answer });
                }
                SessionAction::Audit(refusal) => {
                    let source = Source::connection(self.outbound.remote(), self.id);
                    self.context.audit.refused(&refusal, &source);
                }
                SessionAction::Close(code) => return Some((goodbye, code)),
            }
        }
        None
    }

    pub(super) fn complete(&mut self, completion: Completion) -> Result<(), End> {
        let Some(number) = self.pending.take().map(|pending| pending.session) else { return Ok(()) };
        let Some(slot) = self.sessions.find(number) else { return Ok(()) };
        match completion {
            Completion::Joined { channel, result: Ok(replay) } => {
                slot.subscriptions.joined(channel);
                let Replay { position, recovered, ref publications } = replay;
                let joined = Joined { position, recovered, replayed: publications.bytes() };
                slot.rules.handle_joined(Ok(joined), Now::read());
                // `Subscribed` goes first, then the replay, then what is live.
                self.act()?;
                if let Some(slot) = self.sessions.find(number) {
                    slot.subscriptions.open(channel, &replay);
                }
            }
            Completion::Joined { channel, result: Err(error) } => {
                slot.subscriptions.not_joined(channel);
                slot.rules.handle_joined(Err(error.into()), Now::read());
            }
            Completion::Published { result } => {
                slot.rules.handle_published(result.map_err(Into::into));
                self.act()?;
                self.outbound.flush_deferred();
            }
        }
        Ok(())
    }

    /// Ends a session, and with it what it waits for.
    pub(super) fn leave(&mut self, number: SessionNumber) {
        if self.pending.as_ref().is_some_and(|pending| pending.session == number) {
            self.pending = None;
            self.outbound.flush_deferred();
        }
        self.sessions.remove(number);
    }
}
