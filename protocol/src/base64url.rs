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
    let mut bytes = Vec::with_capacity(text.len() * 3 / 4 + 3);
    for characters in text.as_bytes().chunks(4) {
        let (mut group, mut union) = (0_u32, 0);
        for character in characters {
            let sextet = SEXTETS[usize::from(*character)];
            group = group << 6 | u32::from(sextet);
            union |= sextet;
        }
        // A group of `n` characters has `n - 1` bytes, and the bits after them are zero.
        let missing = 4 - characters.len();
        group <<= 6 * missing;
        if union == INVALID || missing == 3 || group & ((1 << (8 * missing)) - 1) != 0 {
            return None;
        }
        bytes.extend_from_slice(&group.to_be_bytes()[1..4 - missing]);
    }
    Some(bytes)
}

/// The mark of a character outside the alphabet. Sextets lack its highest bit, so it shows in their union.
const INVALID: u8 = 0xff;
static SEXTETS: [u8; 256] = sextets();

const fn sextets() -> [u8; 256] {
    let mut sextets = [INVALID; 256];
    let mut index = 0;
    while index < ALPHABET.len() {
        sextets[ALPHABET[index] as usize] = index as u8;
        index += 1;
    }
    sextets
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
