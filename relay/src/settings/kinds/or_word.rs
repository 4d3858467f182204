//! Values that a word may stand for.

use super::{texts::OFF, value_kind::ValueKind};
use serde_json::{Value, json};

/// The word for a value that is derived from other settings.
const AUTO: &str = "auto";

/// A value of another kind, or a word that stands for none.
pub(in crate::settings) struct OrWord<K> {
    kind: K,
    word: &'static str,
}

/// A value that may be derived from other settings: `auto`.
pub(in crate::settings) const fn or_auto<K>(kind: K) -> OrWord<K> {
    OrWord { kind, word: AUTO }
}

/// A value that may be switched off: `off`.
pub(in crate::settings) const fn or_off<K>(kind: K) -> OrWord<K> {
    OrWord { kind, word: OFF }
}

impl<K: ValueKind> ValueKind for OrWord<K> {
    type Value = Option<K::Value>;
    const NAME: &'static str = K::NAME;

    fn read(&self, text: &str) -> Result<Self::Value, String> {
        if text == self.word {
            return Ok(None);
        }
        self.kind.read(text).map(Some).map_err(|problem| format!("{problem}; or write {}", self.word))
    }

    fn write(&self, value: &Self::Value) -> Value {
        value.as_ref().map_or_else(|| self.word.into(), |value| self.kind.write(value))
    }

    fn schema(&self) -> Value {
        json!({ "anyOf": [{ "const": self.word }, self.kind.schema()] })
    }
}
