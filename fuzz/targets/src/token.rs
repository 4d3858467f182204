//! Fuzz target of token verification.

use crate::{APP, NOW, SIGNING_KEY, keyring};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sealwire_protocol::{
    UnixSeconds, decode_base64url, encode_base64url, limits,
    tokens::{BackendClaims, ChannelClaims, Claims, SessionClaims, verify},
};
use sha2::Sha512;

/// Verifies a token. An input of the form `header\npayload`, both in JSON, is also signed with the app's key, so that
/// the fuzzer reaches the checks behind the signature.
pub fn token(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data) {
        check_all(text);
    }
    if let Some(split) = data.iter().position(|byte| *byte == b'\n') {
        let (header, payload) = (&data[..split], &data[split + 1..]);
        check_all(&sign(header, payload));
        check_all(&sign(br#"{"alg":"HS512","kid":"kid"}"#, payload));
    }
}

fn sign(header: &[u8], payload: &[u8]) -> String {
    let signed = format!("{}.{}", encode_base64url(header), encode_base64url(payload));
    let secret = SIGNING_KEY.split_once('.').and_then(|(_, secret)| decode_base64url(secret));
    let secret = secret.expect("SIGNING_KEY is well-formed");
    let mut mac = Hmac::<Sha512>::new_from_slice(&secret).expect("HMAC takes keys of any length");
    mac.update(signed.as_bytes());
    format!("{signed}.{}", encode_base64url(mac.finalize().into_bytes()))
}

fn check_all(token: &str) {
    check::<SessionClaims>(token);
    check::<ChannelClaims>(token);
    check::<BackendClaims>(token);
}

fn check<C: Claims>(token: &str) {
    let Ok(claims) = verify::<C>(token, keyring(), UnixSeconds(NOW)) else { return };
    assert!(token.len() <= limits::MAX_TOKEN, "the token is longer than the limit");
    assert_eq!(claims.app(), APP, "the token is that of another app");
    assert_eq!(claims.audience(), C::AUDIENCE, "the token is of another kind");
    let (from, until) = (claims.issued_at().0, claims.expires_at().0);
    assert!(until > NOW && from <= NOW + limits::CLOCK_SKEW, "the token is not valid now");
    assert!(until - from <= C::MAX_LIFETIME, "the lifetime of the token is longer than the limit");
    let parts: Vec<&str> = token.split('.').collect();
    let header = decode_base64url(parts[0]).expect("the token was verified");
    let again = sign(&header, &decode_base64url(parts[1]).expect("the token was verified"));
    assert_eq!(again, token, "the token has a second encoding that verifies");
}
