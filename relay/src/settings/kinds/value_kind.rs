//! The trait of all kinds of values.

use serde_json::Value;

/// Reads, writes and describes values of one kind.
pub(in crate::settings) trait ValueKind {
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
