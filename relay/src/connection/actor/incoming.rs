//! What a connection takes in from its client.

use super::{Actor, End};
use crate::{
    audit::trace::Source,
    clock::Now,
    connection::{
        outbound::{UNCOUNTED, clamped},
        sessions::Turn,
    },
    session::{Fault, too_many_sessions},
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
        let sessions = clamped(self.seats.footprint());
        let mut input = clamped(self.decoder.held() + self.outbound.socket().undecrypted());
        if input.abs_diff(self.input) < UNCOUNTED as u32 && (input > 0 || self.input == 0) {
            input = self.input;
        }
        let moved = std::mem::take(&mut self.has_received);
        if (input, sessions) == (self.input, self.sessions) && !(moved && input > 0) {
            return true;
        }
        (self.input, self.sessions) = (input, sessions);
        self.outbound.set_held(input, sessions, moved)
    }

    pub(super) fn receive(&mut self, incoming: Incoming) -> Result<(), End> {
        let now = Now::read();
        self.has_received = true;
        if let Err(refused) = self.intake.take(incoming.payload_len(), &self.context.limits, now.monotonic) {
            self.seats.refuse(&refused);
            return Ok(());
        }
        match incoming {
            Incoming::Message(message) if ToRelay::is_about_sessions(&message) => return self.turn(message),
            Incoming::Message(message) => {
                if let Some(seat) = self.seats.selected() {
                    seat.rules.handle_frame(message, now);
                }
            }
            Incoming::Fragment(_) => {}
            Incoming::Pong => self.seats.heard(),
            Incoming::Ping(payload) => {
                self.seats.heard();
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
                let turn = self.seats.select(session.number, &self.context, &self.outbound);
                if let Turn::Full = turn {
                    let frame = websocket::encode_message(&too_many_sessions()).0;
                    self.outbound.push_answer(session.number, frame);
                }
            }
            Ok(ToRelay::End(_)) => {
                if let Some(number) = self.seats.selected().map(|seat| seat.number) {
                    self.leave(number);
                }
                if self.seats.len() == 0 {
                    return Err(self.close(0, None, CloseStatus::Normal));
                }
            }
            // Refused by the rules of the session that sent it.
            _ => {
                if let Some(seat) = self.seats.selected() {
                    seat.rules.handle_frame(message, Now::read());
                }
            }
        }
        Ok(())
    }

    pub(super) fn violated(&mut self, violation: Violation) -> Result<(), End> {
        match Fault::of(violation) {
            Some(fault) => self.seats.fail(fault),
            None => {
                let source = Source::connection(self.outbound.remote(), self.id);
                self.context.audit.violation(self.seats.identity().as_ref(), violation, &source);
                return Err(self.close(0, None, CloseStatus::ProtocolError));
            }
        }
        Ok(())
    }
}
