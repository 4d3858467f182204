//! Base64url without padding (RFC 4648 section 5), strict: the only text form of bytes in tokens and grants.

use alloc::{string::String, vec::Vec};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

/// Bytes as base64url text.
#[must_use]
pub fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The bytes of a base64url text; `None` for padding, other alphabets or stray bits.
#[must_use]
pub fn decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// The `N` bytes of a base64url text.
#[cfg(feature = "sealing")]
pub(crate) fn decode_array<const N: usize>(text: &str) -> Option<[u8; N]> {
    decode(text)?.try_into().ok()
}
