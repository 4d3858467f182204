//! The input of a connection: reading, decoding, and passing frames to sessions.

use super::{Actor, End};
use crate::{
    audit::trace::Source,
    clock::Now,
    connection::{
        outbound::{UNCOUNTED, clamped},
        sessions::Selection,
    },
    session::{EndReason, too_many_sessions},
    websocket::{self, CloseStatus, Incoming, MIN_READ_SPACE, Violation},
};
use bytes::{Bytes, BytesMut};
use sealwire_protocol::wire::ToRelay;
use std::{cell::RefCell, io};

thread_local! {
    /// The space for the first bytes of a message. The read after a message usually finds the socket empty, and allocates
    /// nothing.
    static READ_SPACE: RefCell<BytesMut> = RefCell::new(BytesMut::with_capacity(MIN_READ_SPACE));
}

impl Actor {
    /// Reads from the socket once. Returns false at the end of the stream.
    pub(super) fn read(&mut self) -> io::Result<bool> {
        let socket = self.outbound.socket();
        let read = if self.decoder.is_empty() {
            READ_SPACE.with_borrow_mut(|space| {
                space.clear();
                let read = socket.try_read_buf(space);
                self.decoder.push(space);
                read
            })
        } else {
            socket.try_read_buf(self.decoder.space())
        };
        match read {
            Ok(count) => {
                self.context.metrics.received.add(count);
                Ok(count > 0)
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// Accounts the memory of the sessions and of an incomplete message. Returns whether there is memory for the
    /// message.
    pub(super) fn account_memory(&mut self) -> bool {
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
        self.outbound.set_input_and_sessions(input, sessions, moved)
    }

    /// Handles one decoded frame.
    pub(super) fn receive(&mut self, incoming: Incoming) -> Result<(), End> {
        let now = Now::read();
        self.has_received = true;
        if let Err(refused) = self.inbound.take(incoming.payload_len(), &self.context.limits, now.monotonic) {
            self.sessions.refuse_all(&refused);
            return Ok(());
        }
        match incoming {
            Incoming::Message(message) if ToRelay::is_about_sessions(&message) => {
                return self.handle_session_message(message);
            }
            Incoming::Message(message) => {
                if let Some(slot) = self.sessions.selected() {
                    slot.rules.handle_frame(message, now);
                }
            }
            Incoming::Fragment(_) => {}
            Incoming::Pong => self.sessions.handle_activity(),
            Incoming::Ping(payload) => {
                self.sessions.handle_activity();
                self.outbound.push_control(websocket::encode_pong(&payload));
            }
            Incoming::Close => return Err(self.close(0, None, CloseStatus::Normal)),
        }
        Ok(())
    }

    /// Handles `Session`, which selects a session, and `End`, which ends the selected one.
    fn handle_session_message(&mut self, message: Bytes) -> Result<(), End> {
        match ToRelay::from_bytes(message.clone()) {
            Ok(ToRelay::Session(session)) => {
                let selection = self.sessions.select(session.number, &self.context, &self.outbound);
                if let Selection::TooMany = selection {
                    let frame = websocket::encode_message(&too_many_sessions()).0;
                    self.outbound.push_answer(session.number, frame);
                }
            }
            Ok(ToRelay::End(_)) => {
                if let Some(number) = self.sessions.selected().map(|slot| slot.number()) {
                    self.end_session(number);
                }
                if self.sessions.len() == 0 {
                    return Err(self.close(0, None, CloseStatus::Normal));
                }
            }
            // The selected session refuses the malformed message.
            _ => {
                if let Some(slot) = self.sessions.selected() {
                    slot.rules.handle_frame(message, Now::read());
                }
            }
        }
        Ok(())
    }

    /// Ends the connection, or all its sessions, for a violation of the WebSocket protocol or its limits.
    pub(super) fn violated(&mut self, violation: Violation) -> Result<(), End> {
        match EndReason::of(violation) {
            Some(reason) => self.sessions.end_all(reason),
            None => {
                let source = Source::connection(self.outbound.remote(), self.id);
                self.context.audit.violation(self.sessions.identity().as_ref(), violation, &source);
                return Err(self.close(0, None, CloseStatus::ProtocolError));
            }
        }
        Ok(())
    }
}
