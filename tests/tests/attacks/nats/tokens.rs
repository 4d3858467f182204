//! The search for tokens in bytes that somebody else may read.

use memchr::memmem::find_iter;
use sealwire_tests::Installation;

/// The beginning of a JSON object, `{"`, in base64url.
const OBJECT: &[u8] = b"eyJ";

/// Returns whether the bytes contain the beginning of a token: a header, a point, and claims, which are objects both. `OBJECT`
/// alone also occurs by chance, in the base64 of random bytes.
pub(super) fn contains_token(bytes: &[u8]) -> bool {
    let is_base64url = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    find_iter(bytes, OBJECT).any(|at| {
        let header = bytes[at..].iter().take_while(is_base64url).count();
        bytes[at + header..].strip_prefix(b".").is_some_and(|claims| claims.starts_with(OBJECT))
    })
}

#[test]
fn a_token_is_found_in_other_text_and_chance_is_not_taken_for_one() {
    let token = Installation::new("app").backend();
    let bearer = format!("eyJ. eyJ+eyJ.x authorization: Bearer {token}");
    assert!(contains_token(bearer.as_bytes()), "{bearer}");
    for text in ["", "eyJ", "eyJ.", "x+eyJtbm8/eyJ.eyK", "a digest in base64: 2jmj7l5rSw0yVbeyJvlWAYkK/YBwk="]
    {
        assert!(!contains_token(text.as_bytes()), "{text}");
    }
}
