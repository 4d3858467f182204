//! What a connection takes in from its client.

use super::{Actor, End};
use crate::{
    audit::trace::Source,
    clock::Now,
    connection::{
        outbound::{UNCOUNTED, clamped},
        sessions::Turn,
    },
    session::{EndReason, too_many_sessions},
    websocket::{self, CloseStatus, Incoming, Violation},
};
use bytes::Bytes;
use sealwire_protocol::wire::ToRelay;
use std::io;

impl Actor {
    /// Whether the client is still there.
    pub(super) fn read(&mut self) -> io::Result<bool> {
        match self.outbound.socket().try_read_buf(self.decoder.space()) {
            Ok(count) => {
                self.context.metrics.received.add(count);
                Ok(count > 0)
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// Counts the sessions and the unfinished message. Returns whether there is memory for the message.
    pub(super) fn count_held(&mut self) -> bool {
        let sessions = clamped(self.sessions.footprint());
        let mut input = clamped(self.decoder.held() + self.outbound.socket().undecrypted());
        if input.abs_diff(self.input) < UNCOUNTED as u32 && (input > 0 || self.input == 0) {
            input = self.input;
        }
        let moved = std::mem::take(&mut self.has_received);
        if (input, sessions) == (self.input, self.session_bytes) && !(moved && input > 0) {
            return true;
        }
        (self.input, self.session_bytes) = (input, sessions);
        self.outbound.set_held(input, sessions, moved)
    }

    pub(super) fn receive(&mut self, incoming: Incoming) -> Result<(), End> {
        let now = Now::read();
        self.has_received = true;
        if let Err(refused) = self.inbound.take(incoming.payload_len(), &self.context.limits, now.monotonic) {
            self.sessions.refuse(&refused);
            return Ok(());
        }
        match incoming {
            Incoming::Message(message) if ToRelay::is_about_sessions(&message) => return self.turn(message),
            Incoming::Message(message) => {
                if let Some(slot) = self.sessions.selected() {
                    slot.rules.handle_frame(message, now);
                }
            }
            Incoming::Fragment(_) => {}
            Incoming::Pong => self.sessions.heard(),
            Incoming::Ping(payload) => {
                self.sessions.heard();
                self.outbound.push_control(websocket::encode_pong(&payload));
            }
            Incoming::Close => return Err(self.close(0, None, CloseStatus::Normal)),
        }
        Ok(())
    }

    /// Turns to another session, or ends one.
    fn turn(&mut self, message: Bytes) -> Result<(), End> {
        match ToRelay::from_bytes(message.clone()) {
            Ok(ToRelay::Session(session)) => {
                let turn = self.sessions.select(session.number, &self.context, &self.outbound);
                if let Turn::Full = turn {
                    let frame = websocket::encode_message(&too_many_sessions()).0;
                    self.outbound.push_answer(session.number, frame);
                }
            }
            Ok(ToRelay::End(_)) => {
                if let Some(number) = self.sessions.selected().map(|slot| slot.number) {
                    self.leave(number);
                }
                if self.sessions.len() == 0 {
                    return Err(self.close(0, None, CloseStatus::Normal));
                }
            }
            // Refused by the rules of the session that sent it.
            _ => {
                if let Some(slot) = self.sessions.selected() {
                    slot.rules.handle_frame(message, Now::read());
                }
            }
        }
        Ok(())
    }

    pub(super) fn violated(&mut self, violation: Violation) -> Result<(), End> {
        match EndReason::of(violation) {
            Some(fault) => self.sessions.fail(fault),
            None => {
                let source = Source::connection(self.outbound.remote(), self.id);
                self.context.audit.violation(self.sessions.identity().as_ref(), violation, &source);
                return Err(self.close(0, None, CloseStatus::ProtocolError));
            }
        }
        Ok(())
    }
}
