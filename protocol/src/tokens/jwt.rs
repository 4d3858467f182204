//! The compact JWS form (RFC 7515, RFC 7519), for HS512 only.
//!
//! This is not a JWT crate for two reasons: a single algorithm rules out algorithm confusion, and the rules for headers
//! and repeated keys are stricter than those of the crates, in less code for the browser.

use super::{Claims, Keyring, SigningKey, TokenError};
use crate::{UnixSeconds, base64url, limits};
use alloc::{borrow::Cow, format, string::String, vec::Vec};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::{Deserialize, Serialize, de::IgnoredAny};
use sha2::Sha512;

const ALGORITHM: &str = "HS512";

#[derive(Serialize, Deserialize)]
struct Header<'a> {
    #[serde(borrow)]
    alg: Cow<'a, str>,
    #[serde(borrow)]
    kid: Cow<'a, str>,
    #[serde(borrow, default)]
    typ: Option<Cow<'a, str>>,
    /// Critical extensions (RFC 7515 section 4.1.11), all of which are refused.
    #[serde(default, skip_serializing)]
    crit: Option<IgnoredAny>,
}

/// Only `alg`, so that a token without `kid` and with another algorithm is refused for its algorithm.
#[derive(Deserialize)]
struct Algorithm<'a> {
    #[serde(borrow)]
    alg: Cow<'a, str>,
}

/// Signs a token.
///
/// # Errors
/// [`TokenError::Lifetime`] or [`TokenError::Malformed`] if a relay would refuse the claims.
pub fn sign<C: Claims>(claims: &C, key: &SigningKey) -> Result<String, TokenError> {
    check_lifetime(claims)?;
    check_claims(claims)?;
    let header = Header { alg: ALGORITHM.into(), kid: key.id().into(), typ: Some("JWT".into()), crit: None };
    let mut token = format!("{}.{}", encode_json(&header), encode_json(claims));
    let tag = mac(key, &token).finalize().into_bytes();
    token.push('.');
    token.push_str(&base64url::encode(tag));
    if token.len() > limits::MAX_TOKEN { Err(TokenError::Malformed) } else { Ok(token) }
}

/// Verifies a token: form, algorithm, key, signature, kind, app, times and the limits of its claims.
///
/// Until the signature is verified, nothing of the token is used except its header.
///
/// # Errors
/// [`TokenError`] for the first check that fails.
pub fn verify<C: Claims>(token: &str, keyring: &Keyring, now: UnixSeconds) -> Result<C, TokenError> {
    verify_with_signer(token, keyring, now).map(|(claims, _)| claims)
}

/// Like [`verify`], and also returns the key that signed the token.
///
/// # Errors
/// [`TokenError`] for the first check that fails.
pub fn verify_with_signer<'k, C: Claims>(
    token: &str,
    keyring: &'k Keyring,
    now: UnixSeconds,
) -> Result<(C, &'k SigningKey), TokenError> {
    if token.len() > limits::MAX_TOKEN {
        return Err(TokenError::Malformed);
    }
    let (signed, tag) = token.rsplit_once('.').ok_or(TokenError::Malformed)?;
    let (header, payload) = signed.split_once('.').ok_or(TokenError::Malformed)?;
    let header = decode(header)?;
    if parse::<Algorithm<'_>>(&header)?.alg != ALGORITHM {
        return Err(TokenError::Algorithm);
    }
    let header: Header<'_> = parse(&header)?;
    if header.crit.is_some() || header.typ.is_some_and(|typ| !typ.eq_ignore_ascii_case("JWT")) {
        return Err(TokenError::Malformed);
    }
    let (app, key) = keyring.find(&header.kid).ok_or(TokenError::UnknownKey)?;
    // The comparison takes constant time.
    mac(key, signed).verify_slice(&decode(tag)?).map_err(|_| TokenError::Signature)?;

    let payload = decode(payload)?;
    if parse::<Audience<'_>>(&payload)?.aud != C::AUDIENCE {
        return Err(TokenError::Audience);
    }
    let claims: C = parse(&payload)?;
    if claims.app() != app {
        return Err(TokenError::App);
    }
    if now >= claims.expires_at() {
        return Err(TokenError::Expired);
    }
    let valid_from = parse::<NotBefore>(&payload)?.nbf.unwrap_or(claims.issued_at()).max(claims.issued_at());
    if valid_from.0 > now.0.saturating_add(limits::CLOCK_SKEW) {
        return Err(TokenError::NotYetValid);
    }
    check_lifetime(&claims)?;
    check_claims(&claims)?;
    Ok((claims, key))
}

/// Only `aud`, so that a token of another kind is refused for its kind and not for a missing claim.
#[derive(Deserialize)]
struct Audience<'a> {
    #[serde(borrow)]
    aud: Cow<'a, str>,
}

#[derive(Deserialize)]
struct NotBefore {
    #[serde(default)]
    nbf: Option<UnixSeconds>,
}

fn check_lifetime<C: Claims>(claims: &C) -> Result<(), TokenError> {
    match claims.expires_at().0.checked_sub(claims.issued_at().0) {
        Some(lifetime) if (1..=C::MAX_LIFETIME).contains(&lifetime) => Ok(()),
        _ => Err(TokenError::Lifetime),
    }
}

fn check_claims<C: Claims>(claims: &C) -> Result<(), TokenError> {
    let sized = |text: &str, max: usize| (1..=max).contains(&text.len());
    if !sized(claims.app(), limits::MAX_APP) || !sized(claims.installation(), limits::MAX_INSTALLATION) {
        return Err(TokenError::Malformed);
    }
    claims.check()
}

fn mac(key: &SigningKey, signed: &str) -> Hmac<Sha512> {
    let mut mac = Hmac::<Sha512>::new_from_slice(key.secret()).expect("HMAC takes keys of any length");
    mac.update(signed.as_bytes());
    mac
}

fn encode_json(value: &impl Serialize) -> String {
    base64url::encode(serde_json::to_vec(value).expect("claims and headers have string keys only"))
}

pub(super) fn decode(part: &str) -> Result<Vec<u8>, TokenError> {
    base64url::decode(part).ok_or(TokenError::Malformed)
}

pub(super) fn parse<'a, T: Deserialize<'a>>(json: &'a [u8]) -> Result<T, TokenError> {
    serde_json::from_slice(json).map_err(|_| TokenError::Malformed)
}
