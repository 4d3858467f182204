//! Values that may be switched off.

use super::{texts::OFF, value_kind::ValueKind};
use serde_json::{Value, json};

/// A value of another kind, or `off`.
pub(in crate::settings) struct OrOff<K>(pub(in crate::settings) K);

impl<K: ValueKind> ValueKind for OrOff<K> {
    type Value = Option<K::Value>;
    const NAME: &'static str = K::NAME;

    fn read(&self, text: &str) -> Result<Self::Value, String> {
        if text == OFF {
            return Ok(None);
        }
        self.0.read(text).map(Some).map_err(|problem| format!("{problem}; or write off"))
    }

    fn write(&self, value: &Self::Value) -> Value {
        value.as_ref().map_or_else(|| OFF.into(), |value| self.0.write(value))
    }

    fn schema(&self) -> Value {
        json!({ "anyOf": [{ "const": OFF }, self.0.schema()] })
    }
}
