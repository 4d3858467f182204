//! Claims keys: the part of a channel's key that comes from a channel token.

use super::{Key, KeyId, secret_debug};
use crate::{
    UnixSeconds, base64url, limits,
    tokens::{self, TokenError},
};
use alloc::{
    string::{String, ToString},
    vec::Vec,
};
use core::fmt;
use zeroize::Zeroizing;

/// The key of a channel name's claims, under one encryption key. It is bound to app, installation, channel name and
/// claims, and to no scope: alone it opens nothing, together with a scope key it opens that scope's channel of this
/// name and these claims.
#[derive(Clone)]
pub struct ClaimsKey(pub(super) Key);

impl ClaimsKey {
    /// The key itself, for test vectors.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// A channel token as the resolver hands it out: `jwt~<key id>.<claims key>[~…]`.
#[derive(Clone)]
pub struct ClaimsKeyring {
    /// The part that the relay is shown.
    pub jwt: String,
    /// The claims tag that the token carries.
    pub tag: [u8; 32],
    /// The token's `exp`.
    pub expires_at: UnixSeconds,
    keys: Vec<(KeyId, ClaimsKey)>,
}

impl ClaimsKeyring {
    /// The text form of a token and its claims keys.
    #[must_use]
    pub fn write<'a>(jwt: &str, keys: impl IntoIterator<Item = (KeyId, &'a ClaimsKey)>) -> String {
        let mut text = jwt.to_string();
        for (id, key) in keys {
            text.push('~');
            text.push_str(&base64url::encode(id.0));
            text.push('.');
            text.push_str(&base64url::encode(&key.0[..]));
        }
        text
    }

    /// Reads the text form.
    ///
    /// # Errors
    /// [`TokenError::Malformed`].
    pub fn parse(text: &str) -> Result<Self, TokenError> {
        if text.len() > limits::MAX_TOKEN + 1024 {
            return Err(TokenError::Malformed);
        }
        let mut parts = text.split('~');
        let jwt = parts.next().unwrap_or_default();
        let keys = parts
            .map(|part| {
                let (id, key) = part.split_once('.')?;
                Some((KeyId::parse(id)?, ClaimsKey(Zeroizing::new(base64url::decode_array(key)?))))
            })
            .collect::<Option<Vec<_>>>()
            .ok_or(TokenError::Malformed)?;
        if keys.is_empty() {
            return Err(TokenError::Malformed);
        }
        let tokens::UnverifiedClaims { tag, expires_at } = tokens::read_unverified(jwt)?;
        Ok(Self { jwt: jwt.to_string(), tag, expires_at, keys })
    }

    /// Takes over the keys of another token of the same claims: they stay good, also where this token, signed by a process
    /// that has not seen a rotation yet, lacks one.
    pub fn keep_keys_of(&mut self, other: &Self) {
        for (id, key) in &other.keys {
            if self.keys.len() < 2 * limits::MAX_KEY_VERSIONS && self.find(*id).is_none() {
                self.keys.push((*id, key.clone()));
            }
        }
    }

    /// The claims key under an encryption key.
    #[must_use]
    pub fn find(&self, id: KeyId) -> Option<&ClaimsKey> {
        self.keys.iter().find(|(other, _)| *other == id).map(|(_, key)| key)
    }
}

secret_debug!(ClaimsKey, ClaimsKeyring);
