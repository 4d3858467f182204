//! Builds messages between relays: publications and marks of the streams, reports of limits, revocations, and presence.

use prost::Message;
use sha2::{Digest as _, Sha256};

#[derive(Clone, PartialEq, Message)]
struct Stored {
    #[prost(uint64, tag = "1")]
    time_ms: u64,
    #[prost(string, tag = "2")]
    event: String,
    #[prost(bytes = "vec", tag = "3")]
    sealed: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
struct Report {
    #[prost(uint32, tag = "1")]
    version: u32,
    #[prost(uint64, tag = "2")]
    sequence: u64,
    #[prost(bool, tag = "3")]
    is_full: bool,
    #[prost(message, repeated, tag = "6")]
    counts: Vec<Count>,
}

#[derive(Clone, PartialEq, Message)]
struct Count {
    #[prost(bytes = "vec", tag = "1")]
    digest: Vec<u8>,
    #[prost(uint32, tag = "2")]
    sessions: u32,
}

#[derive(Clone, PartialEq, Message)]
struct Revocation {
    #[prost(bytes = "vec", tag = "1")]
    installation: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    account: Vec<u8>,
    #[prost(uint64, tag = "4")]
    before: u64,
}

#[derive(Clone, PartialEq, Message)]
struct Tagged {
    #[prost(uint32, tag = "1")]
    version: u32,
    #[prost(bytes = "vec", tag = "2")]
    content: Vec<u8>,
    #[prost(message, repeated, tag = "3")]
    tags: Vec<Tag>,
}

#[derive(Clone, PartialEq, Message)]
struct Tag {
    #[prost(string, tag = "1")]
    kid: String,
    #[prost(bytes = "vec", tag = "2")]
    tag: Vec<u8>,
}

/// Returns the content of a publication, or of a mark without event and message.
pub(super) fn stored(time_ms: u64, event: &str, sealed: &[u8]) -> Vec<u8> {
    Stored { time_ms, event: event.to_owned(), sealed: sealed.to_vec() }.encode_to_vec()
}

/// Returns a full report of this many sessions of each name.
pub(super) fn report(version: u32, sequence: u64, names: &[[u8; 16]], sessions: u32) -> Vec<u8> {
    let counts = names.iter().map(|name| Count { digest: name.to_vec(), sessions });
    Report { version, sequence, is_full: true, counts: counts.collect() }.encode_to_vec()
}

/// Returns the record of a revocation, which tags cover.
pub(super) fn revocation(installation: [u8; 16], account: Option<[u8; 16]>, before: u64) -> Vec<u8> {
    let account = account.map(|account| account.to_vec()).unwrap_or_default();
    Revocation { installation: installation.to_vec(), account, before }.encode_to_vec()
}

/// Returns a revocation, or a message about presence, with its tags.
pub(super) fn tagged(record: &[u8], tags: &[(String, Vec<u8>)]) -> Vec<u8> {
    let tags = tags.iter().map(|(kid, tag)| Tag { kid: kid.clone(), tag: tag.clone() });
    Tagged { version: 1, content: record.to_vec(), tags: tags.collect() }.encode_to_vec()
}

/// Returns the part of a message that tags cover.
pub(super) fn untagged(payload: &[u8]) -> Vec<u8> {
    Tagged::decode(payload).unwrap().content
}

/// Returns the digest of a name: a kind and the parts of the name.
pub(super) fn digest(kind: &str, parts: &[&str]) -> [u8; 16] {
    let mut hash = Sha256::new();
    for part in ["sealwire cluster 1", kind].iter().chain(parts) {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let mut digest = [0; 16];
    digest.copy_from_slice(&hash.finalize()[..16]);
    digest
}

pub(super) fn hex(digest: &[u8]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}
