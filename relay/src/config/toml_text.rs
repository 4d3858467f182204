//! Parses TOML that may contain signing keys.
//!
//! The text is parsed by `toml` into a table, and each value is read from it by hand. Deriving serde's `Deserialize` instead
//! would add a second reader of every setting, and serde's errors quote the value they refuse, which may be a signing key in
//! the wrong place.

use super::error::{ConfigError, ConfigOrigin};
use std::{ops::Deref, path::Path};
use toml::{Table, Value};
use zeroize::Zeroize as _;

/// A table whose texts are overwritten when it is dropped.
pub(super) struct SecretTable(Table);

impl SecretTable {
    /// Parses the text of the file at `path`.
    pub(super) fn parse(path: &Path, text: &str) -> Result<Self, ConfigError> {
        text.parse().map(Self).map_err(|error: toml::de::Error| {
            // The message alone: the error's `Display` quotes the line, which may hold a signing key.
            let line = error.span().map_or(1, |span| text[..span.start].matches('\n').count() + 1);
            ConfigError {
                origin: ConfigOrigin::File(path.to_owned(), format!("line {line}")),
                problem: format!("not TOML: {}", error.message()),
            }
        })
    }
}

impl Deref for SecretTable {
    type Target = Table;

    fn deref(&self) -> &Table {
        &self.0
    }
}

impl Drop for SecretTable {
    fn drop(&mut self) {
        self.0.iter_mut().for_each(|(_, value)| wipe(value));
    }
}

fn wipe(value: &mut Value) {
    match value {
        Value::String(text) => text.zeroize(),
        Value::Array(list) => list.iter_mut().for_each(wipe),
        Value::Table(table) => table.iter_mut().for_each(|(_, value)| wipe(value)),
        _ => {}
    }
}

/// The name of a value's type, for errors.
pub(super) fn type_name(value: &Value) -> &'static str {
    match value {
        Value::String(_) => "text",
        Value::Integer(_) | Value::Float(_) => "a number",
        Value::Boolean(_) => "true or false",
        Value::Datetime(_) => "a date",
        Value::Array(_) => "a list",
        Value::Table(_) => "a table",
    }
}
