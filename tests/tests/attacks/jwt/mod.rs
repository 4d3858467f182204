//! Attacks by forged and altered tokens (`jwt-`).

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
    /// Asserts that the relay refuses the token as malformed, or for its audience or app: the relay checks these two claims
    /// first.
    fn must_find_malformed_or_foreign(&self, token: &str) {
        self.must_refuse(token, &[Code::TokenMalformed, Code::TokenAudience, Code::TokenApp]);
    }
}

/// Returns a valid token of this algorithm, without its signature.
fn with_alg(target: &Target, name: &str) -> String {
    let header = format!(r#"{{"alg":"{name}","kid":"{}"}}"#, kid(&target.victim));
    unsigned(header, target.claims_with(json!({})).to_string())
}

/// Returns a well-signed token with this header and valid claims.
fn with_good_claims(target: &Target, header: &str) -> String {
    sign(&target.victim.signing_key, header, target.claims_with(json!({})).to_string())
}

/// Asserts that the relay refuses a token with this header as malformed.
fn must_find_header_malformed(target: &Target, header: &str) {
    target.must_find_malformed(&with_good_claims(target, header));
}

/// Asserts that the relay refuses a token with these claims as malformed.
fn must_find_claims_malformed(target: &Target, claims: &str) {
    target.must_find_malformed(&sign(&target.victim.signing_key, header(&target.victim), claims));
}

fn good_parts(target: &Target) -> Vec<String> {
    target.token_with(json!({})).split('.').map(str::to_owned).collect()
}
