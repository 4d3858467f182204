//! A refusal with its code, its text and the time to try again.

use sealwire_protocol::{Code, InvalidName, InvalidScope, tokens::TokenError};
use std::time::Duration;

/// When to come back to a relay that could not serve somebody for a moment.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Why something was refused; the one place where reasons become codes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refused {
    /// The code on the wire.
    pub code: Code,
    /// For a person.
    pub message: String,
    /// When the same may be tried again, where it may.
    wait: Option<Duration>,
}

impl Refused {
    pub(crate) fn new(code: Code, message: impl Into<String>) -> Self {
        let passes = matches!(code, Code::BrokerUnavailable | Code::Overloaded | Code::ShuttingDown);
        Self { code, message: message.into(), wait: passes.then_some(RETRY_AFTER) }
    }

    /// Says when to try again.
    #[must_use]
    pub(crate) fn retry_after(self, wait: Duration) -> Self {
        Self { wait: Some(wait), ..self }
    }

    /// When the same may be tried again, in milliseconds; 0 where nothing is known.
    pub(crate) fn retry_after_ms(&self) -> u32 {
        let millis = self.wait.map_or(0, |wait| wait.as_nanos().div_ceil(1_000_000));
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
