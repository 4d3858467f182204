//! Forged and invalid tokens.

use super::{App, now};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sealwire_protocol::{Code, encode_base64url};
use serde_json::{Value, json};
use sha2::Sha512;

/// Signs any header and claims with the secret of the app's key.
pub fn forge(app: &App, header: &Value, claims: &Value) -> String {
    let secret = sealwire_protocol::decode_base64url(app.key_text.split_once('.').unwrap().1).unwrap();
    let signed = format!("{}.{}", encode_base64url(header.to_string()), encode_base64url(claims.to_string()));
    let mut mac = Hmac::<Sha512>::new_from_slice(&secret).unwrap();
    mac.update(signed.as_bytes());
    format!("{signed}.{}", encode_base64url(mac.finalize().into_bytes()))
}

/// Returns the claims of a session token that is valid at `now`.
fn claims(app: &App, now: u64) -> Value {
    let claims = app.claims("mallory", sealwire_protocol::tokens::Permissions::ALL, (now - 5, now + 600));
    serde_json::to_value(claims).unwrap()
}

/// Returns every kind of session token that is invalid at `at`, with its name and the code of the refusal.
pub fn bad_session_tokens(at: u64) -> Vec<(&'static str, String, Code)> {
    let app = App::one();
    let header = json!({ "alg": "HS512", "kid": "one", "typ": "JWT" });
    let with = |changes: Value| {
        let mut claims = claims(&app, at);
        claims.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        claims
    };
    let sign = |changes| forge(&app, &header, &with(changes));
    let algorithm = |name: &str| forge(&app, &json!({ "alg": name, "kid": "one" }), &claims(&app, at));
    let good = sign(json!({}));
    let unsigned = good.rsplit_once('.').unwrap().0;
    let other_secret = App::new(&app.id, "one", 9);
    let other_kid = json!({ "alg": "HS512", "kid": "nobody" });
    vec![
        ("expired", sign(json!({ "exp": at })), Code::TokenExpired),
        ("not yet valid", sign(json!({ "iat": at + 120, "exp": at + 240 })), Code::TokenNotYetValid),
        ("another key", forge(&other_secret, &header, &claims(&app, at)), Code::TokenSignature),
        (
            "alg none",
            format!(
                "{}.",
                forge(&app, &json!({ "alg": "none", "kid": "one" }), &claims(&app, at))
                    .rsplit_once('.')
                    .unwrap()
                    .0
            ),
            Code::TokenAlgorithm,
        ),
        ("alg HS256", algorithm("HS256"), Code::TokenAlgorithm),
        ("alg RS512", algorithm("RS512"), Code::TokenAlgorithm),
        ("unknown kid", forge(&app, &other_kid, &claims(&app, at)), Code::TokenUnknownKey),
        ("another app's", sign(json!({ "iss": "ari:cloud:ecosystem::app/two" })), Code::TokenApp),
        ("25 hours", sign(json!({ "iat": at - 5, "exp": at + 25 * 3600 })), Code::TokenLifetime),
        ("no end", sign(json!({ "exp": null })), Code::TokenMalformed),
        ("of another kind", sign(json!({ "aud": "sealwire:backend" })), Code::TokenAudience),
        ("no signature", format!("{unsigned}."), Code::TokenSignature),
        ("cut off", good[..good.len() - 2].to_owned(), Code::TokenSignature),
        ("payload altered", good.replacen('.', ".A", 1), Code::TokenSignature),
        ("empty", String::new(), Code::TokenMalformed),
        ("no JWT", "not.a.token".into(), Code::TokenMalformed),
        ("longer than allowed", "a".repeat(9000), Code::TokenMalformed),
        ("a context past the limits", sign(json!({ "ctx": { "a b": "1" } })), Code::TokenMalformed),
        ("an unknown permission", sign(json!({ "can": ["admin"] })), Code::TokenMalformed),
    ]
}

/// Like [`bad_session_tokens`], at the current time.
pub fn bad_session_tokens_now() -> Vec<(&'static str, String, Code)> {
    bad_session_tokens(now())
}
