//! The only error type of this crate: a stable code, a message for people, and the time of the next attempt.

use sealwire_protocol::{CloseCode, Code, wire};

/// An error code: one of this version's list, or a number that only a newer relay knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorCode {
    /// A code of [`Code::ALL`].
    Known(Code),
    /// The number of a code that a newer relay sent.
    Newer(u32),
}

impl From<Code> for ErrorCode {
    fn from(code: Code) -> Self {
        Self::Known(code)
    }
}

impl ErrorCode {
    /// Returns the code with this number on the wire.
    #[must_use]
    pub fn from_number(number: u32) -> Self {
        Code::from_number(number).map_or(Self::Newer(number), Self::Known)
    }

    /// Returns the stable name, or `"UNKNOWN"` for a newer relay's code.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Known(code) => code.name(),
            Self::Newer(_) => "UNKNOWN",
        }
    }

    pub(crate) const fn class(self) -> Option<CloseCode> {
        match self {
            Self::Known(code) => Some(code.close_code()),
            Self::Newer(_) => None,
        }
    }

    pub(crate) const fn retryable(self) -> bool {
        matches!(self, Self::Known(code) if code.retryable())
    }
}

/// The reason why an operation failed or ended. Never contains a token, key or payload.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ClientError {
    /// The code, for programs.
    pub code: ErrorCode,
    /// The message, for people.
    pub message: String,
    /// The time in milliseconds after which the same attempt may succeed, if the relay gave one.
    pub retry_after_ms: Option<u32>,
    /// True if the relay may have accepted the failed publication, false if the client did not send it. `None` for all other
    /// errors.
    pub may_have_arrived: Option<bool>,
}

impl ClientError {
    /// Creates an error with a code of this version.
    #[must_use]
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code: ErrorCode::Known(code),
            message: message.into(),
            retry_after_ms: None,
            may_have_arrived: None,
        }
    }

    /// Creates an error from its fields on the wire. An empty message and a zero time count as absent.
    pub(crate) fn from_wire(number: u32, message: String, retry_after_ms: u32) -> Self {
        let code = ErrorCode::from_number(number);
        let message = if message.is_empty() { "the relay gave no reason".into() } else { message };
        Self {
            code,
            message,
            retry_after_ms: (retry_after_ms > 0).then_some(retry_after_ms),
            may_have_arrived: None,
        }
    }

    pub(crate) fn closed() -> Self {
        Self::new(Code::Closed, "the client was closed")
    }

    /// Adds the relay's address to the message of an [`Code::Unreachable`] error.
    pub(crate) fn name_address(&mut self, address: &str) {
        let host = address.bytes().rposition(|byte| byte == b'/').map_or(address, |at| &address[at + 1..]);
        let names = |host: &[u8]| self.message.as_bytes().windows(host.len()).any(|part| part == host);
        if self.is(Code::Unreachable) && !host.is_empty() && !names(host.as_bytes()) {
            self.message = [&self.message, " (relay: ", address, ")"].concat();
        }
    }

    pub(crate) fn unreachable(message: &str) -> Self {
        Self::new(Code::Unreachable, message)
    }

    pub(crate) fn is(&self, code: Code) -> bool {
        self.code == ErrorCode::Known(code)
    }

    /// Creates the error of a call that timed out because `provider`, a function of the app, was slow.
    pub(crate) fn slow_provider(provider: &str) -> Self {
        let message = [provider, " has not answered in time; the relay was not asked"].concat();
        Self::new(Code::SessionUnavailable, message)
    }

    /// Turns `self` into the error of a publication that ends without the relay's answer.
    #[must_use]
    pub(crate) fn about_publication(mut self, may_have_arrived: bool) -> Self {
        // A message from the app may already end with a full stop.
        while self.message.as_bytes().last() == Some(&b'.') {
            self.message.truncate(self.message.len() - 1);
        }
        self.message +=
            if may_have_arrived { "; the message may have arrived" } else { "; the message was not sent" };
        self.may_have_arrived = Some(may_have_arrived);
        self
    }

    /// Returns true if the current session can no longer be used.
    pub(crate) fn invalidates_session(&self) -> bool {
        self.code.class() == Some(CloseCode::Unauthorized) || self.is_revocation()
    }

    /// Returns true if the app revoked the session.
    pub(crate) fn is_revocation(&self) -> bool {
        self.code == ErrorCode::Known(Code::Revoked)
    }

    pub(crate) fn is_retryable(&self) -> bool {
        self.code.retryable() || self.retry_after_ms.is_some()
    }

    /// Returns true if the relay is overloaded rather than in disagreement with the request. The client then retries by
    /// itself.
    pub(crate) fn is_temporary(&self) -> bool {
        let class = self.code.class();
        self.retry_after_ms.is_some()
            || self.code.retryable()
                && matches!(
                    class,
                    Some(CloseCode::TooManyRequests | CloseCode::Unavailable | CloseCode::Timeout)
                )
    }
}

impl From<wire::Failed> for ClientError {
    fn from(failed: wire::Failed) -> Self {
        Self::from_wire(failed.code, failed.message, failed.retry_after_ms)
    }
}
