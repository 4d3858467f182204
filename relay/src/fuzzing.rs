//! The parsers of outside input, for the fuzz targets.

use crate::{
    Config, ConfigError, Draft, Refused, SigningKeys, cluster, http, presence, proxies::header, sse::Upload,
};
use bytes::Bytes;
use futures_util::FutureExt as _;
use sealwire_protocol::tokens::BackendClaims;
use std::{net::IpAddr, path::Path, sync::Arc};

/// Reads the body of a `POST /v1/publish`. Returns no drafts if the body is refused as a whole.
#[must_use]
pub fn publish_body(keys: &SigningKeys, claims: &BackendClaims, body: &[u8]) -> Vec<Result<Draft, Refused>> {
    http::drafts(keys, claims, body)
}

/// Reads the text of a configuration file, and the files that it names.
///
/// # Errors
/// [`ConfigError`].
pub fn config(text: &str) -> Result<Config, ConfigError> {
    Config::from_text(Path::new("relay.toml"), text)
}

/// Reads the body of a `POST /v1/send`: the number of its first message, and the messages.
#[must_use]
pub fn send_body(body: &[u8]) -> Option<(u64, Vec<Bytes>)> {
    let id = Upload::stream_id(body);
    let upload = Upload::parse(body).ok()?;
    assert!(matches!(id, Ok(Some(stream)) if stream == upload.stream) || !body.contains(&b'\n'));
    Some((upload.first_number, upload.messages))
}

/// Reads a header of the PROXY protocol: the client that it names, and the bytes after the header.
#[must_use]
pub fn proxy_header(mut bytes: &[u8]) -> Option<(Option<IpAddr>, &[u8])> {
    let client = header::read(&mut bytes).now_or_never()?.ok()?;
    Some((client, bytes))
}

/// Decodes a report of another relay of a cluster, and encodes it again.
#[must_use]
pub fn relay_report(bytes: &[u8]) -> Option<Vec<u8>> {
    cluster::recode_report(bytes)
}

/// Decodes a revocation of another relay of a cluster, and encodes it again.
#[must_use]
pub fn shared_revocation(keys: &SigningKeys, bytes: &[u8]) -> Option<Vec<u8>> {
    cluster::Entry::decode(bytes, keys).map(|entry| cluster::Entry::encode(&entry.revocation, keys))
}

/// Makes a revocation of a record, with the tags of the app's keys.
#[must_use]
pub fn tag_revocation(keys: &SigningKeys, app: &str, record: &[u8]) -> Vec<u8> {
    cluster::tag_record(record, app, keys)
}

/// Decodes a message about presence of another relay of a cluster, and encodes it again.
#[must_use]
pub fn presence_message(keys: &SigningKeys, bytes: &[u8]) -> Option<Vec<u8>> {
    presence::fuzzing::recode(keys, bytes)
}

/// Gives messages about presence, without tags, to a relay that watches two channels of the app.
///
/// # Panics
/// If the relay breaks a rule.
pub fn presence_links(keys: &Arc<SigningKeys>, app: &str, messages: &[&[u8]]) {
    presence::fuzzing::follow(keys, app, messages);
}
