//! The kinds of values that settings have: how a value is read from text, written, and described in the JSON Schema. The
//! table of settings names one for each row.

mod numbers;
mod parsed;
mod texts;

pub(super) use numbers::{Size, Time, any_size, integer, minimum, minimum_for, size};
pub(super) use parsed::{ParsedValue, parsed};
pub(super) use texts::{Address, BOOLEAN, File, Flag, LogFilter, LogFormatName, Mode};

use serde_json::{Value, json};
use std::borrow::Cow;

/// The text that stands for no file and no address.
pub(crate) const OFF: &str = "off";
/// The text that stands for a value derived from other settings.
const AUTO: &str = "auto";

/// The longest text that an error repeats, in characters. A signing secret, which may be in the wrong place, is longer.
const MAX_QUOTED: usize = 64;

/// Returns the text for an error to quote, or only its length if it may be a secret.
pub(crate) fn quotable(text: &str) -> Cow<'_, str> {
    let length = text.chars().count();
    if length > MAX_QUOTED { format!("({length} characters)").into() } else { text.into() }
}

/// Reads, writes and describes values of one kind.
pub(super) trait ValueKind {
    type Value;
    /// The placeholder in the help of a flag.
    const NAME: &'static str;
    const IS_PATH: bool = false;
    const IS_LIST: bool = false;

    /// # Errors
    /// A text that says what is wrong with the value and how to write it.
    fn read(&self, text: &str) -> Result<Self::Value, String>;

    fn write(&self, value: &Self::Value) -> Value;

    /// The JSON Schema of the value.
    fn schema(&self) -> Value;
}

/// A value of another kind, or `auto`.
pub(super) struct Auto<K>(pub(super) K);

impl<K: ValueKind> ValueKind for Auto<K> {
    type Value = Option<K::Value>;
    const NAME: &'static str = K::NAME;

    fn read(&self, text: &str) -> Result<Self::Value, String> {
        if text == AUTO {
            return Ok(None);
        }
        self.0.read(text).map(Some).map_err(|problem| format!("{problem}; or write auto"))
    }

    fn write(&self, value: &Self::Value) -> Value {
        value.as_ref().map_or_else(|| AUTO.into(), |value| self.0.write(value))
    }

    fn schema(&self) -> Value {
        json!({ "anyOf": [{ "const": AUTO }, self.0.schema()] })
    }
}
