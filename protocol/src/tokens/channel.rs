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
    #[derive(Deserialize)]
    struct Tag {
        #[serde(deserialize_with = "deserialize_tag")]
        tag: [u8; 32],
    }
    let mut parts = token.split('.');
    let (Some(_), Some(payload), Some(_), None) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(TokenError::Malformed);
    };
    let payload = super::jwt::decode(payload)?;
    let tag = super::jwt::parse::<Tag>(&payload)?.tag;
    let expires_at = read_expiry(&payload).ok_or(TokenError::Malformed)?;
    Ok(UnverifiedClaims { tag, expires_at })
}

/// `exp`, read without a parser for numbers, which would take a tenth of the browser's core. Inside a JSON string the
/// quotes would be escaped.
#[cfg(feature = "sealing")]
fn read_expiry(payload: &[u8]) -> Option<UnixSeconds> {
    let (_, value) = core::str::from_utf8(payload).ok()?.split_once("\"exp\":")?;
    let value = value.trim_start();
    let end = value.find(|digit: char| !digit.is_ascii_digit())?;
    value[..end].parse().ok().map(UnixSeconds)
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
