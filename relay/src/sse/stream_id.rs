//! The secret name of a stream.

use sealwire_protocol::decode_base64url;

/// Names a stream. Whoever knows it can send as its client, so it is random, is only ever in bodies, and has no `Debug`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct StreamId(pub(super) [u8; 16]);

impl StreamId {
    pub(super) fn parse(text: &str) -> Option<Self> {
        decode_base64url(text)?.try_into().ok().map(Self)
    }
}
