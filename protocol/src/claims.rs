//! Claims of channel tokens in canonical form. Who signs tokens needs it; who shows them does not, and is spared the code.

use crate::limits;
use alloc::string::String;

/// Claims that cannot be made into a tag and a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidClaims {
    /// Not a JSON object.
    #[error("claims are a JSON object")]
    NotAnObject,
    /// Too long.
    #[error("claims have at most {max} bytes as canonical JSON", max = limits::MAX_CLAIMS)]
    TooLong,
}

/// Claims in their canonical form (RFC 8785): equal claims become equal bytes.
///
/// # Errors
/// [`InvalidClaims`].
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
