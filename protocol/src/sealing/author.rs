//! The signature of a message or an entry as its author writes it behind the content, with the certificate of a page.

use super::{Certificate, Signature, Unreadable};
use crate::hashing::Parts as _;
use alloc::vec::Vec;

/// The first byte of the signature of a function. A zero begins the padding instead.
const FUNCTION: u8 = 1;
/// The first byte of the certificate and the signature of a page.
const PAGE: u8 = 2;

/// The signature of a message by its author.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthorSignature {
    /// The certificate of the page whose key signs. `None` for a function, which signs with the signing key of the encryption
    /// key that the message is sealed under.
    pub certificate: Option<Certificate>,
    /// The signature of [`signed_text`](super::signed_text).
    pub signature: Signature,
}

/// The signature of a function.
impl From<Signature> for AuthorSignature {
    fn from(signature: Signature) -> Self {
        Self { certificate: None, signature }
    }
}

impl AuthorSignature {
    /// Returns the length in a sealed message, in bytes.
    pub(super) fn sealed_len(&self) -> usize {
        1 + self.certificate.as_ref().map_or(0, |certificate| certificate.as_bytes().len()) + Signature::LEN
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        match &self.certificate {
            None => out.push(FUNCTION),
            Some(certificate) => {
                out.push(PAGE);
                out.bytes(certificate.as_bytes());
            }
        }
        out.bytes(&self.signature.0);
    }

    /// Reads the signature at the end of a plaintext, if there is one, and the padding behind it.
    pub(super) fn read(bytes: &[u8]) -> Result<Option<Self>, Unreadable> {
        let (signature, padding) = match bytes.split_first() {
            None | Some((0, _)) => (None, bytes),
            Some((&FUNCTION, rest)) => Self::read_behind(None, rest)?,
            Some((&PAGE, rest)) => {
                let (certificate, rest) = Certificate::read(rest)?;
                Self::read_behind(Some(certificate), rest)?
            }
            Some(_) => return Err(Unreadable),
        };
        if padding.iter().all(|byte| *byte == 0) { Ok(signature) } else { Err(Unreadable) }
    }

    fn read_behind(
        certificate: Option<Certificate>,
        bytes: &[u8],
    ) -> Result<(Option<Self>, &[u8]), Unreadable> {
        let (signature, rest) = bytes.split_first_chunk().ok_or(Unreadable)?;
        Ok((Some(Self { certificate, signature: Signature(*signature) }), rest))
    }
}
