//! The end of a session: why, what the client is told, and when it may come back.

use super::{Identity, Refusal, SessionAction, SessionRules, State};
use crate::{refused::Refused, websocket::Violation};
use sealwire_protocol::{
    Code, limits,
    wire::{Goodbye, ToClient},
};
use std::time::Duration;

/// Shortest time after which a client is asked back, in milliseconds.
const RECONNECT_AFTER: u32 = 500;
/// The same for a client whose signing key is gone.
pub(super) const KEY_GONE_AFTER: Duration = Duration::from_millis(RECONNECT_AFTER as u64);
/// The same after a revocation, or longer where tokens that are made later still are revoked as well.
const REVOKED_AFTER: u32 = 3000;
/// Over how much longer clients are spread, in milliseconds: most reasons concern many of them at the same moment.
const RECONNECT_SPREAD: u32 = 3000;

/// What the client is told of a session past [`limits::MAX_SESSIONS`] on one connection.
#[must_use]
pub(crate) fn too_many_sessions() -> ToClient {
    let message = format!("a connection has at most {} sessions; open another", limits::MAX_SESSIONS);
    let code = Code::Overloaded.number();
    ToClient::Goodbye(Goodbye { code, message, reconnect_after_ms: RECONNECT_AFTER })
}

/// What ends a session from outside of its own messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EndReason {
    /// A text message came.
    TextFrame,
    /// A message past the limit came.
    FrameTooLarge,
    /// The client does not read what is queued for it.
    SlowConsumer,
    /// The relay shuts down.
    ShuttingDown,
}

impl EndReason {
    /// The fault that a message stands for; `None` where RFC 6455 itself was broken.
    #[must_use]
    pub fn of(violation: Violation) -> Option<Self> {
        match violation {
            Violation::Text => Some(Self::TextFrame),
            Violation::TooLarge => Some(Self::FrameTooLarge),
            Violation::Protocol(_) => None,
        }
    }
}

impl SessionRules {
    /// Something outside of the client's messages ends the session.
    pub fn handle_end(&mut self, fault: EndReason) {
        match fault {
            EndReason::TextFrame => {
                self.refuse_frame(Refused::new(Code::TextFrame, Violation::Text.to_string()));
            }
            EndReason::FrameTooLarge => {
                self.refuse_frame(Refused::new(Code::FrameTooLarge, Violation::TooLarge.to_string()));
            }
            EndReason::SlowConsumer => {
                let message = "the client did not read what was queued for it; reconnect and resume";
                self.goodbye(Refused::new(Code::SlowConsumer, message));
            }
            EndReason::ShuttingDown => {
                self.goodbye(Refused::new(Code::ShuttingDown, "the relay is shutting down; reconnect"));
            }
        }
    }

    /// The session's connection breaks a limit.
    pub(crate) fn handle_refused(&mut self, refused: Refused) {
        self.refuse_frame(refused);
    }

    /// Ends the session for a frame that is no message, or not one that may come now.
    pub(super) fn refuse_frame(&mut self, refused: Refused) {
        self.refuse("frame", refused);
    }

    /// Ends the session for an attempt that belongs into the audit log.
    pub(super) fn refuse(&mut self, attempt: &'static str, refused: Refused) {
        let identity = self.identity();
        self.refuse_to(attempt, refused, identity);
    }

    /// The same, for somebody who has no session yet.
    pub(super) fn refuse_to(&mut self, attempt: &'static str, refused: Refused, identity: Option<Identity>) {
        if !self.is_closed() {
            let refusal = Refusal { attempt, code: refused.code, identity };
            self.actions.push_back(SessionAction::Audit(refusal));
            self.goodbye(refused);
        }
    }

    /// Ends the session.
    pub(super) fn goodbye(&mut self, refused: Refused) {
        if self.is_closed() {
            return;
        }
        let wait = refused.retry_after_ms();
        let Refused { code, message, .. } = refused;
        let earliest = match code {
            Code::ShuttingDown | Code::SlowConsumer | Code::HeartbeatTimeout | Code::HelloTimeout => {
                RECONNECT_AFTER
            }
            Code::Revoked => wait.max(REVOKED_AFTER),
            _ => wait,
        };
        let spread = if earliest > 0 { self.jitter % RECONNECT_SPREAD } else { 0 };
        let reconnect_after_ms = earliest.saturating_add(spread);
        let goodbye = Goodbye { code: code.number(), message, reconnect_after_ms };
        self.actions.push_back(SessionAction::Send(ToClient::Goodbye(goodbye)));
        self.actions.push_back(SessionAction::Close(code.close_code()));
        self.state = State::Closed;
        self.deadlines.clear_all();
    }
}
