//! Every error code of a relay or a client, with its close code and whether a retry can succeed. This is the only list:
//! tests check the TypeScript codes and docs/protocol.md against it.

/// The close codes of the WebSocket: 4000 plus the HTTP status of the same meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u16)]
#[non_exhaustive]
pub enum CloseCode {
    /// The client broke the protocol. It must not reconnect unchanged.
    BadRequest = 4400,
    /// The token was refused or has expired. The client reconnects with a fresh one.
    Unauthorized = 4401,
    /// The session is not permitted. The client must not reconnect.
    Forbidden = 4403,
    /// The client was silent for too long. It reconnects.
    Timeout = 4408,
    /// A frame was too large. The client must not send it again.
    TooLarge = 4413,
    /// The client read too slowly or exceeded a limit. It reconnects after the time in `Goodbye`.
    TooManyRequests = 4429,
    /// The relay is shutting down or at capacity. The client reconnects after the time in `Goodbye`.
    Unavailable = 4503,
}

impl CloseCode {
    /// Returns the HTTP status of the same meaning.
    #[must_use]
    pub const fn http_status(self) -> u16 {
        self as u16 - 4000
    }

    /// Reads the code of a WebSocket close frame. Returns `None` for any other code.
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
        /// The reason for a refused request or an ended connection.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u32)]
        #[non_exhaustive]
        pub enum Code { $($(#[doc = $doc])+ $variant = $number,)+ }

        impl Code {
            /// Every code, in the order of their numbers.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// Returns the number on the wire.
            #[must_use]
            pub const fn number(self) -> u32 {
                self as u32
            }

            /// Returns the stable name in HTTP responses, logs and JavaScript errors.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// Returns the close code of a connection that ends with this code. Its HTTP status is that of a response.
            #[must_use]
            pub const fn close_code(self) -> CloseCode {
                match self { $(Self::$variant => CloseCode::$close,)+ }
            }

            /// Returns whether the same attempt can succeed later, with a fresh token if the token was the reason.
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
    /// The first message was not `Hello`, or the client sent a second `Hello`.
    HelloExpected = 4, "HELLO_EXPECTED", BadRequest, false;
    /// The client did not send `Hello` before the deadline.
    HelloTimeout = 5, "HELLO_TIMEOUT", Timeout, true;
    /// The client was silent for two heartbeats.
    HeartbeatTimeout = 6, "HEARTBEAT_TIMEOUT", Timeout, true;
    /// The body or the headers of the request do not fit the endpoint.
    MalformedRequest = 7, "MALFORMED_REQUEST", BadRequest, false;
    /// The body of the request is longer than the limit.
    RequestTooLarge = 8, "REQUEST_TOO_LARGE", TooLarge, false;
    /// The session had no subscription and no request for longer than the idle timeout.
    IdleTimeout = 9, "IDLE_TIMEOUT", Timeout, true;
    /// Pages of this origin may not use the relay.
    OriginRefused = 10, "ORIGIN_REFUSED", Forbidden, false;

    /// The token is not a compact JWT, or a claim is missing or of the wrong type.
    TokenMalformed = 20, "TOKEN_MALFORMED", Unauthorized, false;
    /// The token is not signed with HMAC-SHA-512.
    TokenAlgorithm = 21, "TOKEN_ALGORITHM", Unauthorized, false;
    /// No signing key has the token's `kid`.
    TokenUnknownKey = 22, "TOKEN_UNKNOWN_KEY", Unauthorized, false;
    /// The signature does not match the signing key.
    TokenSignature = 23, "TOKEN_SIGNATURE", Unauthorized, false;
    /// The token's `exp` has passed.
    TokenExpired = 24, "TOKEN_EXPIRED", Unauthorized, true;
    /// The token's `iat` lies in the future.
    TokenNotYetValid = 25, "TOKEN_NOT_YET_VALID", Unauthorized, true;
    /// The token's lifetime is longer than allowed.
    TokenLifetime = 26, "TOKEN_LIFETIME", Unauthorized, false;
    /// The token is of another kind.
    TokenAudience = 27, "TOKEN_AUDIENCE", Unauthorized, false;
    /// The token names an app other than the one that its signing key belongs to.
    TokenApp = 28, "TOKEN_APP", Unauthorized, false;
    /// The token names an installation other than that of the session.
    TokenInstallation = 29, "TOKEN_INSTALLATION", Forbidden, false;
    /// The channel token is for another channel.
    TokenChannel = 30, "TOKEN_CHANNEL", Forbidden, false;
    /// The token of a refresh has another account, context or claims.
    TokenIdentity = 31, "TOKEN_IDENTITY", Forbidden, false;

    /// The scope names a property that the session's context lacks, or exceeds a limit.
    ScopeRefused = 40, "SCOPE_REFUSED", Forbidden, false;
    /// The session or channel token does not permit this.
    PermissionMissing = 41, "PERMISSION_MISSING", Forbidden, false;
    /// The channel or event name is empty or too long.
    NameInvalid = 42, "NAME_INVALID", BadRequest, false;
    /// The sealed message is longer than the limit, or shorter than any sealed message can be.
    MessageSize = 43, "MESSAGE_SIZE", TooLarge, false;
    /// The session or the app has reached its limit of subscriptions.
    TooManySubscriptions = 44, "TOO_MANY_SUBSCRIPTIONS", TooManyRequests, false;
    /// The connection is not subscribed to that channel.
    NotSubscribed = 45, "NOT_SUBSCRIBED", BadRequest, false;
    /// The requested replay is longer than the replay window.
    ReplayTooLong = 46, "REPLAY_TOO_LONG", BadRequest, false;
    /// Another message on the channel has the same id.
    IdReused = 47, "ID_REUSED", BadRequest, false;
    /// The event names of a filter, or of all filters of the session, are longer than the limit.
    FilterTooLarge = 48, "FILTER_TOO_LARGE", TooLarge, false;
    /// The member id belongs to another account or a newer session, or the session has another one on the channel.
    MemberConflict = 49, "MEMBER_CONFLICT", Forbidden, false;
    /// The presence entry has a lower number than the one that the relay has, or the same number and other bytes.
    EntryOutdated = 50, "ENTRY_OUTDATED", BadRequest, false;
    /// The presence of the channel has reached its limit of members or of their bytes.
    TooManyMembers = 51, "TOO_MANY_MEMBERS", TooManyRequests, true;
    /// The session has reached its limit of channels with presence.
    TooManyPresences = 52, "TOO_MANY_PRESENCES", TooManyRequests, false;
    /// The relay has no presence, because its broker does not support it.
    PresenceUnsupported = 53, "PRESENCE_UNSUPPORTED", BadRequest, false;

    /// A rate limit was exceeded.
    RateLimited = 60, "RATE_LIMITED", TooManyRequests, true;
    /// The client did not read the messages that were queued for it.
    SlowConsumer = 61, "SLOW_CONSUMER", TooManyRequests, true;
    /// The relay is at capacity.
    Overloaded = 62, "OVERLOADED", Unavailable, true;
    /// The relay is shutting down.
    ShuttingDown = 63, "SHUTTING_DOWN", Unavailable, true;
    /// The relay cannot reach its broker.
    BrokerUnavailable = 64, "BROKER_UNAVAILABLE", Unavailable, true;
    /// The app ended the session before its token expired.
    Revoked = 65, "REVOKED", Forbidden, false;
    /// The address, app, installation or account has reached its limit of connections or sessions.
    TooManyConnections = 66, "TOO_MANY_CONNECTIONS", TooManyRequests, true;

    /// A message could not be opened. All reasons for that share this code.
    MessageUnreadable = 80, "MESSAGE_UNREADABLE", BadRequest, false;
    /// The subscription missed messages.
    Gap = 81, "GAP", BadRequest, false;
    /// The app's session provider failed.
    SessionUnavailable = 82, "SESSION_UNAVAILABLE", Unavailable, true;
    /// The relay could not be reached or did not respond before the deadline.
    Unreachable = 83, "UNREACHABLE", Unavailable, true;
    /// An argument of the call is invalid.
    InvalidArgument = 84, "INVALID_ARGUMENT", BadRequest, false;
    /// The client was closed.
    Closed = 85, "CLOSED", BadRequest, false;
    /// The message is older than any message that an honest relay delivers, or from the future.
    MessageStale = 86, "MESSAGE_STALE", BadRequest, false;
    /// A message lacks the verified sender that the app requires, or the signature or certificate of an entry of a presence is
    /// false. A client reports it to the app; a relay never sends it.
    SenderUnverified = 87, "SENDER_UNVERIFIED", BadRequest, false;
    /// The page cannot sign: it lacks WebCrypto, or the app's session does not certify its key. A relay never sends it.
    SigningUnavailable = 88, "SIGNING_UNAVAILABLE", BadRequest, false;
    /// The page's policy or Forge's proxy blocks requests to the relay, because the app's manifest does not list it.
    EgressBlocked = 90, "EGRESS_BLOCKED", Forbidden, false;
}

impl Code {
    /// Reads a number from the wire. Returns `None` for a code of a newer relay.
    #[must_use]
    pub fn from_number(number: u32) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.number() == number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names_are_unique_and_every_code_round_trips() {
        for (index, code) in Code::ALL.iter().enumerate() {
            assert_eq!(Code::from_number(code.number()), Some(*code));
            assert!(Code::ALL[..index].iter().all(|other| other.name() != code.name()));
            assert!(Code::ALL[..index].iter().all(|other| other.number() < code.number()));
            assert_eq!(CloseCode::from_u16(code.close_code() as u16), Some(code.close_code()));
        }
    }
}
