//! Builds tokens that no resolver would sign.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sealwire_protocol::{decode_base64url, encode_base64url};
use sealwire_tests::Installation;
use sha2::{Sha256, Sha384, Sha512};

/// The header of a valid token.
pub(crate) fn header(installation: &Installation) -> String {
    format!(r#"{{"alg":"HS512","kid":"{}","typ":"JWT"}}"#, kid(installation))
}

pub(crate) fn kid(installation: &Installation) -> &str {
    installation.signing_key.split_once('.').unwrap().0
}

/// `<header>.<claims>` in base64url, without a signature.
pub(crate) fn unsigned(header: impl AsRef<[u8]>, claims: impl AsRef<[u8]>) -> String {
    format!("{}.{}", encode_base64url(header), encode_base64url(claims))
}

/// Signs any header and claims with HMAC-SHA-512 and this key.
pub(crate) fn sign(key: &str, header: impl AsRef<[u8]>, claims: impl AsRef<[u8]>) -> String {
    seal(key, unsigned(header, claims))
}

/// Appends the HMAC-SHA-512 of a text to it.
pub(crate) fn seal(key: &str, text: String) -> String {
    let mut mac = Hmac::<Sha512>::new_from_slice(&secret(key)).unwrap();
    mac.update(text.as_bytes());
    format!("{text}.{}", encode_base64url(mac.finalize().into_bytes()))
}

/// Appends the HMAC-SHA-256 of a text to it.
pub(crate) fn seal_256(key: &str, text: String) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(&secret(key)).unwrap();
    mac.update(text.as_bytes());
    format!("{text}.{}", encode_base64url(mac.finalize().into_bytes()))
}

/// Appends the HMAC-SHA-384 of a text to it.
pub(crate) fn seal_384(key: &str, text: String) -> String {
    let mut mac = Hmac::<Sha384>::new_from_slice(&secret(key)).unwrap();
    mac.update(text.as_bytes());
    format!("{text}.{}", encode_base64url(mac.finalize().into_bytes()))
}

fn secret(key: &str) -> Vec<u8> {
    decode_base64url(key.split_once('.').unwrap().1).unwrap()
}
