//! Tokens of each kind, and tokens that a relay refuses.

use super::{APP, NOW, SITE, counting, scope};
use sealwire_protocol::{
    UnixSeconds, encode_base64url, limits,
    tokens::{BackendClaims, ChannelClaims, Claims, Permissions, SessionClaims, SigningKey, sign},
};
use sealwire_vectors::{AppKey, TokenCase, TokenVectors};
use serde_json::Value;

pub(super) fn tokens() -> TokenVectors {
    let keys = [
        (APP, format!("2026-11.{}", encode_base64url(counting::<64>(0)))),
        (APP, format!("2026-10.{}", encode_base64url(counting::<80>(64)))),
        ("other-app", format!("other.{}", encode_base64url(counting::<64>(9)))),
    ];
    let signing_keys =
        [0, 1, 2].map(|index: usize| SigningKey::parse(&keys[index].1).expect("the keys are well-formed"));
    let mut cases = accepted(&signing_keys);
    cases.extend(refused(&signing_keys));
    let keys = keys.map(|(app, signing_key)| AppKey { app: app.into(), signing_key }).into();
    TokenVectors { keys, cases }
}

/// Tokens that a relay accepts, under either key of the app.
fn accepted([key, old_key, _]: &[SigningKey; 3]) -> Vec<TokenCase> {
    let (session, channel, backend) = (session(), channel(), backend());
    let token = signed(&session, key);
    let case = |what: &str, kind: &str, now: u64, token: &str, claims: Value| TokenCase {
        what: what.into(),
        kind: kind.into(),
        now,
        token: token.into(),
        claims: Some(claims),
        refused: None,
    };
    vec![
        case("a session token", "session", NOW, &token, json(&session)),
        case("a channel token", "channel", NOW, &signed(&channel, key), json(&channel)),
        case("a backend token", "backend", NOW, &signed(&backend, key), json(&backend)),
        case("the app's other key", "session", NOW, &signed(&session, old_key), json(&session)),
        case("its last second", "session", NOW + 899, &token, json(&session)),
    ]
}

/// Session tokens that a relay refuses, with the name of the code.
fn refused([key, _, other_key]: &[SigningKey; 3]) -> Vec<TokenCase> {
    let token = signed(&session(), key);
    let backend = signed(&backend(), key);
    let of_other_app = signed(&session(), other_key);
    let unsigned = |header: &str| {
        let payload = token.split('.').nth(1).unwrap_or_default();
        format!("{}.{payload}.", encode_base64url(header))
    };
    let case = |what: &str, now: u64, token: &str, code: &str| TokenCase {
        what: what.into(),
        kind: "session".into(),
        now,
        token: token.into(),
        claims: None,
        refused: Some(code.into()),
    };
    vec![
        case("expired", NOW + 900, &token, "TOKEN_EXPIRED"),
        case("not yet valid", NOW - 61, &token, "TOKEN_NOT_YET_VALID"),
        case("another kind", NOW, &backend, "TOKEN_AUDIENCE"),
        case("another app's key", NOW, &of_other_app, "TOKEN_APP"),
        case("alg none", NOW, &unsigned(r#"{"alg":"none"}"#), "TOKEN_ALGORITHM"),
        case("HS256", NOW, &unsigned(r#"{"alg":"HS256","kid":"2026-11"}"#), "TOKEN_ALGORITHM"),
        case("unknown kid", NOW, &unsigned(r#"{"alg":"HS512","kid":"x"}"#), "TOKEN_UNKNOWN_KEY"),
        case("no signature", NOW, &unsigned(r#"{"alg":"HS512","kid":"2026-11"}"#), "TOKEN_SIGNATURE"),
        case("no token", NOW, "", "TOKEN_MALFORMED"),
    ]
}

fn session() -> SessionClaims {
    let context = scope(&[("dashboard", "10001"), ("gadget", "10100"), ("module", "absences-gadget")]);
    let account = "712020:abc".into();
    SessionClaims::new(APP.into(), SITE.into(), account, context, Permissions::MESSAGES, times(900))
}

fn channel() -> ChannelClaims {
    let subscribe = Permissions { subscribe: true, publish: false, presence: false };
    ChannelClaims::new(APP.into(), SITE.into(), "chat".into(), counting(0), subscribe, times(86_400))
}

fn backend() -> BackendClaims {
    BackendClaims::new(APP.into(), SITE.into(), times(limits::MAX_BACKEND_TOKEN_LIFETIME))
}

fn times(lifetime: u64) -> (UnixSeconds, UnixSeconds) {
    (UnixSeconds(NOW), UnixSeconds(NOW + lifetime))
}

fn signed<C: Claims>(claims: &C, key: &SigningKey) -> String {
    sign(claims, key).map_err(|error| error.to_string()).expect("the claims are within the limits")
}

fn json(claims: &impl serde::Serialize) -> Value {
    serde_json::to_value(claims).expect("claims are JSON")
}
