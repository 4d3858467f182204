//! Invalid encodings of a token: parts, base64 and signatures.

use super::*;

pub(super) const CASES: &[Case] = &[
    case("jwt-base64-padding", |target| {
        let parts = good_parts(target);
        for index in 0..3 {
            for padding in ["=", "=="] {
                let mut parts = parts.clone();
                parts[index].push_str(padding);
                target.must_refuse(&parts.join("."), &[Code::TokenMalformed, Code::TokenSignature]);
            }
        }
        // This signature covers the padding.
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
        // A signature of 64 bytes leaves four bits of the last character unused.
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
        // The token has four parts, and the last one signs the first three.
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
        // The keys that a resolver appends to a token are for the client only; the relay must refuse them.
        let token = format!("{}~AAAAAA.AAAA", target.token_with(json!({})));
        target.must_refuse(&token, &[Code::TokenMalformed, Code::TokenSignature]);
    }),
    case("jwt-huge", |target| {
        target.must_find_malformed(&"a".repeat(limits::MAX_TOKEN + 1));
        target.must_find_malformed(&target.token_with(json!({ "pad": "a".repeat(limits::MAX_TOKEN) })));
        target.must_find_malformed(&format!("{}.", "a.".repeat(4000)));
    }),
];
