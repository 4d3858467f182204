//! The authors of messages, and the signatures that prove them.

use sealwire_protocol::{AuthorSignature, Signature};

/// A text with its signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedText {
    /// The public key in base64url: a point of P-256 without compression, 65 bytes.
    pub signer: String,
    /// The bytes that are signed.
    pub text: Vec<u8>,
    /// The signature.
    pub signature: Signature,
}

/// The proof of a message's author.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Author {
    /// There is none: any party with the channel's key may have written the message.
    Unverified,
    /// The signature of a function of the app, which the host verified.
    Function,
    /// The signature of a page, and the certificate of the app for its account, which the host verified.
    Page {
        /// The account.
        account: String,
    },
}

impl Author {
    /// Returns the author that a verified signature proves.
    pub(crate) fn of(signature: &AuthorSignature) -> Self {
        match &signature.certificate {
            None => Self::Function,
            Some(certificate) => Self::Page { account: certificate.account().into() },
        }
    }
}
