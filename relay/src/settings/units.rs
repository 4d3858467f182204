//! Durations and sizes with units: `25s`, `500ms`, `2m`; `256MiB`, `1048576`.

use std::time::Duration;

/// Reads a number followed by one of the units, and multiplies it by the unit's factor.
fn number<'a>(text: &str, units: &'a [(&'a str, u64)]) -> Option<u64> {
    let text = text.trim();
    let digits = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    let (value, unit) = text.split_at(digits);
    let (_, factor) = units.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit.trim()))?;
    value.parse::<u64>().ok()?.checked_mul(*factor)
}

/// Reads a duration such as `500ms`, `25s` or `2m`. A number without a unit is refused as ambiguous.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    number(text, &[("ms", 1), ("s", 1000), ("m", 60_000)]).map(Duration::from_millis).ok_or_else(|| {
        format!("'{text}' is not a duration; write a number and ms, s or m, such as 500ms, 25s or 2m")
    })
}

/// Reads a size such as `65536`, `64KiB`, `256MiB` or `1GiB`.
pub(super) fn bytes(text: &str) -> Result<u64, String> {
    number(text, &[("", 1), ("B", 1), ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)]).ok_or_else(
        || {
            format!(
                "'{text}' is not a size; write a number of bytes, or a number and KiB, MiB or GiB, such as 256MiB"
            )
        },
    )
}

/// Writes a duration for [`duration()`] to read, in the largest unit that needs no fraction.
pub(crate) fn duration_text(duration: Duration) -> String {
    let millis = duration.as_millis();
    if !millis.is_multiple_of(1000) {
        format!("{millis}ms")
    } else if !millis.is_multiple_of(60_000) || millis == 0 {
        format!("{}s", millis / 1000)
    } else {
        format!("{}m", millis / 60_000)
    }
}

/// Writes a size for [`bytes()`] to read, in the largest unit that needs no fraction.
pub(super) fn bytes_text(bytes: u64) -> String {
    let unit = [("GiB", 30), ("MiB", 20), ("KiB", 10)]
        .into_iter()
        .find(|(_, shift)| bytes != 0 && bytes.trailing_zeros() >= *shift);
    unit.map_or_else(|| bytes.to_string(), |(name, shift)| format!("{}{name}", bytes >> shift))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_needs_a_unit_and_a_size_may_have_one() {
        for (text, millis) in [("500ms", 500), ("25s", 25_000), ("2m", 120_000), (" 1 s ", 1000), ("0ms", 0)]
        {
            assert_eq!(duration(text), Ok(Duration::from_millis(millis)));
        }
        for (text, size) in
            [("0", 0), ("65536", 65_536), ("64KiB", 65_536), ("1 mib", 1 << 20), ("1GiB", 1 << 30)]
        {
            assert_eq!(bytes(text), Ok(size));
        }
        for text in ["0s", "1ms", "999ms", "59s", "2m", "61s"] {
            assert_eq!(duration_text(duration(text).unwrap()), text);
        }
        for text in ["0", "1023", "1KiB", "1025KiB", "1MiB", "3GiB"] {
            assert_eq!(bytes_text(bytes(text).unwrap()), text);
        }
        for text in ["", "5", "s", "-1s", "1.5s", "1h", "99999999999999999999s", "18446744073709551615m"] {
            assert!(duration(text).is_err(), "{text}");
        }
        for text in ["", "MiB", "-1", "1TB", "18446744073709551615GiB"] {
            assert!(bytes(text).is_err(), "{text}");
        }
    }
}
