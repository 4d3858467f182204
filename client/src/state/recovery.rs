//! What the loss of a connection asks of the client.

use crate::ClientError;
use sealwire_protocol::{CloseCode, Code};

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Remedy {
    /// Come back later: not before so many milliseconds, where the relay said so.
    Retry { after_ms: Option<u32> },
    /// Come back with another session token.
    FreshSession,
    /// Do not come back.
    GiveUp,
}

/// After `Goodbye`. `again` says that the last session was fresh and was refused as well.
pub(crate) fn remedy(error: &ClientError, again: bool) -> Remedy {
    let after_ms = error.retry_after_ms;
    match error.code.class() {
        Some(CloseCode::Unauthorized) if !again => match after_ms {
            // Many sessions ended at once, and the relay says whose turn is when.
            Some(_) => Remedy::Retry { after_ms },
            None => Remedy::FreshSession,
        },
        // The app may grant another session or not, and the relay says when that can be a good one. Once.
        _ if error.is_revocation() && !again => Remedy::Retry { after_ms },
        _ if error.is_revocation() => Remedy::GiveUp,
        _ if error.is_retryable() => Remedy::Retry { after_ms },
        // A newer relay's code, without a time to come back.
        None => Remedy::Retry { after_ms },
        Some(_) => Remedy::GiveUp,
    }
}

/// What a close code says where no `Goodbye` came before it.
pub(crate) fn closed_with(code: Option<u16>) -> ClientError {
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

/// True if the other end, or a gateway, closed a connection in good order.
pub(crate) fn is_orderly(code: Option<u16>) -> bool {
    // Normal, going away, without a code, service restart, try again later.
    matches!(code, Some(1000 | 1001 | 1005 | 1012 | 1013))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_one_remedy() {
        for code in Code::ALL {
            let error = ClientError::new(*code, "");
            let unauthorized = code.close_code() == CloseCode::Unauthorized;
            assert_eq!(remedy(&error, false) == Remedy::FreshSession, unauthorized, "{code:?}");
            let comes_back = unauthorized || code.retryable() || *code == Code::Revoked;
            assert_eq!(remedy(&error, false) != Remedy::GiveUp, comes_back, "{code:?}");
            let again = if code.retryable() { Remedy::Retry { after_ms: None } } else { Remedy::GiveUp };
            assert_eq!(remedy(&error, true), again, "{code:?}");
        }
    }

    #[test]
    fn the_relays_time_to_come_back_is_kept() {
        let error = ClientError::from_wire(Code::ShuttingDown.number(), String::new(), 750);
        assert_eq!(remedy(&error, false), Remedy::Retry { after_ms: Some(750) });
    }

    #[test]
    fn a_code_of_a_newer_relay_is_tried_again() {
        assert_eq!(
            remedy(&ClientError::from_wire(9_999, String::new(), 0), false),
            Remedy::Retry { after_ms: None }
        );
    }

    #[test]
    fn close_codes_without_goodbye_say_whether_to_come_back() {
        for (code, expected) in [
            (None, Remedy::Retry { after_ms: None }),
            (Some(1006), Remedy::Retry { after_ms: None }),
            (Some(4400), Remedy::GiveUp),
            (Some(4401), Remedy::FreshSession),
            (Some(4403), Remedy::GiveUp),
            (Some(4408), Remedy::Retry { after_ms: None }),
            (Some(4413), Remedy::GiveUp),
            (Some(4429), Remedy::Retry { after_ms: None }),
            (Some(4503), Remedy::Retry { after_ms: None }),
        ] {
            assert_eq!(remedy(&closed_with(code), false), expected, "{code:?}");
        }
    }
}
