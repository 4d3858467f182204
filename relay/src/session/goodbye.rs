//! The end of a session: its reason, the message to the client, and the delay before the client reconnects.

use super::{Identity, Refusal, SessionAction, SessionRules, SessionState};
use crate::{refused::Refused, websocket::Violation};
use sealwire_protocol::{
    Code, limits,
    wire::{Goodbye, ToClient},
};
use std::time::Duration;

/// The minimum delay before a client reconnects, in milliseconds.
const RECONNECT_AFTER: u32 = 500;
/// The delay for a client whose signing key was removed.
pub(super) const KEY_GONE_AFTER: Duration = Duration::from_millis(RECONNECT_AFTER as u64);
/// The minimum delay after a revocation, in milliseconds. It is longer if the revocation covers tokens issued later.
const REVOKED_AFTER: u32 = 3000;
/// The range of the jitter that is added to delays, in milliseconds: most reasons affect many clients at once.
const RECONNECT_SPREAD: u32 = 3000;

/// The message for a session beyond [`limits::MAX_SESSIONS`] on one connection.
#[must_use]
pub(crate) fn too_many_sessions() -> ToClient {
    let message = format!(
        "session limit of the connection reached ({}); open another connection",
        limits::MAX_SESSIONS
    );
    let code = Code::Overloaded.number();
    ToClient::Goodbye(Goodbye { code, message, reconnect_after_ms: RECONNECT_AFTER })
}

/// A reason outside of the session's messages that ends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EndReason {
    /// The client sent a text message.
    TextFrame,
    /// The client sent a message larger than the limit.
    FrameTooLarge,
    /// The client reads its queue too slowly, or its memory is needed.
    SlowConsumer,
    /// The relay is shutting down.
    ShuttingDown,
}

impl EndReason {
    /// Returns the reason that a violation stands for; `None` for a violation of RFC 6455 itself.
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
    /// Ends the session for a reason outside of its messages.
    pub fn handle_end(&mut self, reason: EndReason) {
        match reason {
            EndReason::TextFrame => {
                self.refuse_frame(Refused::new(Code::TextFrame, Violation::Text.to_string()));
            }
            EndReason::FrameTooLarge => {
                self.refuse_frame(Refused::new(Code::FrameTooLarge, Violation::TooLarge.to_string()));
            }
            EndReason::SlowConsumer => {
                let message = "the client reads too slowly: its queue exceeded the limit (`queue_bytes`) or memory is short; reconnect and resume";
                self.goodbye(Refused::new(Code::SlowConsumer, message));
            }
            EndReason::ShuttingDown => {
                self.goodbye(Refused::new(Code::ShuttingDown, "the relay is shutting down; reconnect"));
            }
        }
    }

    /// Ends the session because its connection exceeded a limit.
    pub(crate) fn handle_refused(&mut self, refused: Refused) {
        self.refuse_frame(refused);
    }

    /// Ends the session for a frame that is not a message, or not a valid one in this state.
    pub(super) fn refuse_frame(&mut self, refused: Refused) {
        self.refuse("frame", refused);
    }

    /// Ends the session for a refused attempt, which is audited.
    pub(super) fn refuse(&mut self, attempt: &'static str, refused: Refused) {
        let identity = self.identity();
        self.refuse_to(attempt, refused, identity);
    }

    /// Ends the session like [`Self::refuse`], with an identity that the session does not have yet.
    pub(super) fn refuse_to(&mut self, attempt: &'static str, refused: Refused, identity: Option<Identity>) {
        if !self.is_closed() {
            let refusal = Refusal { attempt, code: refused.code, identity };
            self.actions.push_back(SessionAction::Audit(refusal));
            self.goodbye(refused);
        }
    }

    /// Ends the session with `Goodbye`.
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
        if let SessionState::Established(open) = &mut self.state
            && !permits_grace(code)
        {
            open.leave_all(&mut self.actions);
        }
        self.actions.push_back(SessionAction::Send(ToClient::Goodbye(goodbye)));
        self.actions.push_back(SessionAction::Close(code.close_code()));
        self.state = SessionState::Closed;
        self.deadlines.clear_all();
    }
}

/// Returns whether the members of a session that ends with this code stay for the grace time, because its client is
/// expected to return with the same token.
fn permits_grace(code: Code) -> bool {
    code.retryable() && code != Code::TokenExpired
}
