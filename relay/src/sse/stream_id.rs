//! The secret id of a stream.

use sealwire_protocol::decode_base64url;

/// The id of a stream. It authorises uploads, so it is random, is sent only in bodies, and has no `Debug`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct StreamId(pub(super) [u8; 16]);

impl StreamId {
    pub(super) fn parse(text: &str) -> Option<Self> {
        decode_base64url(text)?.try_into().ok().map(Self)
    }
}
