//! Tokens: JWTs signed with HMAC-SHA-512 and nothing else. The resolver mints them, the relay verifies them.

mod backend;
mod channel;
mod error;
mod jwt;
mod key;
mod permission;
mod session;

pub use backend::BackendClaims;
pub use channel::ChannelClaims;
#[cfg(feature = "sealing")]
pub(crate) use channel::{UnverifiedClaims, read_unverified};
pub use error::TokenError;
pub use jwt::{sign, verify, verify_with_signer};
pub use key::{InvalidSigningKey, Keyring, SigningKey};
pub use permission::{Permission, Permissions};
pub use session::SessionClaims;

/// The claims that every kind of token has.
pub trait Claims: serde::Serialize + serde::de::DeserializeOwned {
    /// What `aud` must be.
    const AUDIENCE: &'static str;
    /// Longest `exp - iat`, in seconds.
    const MAX_LIFETIME: u64;

    /// `aud`.
    fn audience(&self) -> &str;
    /// `iss`: the app.
    fn app(&self) -> &str;
    /// `ins`: the installation.
    fn installation(&self) -> &str;
    /// `iat`.
    fn issued_at(&self) -> crate::UnixSeconds;
    /// `exp`: the first second in which the token is no longer valid.
    fn expires_at(&self) -> crate::UnixSeconds;
    /// Checks what only this kind of token has.
    ///
    /// # Errors
    /// [`TokenError::Malformed`].
    fn check(&self) -> Result<(), TokenError> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
