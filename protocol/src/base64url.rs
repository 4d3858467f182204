//! Strict base64url without padding (RFC 4648 section 5), the only text form of bytes in tokens and session grants.
//!
//! The crate `base64` would be five times as large in the core for pages, and most of it 64-bit arithmetic.

use alloc::{string::String, vec::Vec};

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Encodes bytes as base64url text.
#[must_use]
pub fn encode(bytes: impl AsRef<[u8]>) -> String {
    encode_bytes(bytes.as_ref())
}

fn encode_bytes(bytes: &[u8]) -> String {
    let mut text = String::with_capacity((bytes.len() * 4).div_ceil(3));
    let mut push = |sextet: u32| text.push(char::from(ALPHABET[(sextet & 63) as usize]));
    let (mut bits, mut count) = (0_u32, 0);
    for byte in bytes {
        bits = bits << 8 | u32::from(*byte);
        count += 8;
        while count >= 6 {
            count -= 6;
            push(bits >> count);
        }
    }
    if count > 0 {
        push(bits << (6 - count));
    }
    text
}

/// Decodes base64url text. Returns `None` for padding, another alphabet or non-zero trailing bits.
#[must_use]
pub fn decode(text: &str) -> Option<Vec<u8>> {
    // The capacity is sufficient, so the vector never moves secret bytes.
    let mut bytes = Vec::with_capacity(text.len() * 3 / 4);
    let (mut bits, mut count) = (0_u32, 0);
    for character in text.bytes() {
        bits = bits << 6 | u32::from(sextet(character)?);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
        }
    }
    // Six bits are left if the last character stands alone.
    (count < 6 && bits & ((1 << count) - 1) == 0).then_some(bytes)
}

fn sextet(character: u8) -> Option<u8> {
    match character {
        b'A'..=b'Z' => Some(character - b'A'),
        b'a'..=b'z' => Some(character - b'a' + 26),
        b'0'..=b'9' => Some(character - b'0' + 52),
        b'-' => Some(62),
        b'_' => Some(63),
        _ => None,
    }
}

/// Decodes base64url text of exactly `N` bytes.
#[cfg(feature = "sealing")]
pub(crate) fn decode_array<const N: usize>(text: &str) -> Option<[u8; N]> {
    decode(text)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    use proptest::{collection, prelude::*};

    proptest! {
        #[test]
        fn encoding_agrees_with_the_crate_base64(bytes in collection::vec(any::<u8>(), 0..100)) {
            prop_assert_eq!(encode(&bytes), URL_SAFE_NO_PAD.encode(&bytes));
        }

        #[test]
        fn decoding_agrees_with_the_crate_base64(text in "[-A-Za-z0-9_]{0,12}|[-A-Za-z0-9_=+/ é]{0,6}") {
            prop_assert_eq!(decode(&text), URL_SAFE_NO_PAD.decode(&text).ok());
        }
    }
}
