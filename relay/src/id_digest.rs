//! Digests of names that are the same on every relay of a cluster. Relays tell each other about apps, installations and
//! accounts by their digests, so that the broker between them sees no names.

use sha2::{Digest as _, Sha256};
use std::fmt;

/// The length of a digest, in bytes: nobody can find another name with the digest of a given one.
pub(crate) const DIGEST_LEN: usize = 16;

/// The first 16 bytes of the SHA-256 of a name, which is a kind and its parts. Equal on all relays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct IdDigest([u8; DIGEST_LEN]);

impl IdDigest {
    /// The digest of an app.
    pub(crate) fn app(app: &str) -> Self {
        Self::of("app", [app])
    }

    /// The digest of an installation of an app.
    pub(crate) fn installation(app: &str, installation: &str) -> Self {
        Self::of("installation", [app, installation])
    }

    /// The digest of an account in an installation.
    pub(crate) fn account(app: &str, installation: &str, account: &str) -> Self {
        Self::of("account", [app, installation, account])
    }

    /// The digest of a property with its value in the contexts of an installation.
    pub(crate) fn property(app: &str, installation: &str, property: &str, value: &str) -> Self {
        Self::of("property", [app, installation, property, value])
    }

    /// The digest of a kind and parts. A length precedes each of them, so that no two lists have the same digest.
    pub(crate) fn of<P: AsRef<[u8]>>(kind: &str, parts: impl IntoIterator<Item = P>) -> Self {
        let mut hash = Sha256::new();
        let mut add = |part: &[u8]| {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        };
        add(b"sealwire cluster 1");
        add(kind.as_bytes());
        parts.into_iter().for_each(|part| add(part.as_ref()));
        let mut digest = [0; DIGEST_LEN];
        digest.copy_from_slice(&hash.finalize()[..DIGEST_LEN]);
        Self(digest)
    }

    /// Reads a digest of a message.
    pub(crate) fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    pub(crate) fn as_bytes(&self) -> &[u8; DIGEST_LEN] {
        &self.0
    }
}

/// The digest in hexadecimal, as in the names of subjects.
impl fmt::Display for IdDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Relays of different versions share a cluster, so the digests must not change.
    #[test]
    fn digests_are_stable_and_differ_by_kind_and_by_part() {
        assert_eq!(IdDigest::app("app").to_string(), "0eb65d2652ad6a5ce7e80f68b1778440");
        let all = [
            IdDigest::app("ab"),
            IdDigest::installation("a", "b"),
            IdDigest::installation("b", "a"),
            IdDigest::installation("ab", ""),
            IdDigest::account("a", "b", ""),
            IdDigest::account("a", "", "b"),
            IdDigest::property("a", "", "", "b"),
        ];
        let distinct: std::collections::BTreeSet<_> = all.iter().collect();
        assert_eq!(distinct.len(), all.len());
        assert_eq!(IdDigest::from_slice(all[0].as_bytes()), Some(all[0]));
        assert_eq!(IdDigest::from_slice(&[0; 15]), None);
    }
}
