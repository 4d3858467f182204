//! The kinds of values: how a value is read, written and described.

use super::{LogFormat, units};
use serde_json::{Value, json};
use std::{borrow::Cow, fmt::Display, net::SocketAddr, path::PathBuf, str::FromStr, time::Duration};

/// The text for no file and no address.
pub(crate) const OFF: &str = "off";
/// The text for a value that follows from other settings.
pub(crate) const AUTO: &str = "auto";

/// Longest text that a message repeats. A signing secret, which may have got into any place, is longer.
const MAX_QUOTED: usize = 64;

/// The part of a faulty text that a message repeats.
pub(crate) fn quotable(text: &str) -> Cow<'_, str> {
    let length = text.chars().count();
    if length > MAX_QUOTED { format!("({length} characters)").into() } else { text.into() }
}

/// Reads, writes and describes values.
pub(super) trait Kind {
    type Value;
    /// The placeholder in the help of a flag.
    const NAME: &'static str;
    const IS_PATH: bool = false;
    const IS_LIST: bool = false;

    /// # Errors
    /// A text that says what is wrong.
    fn read(&self, text: &str) -> Result<Self::Value, String>;

    fn write(&self, value: &Self::Value) -> Value;

    /// A JSON Schema.
    fn schema(&self) -> Value;
}

/// A smallest value, and the reason for it where there is one.
#[derive(Clone, Copy)]
pub(super) struct Least {
    value: u64,
    /// Such as "one batch", for the error.
    reason: Option<&'static str>,
}

pub(super) const fn least(value: usize, reason: &'static str) -> Least {
    Least { value: value as u64, reason: Some(reason) }
}

impl Least {
    fn check(self, value: u64, text: &str) -> Result<(), String> {
        match self.reason {
            _ if value >= self.value => Ok(()),
            Some(reason) => Err(format!("'{text}' is less than {reason}; give at least {}", self.value)),
            None => Err(format!("'{text}' is no number of at least {}", self.value)),
        }
    }
}

/// A whole number.
pub(super) struct Count<N> {
    least: Least,
    max: Option<(u64, &'static str)>,
    number: std::marker::PhantomData<N>,
}

pub(super) const fn count<N>(least: u64) -> Count<N> {
    Count { least: Least { value: least, reason: None }, max: None, number: std::marker::PhantomData }
}

impl<N> Count<N> {
    pub(super) const fn at_least(self, least: Least) -> Self {
        Self { least, ..self }
    }

    pub(super) const fn at_most(self, max: usize, reason: &'static str) -> Self {
        Self { max: Some((max as u64, reason)), ..self }
    }
}

impl<N: TryFrom<u64> + TryInto<u64> + Copy> Kind for Count<N> {
    type Value = N;
    const NAME: &'static str = "NUMBER";

    fn read(&self, text: &str) -> Result<N, String> {
        let no_number = || format!("'{text}' is no number of at least {}", self.least.value);
        let value: u64 = text.trim().parse().map_err(|_| no_number())?;
        self.least.check(value, text)?;
        if let Some((max, reason)) = self.max.filter(|(max, _)| value > *max) {
            return Err(format!("'{text}' is more than {reason}; give at most {max}"));
        }
        N::try_from(value).map_err(|_| no_number())
    }

    fn write(&self, value: &N) -> Value {
        (*value).try_into().unwrap_or(u64::MAX).into()
    }

    fn schema(&self) -> Value {
        let mut schema = json!({ "type": "integer", "minimum": self.least.value });
        if let Some((max, _)) = self.max {
            schema["maximum"] = max.into();
        }
        schema
    }
}

/// Bytes.
pub(super) struct Size<N> {
    least: Least,
    range: Option<(u64, u64)>,
    number: std::marker::PhantomData<N>,
}

pub(super) const fn size<N>(least: Least) -> Size<N> {
    Size { least, range: None, number: std::marker::PhantomData }
}

pub(super) const fn any_size<N>() -> Size<N> {
    size(Least { value: 0, reason: None })
}

impl<N> Size<N> {
    pub(super) const fn within(min: usize, max: usize) -> Self {
        Self { range: Some((min as u64, max as u64)), ..any_size() }
    }
}

impl<N: TryFrom<u64> + TryInto<u64> + Copy> Kind for Size<N> {
    type Value = N;
    const NAME: &'static str = "SIZE";

