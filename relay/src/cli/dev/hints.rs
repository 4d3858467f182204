//! One line for each refusal: the usual cause in development, and the remedy.

use sealwire_protocol::Code;

/// Returns the hint to a code that refused an attempt.
pub(super) fn hint_to(attempt: &str, code: Code) -> &'static str {
    match (attempt, code) {
        ("presence", Code::PermissionMissing) => {
            "presence has its own permission: return { presence: true } from `authorize`, and name it in signRealtimeToken"
        }
        ("presence", Code::RateLimited) => {
            "`presence_rate` of dev.toml is reached: merge updates of the member's data, or raise it; pages retry by themselves"
        }
        _ => hint(code),
    }
}

/// Returns the hint to a code.
pub(super) fn hint(code: Code) -> &'static str {
    specific(code).unwrap_or("docs/protocol.md explains the code; the client may be newer than this relay")
}

/// Returns the hint to a code that a relay gives.
fn specific(code: Code) -> Option<&'static str> {
    token(code).or_else(|| access(code)).or_else(|| capacity(code)).or_else(|| transport(code))
}

/// The hints to refused tokens.
fn token(code: Code) -> Option<&'static str> {
    Some(match code {
        Code::TokenUnknownKey | Code::TokenSignature => {
            "the app signs with another key: set the variables of tunnel.env in the shell of `forge tunnel`, and start it again"
        }
        Code::TokenApp => {
            "SEALWIRE_APP is another app than the one in dev.toml: set the variables of tunnel.env in the shell of `forge tunnel`"
        }
        Code::TokenMalformed => {
            "the token is missing or no token of Sealwire: use the session of the `sealwire:session` resolver function as it is"
        }
        Code::TokenAlgorithm | Code::TokenAudience => {
            "this is another kind of token: a page sends the session of `sealwire:session`, a function its own backend token"
        }
        Code::TokenExpired => {
            "the token's time is over: pages fetch a fresh one by themselves; if it happens at once, set this machine's clock"
        }
        Code::TokenNotYetValid => {
            "the token is from the future: set the clock of this machine, or of the one that signs (NTP)"
        }
        Code::TokenLifetime => {
            "the lifetime of the token is too long: lower the lifetime that the app asks for"
        }
        Code::TokenInstallation => {
            "the channel token is of another installation: sign it in the resolver of the page's own installation"
        }
        Code::TokenChannel => {
            "the channel token is for another name: sign it for the exact name of the channel"
        }
        Code::TokenIdentity => {
            "the session was refreshed for another account or context: open a new one after a change of user"
        }
        _ => return None,
    })
}

/// The hints to sessions and requests that are not permitted, or not valid.
fn access(code: Code) -> Option<&'static str> {
    Some(match code {
        Code::ScopeRefused => {
            "the session lacks a property of contextOverrides: return it from `authorize`, or use those it has (docs/scopes.md)"
        }
        Code::PermissionMissing => {
            "the session or the channel token does not permit this: check `authorize`, or the permissions of signRealtimeToken"
        }
        Code::NameInvalid => {
            "the name of a channel or event has 1 to 255 bytes: shorten it, and put ids into the scope"
        }
        Code::NotSubscribed => {
            "there is no such subscription: it has ended before, or unsubscribe was called twice"
        }
        Code::ReplayTooLong => "replaySeconds exceeds `replay_window` in dev.toml: ask for fewer seconds",
        Code::IdReused => {
            "the same id was used for another message: use a new id for each, and repeat only the same content"
        }
        Code::FilterTooLarge => {
            "the names of the events to filter by are too long together: filter by fewer events"
        }
        Code::MemberConflict => {
            "another account or a newer page has this member of the presence: enter with a random id for each page"
        }
        Code::EntryOutdated => {
            "the relay has a later entry of this member: give each entry a greater number than the one before"
        }
        Code::PresenceUnsupported => {
            "the relay's broker does not support presence: use another broker, or leave presence out"
        }
        Code::MessageSize => {
            "a payload has at most 128 KiB of JSON: send an id, and load the rest from the app's storage"
        }
        Code::Revoked => {
            "the app ended the session (POST /v1/disconnect): the user needs a session that was issued later"
        }
        Code::OriginRefused => {
            "the page's origin is not in `allowed_origins` of dev.toml (\"forge, tunnel\"): add it there, and start again"
        }
        _ => return None,
    })
}

