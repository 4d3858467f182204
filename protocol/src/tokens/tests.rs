//! Tests of tokens: signing, verification and the strictness of the reader.

use super::*;
use crate::{Scope, UnixSeconds, base64url, limits};
use alloc::{borrow::ToOwned, format, string::String, vec};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Sha256, Sha512};

const NOW: UnixSeconds = UnixSeconds(1_800_000_000);

fn key(id: &str) -> SigningKey {
    SigningKey::new(id, vec![7; limits::MIN_SIGNING_SECRET]).unwrap()
}

fn keyring() -> Keyring {
    let mut keyring = Keyring::default();
    keyring.insert("app", key("k1")).unwrap();
    keyring.insert("app", SigningKey::new("k2", vec![8; 64]).unwrap()).unwrap();
    keyring.insert("other", SigningKey::new("k3", vec![9; 64]).unwrap()).unwrap();
    keyring
}

fn session(lifetime: u64) -> SessionClaims {
    let mut context = Scope::default();
    context.insert("issue", "10001").unwrap();
    let times = (NOW, UnixSeconds(NOW.0 + lifetime));
    SessionClaims::new("app".into(), "site".into(), "account".into(), context, Permissions::ALL, times)
}

fn verify_at<C: Claims>(token: &str, seconds: u64) -> Result<C, TokenError> {
    verify(token, &keyring(), UnixSeconds(seconds))
}

/// A token with any header and payload and a valid signature of key `k1`.
fn forge(header: &str, payload: &str) -> String {
    let signed = format!("{}.{}", base64url::encode(header), base64url::encode(payload));
    let mut mac = Hmac::<Sha512>::new_from_slice(&[7; limits::MIN_SIGNING_SECRET]).unwrap();
    mac.update(signed.as_bytes());
    format!("{signed}.{}", base64url::encode(mac.finalize().into_bytes()))
}

fn refusal(header: &str, payload: &str) -> TokenError {
    verify_at::<SessionClaims>(&forge(header, payload), NOW.0).unwrap_err()
}

const HEADER: &str = r#"{"alg":"HS512","kid":"k1"}"#;

