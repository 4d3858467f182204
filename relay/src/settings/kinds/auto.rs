//! Values that may be derived from other settings.

use super::value_kind::ValueKind;
use serde_json::{Value, json};

/// The text that stands for a derived value.
const AUTO: &str = "auto";

/// A value of another kind, or `auto`.
pub(in crate::settings) struct Auto<K>(pub(in crate::settings) K);

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
