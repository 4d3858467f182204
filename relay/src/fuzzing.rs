//! What reads outside input, without the server around it: for the fuzz targets.

use crate::{Config, ConfigError, Draft, Refused, SigningKeys, http, proxies::header, sse::Batch};
use bytes::Bytes;
use futures_util::FutureExt as _;
use sealwire_protocol::tokens::BackendClaims;
use std::{net::IpAddr, path::Path};

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

/// The messages of a `POST /v1/send`, and the number of the first.
#[must_use]
pub fn send_body(body: &[u8]) -> Option<(u64, Vec<Bytes>)> {
    let named = Batch::stream(body);
    let batch = Batch::parse(body).ok()?;
    assert!(matches!(named, Ok(Some(stream)) if stream == batch.stream) || !body.contains(&b'\n'));
    Some((batch.first, batch.messages))
}

/// The client that a header of the PROXY protocol names, and what is left behind the header.
#[must_use]
pub fn proxy_header(mut bytes: &[u8]) -> Option<(Option<IpAddr>, &[u8])> {
    let client = header::read(&mut bytes).now_or_never()?.ok()?;
    Some((client, bytes))
}
