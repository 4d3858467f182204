//! Why a token is refused.

use crate::Code;

/// Why a token is refused. Says nothing of its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// Not three base64url parts of JSON, too long, or a claim is missing, of the wrong type or past a limit.
    #[error(
        "the token is not a well-formed Sealwire token, or one of its claims is past a limit; mint it with sealwire/resolver"
    )]
    Malformed,
    /// `alg` is not HS512.
    #[error("the token's alg is not HS512, the only algorithm accepted")]
    Algorithm,
    /// No key has this `kid`.
    #[error(
        "no signing key has the token's kid; is the app configured at this relay with its current signing key?"
    )]
    UnknownKey,
    /// The signature is another one.
    #[error(
        "the token's signature does not match its signing key; compare SEALWIRE_SIGNING_KEY with the relay's configuration"
    )]
    Signature,
    /// `exp` has come.
    #[error("the token has expired; fetch a fresh one")]
    Expired,
    /// `iat` or `nbf` has not come yet.
    #[error("the token is not valid yet; compare the clocks of the signer and the relay")]
    NotYetValid,
    /// `exp - iat` is not positive or past the limit.
    #[error(
        "the token's lifetime is longer than allowed; sign it for at most 24 hours (backend tokens: 5 minutes)"
    )]
    Lifetime,
    /// `aud` is another kind's.
    #[error("the token is of another kind than needed here (its aud says which)")]
    Audience,
    /// `iss` is not the app of the signing key.
    #[error("the token names another app than the one its signing key belongs to")]
    App,
}

impl TokenError {
    /// The code on the wire.
    #[must_use]
    pub const fn code(self) -> Code {
        match self {
            Self::Malformed => Code::TokenMalformed,
            Self::Algorithm => Code::TokenAlgorithm,
            Self::UnknownKey => Code::TokenUnknownKey,
            Self::Signature => Code::TokenSignature,
            Self::Expired => Code::TokenExpired,
            Self::NotYetValid => Code::TokenNotYetValid,
            Self::Lifetime => Code::TokenLifetime,
            Self::Audience => Code::TokenAudience,
            Self::App => Code::TokenApp,
        }
    }
}
