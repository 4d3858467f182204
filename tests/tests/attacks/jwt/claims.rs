//! Invalid claims: types, sizes, times and kinds.

use super::*;

pub(super) const CASES: &[Case] = &[
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
            must_find_claims_malformed(target, &good.replacen('{', &format!("{{{extra},"), 1));
        }
        must_find_claims_malformed(
            target,
            &good.replacen("\"ctx\":{", "\"ctx\":{\"dashboard\":\"10002\",", 1),
        );
    }),
    case("jwt-claim-huge-number", |target| {
        for number in ["1e400", "99999999999999999999", "18446744073709551616", "1e10", &"9".repeat(2000)] {
            let claims = target.claims_with(json!({ "exp": "EXP" })).to_string();
            must_find_claims_malformed(target, &claims.replace("\"EXP\"", number));
        }
    }),
    case("jwt-claim-float", |target| {
        for claim in ["iat", "exp"] {
            target.must_find_malformed(&target.token_with(json!({ claim: now() as f64 + 100.5 })));
        }
        let claims = target.claims_with(json!({ "exp": "EXP" })).to_string();
        must_find_claims_malformed(target, &claims.replace("\"EXP\"", &format!("{}.0", now() + 100)));
    }),
    case("jwt-claim-negative", |target| {
        for claim in ["iat", "exp"] {
            target.must_find_malformed(&target.token_with(json!({ claim: -1 })));
        }
        let claims = target.claims_with(json!({ "iat": "IAT" })).to_string();
        must_find_claims_malformed(target, &claims.replace("\"IAT\"", "-0"));
    }),
    case("jwt-claim-nested", |target| {
        let deep = format!("{}{}", "{\"a\":".repeat(900), "1".to_owned() + &"}".repeat(900));
        let claims = target.claims_with(json!({ "ctx": "CTX" })).to_string();
        must_find_claims_malformed(target, &claims.replace("\"CTX\"", &deep));
    }),
    case("jwt-claim-overlong", |target| {
        for (claim, max) in [("ins", limits::MAX_INSTALLATION), ("sub", limits::MAX_ACCOUNT)] {
            target.must_find_malformed(&target.token_with(json!({ claim: "a".repeat(max + 1) })));
            target.must_find_malformed(&target.token_with(json!({ claim: "" })));
        }
    }),
    case("jwt-context-past-limits", |target| {
        let many = 0..=limits::MAX_PROPERTIES;
        let many: serde_json::Map<_, _> = many.map(|n| (format!("p{n}"), json!("1"))).collect();
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
            must_find_claims_malformed(target, &claims);
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
];
