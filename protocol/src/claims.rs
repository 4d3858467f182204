//! The canonical form of channel token claims, for native signers and for the vectors (feature `claims`). In Forge functions,
//! `js/src/arguments/canonical-json.ts` writes it, since JavaScript has the numbers and texts of RFC 8785.

use crate::limits;
use alloc::string::String;

/// The error for claims that have no canonical form within the limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidClaims {
    /// The text is not a JSON object.
    #[error("claims must be a JSON object")]
    NotAnObject,
    /// The canonical form is longer than [`limits::MAX_CLAIMS`].
    #[error("claims have at most {max} bytes as canonical JSON", max = limits::MAX_CLAIMS)]
    TooLong,
}

/// Returns the canonical form of claims (RFC 8785), in which equal claims have equal bytes.
///
/// # Errors
/// [`InvalidClaims`] if `json` is not a JSON object of well-formed Unicode, or if its canonical form is too long.
pub fn canonical_claims(json: &str) -> Result<String, InvalidClaims> {
    let claims: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(json).map_err(|_| InvalidClaims::NotAnObject)?;
    let canonical = serde_json_canonicalizer::to_string(&claims).map_err(|_| InvalidClaims::NotAnObject)?;
    if canonical.len() > limits::MAX_CLAIMS { Err(InvalidClaims::TooLong) } else { Ok(canonical) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_that_are_not_well_formed_unicode_are_refused() {
        for lone in
            [r#"{"a":"\ud800"}"#, r#"{"a":"\udc00"}"#, r#"{"\ud800":1}"#, r#"{"a":["\ud83d-\ude00"]}"#]
        {
            assert_eq!(canonical_claims(lone), Err(InvalidClaims::NotAnObject), "{lone}");
        }
        assert_eq!(canonical_claims(r#"{"a":"\ud83d\ude00"}"#).unwrap(), "{\"a\":\"\u{1f600}\"}");
    }
}
