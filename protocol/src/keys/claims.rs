//! Claims keys: the part of a channel key that a channel token provides.

use super::{Key, KeyId, secret_debug};
use crate::{
    UnixSeconds, base64url, limits, split_at_ascii,
    tokens::{self, TokenError},
};
use alloc::{
    string::{String, ToString},
    vec::Vec,
};
use core::fmt;
use zeroize::Zeroizing;

/// The key of the claims of a channel name, derived from one encryption key.
///
/// It is bound to the app, the installation, the channel name and the claims, but to no scope. Alone it opens no
/// message. Together with a scope key it opens the messages of the channel with that scope, this name and these claims.
#[derive(Clone)]
pub struct ClaimsKey(pub(super) Key);

impl ClaimsKey {
    /// Returns the bytes of the key, for test vectors.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// A channel token as the resolver issues it: `jwt~<key id>.<claims key>[~…]`.
#[derive(Clone)]
pub struct ClaimsKeyring {
    /// The token for the relay, without the keys.
    pub jwt: String,
    /// The claims tag of the token.
    pub tag: [u8; 32],
    /// The token's `exp`.
    pub expires_at: UnixSeconds,
    keys: Vec<(KeyId, ClaimsKey)>,
}

impl ClaimsKeyring {
    /// Writes a token and its claims keys in the text form.
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
    /// [`TokenError::Malformed`] if the text is too long, has no key or is not of this form.
    pub fn parse(text: &str) -> Result<Self, TokenError> {
        if text.len() > limits::MAX_TOKEN + 1024 {
            return Err(TokenError::Malformed);
        }
        let (jwt, mut rest) = split_at_ascii(text, b'~').ok_or(TokenError::Malformed)?;
        let mut keys = Vec::new();
        while let Some((part, others)) = split_at_ascii(rest, b'~') {
            keys.push(read_key(part).ok_or(TokenError::Malformed)?);
            rest = others;
        }
        keys.push(read_key(rest).ok_or(TokenError::Malformed)?);
        let tokens::UnverifiedClaims { tag, expires_at } = tokens::read_unverified(jwt)?;
        Ok(Self { jwt: jwt.to_string(), tag, expires_at, keys })
    }

    /// Adds the keys of another token of the same claims, which remain valid. This token may lack one of them if it was
    /// signed by a process that had not seen the latest rotation.
    pub fn keep_keys_of(&mut self, other: &Self) {
        for (id, key) in &other.keys {
            if self.keys.len() < 2 * limits::MAX_KEY_VERSIONS && self.find(*id).is_none() {
                self.keys.push((*id, key.clone()));
            }
        }
    }

    /// Returns the claims key that is derived from this encryption key.
    #[must_use]
    pub fn find(&self, id: KeyId) -> Option<&ClaimsKey> {
        self.keys.iter().find(|(other, _)| *other == id).map(|(_, key)| key)
    }
}

fn read_key(text: &str) -> Option<(KeyId, ClaimsKey)> {
    let (id, key) = split_at_ascii(text, b'.')?;
    Some((KeyId::parse(id)?, ClaimsKey(Zeroizing::new(base64url::decode_array(key)?))))
}

secret_debug!(ClaimsKey, ClaimsKeyring);
