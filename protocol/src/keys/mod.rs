//! The key schedule: HKDF-SHA-256 derives the key of each channel from one encryption key per installation.
//!
//! A browser gets one scope key for every subset of its context. Each of them is derived from the encryption key alone,
//! so the keys of several contexts do not combine into the key of another one.

mod channel;
mod claims;
mod name_tags;
mod scopes;

pub use channel::ChannelKey;
pub use claims::{ClaimsKey, ClaimsKeyring};
pub use name_tags::{NameKind, NameTagKey};
pub use scopes::{ScopeKey, ScopeKeys};

use crate::{Scope, base64url, hashing::Parts};
use alloc::vec::Vec;
use core::fmt;
use hkdf::Hkdf;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

type Key = Zeroizing<[u8; 32]>;
/// The result of HKDF-Extract, from which HKDF-Expand derives several keys.
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

/// Derives a key by HKDF-SHA-256 with the salt of this protocol.
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

/// Identifies an encryption key in a sealed message: the first 4 bytes of `SHA-256(LP("sealwire/key-id/v1") LP(K))`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(pub [u8; Self::LEN]);

impl KeyId {
    /// The length of an id in bytes.
    pub const LEN: usize = 4;

    /// Reads an id from base64url.
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

/// An encryption key `K` of an installation. It exists only in the installation's secret storage and in the resolver.
#[derive(Clone)]
pub struct EncryptionKey(Key);

impl EncryptionKey {
    /// Creates the key from 32 random bytes.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// Returns the id, which every message sealed under this key carries.
    #[must_use]
    pub fn id(&self) -> KeyId {
        let mut hash = Sha256::new();
        hash.length_prefixed("sealwire/key-id/v1");
        hash.length_prefixed(&self.0[..]);
        let digest: [u8; 32] = hash.finalize().into();
        KeyId([digest[0], digest[1], digest[2], digest[3]])
    }

    /// Derives the key of one scope, for a publisher that has this key.
    #[must_use]
    pub fn scope_key(&self, app: &str, installation: &str, scope: &Scope) -> ScopeKey {
        ScopeKey::derive(self.id(), &self.0, (app, installation), scope)
    }

    /// Derives the keys of every subset of a context, for a page in that context.
    #[must_use]
    pub fn scope_keys(&self, app: &str, installation: &str, context: &Scope) -> ScopeKeys {
        ScopeKeys::derive(self.id(), &self.0, (app, installation), context)
    }

    /// Derives the key of the claims of a channel name. `claims` must be in canonical form.
    #[must_use]
    pub fn claims_key(&self, app: &str, installation: &str, name: &str, claims: &str) -> ClaimsKey {
        ClaimsKey(derive(&self.0[..], &claims_info(b"claims", app, installation, name, claims)))
    }
}

/// The routing key `R` of an installation, which derives claims tags and the keys of name tags. It never changes and opens
/// no message.
#[derive(Clone)]
pub struct RoutingKey(Key);

impl RoutingKey {
    /// Creates the key from 32 random bytes.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// Derives the tag that the relay sees instead of a channel's claims. `claims` must be in canonical form.
    #[must_use]
    pub fn claims_tag(&self, app: &str, installation: &str, name: &str, claims: &str) -> [u8; 32] {
        *derive(&self.0[..], &claims_info(b"claims-tag", app, installation, name, claims))
    }

    /// Derives the key of the tags of channel and event names, which pages have.
    #[must_use]
    pub fn name_tag_key(&self, app: &str, installation: &str) -> NameTagKey {
        self.tag_key(b"name-tags", app, installation)
    }

    /// Derives the key of the tags of property values, which only functions of the app have.
    #[must_use]
    pub fn value_tag_key(&self, app: &str, installation: &str) -> NameTagKey {
        self.tag_key(b"value-tags", app, installation)
    }

    fn tag_key(&self, label: &[u8], app: &str, installation: &str) -> NameTagKey {
        NameTagKey::new(&derive(&self.0[..], &[label, app.as_bytes(), installation.as_bytes()]))
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

secret_debug!(EncryptionKey, RoutingKey);

#[cfg(test)]
mod name_tags_tests;
#[cfg(test)]
mod tests;
