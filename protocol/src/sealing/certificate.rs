//! Certificates of pages: the app's function certifies, with a signing key of the installation, that the key of a page belongs
//! to an account until a time.

use super::{Signature, Unreadable};
use crate::{UnixMillis, base64url, hashing::Parts, limits};
use alloc::{string::String, vec::Vec};
use core::ops::Range;

/// The certificate of a page under one encryption key. The signing key of that encryption key certifies, and the page signs
/// the messages with it that it seals under the same encryption key.
///
/// Its bytes are `public key (65) ‖ u64 expiry in ms ‖ LP(account) ‖ signature (64)`, big-endian. The account has 1 to
/// [`limits::MAX_ACCOUNT`] bytes of UTF-8.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate(Vec<u8>);

/// The content of a certificate.
#[derive(Clone, Copy)]
pub struct Certified<'a> {
    /// The public key of the page: a point of P-256 without compression.
    pub public_key: &'a [u8; Certificate::PUBLIC_KEY_LEN],
    /// The time at which the certificate expires, by the clock of the app's backend.
    pub expires_at: UnixMillis,
    /// The account of the page's user.
    pub account: &'a str,
}

impl Certified<'_> {
    /// Returns the bytes to sign:
    /// `LP("sealwire/certificate/v1") LP(app) LP(installation) public key (65) u64 expiry in ms LP(account)`.
    #[must_use]
    pub fn text(&self, app: &str, installation: &str) -> Vec<u8> {
        certified_text(app, installation, &self.bytes())
    }

    /// Returns the certificate with this signature of [`Self::text`].
    #[must_use]
    pub fn sign(&self, signature: Signature) -> Certificate {
        let mut bytes = self.bytes();
        bytes.bytes(&signature.0);
        Certificate(bytes)
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        bytes.bytes(self.public_key);
        bytes.bytes(&self.expires_at.0.to_be_bytes());
        bytes.length_prefixed(self.account);
        bytes
    }
}

fn certified_text(app: &str, installation: &str, content: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    text.length_prefixed("sealwire/certificate/v1");
    text.length_prefixed(app);
    text.length_prefixed(installation);
    text.bytes(content);
    text
}

const EXPIRY: Range<usize> = Certificate::PUBLIC_KEY_LEN..Certificate::PUBLIC_KEY_LEN + 8;
const ACCOUNT: usize = EXPIRY.end + 4;

impl Certificate {
    /// The length of a public key in bytes.
    pub const PUBLIC_KEY_LEN: usize = 65;

    /// Returns the public key of the page: a point of P-256 without compression.
    #[must_use]
    pub fn public_key(&self) -> &[u8] {
        &self.0[..Self::PUBLIC_KEY_LEN]
    }

    /// Returns the time at which the certificate expires, by the clock of the app's backend.
    #[must_use]
    pub fn expires_at(&self) -> UnixMillis {
        let bytes = self.0[EXPIRY].try_into().expect("the expiry has 8 bytes");
        UnixMillis(u64::from_be_bytes(bytes))
    }

    /// Returns the account of the page's user.
    #[must_use]
    pub fn account(&self) -> &str {
        core::str::from_utf8(&self.content()[ACCOUNT..]).unwrap_or_default()
    }

    /// Returns the bytes that are certified: see [`Certified::text`].
    #[must_use]
    pub fn text(&self, app: &str, installation: &str) -> Vec<u8> {
        certified_text(app, installation, self.content())
    }

    /// Returns the signature of [`Self::text`].
    #[must_use]
    pub fn signature(&self) -> Signature {
        Signature(self.0[self.0.len() - Signature::LEN..].try_into().expect("a signature has 64 bytes"))
    }

    /// Returns the certificate as a session grant carries it: its bytes in base64url.
    #[must_use]
    pub fn to_base64url(&self) -> String {
        base64url::encode(&self.0)
    }

