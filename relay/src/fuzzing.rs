//! What reads outside input, without the server around it: for the fuzz targets.

use crate::{Config, ConfigError, Draft, Refused, SigningKeys, http};
use sealwire_protocol::tokens::BackendClaims;
use std::path::Path;

/// What the messages of a `POST /v1/publish` ask for; nothing where the body is refused as a whole.
#[must_use]
pub fn publish_body(keys: &SigningKeys, claims: &BackendClaims, body: &[u8]) -> Vec<Result<Draft, Refused>> {
    http::drafts(keys, claims, body)
}

/// What a configuration file with this text stands for. Reads no file but those that it names.
///
/// # Errors
/// [`ConfigError`].
pub fn config(text: &str) -> Result<Config, ConfigError> {
    Config::from_text(Path::new("relay.toml"), text)
}
