//! Channel tokens, which give access to a channel with claims. The relay sees the tag of the claims and never the
//! claims.

use super::{Claims, Permissions, TokenError, claims::implement_claims};
#[cfg(feature = "sealing")]
use crate::split_at_ascii;
use crate::{UnixSeconds, base64url, check_channel_name, limits};
use alloc::string::String;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// The claims of a channel token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelClaims {
    aud: String,
    /// The app.
    pub iss: String,
    /// The installation.
    pub ins: String,
    /// The channel name.
    pub ch: String,
    /// The tag of the claims that the app chose.
    #[serde(serialize_with = "serialize_tag", deserialize_with = "deserialize_tag")]
    pub tag: [u8; 32],
    /// The permissions on the channel.
    pub can: Permissions,
    /// The time of issue.
    pub iat: UnixSeconds,
    /// The time of expiry.
    pub exp: UnixSeconds,
}

impl ChannelClaims {
    /// Creates the claims for one channel, from the time of issue to the time of expiry.
    #[must_use]
    pub fn new(
        app: String,
        installation: String,
        channel: String,
        tag: [u8; 32],
        can: Permissions,
        (iat, exp): (UnixSeconds, UnixSeconds),
    ) -> Self {
        Self { aud: Self::AUDIENCE.into(), iss: app, ins: installation, ch: channel, tag, can, iat, exp }
    }
}

implement_claims!(
    ChannelClaims,
    audience: "sealwire:channel",
    max_lifetime: limits::MAX_TOKEN_LIFETIME,
    check: |claims| check_channel_name(&claims.ch).map_err(|_| TokenError::Malformed)
);

/// The claims that a client reads from a token of the resolver. A client has no signing key, so it cannot verify them.
#[cfg(feature = "sealing")]
pub(crate) struct UnverifiedClaims {
    pub(crate) tag: [u8; 32],
    pub(crate) expires_at: UnixSeconds,
}

#[cfg(feature = "sealing")]
pub(crate) fn read_unverified(token: &str) -> Result<UnverifiedClaims, TokenError> {
    let (_, rest) = split_at_ascii(token, b'.').ok_or(TokenError::Malformed)?;
    let (payload, signature) = split_at_ascii(rest, b'.').ok_or(TokenError::Malformed)?;
    if split_at_ascii(signature, b'.').is_some() {
        return Err(TokenError::Malformed);
    }
    read_claims(&super::jwt::decode(payload)?).ok_or(TokenError::Malformed)
}

#[cfg(feature = "sealing")]
fn read_claims(payload: &[u8]) -> Option<UnverifiedClaims> {
    let tag = value(payload, b"\"tag\"")?.strip_prefix(b"\"")?;
    let tag = core::str::from_utf8(tag.split(|byte| *byte == b'"').next()?).ok()?;
    let exp = value(payload, b"\"exp\"")?;
    let end = exp.iter().position(|digit| !digit.is_ascii_digit())?;
    let exp = core::str::from_utf8(&exp[..end]).ok()?;
    Some(UnverifiedClaims { tag: base64url::decode_array(tag)?, expires_at: UnixSeconds(exp.parse().ok()?) })
}

/// Returns the JSON text that follows `key`. This search replaces a JSON parser, which would make the browser's core a
/// tenth larger. It cannot match inside a JSON string, where quotes are escaped. A token with misleading content gives
/// its signer no advantage, since the signer chooses all values anyway.
#[cfg(feature = "sealing")]
fn value<'a>(json: &'a [u8], key: &[u8]) -> Option<&'a [u8]> {
    let start = json.windows(key.len()).position(|window| window == key)?;
    Some(json[start + key.len()..].trim_ascii_start().strip_prefix(b":")?.trim_ascii_start())
}

fn serialize_tag<S: Serializer>(tag: &[u8; 32], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&base64url::encode(tag))
}

fn deserialize_tag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<[u8; 32], D::Error> {
    let text = alloc::borrow::Cow::<'de, str>::deserialize(deserializer)?;
    base64url::decode(&text)
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or_else(|| D::Error::custom("a tag is 32 bytes in base64url"))
}
