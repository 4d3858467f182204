//! Channel tokens: access to a channel with claims. The relay sees the claims' tag, never the claims.

use super::{Claims, Permissions, TokenError};
use crate::{UnixSeconds, base64url, check_channel_name, limits};
use alloc::string::String;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// The claims of a channel token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelClaims {
    aud: String,
    /// App.
    pub iss: String,
    /// Installation.
    pub ins: String,
    /// Channel name.
    pub ch: String,
    /// Tag of the custom claims.
    #[serde(serialize_with = "serialize_tag", deserialize_with = "deserialize_tag")]
    pub tag: [u8; 32],
    /// What the token permits on the channel.
    pub can: Permissions,
    /// Issued at.
    pub iat: UnixSeconds,
    /// End of the token.
    pub exp: UnixSeconds,
}

impl ChannelClaims {
    /// Claims for one channel.
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

impl Claims for ChannelClaims {
    const AUDIENCE: &'static str = "sealwire:channel";
    const MAX_LIFETIME: u64 = limits::MAX_TOKEN_LIFETIME;

    fn audience(&self) -> &str {
        &self.aud
    }
    fn app(&self) -> &str {
        &self.iss
    }
    fn installation(&self) -> &str {
        &self.ins
    }
    fn issued_at(&self) -> UnixSeconds {
        self.iat
    }
    fn expires_at(&self) -> UnixSeconds {
        self.exp
    }
    fn check(&self) -> Result<(), TokenError> {
        check_channel_name(&self.ch).map_err(|_| TokenError::Malformed)
    }
}

/// What a client must know of a token that the resolver handed over; it has no signing key to check it with.
#[cfg(feature = "sealing")]
pub(crate) struct UnverifiedClaims {
    pub(crate) tag: [u8; 32],
    pub(crate) expires_at: UnixSeconds,
}

#[cfg(feature = "sealing")]
pub(crate) fn read_unverified(token: &str) -> Result<UnverifiedClaims, TokenError> {
    let mut parts = token.split('.');
    let (Some(_), Some(payload), Some(_), None) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(TokenError::Malformed);
    };
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

/// What follows a key in JSON, found without a JSON parser, which would take a tenth of the browser's core. Inside a JSON
/// string the quotes would be escaped; and who wrote the token could give any value in any case.
#[cfg(feature = "sealing")]
fn value<'a>(json: &'a [u8], key: &[u8]) -> Option<&'a [u8]> {
    let place = json.windows(key.len()).position(|window| window == key)?;
    Some(json[place + key.len()..].trim_ascii_start().strip_prefix(b":")?.trim_ascii_start())
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
