//! Numbers with a range: whole numbers, sizes and durations. Errors state the range in the unit that the user writes.

use super::value_kind::ValueKind;
use crate::settings::units;
use serde_json::{Value, json};
use std::{marker::PhantomData, time::Duration};

/// The smallest valid value, and the reason for it if there is one.
#[derive(Clone, Copy)]
pub(in crate::settings) struct Minimum {
    value: u64,
    /// The content that the minimum leaves room for, such as "one batch".
    reason: Option<&'static str>,
}

pub(in crate::settings) const fn minimum(value: usize) -> Minimum {
    Minimum { value: value as u64, reason: None }
}

pub(in crate::settings) const fn minimum_for(value: usize, reason: &'static str) -> Minimum {
    Minimum { value: value as u64, reason: Some(reason) }
}

impl Minimum {
    /// Checks a value that was read from `text`. `show` writes the minimum in the user's unit.
    fn check(self, value: u64, text: &str, show: impl Fn(u64) -> String) -> Result<(), String> {
        if value >= self.value {
            return Ok(());
        }
        let reason = self.reason.map(|reason| format!(" ({reason})")).unwrap_or_default();
        Err(format!("'{text}' is below the minimum of {}{reason}", show(self.value)))
    }
}

/// A whole number.
pub(in crate::settings) struct Integer<N> {
    minimum: Minimum,
    max: Option<(u64, &'static str)>,
    number: PhantomData<N>,
}

pub(in crate::settings) const fn integer<N>(min: usize) -> Integer<N> {
    Integer { minimum: minimum(min), max: None, number: PhantomData }
}

impl<N> Integer<N> {
    pub(in crate::settings) const fn at_least(self, minimum: Minimum) -> Self {
        Self { minimum, ..self }
    }

    pub(in crate::settings) const fn at_most(self, max: usize, reason: &'static str) -> Self {
        Self { max: Some((max as u64, reason)), ..self }
    }
}

impl<N: TryFrom<u64> + TryInto<u64> + Copy> ValueKind for Integer<N> {
    type Value = N;
    const NAME: &'static str = "NUMBER";

    fn read(&self, text: &str) -> Result<N, String> {
        let invalid = || format!("'{text}' is not a whole number of at least {}", self.minimum.value);
        let value: u64 = text.trim().parse().map_err(|_| invalid())?;
        self.minimum.check(value, text, |minimum| minimum.to_string())?;
        if let Some((max, reason)) = self.max.filter(|(max, _)| value > *max) {
            return Err(format!("'{text}' is above the maximum of {max} ({reason})"));
        }
        N::try_from(value).map_err(|_| invalid())
    }

    fn write(&self, value: &N) -> Value {
        (*value).try_into().unwrap_or(u64::MAX).into()
    }

    fn schema(&self) -> Value {
        let mut schema = json!({ "type": "integer", "minimum": self.minimum.value });
        if let Some((max, _)) = self.max {
            schema["maximum"] = max.into();
        }
        schema
    }
}

/// A number of bytes.
pub(in crate::settings) struct Size<N> {
    minimum: Minimum,
    range: Option<(u64, u64)>,
    number: PhantomData<N>,
}

pub(in crate::settings) const fn size<N>(minimum: Minimum) -> Size<N> {
    Size { minimum, range: None, number: PhantomData }
}

pub(in crate::settings) const fn any_size<N>() -> Size<N> {
    size(minimum(0))
}

impl<N> Size<N> {
    pub(in crate::settings) const fn within(min: usize, max: usize) -> Self {
        Self { range: Some((min as u64, max as u64)), ..any_size() }
    }
}

impl<N: TryFrom<u64> + TryInto<u64> + Copy> ValueKind for Size<N> {
    type Value = N;
    const NAME: &'static str = "SIZE";

    fn read(&self, text: &str) -> Result<N, String> {
        let value = units::bytes(text)?;
        self.minimum.check(value, text, units::bytes_text)?;
        if let Some((min, max)) = self.range.filter(|(min, max)| !(*min..=*max).contains(&value)) {
            let (min, max) = (units::bytes_text(min), units::bytes_text(max));
            return Err(format!("'{text}' is not between {min} and {max}"));
        }
        N::try_from(value).map_err(|_| format!("'{text}' is more than this machine can address"))
    }

    fn write(&self, value: &N) -> Value {
        units::bytes_text((*value).try_into().unwrap_or(u64::MAX)).into()
    }

    fn schema(&self) -> Value {
        json!({
            "type": ["integer", "string"],
            "minimum": self.range.map_or(self.minimum.value, |(min, _)| min),
            "pattern": "^[0-9]+ *([KMG]i)?B?$",
        })
    }
}

/// A duration, with its minimum and maximum in milliseconds.
pub(in crate::settings) struct Time(pub(in crate::settings) u64, pub(in crate::settings) u64);

impl ValueKind for Time {
    type Value = Duration;
    const NAME: &'static str = "DURATION";

    fn read(&self, text: &str) -> Result<Duration, String> {
        let (min, max) = (Duration::from_millis(self.0), Duration::from_millis(self.1));
        let value = units::duration(text)?;
        if (min..=max).contains(&value) {
            return Ok(value);
        }
        let (min, max) = (units::duration_text(min), units::duration_text(max));
        Err(format!("'{text}' is not between {min} and {max}"))
    }

    fn write(&self, value: &Duration) -> Value {
        units::duration_text(*value).into()
    }

    fn schema(&self) -> Value {
        json!({ "type": "string", "pattern": "^[0-9]+ *(ms|s|m)$" })
    }
}