fn payload(changes: &[(&str, &str)]) -> String {
    let fields = [
        ("aud", r#""sealwire:session""#),
        ("iss", r#""app""#),
        ("sub", r#""account""#),
        ("ins", r#""site""#),
        ("ctx", r#"{"issue":"1"}"#),
        ("can", r#"["subscribe"]"#),
        ("iat", "1800000000"),
        ("exp", "1800000900"),
    ];
    let mut json = vec![];
    for (name, value) in fields {
        let value = changes.iter().find(|(changed, _)| *changed == name).map_or(value, |(_, value)| value);
        if !value.is_empty() {
            json.push(format!("\"{name}\":{value}"));
        }
    }
    let extra = changes.iter().filter(|(name, _)| fields.iter().all(|(known, _)| known != name));
    json.extend(extra.map(|(name, value)| format!("\"{name}\":{value}")));
    format!("{{{}}}", json.join(","))
}

#[test]
fn a_token_verifies_with_each_key_of_its_app() {
    for id in ["k1", "k2"] {
        let ring = keyring();
        let token = sign(&session(900), ring.find(id).unwrap().1).unwrap();
        assert_eq!(verify_at::<SessionClaims>(&token, NOW.0), Ok(session(900)));
    }
}

#[test]
fn a_token_expires_at_its_exp_and_clock_skew_delays_its_iat() {
    let token = sign(&session(900), &key("k1")).unwrap();
    assert!(verify_at::<SessionClaims>(&token, NOW.0 + 899).is_ok());
    assert_eq!(verify_at::<SessionClaims>(&token, NOW.0 + 900), Err(TokenError::Expired));
    assert!(verify_at::<SessionClaims>(&token, NOW.0 - limits::CLOCK_SKEW).is_ok());
    let early = verify_at::<SessionClaims>(&token, NOW.0 - limits::CLOCK_SKEW - 1);
    assert_eq!(early, Err(TokenError::NotYetValid));
}

#[test]
fn lifetimes_outside_the_limit_are_neither_signed_nor_accepted() {
    for lifetime in [0, limits::MAX_TOKEN_LIFETIME + 1] {
        assert_eq!(sign(&session(lifetime), &key("k1")), Err(TokenError::Lifetime));
    }
    let day = UnixSeconds(NOW.0 + limits::MAX_TOKEN_LIFETIME + 1);
    assert_eq!(refusal(HEADER, &payload(&[("exp", &format!("{}", day.0))])), TokenError::Lifetime);
    let times = (NOW, UnixSeconds(NOW.0 + limits::MAX_BACKEND_TOKEN_LIFETIME + 1));
    let backend = BackendClaims::new("app".into(), "site".into(), times);
    assert_eq!(sign(&backend, &key("k1")), Err(TokenError::Lifetime));
}

#[test]
fn only_hs512_is_accepted() {
    let signed = |alg: &str| format!(r#"{{"alg":"{alg}","kid":"k1"}}"#);
    for alg in ["none", "None", "HS256", "HS384", "RS512", "hs512", ""] {
        assert_eq!(refusal(&signed(alg), &payload(&[])), TokenError::Algorithm, "{alg}");
    }
    let unsigned = format!("{}.{}.", base64url::encode(r#"{"alg":"none"}"#), base64url::encode(payload(&[])));
    assert_eq!(verify_at::<SessionClaims>(&unsigned, NOW.0), Err(TokenError::Algorithm));

    let head = format!("{}.{}", base64url::encode(HEADER), base64url::encode(payload(&[])));
    let mut mac = Hmac::<Sha256>::new_from_slice(&[7; limits::MIN_SIGNING_SECRET]).unwrap();
    mac.update(head.as_bytes());
    let hs256 = format!("{head}.{}", base64url::encode(mac.finalize().into_bytes()));
    assert_eq!(verify_at::<SessionClaims>(&hs256, NOW.0), Err(TokenError::Signature));
    let empty = format!("{head}.");
    assert_eq!(verify_at::<SessionClaims>(&empty, NOW.0), Err(TokenError::Signature));
}

#[test]
fn a_token_of_another_key_or_app_is_refused() {
    let stranger = SigningKey::new("k1", vec![1; 64]).unwrap();
    let token = sign(&session(900), &stranger).unwrap();
    assert_eq!(verify_at::<SessionClaims>(&token, NOW.0), Err(TokenError::Signature));
    let token = sign(&session(900), &key("unknown")).unwrap();
    assert_eq!(verify_at::<SessionClaims>(&token, NOW.0), Err(TokenError::UnknownKey));
    let token = sign(&session(900), keyring().find("k3").unwrap().1).unwrap();
    assert_eq!(verify_at::<SessionClaims>(&token, NOW.0), Err(TokenError::App));
}

#[test]
fn a_token_of_another_kind_is_refused() {
    let times = (NOW, UnixSeconds(NOW.0 + 60));
    let token = sign(&BackendClaims::new("app".into(), "site".into(), times), &key("k1")).unwrap();
    assert_eq!(verify_at::<SessionClaims>(&token, NOW.0), Err(TokenError::Audience));
    assert_eq!(verify_at::<ChannelClaims>(&token, NOW.0), Err(TokenError::Audience));
    assert!(verify_at::<BackendClaims>(&token, NOW.0).is_ok());
}

#[test]
fn claims_that_are_missing_mistyped_repeated_or_too_long_are_malformed() {
    let long = format!("\"{}\"", "x".repeat(limits::MAX_INSTALLATION + 1));
    let properties = |count| {
        let pairs: vec::Vec<_> = (0..count).map(|n| format!("\"p{n}\":\"1\"")).collect();
        format!("{{{}}}", pairs.join(","))
    };
    let most = payload(&[("ctx", &properties(limits::MAX_PROPERTIES))]);
    assert!(verify_at::<SessionClaims>(&forge(HEADER, &most), NOW.0).is_ok());
    for (name, value) in [
        ("aud", ""),
        ("iss", ""),
        ("sub", ""),
        ("sub", r#""""#),
        ("ins", ""),
        ("ins", &long),
        ("ctx", r#"{"issue":1}"#),
        ("ctx", r#"{"issue":"1","issue":"2"}"#),
        ("ctx", &properties(limits::MAX_PROPERTIES + 1)),
        ("can", r#"["admin"]"#),
        ("can", r#"["publish","publish"]"#),
        ("iat", "-1"),
        ("iat", "1e400"),
        ("exp", r#""1800000900""#),
        ("exp", "1800000900.5"),
        ("exp", "99999999999999999999999999"),
    ] {
        assert_eq!(refusal(HEADER, &payload(&[(name, value)])), TokenError::Malformed, "{name}: {value}");
    }
    let repeated = payload(&[]).replace(r#""sub":"#, r#""sub":"x","sub":"#);
    assert_eq!(refusal(HEADER, &repeated), TokenError::Malformed);
    assert_eq!(refusal(r#"{"alg":"HS512"}"#, &payload(&[])), TokenError::Malformed);
    assert_eq!(refusal(r#"{"alg":"HS512","kid":"k1","crit":["x"]}"#, &payload(&[])), TokenError::Malformed);
    assert_eq!(refusal(r#"{"alg":"HS512","kid":"k1","typ":"JWE"}"#, &payload(&[])), TokenError::Malformed);
    assert_eq!(refusal(HEADER, &payload(&[("nbf", "1800000899")])), TokenError::NotYetValid);
    assert_eq!(refusal(HEADER, "[".repeat(2000).as_str()), TokenError::Malformed);
}

#[test]
fn texts_that_are_not_tokens_are_malformed() {
    let good = sign(&session(900), &key("k1")).unwrap();
    let padded = format!("{good}=");
    let four = format!("{good}.x");
    let huge = format!("{good}{}", "A".repeat(limits::MAX_TOKEN));
    for text in ["", ".", "..", "...", "a.b.c", "ä.ö.ü", &padded, &four, &huge, &good[1..]] {
        assert_eq!(verify_at::<SessionClaims>(text, NOW.0), Err(TokenError::Malformed), "{text}");
    }
}

#[test]
fn every_changed_byte_of_a_token_is_detected() {
    let good = sign(&session(900), &key("k1")).unwrap();
    for index in 0..good.len() {
        let mut changed = good.clone().into_bytes();
        changed[index] = if changed[index] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(changed).unwrap();
        assert!(verify_at::<SessionClaims>(&changed, NOW.0).is_err(), "byte {index}");
    }
}

#[test]
fn signing_keys_are_parsed_strictly() {
    let secret = base64url::encode([7; 64]);
    assert!(SigningKey::parse(&format!("k1.{secret}\n")).is_ok());
    let parse = |text: &str| SigningKey::parse(text).unwrap_err();
    assert_eq!(parse("k1"), InvalidSigningKey::Format);
    assert_eq!(parse(&format!("k1.{secret}==")), InvalidSigningKey::Format);
    assert_eq!(parse(&format!(".{secret}")), InvalidSigningKey::Id);
    assert_eq!(parse(&format!("k 1.{secret}")), InvalidSigningKey::Id);
    assert_eq!(parse(&format!("k1.{}", base64url::encode([7; 63]))), InvalidSigningKey::Length(63));
    let mut ring = keyring();
    assert_eq!(ring.insert("other", key("k1")), Err(InvalidSigningKey::Repeated("k1".to_owned())));
}

#[test]
fn debug_output_shows_no_secret() {
    let ring = keyring();
    assert!(!format!("{ring:?}").contains("7, 7"));
    assert!(!format!("{:?}", session(900)).contains("account"));
}

#[cfg(feature = "sealing")]
#[test]
fn a_client_reads_tag_and_expiry_of_a_token_in_any_json_layout() {
    let tag = base64url::encode([7; 32]);
    let read = |payload: &str| {
        let token = format!("header.{}.signature", base64url::encode(payload));
        read_unverified(&token).map(|claims| (claims.tag, claims.expires_at.0))
    };
    for payload in [
        format!(r#"{{"tag":"{tag}","exp":5}}"#),
        format!("{{ \"exp\" : 5 ,\n \"tag\"\t:\r\n\"{tag}\" }}"),
        format!(r#"{{"ch":"\"exp\":9,\"tag\":\"x\"","exp":5,"tag":"{tag}"}}"#),
    ] {
        assert_eq!(read(&payload), Ok(([7; 32], 5)), "{payload}");
    }
    for payload in [
        format!(r#"{{"tag":"{tag}"}}"#),
        r#"{"exp":5}"#.to_owned(),
        format!(r#"{{"tag":"{tag}=","exp":5}}"#),
        format!(r#"{{"tag":{tag},"exp":5}}"#),
        format!(r#"{{"tag":"{tag}","exp":"5"}}"#),
        format!(r#"{{"tag":"{tag}","exp":-5}}"#),
        format!(r#"{{"tag":"{tag}","exp":99999999999999999999}}"#),
        format!(r#"{{"tag":"{tag}","exp":5"#),
        format!(r#"{{"tag""{tag}","exp":5}}"#),
        r#"{"exp":5,"tag":"#.to_owned(),
    ] {
        assert_eq!(read(&payload), Err(TokenError::Malformed), "{payload}");
    }
}
