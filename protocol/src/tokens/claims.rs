//! The claims that every kind of token has. [`super::sign`] and [`super::verify`] check them.

use super::TokenError;
use crate::UnixSeconds;

/// The claims that every kind of token has.
pub trait Claims: serde::Serialize + serde::de::DeserializeOwned {
    /// The required value of `aud`.
    const AUDIENCE: &'static str;
    /// Longest `exp - iat`, in seconds.
    const MAX_LIFETIME: u64;

    /// Returns `aud`, the kind of the token.
    fn audience(&self) -> &str;
    /// Returns `iss`, the app.
    fn app(&self) -> &str;
    /// Returns `ins`, the installation.
    fn installation(&self) -> &str;
    /// Returns `iat`.
    fn issued_at(&self) -> UnixSeconds;
    /// Returns `exp`, the first second at which the token is no longer valid.
    fn expires_at(&self) -> UnixSeconds;
    /// Checks the claims that only this kind of token has.
    ///
    /// # Errors
    /// [`TokenError::Malformed`] if one of them is outside its limits.
    fn check(&self) -> Result<(), TokenError>;
}

/// Implements [`Claims`] for a struct with the fields `aud`, `iss`, `ins`, `iat` and `exp`. `check` is the body of
/// [`Claims::check`].
macro_rules! implement_claims {
    ($claims:ty, audience: $audience:literal, max_lifetime: $max_lifetime:expr, check: |$self:ident| $check:expr) => {
        impl Claims for $claims {
            const AUDIENCE: &'static str = $audience;
            const MAX_LIFETIME: u64 = $max_lifetime;

            fn audience(&self) -> &str {
                &self.aud
            }
            fn app(&self) -> &str {
                &self.iss
            }
            fn installation(&self) -> &str {
                &self.ins
            }
            fn issued_at(&self) -> UnixSeconds {
                self.iat
            }
            fn expires_at(&self) -> UnixSeconds {
                self.exp
            }
            fn check(&self) -> Result<(), TokenError> {
                let $self = self;
                $check
            }
        }
    };
}
pub(super) use implement_claims;
