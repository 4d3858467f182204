//! Hexadecimal text, the form of bytes in the vector files.

use std::fmt::Write as _;

/// Writes bytes as lower-case hexadecimal text.
#[must_use]
pub fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Parses hexadecimal text.
///
/// # Errors
/// Returns an explanation if the text is not hexadecimal.
pub fn from_hex(text: &str) -> Result<Vec<u8>, String> {
    let pair = |at: usize| text.get(at..at + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok());
    (0..text.len())
        .step_by(2)
        .map(pair)
        .collect::<Option<_>>()
        .ok_or_else(|| format!("not hexadecimal: {text}"))
}

/// Parses the hexadecimal text of exactly `N` bytes.
pub(crate) fn array<const N: usize>(text: &str) -> Result<[u8; N], String> {
    from_hex(text)?.try_into().map_err(|_| format!("expected {N} bytes: {text}"))
}
