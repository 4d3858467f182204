//! Tokens.

mod claims;
mod form;
mod header;

use crate::{
    case::{Case, case},
    forged::{header, kid, seal, seal_256, seal_384, sign, unsigned},
    target::{Target, now},
};
use sealwire_protocol::{Code, limits};
use serde_json::json;

pub(crate) fn cases() -> Vec<Case> {
    [header::CASES, claims::CASES, form::CASES].concat()
}

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
