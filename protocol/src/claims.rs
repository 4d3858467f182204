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
