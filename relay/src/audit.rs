//! The audit log: every refused attempt, under the tracing target `audit`. Never a token, payload or channel name.

use crate::{
    session::{Identity, Refusal},
    websocket::Violation,
};
use sealwire_protocol::Code;
use std::net::IpAddr;

const TARGET: &str = "audit";

/// An attempt that the rules refused.
pub(crate) fn refused(refusal: &Refusal, remote: IpAddr) {
    write(refusal.attempt, refusal.code.name(), refusal.identity.as_ref(), remote);
}

/// A frame that breaks RFC 6455.
pub(crate) fn violation(identity: Option<&Identity>, violation: Violation, remote: IpAddr) {
    tracing::debug!(%remote, %violation, "closing a connection");
    write("frame", Code::MalformedFrame.name(), identity, remote);
}

fn write(attempt: &'static str, code: &'static str, identity: Option<&Identity>, remote: IpAddr) {
    // Debug of the strings quotes them: an account id cannot forge a line of the log.
    tracing::warn!(
        target: TARGET,
        attempt,
        code,
        app = identity.map(|identity| identity.app.as_str()),
        installation = identity.map(|identity| identity.installation.as_str()),
        account = identity.and_then(|identity| identity.account.as_deref()),
        %remote,
        "refused"
    );
}
