//! The key schedule: from one secret per installation to one key per channel, by HKDF-SHA-256.
//!
//! A browser is given the base key and the keys of its own context's properties. From those it can derive the key of
//! every subset of its context, and of no other scope.

use crate::{
    Scope, UnixSeconds, base64url,
    hashing::Parts,
    limits,
    tokens::{self, TokenError},
};
use alloc::{
    borrow::ToOwned,
    string::{String, ToString},
    vec::Vec,
};
use core::fmt;
use hkdf::Hkdf;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

type Key = Zeroizing<[u8; 32]>;

/// HKDF-SHA-256 with this protocol's salt.
fn derive(input: &[u8], info: &[&[u8]]) -> Key {
    let mut text = Vec::new();
    for part in info {
        text.length_prefixed(part);
    }
    let mut key = Key::default();
    Hkdf::<Sha256>::new(Some(b"sealwire/v1"), input)
        .expand(&text, key.as_mut())
        .expect("32 bytes are within HKDF's limit");
    key
}

/// Names an encryption key in a sealed message: the first 4 bytes of `SHA-256(LP("sealwire/key-id/v1") LP(K))`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(pub [u8; Self::LEN]);

impl KeyId {
    /// Bytes of an id.
    pub const LEN: usize = 4;

    /// From base64url.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        base64url::decode_array(text).map(Self)
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&base64url::encode(self.0))
    }
}

/// An installation's encryption key `K`. Lives in the installation's secret storage and in the resolver only.
#[derive(Clone)]
pub struct EncryptionKey(Key);

impl EncryptionKey {
    /// From 32 random bytes.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The id that its messages carry.
    #[must_use]
    pub fn id(&self) -> KeyId {
        let mut hash = Sha256::new();
        hash.length_prefixed("sealwire/key-id/v1");
        hash.length_prefixed(&self.0[..]);
        let digest: [u8; 32] = hash.finalize().into();
        KeyId([digest[0], digest[1], digest[2], digest[3]])
    }

    /// The keys of a context: what a frontend in that context is given.
    #[must_use]
    pub fn scope_keys(&self, app: &str, installation: &str, context: &Scope) -> ScopeKeys {
        let (app, installation) = (app.as_bytes(), installation.as_bytes());
        let property = |name: &str, value: &str| {
            derive(&self.0[..], &[b"property", app, installation, name.as_bytes(), value.as_bytes()])
        };
        ScopeKeys {
            id: self.id(),
            base: derive(&self.0[..], &[b"installation", app, installation]),
            properties: context
                .iter()
                .map(|(name, value)| (name.to_owned(), property(name, value)))
                .collect(),
        }
    }

    /// The key of a channel's claims; `claims` in canonical form.
    #[must_use]
    pub fn claims_key(&self, app: &str, installation: &str, name: &str, claims: &str) -> ClaimsKey {
        ClaimsKey(derive(&self.0[..], &claims_info(b"claims", app, installation, name, claims)))
    }
}

/// An installation's routing key `R`: makes tags of claims, never changes, opens nothing.
#[derive(Clone)]
pub struct RoutingKey(Key);

impl RoutingKey {
    /// From 32 random bytes.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// What the relay sees instead of a channel's claims; `claims` in canonical form.
    #[must_use]
    pub fn claims_tag(&self, app: &str, installation: &str, name: &str, claims: &str) -> [u8; 32] {
        *derive(&self.0[..], &claims_info(b"claims-tag", app, installation, name, claims))
    }
}

fn claims_info<'a>(
    label: &'a [u8],
    app: &'a str,
    installation: &'a str,
    name: &'a str,
    claims: &'a str,
) -> [&'a [u8]; 5] {
    [label, app.as_bytes(), installation.as_bytes(), name.as_bytes(), claims.as_bytes()]
}

/// The key of a channel's claims, under one encryption key.
#[derive(Clone)]
pub struct ClaimsKey(Key);

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
    /// What the relay is shown.
    pub jwt: String,
    /// The claims tag that the token carries.
    pub tag: [u8; 32],
    /// When the token says that it ends.
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

    /// The claims key under an encryption key.
    #[must_use]
    pub fn find(&self, id: KeyId) -> Option<&ClaimsKey> {
        self.keys.iter().find(|(other, _)| *other == id).map(|(_, key)| key)
    }
}

/// The keys of one context under one encryption key.
#[derive(Clone)]
pub struct ScopeKeys {
    id: KeyId,
    base: Key,
    properties: Vec<(String, Key)>,
}

impl ScopeKeys {
    /// From the parts of a session grant.
    #[must_use]
    pub fn new(id: KeyId, base: [u8; 32], properties: impl IntoIterator<Item = (String, [u8; 32])>) -> Self {
        let properties = properties.into_iter().map(|(name, key)| (name, Zeroizing::new(key))).collect();
        Self { id, base: Zeroizing::new(base), properties }
    }

    /// The id of the encryption key behind them.
    #[must_use]
    pub fn id(&self) -> KeyId {
        self.id
    }

    /// The base key, for a session grant.
    #[must_use]
    pub fn base(&self) -> &[u8; 32] {
        &self.base
    }

    /// The keys of the properties, for a session grant.
    pub fn properties(&self) -> impl Iterator<Item = (&str, &[u8; 32])> {
        self.properties.iter().map(|(name, key)| (name.as_str(), &**key))
    }

    /// The key of a channel; `None` where a property of `scope` is not among these keys.
    #[must_use]
    pub fn channel_key(&self, scope: &Scope, claims: Option<&ClaimsKey>, name: &str) -> Option<ChannelKey> {
        let mut input = Zeroizing::new(self.base.to_vec());
        for (property, _) in scope.iter() {
            let (_, key) = self.properties.iter().find(|(name, _)| name == property)?;
            input.extend_from_slice(&key[..]);
        }
        let mut input = Zeroizing::new(derive(&input, &[b"scope"]).to_vec());
        if let Some(ClaimsKey(key)) = claims {
            input.extend_from_slice(&key[..]);
        }
        Some(ChannelKey { id: self.id, key: derive(&input, &[b"channel", name.as_bytes()]) })
    }
}

/// The key that seals a channel's messages, and the id of the encryption key it comes from.
#[derive(Clone)]
pub struct ChannelKey {
    pub(crate) id: KeyId,
    pub(crate) key: Key,
}

impl ChannelKey {
    /// The id of the encryption key behind it.
    #[must_use]
    pub fn id(&self) -> KeyId {
        self.id
    }

    /// The key itself, for test vectors.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.key
    }
}

macro_rules! secret_debug {
    ($($name:ident),+) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    )+};
}
secret_debug!(EncryptionKey, RoutingKey, ClaimsKey, ClaimsKeyring, ScopeKeys, ChannelKey);
