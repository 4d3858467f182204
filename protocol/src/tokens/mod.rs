//! Tokens: JWTs signed with HMAC-SHA-512, the only algorithm. The resolver signs them and the relay verifies them.

mod backend;
mod channel;
mod claims;
mod error;
mod jwt;
mod key;
mod permission;
mod session;
mod tag;

pub use backend::BackendClaims;
pub use channel::ChannelClaims;
#[cfg(feature = "sealing")]
pub(crate) use channel::{UnverifiedClaims, read_unverified};
pub use claims::Claims;
pub use error::TokenError;
pub use jwt::{sign, verify, verify_with_signer};
pub use key::{InvalidSigningKey, Keyring, SigningKey};
pub use permission::{Permission, Permissions};
pub use session::SessionClaims;

#[cfg(test)]
mod tests;
