//! The reasons for which a token is refused.

use crate::Code;

/// The reason for which a token is refused. The text reveals no content of the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// The token is too long or not three base64url parts of JSON, or a claim is missing, mistyped or outside its
    /// limit.
    #[error(
        "the token is not a well-formed Sealwire token, or one of its claims is outside its limit; create it with sealwire/resolver"
    )]
    Malformed,
    /// `alg` is not HS512.
    #[error("the token's alg is not HS512, the only algorithm accepted")]
    Algorithm,
    /// No key has this `kid`.
    #[error("no signing key has the token's kid; configure the app's current signing key at this relay")]
    UnknownKey,
    /// The signature does not match.
    #[error(
        "the token's signature does not match its signing key; compare SEALWIRE_SIGNING_KEY with the relay's configuration"
    )]
    Signature,
    /// The time `exp` has passed.
    #[error("the token has expired; fetch a fresh one")]
    Expired,
    /// The time `iat` or `nbf` has not been reached.
    #[error("the token is not valid yet; compare the clocks of the signer and the relay")]
    NotYetValid,
    /// The lifetime `exp - iat` is not positive or longer than allowed.
    #[error(
        "the token's lifetime is zero or longer than allowed; sign it for at most 24 hours (backend tokens: 5 minutes)"
    )]
    Lifetime,
    /// The claim `aud` is that of another kind of token.
    #[error(
        "the token's aud is that of another kind of token; use a session, channel or backend token as the request requires"
    )]
    Audience,
    /// The claim `iss` is not the app of the signing key.
    #[error("the token names an app other than the one its signing key belongs to")]
    App,
}

impl TokenError {
    /// Returns the code on the wire.
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
