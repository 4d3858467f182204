//! The error of a refused request: its code on the wire, its text and the time after which to retry.

use sealwire_protocol::{Code, InvalidName, InvalidScope, tokens::TokenError};
use std::time::Duration;

/// The retry delay for temporary failures of the relay.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// The reason for a refusal. Every internal error becomes a code of the protocol here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refused {
    /// The code of the protocol.
    pub code: Code,
    /// The explanation for developers and operators.
    pub message: String,
    /// The delay after which a retry may succeed; `None` if a retry cannot.
    retry_after: Option<Duration>,
}

impl Refused {
    pub(crate) fn new(code: Code, message: impl Into<String>) -> Self {
        let is_temporary = matches!(code, Code::BrokerUnavailable | Code::Overloaded | Code::ShuttingDown);
        Self { code, message: message.into(), retry_after: is_temporary.then_some(RETRY_AFTER) }
    }

    /// Sets the delay after which to retry.
    #[must_use]
    pub(crate) fn retry_after(self, delay: Duration) -> Self {
        Self { retry_after: Some(delay), ..self }
    }

    /// The delay after which to retry, in milliseconds and rounded up; 0 without one.
    pub(crate) fn retry_after_ms(&self) -> u32 {
        let millis = self.retry_after.map_or(0, |delay| delay.as_nanos().div_ceil(1_000_000));
        u32::try_from(millis).unwrap_or(u32::MAX)
    }
}

impl From<TokenError> for Refused {
    fn from(error: TokenError) -> Self {
        Self::new(error.code(), error.to_string())
    }
}

impl From<InvalidScope> for Refused {
    fn from(error: InvalidScope) -> Self {
        Self::new(Code::ScopeRefused, error.to_string())
    }
}

impl From<InvalidName> for Refused {
    fn from(error: InvalidName) -> Self {
        Self::new(Code::NameInvalid, error.to_string())
    }
}