    fn read(&self, text: &str) -> Result<N, String> {
        let value = units::bytes(text)?;
        self.least.check(value, text)?;
        if let Some((min, max)) = self.range.filter(|(min, max)| !(*min..=*max).contains(&value)) {
            return Err(format!("'{text}' is not between {min} and {max}"));
        }
        N::try_from(value).map_err(|_| format!("'{text}' is more than this machine can count"))
    }

    fn write(&self, value: &N) -> Value {
        units::bytes_text((*value).try_into().unwrap_or(u64::MAX)).into()
    }

    fn schema(&self) -> Value {
        json!({
            "type": ["integer", "string"],
            "minimum": self.range.map_or(self.least.value, |(min, _)| min),
            "pattern": "^[0-9]+ *([KMG]i)?B?$",
        })
    }
}

/// A time, from the first number of milliseconds to the second.
pub(super) struct Time(pub(super) u64, pub(super) u64);

impl Kind for Time {
    type Value = Duration;
    const NAME: &'static str = "DURATION";

    fn read(&self, text: &str) -> Result<Duration, String> {
        let (min, max) = (Duration::from_millis(self.0), Duration::from_millis(self.1));
        let value = units::duration(text)?;
        if (min..=max).contains(&value) {
            Ok(value)
        } else {
            Err(format!("'{text}' is not between {min:?} and {max:?}"))
        }
    }

    fn write(&self, value: &Duration) -> Value {
        units::duration_text(*value).into()
    }

    fn schema(&self) -> Value {
        json!({ "type": "string", "pattern": "^[0-9]+ *(ms|s|m)$" })
    }
}

/// The name of the kind of values that are true or false.
pub(super) const BOOLEAN: &str = "BOOL";

/// True or false.
pub(super) struct Flag;

impl Kind for Flag {
    type Value = bool;
    const NAME: &'static str = BOOLEAN;

    fn read(&self, text: &str) -> Result<bool, String> {
        text.parse().map_err(|_| format!("'{text}' is neither true nor false"))
    }

    fn write(&self, value: &bool) -> Value {
        (*value).into()
    }

    fn schema(&self) -> Value {
        json!({ "type": "boolean" })
    }
}

/// The path of a file, or `off`.
pub(super) struct File;

impl Kind for File {
    type Value = Option<PathBuf>;
    const NAME: &'static str = "FILE";
    const IS_PATH: bool = true;

    fn read(&self, text: &str) -> Result<Option<PathBuf>, String> {
        Ok((text != OFF).then(|| text.into()))
    }

    fn write(&self, value: &Option<PathBuf>) -> Value {
        value.as_deref().map_or_else(|| OFF.to_owned(), |path| path.display().to_string()).into()
    }

    fn schema(&self) -> Value {
        json!({ "type": "string" })
    }
}

/// The mode of a file. It always has four digits: the meaning of fewer, or of a number of TOML, would be a guess.
pub(super) struct Mode;

impl Kind for Mode {
    type Value = u32;
    const NAME: &'static str = "OCTAL";

    fn read(&self, text: &str) -> Result<u32, String> {
        let mode = u32::from_str_radix(text, 8).ok().filter(|_| text.len() == 4 && text.starts_with('0'));
        mode.ok_or_else(|| {
            format!("'{text}' is no mode; write 0 and three octal digits as text, such as \"0660\"")
        })
    }

    fn write(&self, value: &u32) -> Value {
        format!("{value:04o}").into()
    }

