//! What the Sealwire relay and its clients agree on. No I/O, no clock and no randomness of its own: time, nonces
//! and keys are arguments, so that every function can be checked against the shared vectors.
//!
//! The feature `sealing` holds everything that derives encryption keys, seals or opens. The relay builds without it.
#![no_std]
extern crate alloc;

mod base64url;
mod channel;
#[cfg(feature = "claims")]
mod claims;
mod codes;
mod hashing;
#[cfg(feature = "sealing")]
mod keys;
pub mod limits;
#[cfg(feature = "sealing")]
mod padme;
mod scope;
#[cfg(feature = "sealing")]
mod sealing;
mod time;
pub mod tokens;
pub mod wire;

pub use base64url::{decode as decode_base64url, encode as encode_base64url};
pub use channel::{ChannelAddress, ChannelId, InvalidName, check_channel_name, check_event_name};
#[cfg(feature = "claims")]
pub use claims::{InvalidClaims, canonical_claims};
pub use codes::{CloseCode, Code};
#[cfg(feature = "sealing")]
pub use keys::{ChannelKey, ClaimsKey, ClaimsKeyring, EncryptionKey, KeyId, RoutingKey, ScopeKey, ScopeKeys};
pub use scope::{InvalidScope, Scope};
#[cfg(feature = "sealing")]
pub use sealing::{
    AesGcmInput, Opened, SEALED_OVERHEAD, SealedMessage, TooLarge, Unreadable, seal, seal_repeatable,
};
pub use time::{UnixMillis, UnixSeconds};

/// The description of the relay's HTTP interface: OpenAPI 3.1, in JSON.
pub const OPENAPI: &str = include_str!("../openapi/relay.json");
