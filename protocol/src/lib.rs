//! The contract between the Sealwire relay and its clients: error codes, limits, tokens, scopes, keys, sealing and the
//! messages on the wire.
//!
//! The crate has no I/O, no clock and no source of randomness. Time, nonces and keys are arguments, so that tests can
//! check every function against the shared vectors in `tests/vectors/`.
//!
//! The feature `sealing` contains all code that derives encryption keys, seals messages or opens them. The relay is
//! built without it.
//!
//! # Example
//!
//! A resolver derives the keys of a session. Two pages with that session seal and open a message:
//!
//! ```
//! # #[cfg(feature = "sealing")]
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use sealwire_protocol::{
//!     ChannelAddress, EncryptionKey, Message, Numbering, Scope, SealedMessage, SenderId, UnixMillis, seal,
//! };
//!
//! // The resolver: the encryption key, the sender id and the nonce below are random in practice.
//! let encryption_key = EncryptionKey::new([1; 32]);
//! let mut context = Scope::default();
//! context.insert("dashboard", "10001")?;
//! context.insert("module", "absences")?;
//! let keys = encryption_key.scope_keys("my-app", "my-site", &context);
//!
//! // Both pages: a channel is scoped to some of the properties of the context.
//! let scope = context.keep(&["dashboard"])?;
//! let channel = ChannelAddress {
//!     app: "my-app",
//!     installation: "my-site",
//!     scope: &scope,
//!     claims_tag: None,
//!     name: "absences",
//! };
//! let scope_key = keys.scope_key(&scope).ok_or("the scope is not a subset of the context")?;
//! let mut key = scope_key.channel_key(None, "absences");
//!
//! // The publisher.
//! let mut numbering = Numbering::new(SenderId([2; 12]));
//! let message = Message {
//!     sender: numbering.sender(),
//!     stamp: numbering.assign(),
//!     published_at: UnixMillis(1_800_000_000_000),
//!     event: "added",
//!     payload: r#"{"name":"Anna"}"#,
//!     signature: None,
//! };
//! let sealed = seal(&key, [3; 12], channel.id(), &message)?;
//!
//! // The subscriber.
//! let opened = SealedMessage::parse(&sealed)?.open(&mut key, channel.id(), "added")?;
//! assert_eq!(opened.payload, r#"{"name":"Anna"}"#);
//!
//! // The event is authenticated: under another one, the message does not open.
//! assert!(SealedMessage::parse(&sealed)?.open(&mut key, channel.id(), "removed").is_err());
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "sealing"))]
//! # fn main() {}
//! ```
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
mod text;
mod time;
pub mod tokens;
pub mod wire;

pub use base64url::{decode as decode_base64url, encode as encode_base64url};
pub use channel::{
    ChannelAddress, ChannelId, InvalidName, NAME_TAG_PREFIX, check_channel_name, check_event_name,
};
#[cfg(feature = "claims")]
pub use claims::{InvalidClaims, canonical_claims};
pub use codes::{CloseCode, Code};
#[cfg(feature = "sealing")]
pub use keys::{
    ChannelKey, ClaimsKey, ClaimsKeyring, EncryptionKey, KeyId, NameKind, NameTagKey, RoutingKey, ScopeKey,
    ScopeKeys,
};
pub use scope::{InvalidScope, Scope};
#[cfg(feature = "sealing")]
pub use sealing::{
    AesGcmInput, AuthorSignature, Certificate, Certified, Entry, EntryPlace, MemberId, Message, Numbered,
    Numbering, Numberings, OpenedMessage, RANDOM_LEN, RepeatableIds, SEALED_OVERHEAD, SealedMessage,
    SenderId, Signature, Stamp, TooLarge, Unreadable, repeatable_ids, seal, signed_text,
};
pub use text::{decimal, split_at_ascii};
pub use time::{UnixMillis, UnixSeconds};

/// The OpenAPI 3.1 description of the relay's HTTP interface, in JSON.
pub const OPENAPI: &str = include_str!("../openapi/relay.json");