    fn schema(&self) -> Value {
        json!({ "type": "string", "pattern": "^0[0-7]{3}$" })
    }
}

/// An address and a port, or `off`.
pub(super) struct Address;

impl Kind for Address {
    type Value = Option<SocketAddr>;
    const NAME: &'static str = "ADDRESS";

    fn read(&self, text: &str) -> Result<Option<SocketAddr>, String> {
        if text == OFF {
            return Ok(None);
        }
        text.parse().map(Some).map_err(|_| {
            format!(
                "'{text}' is no address to listen on; write an IP address and a port, such as 127.0.0.1:7441; or off"
            )
        })
    }

    fn write(&self, value: &Option<SocketAddr>) -> Value {
        value.map_or_else(|| OFF.to_owned(), |address| address.to_string()).into()
    }

    fn schema(&self) -> Value {
        json!({ "type": "string" })
    }
}

/// A value of another kind, or `auto`.
pub(super) struct Auto<K>(pub(super) K);

impl<K: Kind> Kind for Auto<K> {
    type Value = Option<K::Value>;
    const NAME: &'static str = K::NAME;

    fn read(&self, text: &str) -> Result<Self::Value, String> {
        if text == AUTO {
            return Ok(None);
        }
        self.0.read(text).map(Some).map_err(|problem| format!("{problem}; or auto"))
    }

    fn write(&self, value: &Self::Value) -> Value {
        value.as_ref().map_or_else(|| AUTO.into(), |value| self.0.write(value))
    }

    fn schema(&self) -> Value {
        json!({ "anyOf": [{ "const": AUTO }, self.0.schema()] })
    }
}

/// A value that reads and writes itself.
pub(super) struct Own<T>(std::marker::PhantomData<T>);

pub(super) const fn own<T>() -> Own<T> {
    Own(std::marker::PhantomData)
}

/// The name and the shape of such a value.
pub(super) trait Named {
    const NAME: &'static str;
    const IS_LIST: bool = false;
}

impl<T: Named + FromStr<Err = String> + Display> Kind for Own<T> {
    type Value = T;
    const NAME: &'static str = T::NAME;
    const IS_LIST: bool = T::IS_LIST;

    fn read(&self, text: &str) -> Result<T, String> {
        text.parse()
    }

    fn write(&self, value: &T) -> Value {
        value.to_string().into()
    }

    fn schema(&self) -> Value {
        match T::IS_LIST {
            true => json!({ "type": ["string", "array"], "items": { "type": "string" } }),
            false => json!({ "type": "string" }),
        }
    }
}

impl Named for crate::proxies::TrustedProxies {
    const NAME: &'static str = "ADDRESSES";
    const IS_LIST: bool = true;
}

/// A level, or targets with levels.
pub(super) struct LogFilter;

impl Kind for LogFilter {
    type Value = String;
    const NAME: &'static str = "FILTER";

    fn read(&self, text: &str) -> Result<String, String> {
        use tracing_subscriber::filter::{LevelFilter, Targets};
        // `Targets` alone would take a misspelt level for the name of a target.
        let is_level = |part: &str| part.contains('=') || part.trim().parse::<LevelFilter>().is_ok();
        if text.split(',').all(is_level) && text.parse::<Targets>().is_ok() {
            return Ok(text.to_owned());
        }
        Err(format!(
            "'{text}' is no log filter; write a level, or targets with levels, such as info,audit=warn"
        ))
    }

    fn write(&self, value: &String) -> Value {
        value.as_str().into()
    }

    fn schema(&self) -> Value {
        json!({ "type": "string" })
    }
}

/// A format of log lines.
pub(super) struct Format;

impl Kind for Format {
    type Value = LogFormat;
    const NAME: &'static str = "FORMAT";

    fn read(&self, text: &str) -> Result<LogFormat, String> {
        text.parse().map_err(|()| super::unknown("format", text, &LogFormat::NAMES))
    }

    fn write(&self, value: &LogFormat) -> Value {
        value.to_string().into()
    }

    fn schema(&self) -> Value {
        json!({ "enum": LogFormat::NAMES })
    }
}
