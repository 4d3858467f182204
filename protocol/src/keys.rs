//! The key schedule: from one secret per installation to one key per channel, by HKDF-SHA-256.
//!
//! A browser is given one scope key for every subset of its own context. Each comes from the installation's encryption
//! key alone, so no keys of other contexts add up to one.

mod claims;
mod scopes;

pub use claims::{ClaimsKey, ClaimsKeyring};
pub use scopes::{ScopeKey, ScopeKeys};

use crate::{Scope, base64url, hashing::Parts};
use alloc::vec::Vec;
use core::fmt;
use hkdf::Hkdf;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

type Key = Zeroizing<[u8; 32]>;
/// The first half of HKDF, which several keys of one input share.
type Extracted = Hkdf<Sha256>;

macro_rules! secret_debug {
    ($($name:ident),+) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    )+};
}
use secret_debug;

/// HKDF-SHA-256 with this protocol's salt.
fn derive(input: &[u8], info: &[&[u8]]) -> Key {
    let mut text = Vec::new();
    for part in info {
        text.length_prefixed(part);
    }
    expand(&extract(input), &text)
}

fn extract(input: &[u8]) -> Extracted {
    Hkdf::new(Some(b"sealwire/v1"), input)
}

fn expand(extracted: &Extracted, info: &[u8]) -> Key {
    let mut key = Key::default();
    extracted.expand(info, key.as_mut()).expect("32 bytes are within HKDF's limit");
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

    /// The key of one scope, for a publisher that has this key.
    #[must_use]
    pub fn scope_key(&self, app: &str, installation: &str, scope: &Scope) -> ScopeKey {
        ScopeKey::derive(self.id(), &self.0, (app, installation), scope)
    }

    /// The keys of every subset of a context, for a frontend in that context.
    #[must_use]
    pub fn scope_keys(&self, app: &str, installation: &str, context: &Scope) -> ScopeKeys {
        ScopeKeys::derive(self.id(), &self.0, (app, installation), context)
    }

    /// The key of a channel name's claims; `claims` in canonical form.
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

    /// A value that follows from the key and `info`.
    pub(crate) fn derive(&self, info: &[&[u8]]) -> Zeroizing<[u8; 32]> {
        derive(&self.key[..], info)
    }

    /// The key itself, for test vectors.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.key
    }
}

secret_debug!(EncryptionKey, RoutingKey, ChannelKey);

#[cfg(test)]
mod tests;
