//! Invalid headers: algorithms, key ids, and keys that the token itself supplies.

use super::*;

pub(super) const CASES: &[Case] = &[
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
        // The header names the accepted algorithm, but HMAC-SHA-256 made the signature.
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
    case("jwt-alg-missing", |target| {
        must_find_header_malformed(target, &format!(r#"{{"kid":"{}"}}"#, kid(&target.victim)))
    }),
    case("jwt-alg-twice", |target| {
        for (one, other) in [("none", "HS512"), ("HS512", "none"), ("HS512", "HS512")] {
            must_find_header_malformed(
                target,
                &format!(r#"{{"alg":"{one}","alg":"{other}","kid":"{}"}}"#, kid(&target.victim)),
            );
        }
    }),
    case("jwt-alg-wrong-type", |target| {
        for alg in ["512", "null", "[\"HS512\"]", "{\"HS512\":1}", "true"] {
            must_find_header_malformed(
                target,
                &format!(r#"{{"alg":{alg},"kid":"{}"}}"#, kid(&target.victim)),
            );
        }
    }),
    case("jwt-kid-missing", |target| must_find_header_malformed(target, r#"{"alg":"HS512"}"#)),
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
            target.must_refuse(&with_good_claims(target, &header), &[Code::TokenUnknownKey]);
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
            // The key is empty, like the content of such a file.
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
            target.must_refuse(&with_good_claims(target, &header), &[Code::TokenUnknownKey]);
        }
    }),
    case("jwt-kid-huge", |target| {
        let header = format!(r#"{{"alg":"HS512","kid":"{}"}}"#, "k".repeat(4000));
        target.must_refuse(&with_good_claims(target, &header), &[Code::TokenUnknownKey]);
    }),
    case("jwt-kid-twice", |target| {
        let (mine, theirs) = (kid(&target.victim), kid(&target.stranger));
        for (one, other) in [(mine, theirs), (theirs, mine), (mine, mine)] {
            must_find_header_malformed(
                target,
                &format!(r#"{{"alg":"HS512","kid":"{one}","kid":"{other}"}}"#),
            );
        }
    }),
    case("jwt-kid-wrong-type", |target| {
        for kid in ["1", "null", "[]", "{}", "false"] {
            must_find_header_malformed(target, &format!(r#"{{"alg":"HS512","kid":{kid}}}"#));
        }
    }),
    case("jwt-kid-of-another-app", |target| {
        // The other app's key signs claims of the victim's app under the other app's kid.
        let claims = target.claims_with(json!({})).to_string();
        let token = sign(&target.stranger.signing_key, header(&target.stranger), &claims);
        target.must_refuse(&token, &[Code::TokenApp]);
        // The other app's key signs under the victim's kid.
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
            must_find_header_malformed(
                target,
                &format!(r#"{{"alg":"HS512","kid":"{}",{extra}}}"#, kid(&target.victim)),
            );
        }
    }),
    case("jwt-header-other-type", |target| {
        for typ in ["\"JWE\"", "\"at+jwt\"", "1"] {
            must_find_header_malformed(
                target,
                &format!(r#"{{"alg":"HS512","kid":"{}","typ":{typ}}}"#, kid(&target.victim)),
            );
        }
    }),
    case("jwt-header-no-object", |target| {
        for header in ["", "null", "[]", "\"HS512\"", "{", "{}x", "\u{feff}{}"] {
            must_find_header_malformed(target, header);
        }
    }),
    case("jwt-header-nested", |target| {
        let deep = format!("{}{}", "[".repeat(1900), "]".repeat(1900));
        let header = format!(r#"{{"alg":"HS512","kid":"{}","x":{deep}}}"#, kid(&target.victim));
        let token = format!("{}.AAAA", unsigned(header, "{}"));
        target.must_refuse(&token, &[Code::TokenSignature, Code::TokenMalformed]);
    }),
];