/// The hints to limits and to the state of the relay.
fn capacity(code: Code) -> Option<&'static str> {
    Some(match code {
        Code::RateLimited => {
            "more than `publish_rate` or another rate of dev.toml allows: pages retry by themselves; merge updates, or raise it"
        }
        Code::SlowConsumer => {
            "the page did not read for a while, as in a debugger or a frozen tab: it reconnects and resumes by itself"
        }
        Code::TooManySubscriptions => {
            "`max_subscriptions` of dev.toml is reached: unsubscribe when a component goes away, or raise it"
        }
        Code::TooManyMembers => {
            "`max_presence_members`, its limit `_per_account` or `max_presence_bytes` of dev.toml is reached: enter less data, or raise it"
        }
        Code::TooManyPresences => {
            "`max_presence_channels` of dev.toml is reached: leave presences that are not shown, or raise it"
        }
        Code::TooManyConnections => {
            "a limit of connections or sessions in dev.toml is reached: create one realtime object for each page, and close it"
        }
        Code::Overloaded => {
            "a limit of the relay is reached: see `max_connections` and `memory_bytes` in dev.toml"
        }
        Code::ShuttingDown => "the relay ends: pages reconnect by themselves when it is back",
        Code::BrokerUnavailable => "the relay did not reach its broker: pages retry by themselves",
        Code::HeartbeatTimeout => {
            "the client was silent, as after sleep or a break of the network: it reconnects by itself"
        }
        Code::IdleTimeout => {
            "the session had no subscription for `idle_timeout`: the page reconnects when it needs to"
        }
        Code::HelloTimeout => {
            "the client sent no session in time: `sealwire:session` may be slow; see the output of `forge tunnel`"
        }
        _ => return None,
    })
}

/// The hints to frames and bodies that are not of the protocol.
fn transport(code: Code) -> Option<&'static str> {
    Some(match code {
        Code::MalformedFrame | Code::TextFrame | Code::HelloExpected => {
            "this client does not speak the protocol: use the package `sealwire`, in a version that this relay knows"
        }
        Code::FrameTooLarge | Code::RequestTooLarge => {
            "the frame or body is too large: send smaller or fewer messages at once"
        }
        Code::MalformedRequest => {
            "the request does not match /v1/openapi.json: compare its method, headers and body with it"
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The codes that only a client gives.
    const OF_CLIENTS: [Code; 10] = [
        Code::MessageUnreadable,
        Code::Gap,
        Code::SessionUnavailable,
        Code::Unreachable,
        Code::InvalidArgument,
        Code::Closed,
        Code::MessageStale,
        Code::SenderUnverified,
        Code::SigningUnavailable,
        Code::EgressBlocked,
    ];

    #[test]
    fn each_code_that_a_relay_gives_has_a_hint_of_one_line() {
        for code in Code::ALL {
            let is_hinted = specific(*code).is_some();
            assert_eq!(is_hinted, !OF_CLIENTS.contains(code), "{code:?}");
            for hint in [hint(*code), hint_to("presence", *code)] {
                assert!(!hint.contains('\n') && hint.len() <= 130, "{code:?}: {}", hint.len());
            }
        }
    }

    #[test]
    fn each_code_is_in_one_group_of_hints() {
        for code in Code::ALL {
            let groups = [token(*code), access(*code), capacity(*code), transport(*code)];
            assert!(groups.iter().flatten().count() <= 1, "{code:?}");
        }
    }
}
