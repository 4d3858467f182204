//! The one error that leaves this crate: a stable code, a sentence, and when to try again.

use sealwire_protocol::{CloseCode, Code, wire};

/// A code of this version's list, or a number that only a newer relay knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorCode {
    /// In [`Code::ALL`].
    Known(Code),
    /// Sent by a newer relay.
    Newer(u32),
}

impl From<Code> for ErrorCode {
    fn from(code: Code) -> Self {
        Self::Known(code)
    }
}

impl ErrorCode {
    /// From the wire.
    #[must_use]
    pub fn from_number(number: u32) -> Self {
        Code::from_number(number).map_or(Self::Newer(number), Self::Known)
    }

    /// The stable name.
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

/// Why something failed or ended. Holds no token, key or payload.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ClientError {
    /// For programs.
    pub code: ErrorCode,
    /// For people.
    pub message: String,
    /// When the same attempt may succeed, in milliseconds, where the relay said so.
    pub retry_after_ms: Option<u32>,
    /// Of a publication that failed without the relay's answer: whether the relay may have taken it all the same.
    pub may_have_arrived: Option<bool>,
}

impl ClientError {
    /// With a code of this version.
    #[must_use]
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code: ErrorCode::Known(code),
            message: message.into(),
            retry_after_ms: None,
            may_have_arrived: None,
        }
    }

    /// From the wire; the relay's message may be empty.
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

    /// Says which relay could not be reached.
    pub(crate) fn name_address(&mut self, address: &str) {
        let host = address.rsplit('/').next().unwrap_or_default();
        if self.code == ErrorCode::Known(Code::Unreachable) && !self.message.contains(host) {
            self.message = [&self.message, " (relay: ", address, ")"].concat();
        }
    }

    pub(crate) fn unreachable(message: &str) -> Self {
        Self::new(Code::Unreachable, message)
    }

    pub(crate) fn is(&self, code: Code) -> bool {
        self.code == ErrorCode::Known(code)
    }

    /// The app's function for sessions or tokens keeps a call waiting.
    pub(crate) fn slow_provider(what: &str) -> Self {
        let message = [what, " has not answered in time; the relay was not asked"].concat();
        Self::new(Code::SessionUnavailable, message)
    }

    /// Of a publication that ends without the relay's answer.
    #[must_use]
    pub(crate) fn about_publication(mut self, may_have_arrived: bool) -> Self {
        // The app's own error is a sentence already.
        self.message.truncate(self.message.trim_end_matches('.').len());
        self.message +=
            if may_have_arrived { "; the message may have arrived" } else { "; the message was not sent" };
        self.may_have_arrived = Some(may_have_arrived);
        self
    }

    /// The session at hand is of no more use.
    pub(crate) fn is_about_the_session(&self) -> bool {
        self.code.class() == Some(CloseCode::Unauthorized) || self.is_revocation()
    }

    /// The app has ended the session.
    pub(crate) fn is_revocation(&self) -> bool {
        self.code == ErrorCode::Known(Code::Revoked)
    }

    pub(crate) fn is_retryable(&self) -> bool {
        self.code.retryable() || self.retry_after_ms.is_some()
    }

    /// The relay is out of breath and not at odds with the request: the client tries again by itself.
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
