//! Quoting of invalid texts in errors, without repeating a secret.

use std::borrow::Cow;

/// The longest text that an error repeats, in characters. A signing secret, which may be in the wrong place, is longer.
const MAX_QUOTED: usize = 64;

/// Returns the text for an error to quote, or only its length if it may be a secret.
pub(crate) fn quotable(text: &str) -> Cow<'_, str> {
    let length = text.chars().count();
    if length > MAX_QUOTED { format!("({length} characters)").into() } else { text.into() }
}
