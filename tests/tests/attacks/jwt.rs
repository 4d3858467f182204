//! Tokens.

use crate::{
    case::{Case, case},
    forged::{header, kid, seal, seal_256, seal_384, sign, unsigned},
    target::{Target, now},
};
use sealwire_protocol::{Code, limits};
use serde_json::json;

pub(crate) const CASES: &[Case] = &[
    case("jwt-alg-none", |target| {
        for name in ["none", "None", "NONE", "nOnE"] {
            let text = unsigned(
                format!(r#"{{"alg":"{name}","kid":"x"}}"#),
                target.claims_with(json!({})).to_string(),
            );
            target.must_refuse(&format!("{text}."), &[Code::TokenAlgorithm]);
            target.must_refuse(&seal(&target.victim.signing_key, text), &[Code::TokenAlgorithm]);
        }
    }),
    case("jwt-alg-hs256", |target| {
        target.must_refuse(
            &seal_256(&target.victim.signing_key, with_alg(target, "HS256")),
            &[Code::TokenAlgorithm],
        );
        // The name of the one that is accepted, the strength of the other.
        target.must_refuse(
            &seal_256(&target.victim.signing_key, with_alg(target, "HS512")),
            &[Code::TokenSignature],
        );
    }),
    case("jwt-alg-hs384", |target| {
        target.must_refuse(
            &seal_384(&target.victim.signing_key, with_alg(target, "HS384")),
            &[Code::TokenAlgorithm],
        );
        target.must_refuse(
            &seal_384(&target.victim.signing_key, with_alg(target, "HS512")),
            &[Code::TokenSignature],
        );
    }),
    case("jwt-alg-public-key", |target| {
        for name in ["RS256", "RS512", "PS512", "ES256", "ES512", "EdDSA"] {
            target.must_refuse(
                &seal(&target.victim.signing_key, with_alg(target, name)),
                &[Code::TokenAlgorithm],
            );
        }
    }),
    case("jwt-alg-spelling", |target| {
        for name in ["hs512", "HS512 ", "HS512\\u0000", "HS-512", "", "dir", "A256KW"] {
            target.must_refuse(
                &seal(&target.victim.signing_key, with_alg(target, name)),
                &[Code::TokenAlgorithm],
            );
        }
    }),
    case("jwt-alg-missing", |target| with_header(target, &format!(r#"{{"kid":"{}"}}"#, kid(&target.victim)))),
    case("jwt-alg-twice", |target| {
        for (one, other) in [("none", "HS512"), ("HS512", "none"), ("HS512", "HS512")] {
            with_header(
                target,
                &format!(r#"{{"alg":"{one}","alg":"{other}","kid":"{}"}}"#, kid(&target.victim)),
            );
        }
    }),
    case("jwt-alg-wrong-type", |target| {
        for alg in ["512", "null", "[\"HS512\"]", "{\"HS512\":1}", "true"] {
            with_header(target, &format!(r#"{{"alg":{alg},"kid":"{}"}}"#, kid(&target.victim)));
        }
    }),
    case("jwt-kid-missing", |target| with_header(target, r#"{"alg":"HS512"}"#)),
    case("jwt-kid-unknown", |target| {
        for kid in [
            "",
            "nobody",
            "*",
            "%00",
            &kid(&target.victim).to_uppercase(),
            &format!("{} ", kid(&target.victim)),
        ] {
            let header = format!(r#"{{"alg":"HS512","kid":"{kid}"}}"#);
            target.must_refuse(&good_claims(target, &header), &[Code::TokenUnknownKey]);
        }
    }),
    case("jwt-kid-path", |target| {
        for kid in [
            "../../../../dev/null",
            "/dev/null",
            "/proc/self/environ",
            "file:///dev/null",
            "http://127.0.0.1/key",
        ] {
            let text = unsigned(
                format!(r#"{{"alg":"HS512","kid":"{kid}"}}"#),
                target.claims_with(json!({})).to_string(),
            );
            // Signed with what such a file would give: nothing.
            target.must_refuse(&seal("empty.", text), &[Code::TokenUnknownKey]);
        }
    }),
    case("jwt-kid-injection", |target| {
        for kid in [
            "' OR 1=1 --",
            "x' UNION SELECT 'key",
            "$(id)",
            "${jndi:ldap://127.0.0.1/a}",
            "<script>",
            "a\\nb",
        ] {
            let header = format!(r#"{{"alg":"HS512","kid":"{kid}"}}"#);
            target.must_refuse(&good_claims(target, &header), &[Code::TokenUnknownKey]);
        }
    }),
    case("jwt-kid-huge", |target| {
        let header = format!(r#"{{"alg":"HS512","kid":"{}"}}"#, "k".repeat(4000));
        target.must_refuse(&good_claims(target, &header), &[Code::TokenUnknownKey]);
    }),
    case("jwt-kid-twice", |target| {
        let (mine, theirs) = (kid(&target.victim), kid(&target.stranger));
        for (one, other) in [(mine, theirs), (theirs, mine), (mine, mine)] {
            with_header(target, &format!(r#"{{"alg":"HS512","kid":"{one}","kid":"{other}"}}"#));
        }
    }),
    case("jwt-kid-wrong-type", |target| {
        for kid in ["1", "null", "[]", "{}", "false"] {
            with_header(target, &format!(r#"{{"alg":"HS512","kid":{kid}}}"#));
        }
    }),
    case("jwt-kid-of-another-app", |target| {
        // A whole token of the other app that names the victim: right key for its kid, wrong app.
        let claims = target.claims_with(json!({})).to_string();
        let token = sign(&target.stranger.signing_key, header(&target.stranger), &claims);
        target.must_refuse(&token, &[Code::TokenApp]);
        // The other app's key under the victim's kid.
        let token = sign(&target.stranger.signing_key, header(&target.victim), &claims);
        target.must_refuse(&token, &[Code::TokenSignature]);
    }),
    case("jwt-header-brings-its-key", |target| {
        let mine = "mine.AAAA";
        for extra in [
            r#""jwk":{"kty":"oct","k":"AAAA","alg":"HS512"}"#,
            r#""jku":"http://127.0.0.1:1/keys""#,
            r#""x5u":"http://127.0.0.1:1/cert""#,
            r#""x5c":["AAAA"]"#,
        ] {
            let header = format!(r#"{{"alg":"HS512","kid":"{}",{extra}}}"#, kid(&target.victim));
            let token = sign(mine, header, target.claims_with(json!({})).to_string());
            target.must_refuse(&token, &[Code::TokenSignature]);
        }
    }),
    case("jwt-header-crit", |target| {
        for extra in [r#""crit":["b64"],"b64":false"#, r#""crit":[]"#, r#""crit":["exp"]"#] {
            with_header(target, &format!(r#"{{"alg":"HS512","kid":"{}",{extra}}}"#, kid(&target.victim)));
        }
    }),
    case("jwt-header-other-type", |target| {
        for typ in ["\"JWE\"", "\"at+jwt\"", "1"] {
            with_header(target, &format!(r#"{{"alg":"HS512","kid":"{}","typ":{typ}}}"#, kid(&target.victim)));
        }
    }),
    case("jwt-header-no-object", |target| {
        for header in ["", "null", "[]", "\"HS512\"", "{", "{}x", "\u{feff}{}"] {
            with_header(target, header);
        }
    }),
    case("jwt-header-nested", |target| {
        let deep = format!("{}{}", "[".repeat(1900), "]".repeat(1900));
        let header = format!(r#"{{"alg":"HS512","kid":"{}","x":{deep}}}"#, kid(&target.victim));
        let token = format!("{}.AAAA", unsigned(header, "{}"));
        target.must_refuse(&token, &[Code::TokenSignature, Code::TokenMalformed]);
    }),
    case("jwt-claim-wrong-type", |target| {
        for claim in ["aud", "iss", "ins", "sub", "ctx", "can", "iat", "exp"] {
            for value in [json!(1.5), json!(true), json!([["x"]]), json!({ "a": 1 }), json!("")] {
                target.must_find_malformed_or_foreign(&target.token_with(json!({ claim: value })));
            }
        }
    }),
    case("jwt-claim-missing", |target| {
        for claim in ["aud", "iss", "ins", "sub", "ctx", "can", "iat", "exp"] {
            target.must_find_malformed(&target.token_with(json!({ claim: null })));
        }
    }),
    case("jwt-claim-twice", |target| {
        let good = target.claims_with(json!({})).to_string();
        for extra in [
            format!(r#""exp":{}"#, now() + 9000),
            format!(r#""iss":"{}""#, target.stranger.app),
            r#""sub":"admin""#.to_owned(),
            r#""ctx":{}"#.to_owned(),
            r#""aud":"sealwire:session""#.to_owned(),
        ] {
            signed_claims(target, &good.replacen('{', &format!("{{{extra},"), 1));
        }
        signed_claims(target, &good.replacen("\"ctx\":{", "\"ctx\":{\"dashboard\":\"10002\",", 1));
    }),
    case("jwt-claim-huge-number", |target| {
        for number in ["1e400", "99999999999999999999", "18446744073709551616", "1e10", &"9".repeat(2000)] {
            let claims = target.claims_with(json!({ "exp": "EXP" })).to_string();
            signed_claims(target, &claims.replace("\"EXP\"", number));
        }
    }),
    case("jwt-claim-float", |target| {
        for claim in ["iat", "exp"] {
            target.must_find_malformed(&target.token_with(json!({ claim: now() as f64 + 100.5 })));
        }
        let claims = target.claims_with(json!({ "exp": "EXP" })).to_string();
        signed_claims(target, &claims.replace("\"EXP\"", &format!("{}.0", now() + 100)));
    }),
    case("jwt-claim-negative", |target| {
        for claim in ["iat", "exp"] {
            target.must_find_malformed(&target.token_with(json!({ claim: -1 })));
        }
        let claims = target.claims_with(json!({ "iat": "IAT" })).to_string();
        signed_claims(target, &claims.replace("\"IAT\"", "-0"));
    }),
    case("jwt-claim-nested", |target| {
        let deep = format!("{}{}", "{\"a\":".repeat(900), "1".to_owned() + &"}".repeat(900));
        let claims = target.claims_with(json!({ "ctx": "CTX" })).to_string();
        signed_claims(target, &claims.replace("\"CTX\"", &deep));
    }),
    case("jwt-claim-overlong", |target| {
        for (claim, max) in [("ins", limits::MAX_INSTALLATION), ("sub", limits::MAX_ACCOUNT)] {
            target.must_find_malformed(&target.token_with(json!({ claim: "a".repeat(max + 1) })));
            target.must_find_malformed(&target.token_with(json!({ claim: "" })));
        }
    }),
    case("jwt-context-past-limits", |target| {
        let many: serde_json::Map<_, _> = (0..17).map(|n| (format!("p{n}"), json!("1"))).collect();
        for context in [
            json!(many),
            json!({ "dashboard": "v".repeat(257) }),
            json!({ "dashboard": "" }),
            json!({ "": "1" }),
            json!({ "a b": "1" }),
            json!({ "a/../b": "1" }),
            json!({ "p".repeat(65): "1" }),
        ] {
            target.must_find_malformed(&target.token_with(json!({ "ctx": context })));
        }
    }),
    case("jwt-claims-not-utf-8", |target| {
        let claims = target
            .claims_with(json!({ "sub": "SUB" }))
            .to_string()
            .replace("SUB", "m\u{1}llory")
            .into_bytes();
        let claims: Vec<u8> = claims.into_iter().map(|byte| if byte == 1 { 0xff } else { byte }).collect();
        target.must_find_malformed(&sign(&target.victim.signing_key, header(&target.victim), claims));
    }),
    case("jwt-claims-trailing-data", |target| {
        let good = target.claims_with(json!({})).to_string();
        for claims in [
            format!("{good}{good}"),
            format!("{good}x"),
            format!("{good}\0"),
            format!("\u{feff}{good}"),
            format!("[{good}]"),
        ] {
            signed_claims(target, &claims);
        }
    }),
    case("jwt-base64-padding", |target| {
        let parts = good_parts(target);
        for index in 0..3 {
            for padding in ["=", "=="] {
                let mut parts = parts.clone();
                parts[index].push_str(padding);
                target.must_refuse(&parts.join("."), &[Code::TokenMalformed, Code::TokenSignature]);
            }
        }
        // Signed with the padding.
        let text = format!("{}=.{}", parts[0], parts[1]);
        target.must_find_malformed(&seal(&target.victim.signing_key, text));
    }),
    case("jwt-base64-other-alphabet", |target| {
        let token = (0..)
            .map(|n| target.token_with(json!({ "sub": format!("mallory{n}") })))
            .find(|token| token.rsplit_once('.').unwrap().1.contains(['-', '_']));
        let token = token.unwrap();
        let (signed, tag) = token.rsplit_once('.').unwrap();
        target.must_find_malformed(&format!("{signed}.{}", tag.replace('-', "+").replace('_', "/")));
    }),
    case("jwt-base64-stray-bits", |target| {
        // 64 bytes leave four bits of the last character unused.
        let good = target.token_with(json!({}));
        let (text, last) = good.split_at(good.len() - 1);
        let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let index = alphabet.find(last).unwrap();
        assert_eq!(index % 16, 0);
        for stray in [1, 7, 15] {
            target.must_find_malformed(&format!("{text}{}", &alphabet[index + stray..=index + stray]));
        }
    }),
    case("jwt-empty-parts", |target| {
        let parts = good_parts(target);
        for token in [
            String::new(),
            ".".into(),
            "..".into(),
            "...".into(),
            format!(".{}.{}", parts[1], parts[2]),
            format!("{}..{}", parts[0], parts[2]),
            parts[0].clone(),
            format!("{}.{}", parts[0], parts[1]),
        ] {
            target.must_refuse(&token, &[Code::TokenMalformed, Code::TokenSignature]);
        }
        target.must_refuse(&format!("{}.{}.", parts[0], parts[1]), &[Code::TokenSignature]);
    }),
    case("jwt-too-many-parts", |target| {
        let parts = good_parts(target);
        let good = parts.join(".");
        for token in
            [format!("{good}."), format!("{good}.{}", parts[2]), format!("{good}.{good}"), format!(".{good}")]
        {
            target.must_refuse(&token, &[Code::TokenMalformed, Code::TokenSignature]);
        }
        // Four parts, the last of which signs the first three.
        target.must_find_malformed(&seal(&target.victim.signing_key, format!("{}.{}.", parts[0], parts[1])));
    }),
    case("jwt-white-space", |target| {
        let good = target.token_with(json!({}));
        for token in [
            format!(" {good}"),
            format!("{good} "),
            format!("{good}\n"),
            format!("{good}\0"),
            good.replace('.', ". "),
        ] {
            target.must_refuse(&token, &[Code::TokenMalformed, Code::TokenSignature]);
        }
    }),
    case("jwt-expired", |target| {
        for exp in [now(), now() - 1, now() - 600, 0, 1] {
            target.must_refuse(&target.token_with(json!({ "exp": exp, "iat": 0 })), &[Code::TokenExpired]);
        }
    }),
    case("jwt-ends-before-it-starts", |target| {
        let token = target.token_with(json!({ "iat": now() + 50, "exp": now() + 40 }));
        target.must_refuse(&token, &[Code::TokenLifetime]);
        let token = target.token_with(json!({ "iat": now() + 50, "exp": now() + 50 }));
        target.must_refuse(&token, &[Code::TokenLifetime]);
    }),
    case("jwt-not-yet-valid", |target| {
        for changes in [
            json!({ "iat": now() + 120, "exp": now() + 600 }),
            json!({ "nbf": now() + 120 }),
            json!({ "iat": u64::MAX - 1, "exp": u64::MAX }),
        ] {
            target.must_refuse(&target.token_with(changes), &[Code::TokenNotYetValid]);
        }
    }),
    case("jwt-lives-too-long", |target| {
        for (iat, exp) in [(now() - 5, now() + 24 * 3600), (0, u64::MAX), (0, now() + 60), (1, 1 << 53)] {
            target.must_refuse(&target.token_with(json!({ "iat": iat, "exp": exp })), &[Code::TokenLifetime]);
        }
    }),
    case("jwt-of-another-kind", |target| {
        for aud in ["sealwire:backend", "sealwire:channel", "sealwire:session ", "SEALWIRE:SESSION", "*"] {
            target.must_refuse(&target.token_with(json!({ "aud": aud })), &[Code::TokenAudience]);
        }
        target.must_refuse(&target.victim.backend(), &[Code::TokenAudience]);
    }),
    case("jwt-audience-list", |target| {
        let both = json!(["sealwire:session", "sealwire:backend"]);
        target.must_find_malformed(&target.token_with(json!({ "aud": both })));
    }),
    case("jwt-permissions", |target| {
        for can in [
            json!(["admin"]),
            json!(["publish", "publish"]),
            json!("publish"),
            json!(["subscribe", "*"]),
            json!([null]),
        ] {
            target.must_find_malformed(&target.token_with(json!({ "can": can })));
        }
    }),
    case("jwt-signature-of-another-token", |target| {
        let (mine, theirs) = (good_parts(target), target.token_with(json!({ "sub": "alice" })));
        let theirs: Vec<&str> = theirs.split('.').collect();
        target.must_refuse(&format!("{}.{}.{}", mine[0], theirs[1], mine[2]), &[Code::TokenSignature]);
    }),
    case("jwt-signature-cut", |target| {
        let parts = good_parts(target);
        for keep in [0, 2, 43, 83, 84] {
            let token = format!("{}.{}.{}", parts[0], parts[1], &parts[2][..keep]);
            target.must_refuse(&token, &[Code::TokenSignature, Code::TokenMalformed]);
        }
    }),
    case("jwt-with-keys-behind", |target| {
        // What the resolver puts behind a token is for the client; a relay that is sent it says so.
        let token = format!("{}~AAAAAA.AAAA", target.token_with(json!({})));
        target.must_refuse(&token, &[Code::TokenMalformed, Code::TokenSignature]);
    }),
    case("jwt-huge", |target| {
        target.must_find_malformed(&"a".repeat(limits::MAX_TOKEN + 1));
        target.must_find_malformed(&target.token_with(json!({ "pad": "a".repeat(limits::MAX_TOKEN) })));
        target.must_find_malformed(&format!("{}.", "a.".repeat(4000)));
    }),
];

impl Target {
    /// A claim of the wrong type is malformed; where it says of which kind or app the token is, that is said instead.
    fn must_find_malformed_or_foreign(&self, token: &str) {
        self.must_refuse(token, &[Code::TokenMalformed, Code::TokenAudience, Code::TokenApp]);
    }
}

/// A good token's text without signature, of this algorithm.
fn with_alg(target: &Target, name: &str) -> String {
    let header = format!(r#"{{"alg":"{name}","kid":"{}"}}"#, kid(&target.victim));
    unsigned(header, target.claims_with(json!({})).to_string())
}

/// Good claims under another header, signed as they should be.
fn good_claims(target: &Target, header: &str) -> String {
    sign(&target.victim.signing_key, header, target.claims_with(json!({})).to_string())
}

/// Must find a token with this header malformed.
fn with_header(target: &Target, header: &str) {
    target.must_find_malformed(&good_claims(target, header));
}

/// Must find a token with these claims malformed.
fn signed_claims(target: &Target, claims: &str) {
    target.must_find_malformed(&sign(&target.victim.signing_key, header(&target.victim), claims));
}

fn good_parts(target: &Target) -> Vec<String> {
    target.token_with(json!({})).split('.').map(str::to_owned).collect()
}
