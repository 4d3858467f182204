//! Conversion of values between JavaScript and Rust.

/// Converts a JavaScript number of seconds or milliseconds. Fractions are cut off; NaN and negative numbers become 0.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the cast saturates, as intended")]
pub(crate) fn whole(number: f64) -> u64 {
    number as u64
}

/// Converts a time to a JavaScript number. The conversion is exact for all times up to 2^53 milliseconds.
#[cfg(feature = "browser")]
#[allow(clippy::cast_precision_loss, reason = "milliseconds since 1970 are exact for 285,000 years")]
pub(crate) fn number(value: u64) -> f64 {
    value as f64
}
