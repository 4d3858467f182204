//! The setting `trace_ratio`: the share of operations that begin a trace.

use super::kinds::ValueKind;
use serde_json::{Value, json};
use std::{fmt, str::FromStr};

const MILLION: u32 = 1_000_000;

/// A share between 0 and 1, in steps of a millionth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceRatio {
    millionths: u32,
}

impl TraceRatio {
    /// Creates the ratio of a number of percent, at most 100.
    pub(super) const fn percent(percent: u32) -> Self {
        assert!(percent <= 100, "a ratio is at most 1");
        Self { millionths: percent * (MILLION / 100) }
    }

    /// Returns whether a uniformly distributed random number is within the share.
    #[must_use]
    pub fn includes(self, random: u64) -> bool {
        let parts = (u128::from(random) * u128::from(MILLION)) >> 64;
        parts < u128::from(self.millionths)
    }

    /// Returns the ratio in millionths.
    #[must_use]
    pub fn millionths(self) -> u32 {
        self.millionths
    }

    /// Creates a ratio from millionths; more than a million is 1.
    #[must_use]
    pub fn from_millionths(millionths: u32) -> Self {
        Self { millionths: millionths.min(MILLION) }
    }
}

impl FromStr for TraceRatio {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let ratio = text.trim().parse().ok().filter(|ratio: &f64| (0.0..=1.0).contains(ratio));
        let ratio = ratio.ok_or_else(|| {
            format!("'{text}' is not a ratio; write a number from 0 to 1, such as 0.01 for one in a hundred")
        })?;
        let millionths = (ratio * f64::from(MILLION)).round() as u32;
        if millionths == 0 && ratio > 0.0 {
            return Err(format!("'{text}' is too small; write 0, or at least 0.000001"));
        }
        Ok(Self { millionths })
    }
}

/// Writes the ratio as a decimal number.
impl fmt::Display for TraceRatio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", f64::from(self.millionths) / f64::from(MILLION))
    }
}

/// The kind of a ratio.
pub(super) struct Ratio;

impl ValueKind for Ratio {
    type Value = TraceRatio;
    const NAME: &'static str = "NUMBER";

    fn read(&self, text: &str) -> Result<TraceRatio, String> {
        text.parse()
    }

    fn write(&self, value: &TraceRatio) -> Value {
        (f64::from(value.millionths) / f64::from(MILLION)).into()
    }

    fn schema(&self) -> Value {
        json!({ "type": "number", "minimum": 0, "maximum": 1 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_is_read_and_written_as_a_decimal_number() {
        for (text, millionths, written) in [
            ("0", 0, "0"),
            ("0.01", 10_000, "0.01"),
            (" 1 ", MILLION, "1"),
            ("1.0", MILLION, "1"),
            ("0.000001", 1, "0.000001"),
            ("1e-6", 1, "0.000001"),
            ("0.3333333", 333_333, "0.333333"),
        ] {
            let ratio: TraceRatio = text.parse().unwrap();
            assert_eq!((ratio.millionths(), ratio.to_string().as_str()), (millionths, written), "{text}");
        }
        for text in ["", "1%", "-0.1", "1.1", "NaN", "inf", "0,5"] {
            assert!(text.parse::<TraceRatio>().unwrap_err().contains("is not a ratio"), "{text}");
        }
        assert!("0.0000001".parse::<TraceRatio>().unwrap_err().contains("is too small"));
    }

    #[test]
    fn a_ratio_includes_its_share_of_all_numbers() {
        for (percent, included) in [(0, 0), (1, 10), (50, 500), (100, 1000)] {
            let ratio = TraceRatio::percent(percent);
            let numbers = (0..1000).map(|number| u64::MAX / 1000 * number + number);
            assert_eq!(numbers.filter(|number| ratio.includes(*number)).count(), included, "{percent} %");
        }
        assert!(TraceRatio::percent(100).includes(u64::MAX));
        assert!(!TraceRatio::percent(99).includes(u64::MAX));
    }
}
