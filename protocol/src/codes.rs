//! Every code that a relay or client can answer with, what it means for the connection, and whether to try again.
//! The only list: the TypeScript codes and docs/protocol.md are checked against it.

/// Close codes of the WebSocket: 4000 plus the HTTP status that says the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u16)]
#[non_exhaustive]
pub enum CloseCode {
    /// The client broke the protocol. Do not come back without a change.
    BadRequest = 4400,
    /// The token was refused or has expired. Come back with a fresh one.
    Unauthorized = 4401,
    /// The session may not be here. Do not come back.
    Forbidden = 4403,
    /// The client was silent for too long. Come back.
    Timeout = 4408,
    /// A frame was too large. Do not send it again.
    TooLarge = 4413,
    /// The client read too slowly or asked too much. Come back after the time in `Goodbye`.
    TooManyRequests = 4429,
    /// The relay is going away. Come back after the time in `Goodbye`.
    Unavailable = 4503,
}

impl CloseCode {
    /// The HTTP status that says the same.
    #[must_use]
    pub const fn http_status(self) -> u16 {
        self as u16 - 4000
    }

    /// From a WebSocket close frame.
    #[must_use]
    pub fn from_u16(code: u16) -> Option<Self> {
        [
            Self::BadRequest,
            Self::Unauthorized,
            Self::Forbidden,
            Self::Timeout,
            Self::TooLarge,
            Self::TooManyRequests,
            Self::Unavailable,
        ]
        .into_iter()
        .find(|known| *known as u16 == code)
    }
}

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $variant:ident = $number:literal, $name:literal, $close:ident, $retry:literal;)+) => {
        /// Why something was refused or ended.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u32)]
        #[non_exhaustive]
        pub enum Code { $($(#[doc = $doc])+ $variant = $number,)+ }

        impl Code {
            /// Every code, in the order of the numbers.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The number on the wire.
            #[must_use]
            pub const fn number(self) -> u32 {
                self as u32
            }

            /// The stable name in HTTP answers, logs and JavaScript errors.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// The close code where it ends a connection; its HTTP status where it answers a request.
            #[must_use]
            pub const fn close_code(self) -> CloseCode {
                match self { $(Self::$variant => CloseCode::$close,)+ }
            }

            /// Whether the same attempt can succeed later (with a fresh token, where the token was at fault).
            #[must_use]
            pub const fn retryable(self) -> bool {
                match self { $(Self::$variant => $retry,)+ }
            }
        }
    };
}

codes! {
    /// The frame is not a protocol message, or a field has the wrong size.
    MalformedFrame = 1, "MALFORMED_FRAME", BadRequest, false;
    /// Text frames are not part of the protocol.
    TextFrame = 2, "TEXT_FRAME", BadRequest, false;
    /// The frame is longer than the limit.
    FrameTooLarge = 3, "FRAME_TOO_LARGE", TooLarge, false;
    /// The first message was not `Hello`, or a second `Hello` came.
    HelloExpected = 4, "HELLO_EXPECTED", BadRequest, false;
    /// No `Hello` came in time.
    HelloTimeout = 5, "HELLO_TIMEOUT", Timeout, true;
    /// The client was silent for two heartbeats.
    HeartbeatTimeout = 6, "HEARTBEAT_TIMEOUT", Timeout, true;
    /// The request's body or headers are not what the endpoint takes.
    MalformedRequest = 7, "MALFORMED_REQUEST", BadRequest, false;
    /// The request's body is longer than the limit.
    RequestTooLarge = 8, "REQUEST_TOO_LARGE", TooLarge, false;
    /// The session had no subscription and no request for long.
    IdleTimeout = 9, "IDLE_TIMEOUT", Timeout, true;
    /// Pages of this origin may not use the relay.
    OriginRefused = 10, "ORIGIN_REFUSED", Forbidden, false;

    /// The token is not a compact JWT, or a claim is missing or of the wrong type.
    TokenMalformed = 20, "TOKEN_MALFORMED", Unauthorized, false;
    /// The token is not signed with HMAC-SHA-512.
    TokenAlgorithm = 21, "TOKEN_ALGORITHM", Unauthorized, false;
    /// No signing key has the token's `kid`.
    TokenUnknownKey = 22, "TOKEN_UNKNOWN_KEY", Unauthorized, false;
    /// The signature is not that of the signing key.
    TokenSignature = 23, "TOKEN_SIGNATURE", Unauthorized, false;
    /// The token's `exp` has passed.
    TokenExpired = 24, "TOKEN_EXPIRED", Unauthorized, true;
    /// The token's `iat` lies in the future.
    TokenNotYetValid = 25, "TOKEN_NOT_YET_VALID", Unauthorized, true;
    /// The token lives longer than allowed.
    TokenLifetime = 26, "TOKEN_LIFETIME", Unauthorized, false;
    /// The token is of another kind.
    TokenAudience = 27, "TOKEN_AUDIENCE", Unauthorized, false;
    /// The token names another app than the one that its signing key belongs to.
    TokenApp = 28, "TOKEN_APP", Unauthorized, false;
    /// The token names another installation than the session's.
    TokenInstallation = 29, "TOKEN_INSTALLATION", Forbidden, false;
    /// The channel token is for another channel.
    TokenChannel = 30, "TOKEN_CHANNEL", Forbidden, false;
    /// A refresh brought a token of another account, context or claims.
    TokenIdentity = 31, "TOKEN_IDENTITY", Forbidden, false;

    /// The scope names a property that the session's context lacks, or breaks a limit.
    ScopeRefused = 40, "SCOPE_REFUSED", Forbidden, false;
    /// The session or channel token does not permit this.
    PermissionMissing = 41, "PERMISSION_MISSING", Forbidden, false;
    /// The channel or event name is empty or too long.
    NameInvalid = 42, "NAME_INVALID", BadRequest, false;
    /// The sealed message is longer than the limit, or too short to be one.
    MessageSize = 43, "MESSAGE_SIZE", TooLarge, false;
    /// The session, or the app, has as many subscriptions as it may.
    TooManySubscriptions = 44, "TOO_MANY_SUBSCRIPTIONS", TooManyRequests, false;
    /// The connection is not subscribed to that channel.
    NotSubscribed = 45, "NOT_SUBSCRIBED", BadRequest, false;
    /// The replay asked for is longer than the replay window.
    ReplayTooLong = 46, "REPLAY_TOO_LONG", BadRequest, false;
    /// The id of the message was used on its channel for another message.
    IdReused = 47, "ID_REUSED", BadRequest, false;
    /// The events that a subscription filters by, or a session's filters together, are longer than the limit.
    FilterTooLarge = 48, "FILTER_TOO_LARGE", TooLarge, false;

    /// More was asked than the rate limit allows.
    RateLimited = 60, "RATE_LIMITED", TooManyRequests, true;
    /// The client did not read what was queued for it.
    SlowConsumer = 61, "SLOW_CONSUMER", TooManyRequests, true;
    /// The relay is at its capacity.
    Overloaded = 62, "OVERLOADED", Unavailable, true;
    /// The relay is shutting down.
    ShuttingDown = 63, "SHUTTING_DOWN", Unavailable, true;
    /// The relay could not reach its broker.
    BrokerUnavailable = 64, "BROKER_UNAVAILABLE", Unavailable, true;
    /// The app ended the session before its time.
    Revoked = 65, "REVOKED", Forbidden, false;
    /// The address, app, installation or account has as many connections or sessions as it may.
    TooManyConnections = 66, "TOO_MANY_CONNECTIONS", TooManyRequests, true;

    /// A message could not be opened; the one error for every way in which that can happen.
    MessageUnreadable = 80, "MESSAGE_UNREADABLE", BadRequest, false;
    /// Messages were missed.
    Gap = 81, "GAP", BadRequest, false;
    /// The app's session provider failed.
    SessionUnavailable = 82, "SESSION_UNAVAILABLE", Unavailable, true;
    /// The relay could not be reached or did not answer in time.
    Unreachable = 83, "UNREACHABLE", Unavailable, true;
    /// The call's arguments are not what it takes.
    InvalidArgument = 84, "INVALID_ARGUMENT", BadRequest, false;
    /// The client was closed.
    Closed = 85, "CLOSED", BadRequest, false;
    /// The page's policy, or Forge's proxy, lets no request through to the relay: the app's manifest does not list it.
    EgressBlocked = 90, "EGRESS_BLOCKED", Forbidden, false;
}

impl Code {
    /// From the wire; an unknown number is a newer relay's code.
    #[must_use]
    pub fn from_number(number: u32) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.number() == number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names_are_unique_and_come_back() {
        for (index, code) in Code::ALL.iter().enumerate() {
            assert_eq!(Code::from_number(code.number()), Some(*code));
            assert!(Code::ALL[..index].iter().all(|other| other.name() != code.name()));
            assert!(Code::ALL[..index].iter().all(|other| other.number() < code.number()));
            assert_eq!(CloseCode::from_u16(code.close_code() as u16), Some(code.close_code()));
        }
    }
}