    /// Reads a certificate of a session grant. Returns `None` if it is malformed.
    #[must_use]
    pub fn parse(base64url: &str) -> Option<Self> {
        let bytes = base64url::decode(base64url)?;
        let (certificate, rest) = Self::read(&bytes).ok()?;
        rest.is_empty().then_some(certificate)
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Reads a certificate. Returns the bytes behind it.
    pub(super) fn read(bytes: &[u8]) -> Result<(Self, &[u8]), Unreadable> {
        let length = bytes.get(EXPIRY.end..).and_then(<[u8]>::first_chunk).ok_or(Unreadable)?;
        let length = usize::try_from(u32::from_be_bytes(*length)).map_err(|_| Unreadable)?;
        if !(1..=limits::MAX_ACCOUNT).contains(&length) {
            return Err(Unreadable);
        }
        let (bytes, rest) = bytes.split_at_checked(ACCOUNT + length + Signature::LEN).ok_or(Unreadable)?;
        let certificate = Self(bytes.to_vec());
        if certificate.account().is_empty() { Err(Unreadable) } else { Ok((certificate, rest)) }
    }

    fn content(&self) -> &[u8] {
        &self.0[..self.0.len() - Signature::LEN]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONTENT: Certified<'_> = Certified {
        public_key: &[4; Certificate::PUBLIC_KEY_LEN],
        expires_at: UnixMillis(1_800_000_900_000),
        account: "712020:anna",
    };

    fn certificate() -> Certificate {
        CONTENT.sign(Signature([7; Signature::LEN]))
    }

    #[test]
    fn a_certificate_reads_as_it_was_written_and_nothing_shorter_or_longer_does() {
        let read = Certificate::parse(&certificate().to_base64url()).unwrap();
        assert_eq!(read, certificate());
        assert_eq!(read.public_key(), CONTENT.public_key);
        assert_eq!((read.expires_at(), read.account()), (CONTENT.expires_at, CONTENT.account));
        assert_eq!(read.signature(), Signature([7; Signature::LEN]));
        assert_eq!(read.text("app", "site"), CONTENT.text("app", "site"));
        let bytes = certificate().0;
        for length in 0..bytes.len() {
            assert_eq!(Certificate::parse(&base64url::encode(&bytes[..length])), None, "{length}");
        }
        assert_eq!(Certificate::parse(&base64url::encode([&bytes[..], &[0]].concat())), None);
        assert_eq!(Certificate::parse("!"), None);
    }

    #[test]
    fn an_account_has_1_to_256_bytes_of_utf_8() {
        let of = |account: &[u8]| {
            let mut bytes = certificate().0[..EXPIRY.end].to_vec();
            bytes.length_prefixed(account);
            bytes.bytes(&[7; Signature::LEN]);
            Certificate::parse(&base64url::encode(bytes)).map(|certificate| certificate.account().len())
        };
        assert_eq!(of(b"a"), Some(1));
        assert_eq!(of(&[b'a'; 256]), Some(256));
        for refused in [&[][..], &[b'a'; 257], b"\xff"] {
            assert_eq!(of(refused), None);
        }
    }

    #[test]
    fn the_certified_text_differs_for_every_part_and_covers_nothing_else() {
        let text = |content: Certified<'_>| content.text("app", "site");
        let first = text(CONTENT);
        for other in [
            text(Certified { public_key: &[5; Certificate::PUBLIC_KEY_LEN], ..CONTENT }),
            text(Certified { account: "712020:ann", ..CONTENT }),
            text(Certified { expires_at: UnixMillis(1_800_000_900_001), ..CONTENT }),
            CONTENT.text("ap", "psite"),
            CONTENT.text("app2", "site"),
            CONTENT.text("app", "site2"),
        ] {
            assert_ne!(first, other);
        }
        let length = ["sealwire/certificate/v1", "app", "site", CONTENT.account].map(|part| 4 + part.len());
        assert_eq!(first.len(), length.iter().sum::<usize>() + Certificate::PUBLIC_KEY_LEN + 8);
    }
}
