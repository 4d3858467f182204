//! The advice for an operator on each code. docs/protocol.md says what the codes mean to a client.

use sealwire_protocol::Code;

/// The remedy of an operator for refusals and ended sessions with these codes.
const ADVICE: &[(&[Code], &str)] = &[
    (
        &[Code::MalformedFrame, Code::TextFrame, Code::HelloExpected],
        "A program other than the SDK connects, or a proxy alters WebSocket frames. Find the address in the audit log by \
         the trace.",
    ),
    (
        &[Code::FrameTooLarge, Code::RequestTooLarge, Code::MessageSize],
        "An app sends messages beyond 128 KiB. Tell its developer; the audit log names the app.",
    ),
    (
        &[Code::HelloTimeout],
        "Connections open and send nothing: a port scan, a health check that opens WebSockets, or pages whose \
         resolver is slow. Point health checks at /healthz.",
    ),
    (
        &[Code::HeartbeatTimeout],
        "Networks or laptops went away; clients return by themselves. If it is many at once, check the idle timeout of \
         the proxy, which must exceed two heartbeats.",
    ),
    (
        &[Code::IdleTimeout],
        "Pages keep a session without a subscription. Harmless; idle_timeout sets the time.",
    ),
    (
        &[
            Code::MalformedRequest,
            Code::NameInvalid,
            Code::ReplayTooLong,
            Code::NotSubscribed,
            Code::IdReused,
            Code::FilterTooLarge,
            Code::EntryOutdated,
        ],
        "An app uses the interface wrongly, or its SDK is newer than the relay. The audit log names the app.",
    ),
    (
        &[Code::OriginRefused],
        "A page outside of allowed_origins connects. If it is yours (a custom domain, a tunnel), add its origin and \
         reload.",
    ),
    (
        &[Code::ScopeRefused, Code::PermissionMissing],
        "A page asks for a context or a permission that its session lacks, usually by a bug of the app; repeated ones of \
         one account are worth a look in the audit log. With the attempt 'console', somebody entered a wrong token in a \
         console.",
    ),
    (
        &[Code::TokenUnknownKey, Code::TokenSignature, Code::TokenApp],
        "An app signs with a key that this relay does not have: a rotation that one side missed, or the wrong \
         environment. Add the key, reload, and compare with sealwire-relay check-config.",
    ),
    (
        &[Code::TokenExpired, Code::TokenNotYetValid],
        "Single ones are pages that woke up. Many mean a wrong clock: check NTP here and at the app's backend.",
    ),
    (
        &[Code::TokenMalformed, Code::TokenAlgorithm, Code::TokenLifetime, Code::TokenAudience],
        "The tokens are not those of the SDK: a backend that signs by itself, or an attempt to break in. Find the \
         address in the audit log.",
    ),
    (
        &[Code::TokenInstallation, Code::TokenChannel, Code::TokenIdentity],
        "A page combines tokens of different users, channels or installations. A bug of the app, or an attempt; the \
         audit log names the account.",
    ),
    (
        &[Code::TooManySubscriptions],
        "A page or an app reached max_subscriptions or max_subscriptions_per_app. Raise it and reload, or ask the app.",
    ),
    (
        &[Code::MemberConflict],
        "A page enters a presence with the member id of another page. Single ones are a reload that overtook the old page; \
         repeated ones of one account are worth a look in the audit log.",
    ),
    (
        &[Code::TooManyMembers, Code::TooManyPresences],
        "A channel reached max_presence_members or max_presence_bytes, an account max_presence_members_per_account, or a \
         page max_presence_channels. 'Limits' below names it. Raise it and reload, or ask the app.",
    ),
    (
        &[Code::PresenceUnsupported],
        "An app uses presence, which the broker of this relay does not support. Use the embedded broker or NATS.",
    ),
    (
        &[Code::TooManyConnections],
        "A limit of sessions or of connections per address is reached; 'Limits' below names it. One address for all \
         clients means that the proxy is missing in trusted_proxies.",
    ),
    (
        &[Code::RateLimited],
        "An installation or a connection exceeds a rate; 'Limits' below names it. Clients try again later. Raise the \
         rate and reload if the load is wanted.",
    ),
    (
        &[Code::SlowConsumer],
        "Clients read more slowly than their channels publish. They resume by themselves. If it is many, an app \
         publishes too much, or the network is congested; queue_bytes sets the limit.",
    ),
    (
        &[Code::Overloaded],
        "The relay is at max_connections or short of memory; 'Limits' and 'Memory' show which. Raise it, or add a relay.",
    ),
    (&[Code::ShuttingDown], "The relay drains; clients move to others. Nothing to do."),
    (
        &[Code::BrokerUnavailable],
        "The relay cannot reach NATS, or a stream has no leader; 'Cluster' shows the servers. Start them; clients repeat \
         by themselves.",
    ),
    (
        &[Code::Revoked],
        "An app or an operator ended these sessions; the audit log has the request. Clients that return with an older \
         token are refused.",
    ),
];

/// The advice for every other code.
const OTHERWISE: &str =
    "Look up the code in docs/protocol.md, and the attempt in the audit log by its trace.";

/// Returns the advice for a code.
pub(super) fn of(code: Code) -> &'static str {
    ADVICE.iter().find(|(codes, _)| codes.contains(&code)).map_or(OTHERWISE, |(_, advice)| advice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_that_a_relay_sends_has_advice_of_its_own() {
        let general = of(Code::Closed);
        let is_of_clients = |code: &Code| code.number() >= Code::MessageUnreadable.number();
        for code in Code::ALL.iter().filter(|code| !is_of_clients(code)) {
            assert_ne!(of(*code), general, "{}", code.name());
        }
    }
}
