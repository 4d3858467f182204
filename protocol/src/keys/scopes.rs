//! Scope keys: one for each subset of a context. Each is derived independently, so that the keys of two contexts never
//! combine into the key of a third.

use super::{ChannelKey, ClaimsKey, Extracted, Key, KeyId, expand, extract, secret_debug};
use crate::{Scope, base64url, hashing::Parts as _, limits};
use alloc::{string::String, vec::Vec};
use core::fmt;
use zeroize::Zeroizing;

/// The length of a key in bytes.
const LEN: usize = 32;
/// The longest text form of [`ScopeKeys`]: a key for each subset of the largest context, in base64url.
const MAX_TEXT: usize = ((4 * LEN) << limits::MAX_PROPERTIES).div_ceil(3);

/// Derives the key of one subset of `context`. Bit `n` of `subset` is set if the subset has property `n`, in the order
/// of the bytes of the property names.
///
/// `H(K, LP("scope") LP(app) LP(installation) U32(number of properties) {LP(property) LP(value)}…)`.
fn derive(key: &Extracted, (app, installation): (&str, &str), context: &Scope, subset: usize) -> Key {
    let mut info = Vec::new();
    for part in ["scope", app, installation] {
        info.length_prefixed(part);
    }
    let kept = context.iter().enumerate().filter(|(index, _)| subset >> index & 1 == 1);
    let kept: Vec<_> = kept.map(|(_, pair)| pair).collect();
    info.u32(kept.len());
    for (property, value) in kept {
        info.length_prefixed(property);
        info.length_prefixed(value);
    }
    expand(key, &info)
}

/// Returns the number of subsets of a scope.
fn subsets(scope: &Scope) -> usize {
    1 << scope.len()
}

/// The key of one scope, derived from one encryption key.
#[derive(Clone)]
pub struct ScopeKey {
    id: KeyId,
    key: Key,
}

impl ScopeKey {
    pub(super) fn derive(id: KeyId, key: &Key, address: (&str, &str), scope: &Scope) -> Self {
        Self { id, key: derive(&extract(&key[..]), address, scope, subsets(scope) - 1) }
    }

    /// Derives the key of a channel of this scope.
    #[must_use]
    pub fn channel_key(&self, claims: Option<&ClaimsKey>, name: &str) -> ChannelKey {
        let mut input = Zeroizing::new(self.key.to_vec());
        if let Some(ClaimsKey(key)) = claims {
            input.extend_from_slice(&key[..]);
        }
        ChannelKey::new(self.id, super::derive(&input, &[b"channel", name.as_bytes()]))
    }

    /// Returns the bytes of the key, for test vectors.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; LEN] {
        &self.key
    }
}

/// The scope keys of every subset of a context, derived from one encryption key. A session grant carries them.
#[derive(Clone)]
pub struct ScopeKeys {
    id: KeyId,
    context: Scope,
    /// The concatenated keys, in the order of the subset numbers.
    keys: Zeroizing<Vec<u8>>,
}

impl ScopeKeys {
    pub(super) fn derive(id: KeyId, key: &Key, address: (&str, &str), context: &Scope) -> Self {
        let extracted = extract(&key[..]);
        // The vector has its full capacity from the start, since a growing vector would leave copies of keys in memory.
        let mut keys = Zeroizing::new(Vec::with_capacity(LEN * subsets(context)));
        for subset in 0..subsets(context) {
            keys.extend_from_slice(&derive(&extracted, address, context, subset)[..]);
        }
        Self { id, context: context.clone(), keys }
    }

    /// Reads the text form of a session grant. Returns `None` unless it has a key for each subset of the context.
    #[must_use]
    pub fn parse(id: KeyId, context: Scope, text: &str) -> Option<Self> {
        if text.len() > MAX_TEXT {
            return None;
        }
        let keys = Zeroizing::new(base64url::decode(text)?);
        (keys.len() == LEN * subsets(&context)).then_some(Self { id, context, keys })
    }

    /// Writes the text form of a session grant: all keys in base64url, in the order of the subset numbers.
    #[must_use]
    pub fn to_text(&self) -> String {
        base64url::encode(&self.keys[..])
    }

    /// Returns the id of the encryption key that the keys are derived from.
    #[must_use]
    pub fn id(&self) -> KeyId {
        self.id
    }

    /// Iterates over the keys, in the order of the subset numbers.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        self.keys.chunks_exact(LEN)
    }

    /// Returns the key of a scope, or `None` if the scope is not a subset of the context.
    #[must_use]
    pub fn scope_key(&self, scope: &Scope) -> Option<ScopeKey> {
        let mut subset = 0;
        for kept in scope.iter() {
            subset |= 1 << self.context.iter().position(|pair| pair == kept)?;
        }
        let key = self.keys.get(subset * LEN..)?.first_chunk()?;
        Some(ScopeKey { id: self.id, key: Zeroizing::new(*key) })
    }
}

secret_debug!(ScopeKey, ScopeKeys);
