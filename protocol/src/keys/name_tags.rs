//! Name tags: the texts that a relay sees in place of channel names, event names and property values in an app with blind
//! names. Equal names have equal tags, and the key reads a name back from its tag.
//!
//! `tag = "~t1." ‖ base64url(nonce (12) ‖ AES-256-GCM(cipher key, nonce, kind, plaintext))`, where the nonce is derived from the
//! name, the kind is authenticated, and `plaintext = u8 length ‖ name ‖ zeros` up to a multiple of 16 bytes.

use super::{Key, derive, secret_debug};
use crate::{NAME_TAG_PREFIX, base64url, limits};
use alloc::{boxed::Box, string::String, vec::Vec};
use core::fmt;
use sealwire_xaes::GcmKey;
use zeroize::Zeroizing;

/// The length of a key in bytes.
const LEN: usize = 32;
/// The unit to which a name is padded, in bytes. The length of a tag reveals the number of units.
const BLOCK: usize = 16;

const MAX_PADDED: usize = limits::MAX_TAGGED_NAME + 1;

/// The kind of a name. Equal names of different kinds, and equal values of different properties, have different tags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameKind<'a> {
    /// A channel name.
    Channel,
    /// An event name.
    Event,
    /// A value of this property. The property does not matter when a tag is read.
    Value(&'a str),
}

impl NameKind<'_> {
    /// Returns the parts that distinguish the kind.
    fn parts(&self) -> (&'static str, &str) {
        match self {
            Self::Channel => ("channel", ""),
            Self::Event => ("event", ""),
            Self::Value(property) => ("value", property),
        }
    }
}

/// A key of an installation that writes and reads the tags of names.
pub struct NameTagKey {
    key: Zeroizing<Vec<u8>>,
    cipher: Box<GcmKey>,
}

impl NameTagKey {
    pub(super) fn new(key: &Key) -> Self {
        Self::expand(key.to_vec())
    }

    /// Reads the text form of a session grant.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        base64url::decode(text).filter(|key| key.len() == LEN).map(Self::expand)
    }

    fn expand(key: Vec<u8>) -> Self {
        let key = Zeroizing::new(key);
        let cipher = Box::new(GcmKey::new(&derive(&key, &[b"name-tag-cipher"])));
        Self { key, cipher }
    }

    /// Writes the text form of a session grant: the key in base64url.
    #[must_use]
    pub fn to_text(&self) -> String {
        base64url::encode(&*self.key)
    }

    /// Returns the tag of a name. Returns `None` if the name is longer than [`limits::MAX_TAGGED_NAME`], or begins like a tag.
    #[must_use]
    pub fn tag(&self, kind: NameKind<'_>, name: &str) -> Option<String> {
        if name.len() > limits::MAX_TAGGED_NAME || name.starts_with(NAME_TAG_PREFIX) {
            return None;
        }
        let (label, property) = kind.parts();
        // The name determines the nonce, so equal names have equal tags, and no nonce has two plaintexts.
        let info = ["name-tag-nonce", label, property, name].map(str::as_bytes);
        let derived = derive(&self.key, &info);
        let (nonce, _) = derived.split_first_chunk().expect("32 bytes are longer than a nonce");
        let mut padded = [0; MAX_PADDED];
        padded[0] = name.len() as u8;
        padded[1..=name.len()].copy_from_slice(name.as_bytes());
        let padded = &mut padded[..(name.len() / BLOCK + 1) * BLOCK];
        let tag = self.cipher.encrypt(nonce, label.as_bytes(), padded);
        Some([NAME_TAG_PREFIX, &base64url::encode([nonce, &*padded, &tag].concat())].concat())
    }

    /// Reads the name from its tag. Returns `None` unless this key wrote the tag for a name of this kind.
    #[must_use]
    pub fn name(&self, kind: NameKind<'_>, tag: &str) -> Option<String> {
        let mut bytes = base64url::decode(tag.strip_prefix(NAME_TAG_PREFIX)?)?;
        let (nonce, rest) = bytes.split_first_chunk_mut()?;
        let (padded, tag) = rest.split_last_chunk_mut()?;
        self.cipher.decrypt(nonce, kind.parts().0.as_bytes(), padded, tag).ok()?;
        let (length, rest) = padded.split_first()?;
        String::from_utf8(rest.get(..usize::from(*length))?.to_vec()).ok()
    }
}

impl PartialEq for NameTagKey {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl Eq for NameTagKey {}

secret_debug!(NameTagKey);
