//! The client's reaction to the loss of a connection.

use crate::ClientError;
use sealwire_protocol::{CloseCode, Code};

/// The WebSocket close code of an orderly end.
pub(crate) const CLOSE_NORMAL: u16 = 1000;

/// The next step after the loss of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReconnectPolicy {
    /// Reconnect later: after at least this time if the relay requested one, otherwise after the backoff.
    Retry { after_ms: Option<u32> },
    /// Reconnect at once with a new session.
    FreshSession,
    /// Do not reconnect.
    GiveUp,
}

/// Returns the next step after `error`. `was_refused` says that the relay had already refused the previous session.
pub(crate) fn reconnect_policy(error: &ClientError, was_refused: bool) -> ReconnectPolicy {
    let after_ms = error.retry_after_ms;
    match error.code.class() {
        Some(CloseCode::Unauthorized) if !was_refused => match after_ms {
            // Many sessions ended at once, and the relay gives each client its own time to return.
            Some(_) => ReconnectPolicy::Retry { after_ms },
            None => ReconnectPolicy::FreshSession,
        },
        // The app may or may not grant another session. The relay gives the time from which one can be valid. The client
        // tries once.
        _ if error.is_revocation() && !was_refused => ReconnectPolicy::Retry { after_ms },
        _ if error.is_revocation() => ReconnectPolicy::GiveUp,
        _ if error.is_retryable() => ReconnectPolicy::Retry { after_ms },
        // An unknown code of a newer relay, which requested no time.
        None => ReconnectPolicy::Retry { after_ms },
        Some(_) => ReconnectPolicy::GiveUp,
    }
}

/// Returns the error that stands for a close code without a preceding `Goodbye`. `None` stands for a WebSocket that failed
/// without a close code.
pub(crate) fn close_error(code: Option<u16>) -> ClientError {
    let (code, message) = match code.and_then(CloseCode::from_u16) {
        Some(CloseCode::BadRequest) => {
            (Code::MalformedFrame, "the relay closed the connection: protocol error")
        }
        Some(CloseCode::Unauthorized) => {
            (Code::TokenExpired, "the relay closed the connection: session refused")
        }
        Some(CloseCode::Forbidden) => {
            (Code::PermissionMissing, "the relay closed the connection: not permitted")
        }
        Some(CloseCode::Timeout) => {
            (Code::HeartbeatTimeout, "the relay closed the connection: heartbeat missed")
        }
        Some(CloseCode::TooLarge) => {
            (Code::FrameTooLarge, "the relay closed the connection: message too large")
        }
        Some(CloseCode::TooManyRequests) => (Code::SlowConsumer, "the relay closed the connection: too busy"),
        Some(CloseCode::Unavailable) => {
            (Code::ShuttingDown, "the relay closed the connection: it is going away")
        }
        _ => (Code::Unreachable, "the connection to the relay was lost or could not be made"),
    };
    ClientError::new(code, message)
}

/// Returns true if the relay or a gateway closed the connection in an orderly way.
pub(crate) fn is_orderly_close(code: Option<u16>) -> bool {
    // 1001: going away; 1005: no code; 1012: service restart; 1013: try again later.
    matches!(code, Some(CLOSE_NORMAL | 1001 | 1005 | 1012 | 1013))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_one_reconnect_policy() {
        for code in Code::ALL {
            let error = ClientError::new(*code, "");
            let unauthorized = code.close_code() == CloseCode::Unauthorized;
            assert_eq!(
                reconnect_policy(&error, false) == ReconnectPolicy::FreshSession,
                unauthorized,
                "{code:?}"
            );
            let reconnects = unauthorized || code.retryable() || *code == Code::Revoked;
            assert_eq!(reconnect_policy(&error, false) != ReconnectPolicy::GiveUp, reconnects, "{code:?}");
            let again = if code.retryable() {
                ReconnectPolicy::Retry { after_ms: None }
            } else {
                ReconnectPolicy::GiveUp
            };
            assert_eq!(reconnect_policy(&error, true), again, "{code:?}");
        }
    }

    #[test]
    fn the_time_that_the_relay_requested_is_kept() {
        let error = ClientError::from_wire(Code::ShuttingDown.number(), String::new(), 750);
        assert_eq!(reconnect_policy(&error, false), ReconnectPolicy::Retry { after_ms: Some(750) });
    }

    #[test]
    fn an_unknown_code_of_a_newer_relay_is_retried() {
        assert_eq!(
            reconnect_policy(&ClientError::from_wire(9_999, String::new(), 0), false),
            ReconnectPolicy::Retry { after_ms: None }
        );
    }

    #[test]
    fn close_codes_without_a_goodbye_decide_whether_to_reconnect() {
        for (code, expected) in [
            (None, ReconnectPolicy::Retry { after_ms: None }),
            (Some(1006), ReconnectPolicy::Retry { after_ms: None }),
            (Some(4400), ReconnectPolicy::GiveUp),
            (Some(4401), ReconnectPolicy::FreshSession),
            (Some(4403), ReconnectPolicy::GiveUp),
            (Some(4408), ReconnectPolicy::Retry { after_ms: None }),
            (Some(4413), ReconnectPolicy::GiveUp),
            (Some(4429), ReconnectPolicy::Retry { after_ms: None }),
            (Some(4503), ReconnectPolicy::Retry { after_ms: None }),
        ] {
            assert_eq!(reconnect_policy(&close_error(code), false), expected, "{code:?}");
        }
    }
}
