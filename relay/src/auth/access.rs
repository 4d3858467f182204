//! Access checks of clients and backends. Sessions and `POST /v1/publish` share them.

use crate::{
    auth::signing_keys::{Signed, SigningKeys},
    hub::{ContentDigest, Draft, IdempotencyId},
    refused::Refused,
    tenant::Tenant,
};
use bytes::Bytes;
use sealwire_protocol::{
    ChannelAddress, ChannelId, Code, Scope, UnixMillis, check_channel_name, check_event_name, limits,
    tokens::{ChannelClaims, Permission, TokenError},
};

/// The length of the shortest sealed message, in bytes: version, key id, nonce, tag, time, stamp and payload length.
const MIN_SEALED: usize = 1 + 4 + 24 + 16 + 8 + 12 + 4;

/// The app and installation that a request acts for. They always come from a verified token, never from the client's word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Namespace<'a> {
    pub(crate) app: &'a str,
    pub(crate) installation: &'a str,
}

/// Verifies a channel token and that it belongs to this namespace and channel.
pub(crate) fn verify_channel_token(
    token: &str,
    namespace: Namespace<'_>,
    name: &str,
    keys: &SigningKeys,
    now: UnixMillis,
) -> Result<Signed<ChannelClaims>, Refused> {
    let signed: Signed<ChannelClaims> = keys.verify(token, now.seconds())?;
    let claims = &signed.claims;
    if claims.iss != namespace.app {
        return Err(TokenError::App.into());
    }
    if claims.ins != namespace.installation {
        let message =
            "the channel token is for another installation; sign it in this installation's resolver";
        return Err(Refused::new(Code::TokenInstallation, message));
    }
    if claims.ch != name {
        let message = "the channel token is for another channel; sign one for the channel's exact name";
        return Err(Refused::new(Code::TokenChannel, message));
    }
    Ok(signed)
}

/// Refuses a request unless `allowed`. `holder` names the token for the error.
pub(crate) fn check_permission(allowed: bool, permission: Permission, holder: &str) -> Result<(), Refused> {
    if allowed {
        return Ok(());
    }
    let what = match permission {
        Permission::Subscribe => "to subscribe",
        Permission::Publish => "to publish",
        Permission::Presence => "for presence",
    };
    Err(Refused::new(Code::PermissionMissing, format!("the {holder} has no permission {what}")))
}

/// Computes the id of the channel that a name, a scope and the claims of a channel token identify in a namespace.
pub(crate) fn channel_id(
    namespace: Namespace<'_>,
    scope: &Scope,
    name: &str,
    token: Option<&ChannelClaims>,
) -> Result<ChannelId, Refused> {
    check_channel_name(name)?;
    let Namespace { app, installation } = namespace;
    Ok(ChannelAddress { app, installation, scope, claims_tag: token.map(|claims| &claims.tag), name }.id())
}

/// Checks the parts of a message and makes a draft of them.
pub(crate) fn draft(
    channel: ChannelId,
    tenant: Tenant,
    event: String,
    sealed: Bytes,
    id: IdempotencyId,
    content: Option<ContentDigest>,
) -> Result<Draft, Refused> {
    check_event_name(&event)?;
    if !(MIN_SEALED..=limits::MAX_SEALED).contains(&sealed.len()) {
        let message = format!(
            "a sealed message must have {MIN_SEALED} to {} bytes, this one has {}",
            limits::MAX_SEALED,
            sealed.len()
        );
        return Err(Refused::new(Code::MessageSize, message));
    }
    Ok(Draft { channel, tenant, event, sealed, id, content, trace: None })
}
