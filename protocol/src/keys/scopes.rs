//! Scope keys: one for each subset of a context, each derived by itself, so that keys of two contexts never combine
//! into the key of a third.

use super::{ChannelKey, ClaimsKey, Extracted, Key, KeyId, expand, extract, secret_debug};
use crate::{Scope, base64url, hashing::Parts as _, limits};
use alloc::{string::String, vec::Vec};
use core::fmt;
use zeroize::Zeroizing;

/// Bytes of a key.
const LEN: usize = 32;
/// Longest text of [`ScopeKeys`]: base64url of a key for each subset of the largest context.
const MAX_TEXT: usize = ((4 * LEN) << limits::MAX_PROPERTIES).div_ceil(3);

/// Derives the key of one subset of `context`. Bit `n` of `subset` says whether it keeps the property number `n`, counted
/// in the order of the properties' bytes.
///
/// `H(K, LP("scope") LP(app) LP(installation) U32(number of properties) {LP(property) LP(value)}…)`.
fn derive(key: &Extracted, (app, installation): (&str, &str), context: &Scope, subset: usize) -> Key {
    let mut info = Vec::new();
    for part in ["scope", app, installation] {
        info.length_prefixed(part);
    }
    let kept = context.iter().enumerate().filter(|(place, _)| subset >> place & 1 == 1);
    let kept: Vec<_> = kept.map(|(_, pair)| pair).collect();
    info.u32(kept.len());
    for (property, value) in kept {
        info.length_prefixed(property);
        info.length_prefixed(value);
    }
    expand(key, &info)
}

/// The number of a scope's subsets.
fn subsets(scope: &Scope) -> usize {
    1 << scope.len()
}

/// The key of one scope under one encryption key.
#[derive(Clone)]
pub struct ScopeKey {
    id: KeyId,
    key: Key,
}

impl ScopeKey {
    pub(super) fn derive(id: KeyId, key: &Key, address: (&str, &str), scope: &Scope) -> Self {
        Self { id, key: derive(&extract(&key[..]), address, scope, subsets(scope) - 1) }
    }

    /// The key of a channel of this scope.
    #[must_use]
    pub fn channel_key(&self, claims: Option<&ClaimsKey>, name: &str) -> ChannelKey {
        let mut input = Zeroizing::new(self.key.to_vec());
        if let Some(ClaimsKey(key)) = claims {
            input.extend_from_slice(&key[..]);
        }
        ChannelKey { id: self.id, key: super::derive(&input, &[b"channel", name.as_bytes()]) }
    }

    /// The key itself, for test vectors.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; LEN] {
        &self.key
    }
}

/// The scope keys of every subset of a context, under one encryption key: the keys of a session grant.
#[derive(Clone)]
pub struct ScopeKeys {
    id: KeyId,
    context: Scope,
    /// One key after the other, in the order of the subsets' numbers.
    keys: Zeroizing<Vec<u8>>,
}

impl ScopeKeys {
    pub(super) fn derive(id: KeyId, key: &Key, address: (&str, &str), context: &Scope) -> Self {
        let extracted = extract(&key[..]);
        // With its full capacity from the start: a vector that grows leaves copies of keys behind.
        let mut keys = Zeroizing::new(Vec::with_capacity(LEN * subsets(context)));
        for subset in 0..subsets(context) {
            keys.extend_from_slice(&derive(&extracted, address, context, subset)[..]);
        }
        Self { id, context: context.clone(), keys }
    }

    /// From the text form in a session grant; `None` unless it holds a key for each subset of the context.
    #[must_use]
    pub fn parse(id: KeyId, context: Scope, text: &str) -> Option<Self> {
        if text.len() > MAX_TEXT {
            return None;
        }
        let keys = Zeroizing::new(base64url::decode(text)?);
        (keys.len() == LEN * subsets(&context)).then_some(Self { id, context, keys })
    }

    /// The text form for a session grant: all keys, in the order of the subsets' numbers, in base64url.
    #[must_use]
    pub fn to_text(&self) -> String {
        base64url::encode(&self.keys[..])
    }

    /// The id of the encryption key behind them.
    #[must_use]
    pub fn id(&self) -> KeyId {
        self.id
    }

    /// The keys themselves, in the order of the subsets' numbers.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        self.keys.chunks_exact(LEN)
    }

    /// The key of a scope; `None` where it is no subset of the context.
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
