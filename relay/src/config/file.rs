//! Reads settings and apps from the configuration file. Each row of the table of settings reads its value from text, as it
//! does for variables and flags.

use super::{
    Config,
    app_table::{self, APP, AppFiles, resolve},
    error::{ConfigError, ConfigOrigin},
    toml_text::{SecretTable, type_name},
};
use crate::settings::{OFF, Setting, quotable, unknown};
use std::{fs, path::Path};
use toml::Value;
use zeroize::Zeroizing;

pub(super) fn read(path: &Path, config: &mut Config) -> Result<(), ConfigError> {
    let text = fs::read_to_string(path).map(Zeroizing::new).map_err(|error| ConfigError {
        origin: ConfigOrigin::File(path.to_owned(), String::new()),
        problem: format!(
            "cannot be read: {error}; run 'sealwire-relay init --app <id>' to write a configuration"
        ),
    })?;
    read_text(path, &text, config)
}

/// Reads the text of the file at `path`.
pub(super) fn read_text(path: &Path, text: &str, config: &mut Config) -> Result<(), ConfigError> {
    let table = SecretTable::parse(path, text)?;
    for (key, value) in table.iter().filter(|(key, _)| *key != APP) {
        read_setting(path, key, value, config).map_err(|problem| ConfigError {
            origin: ConfigOrigin::File(path.to_owned(), quotable(key).into_owned()),
            problem,
        })?;
    }
    if let Some(list) = table.get(APP) {
        let mut files = AppFiles::default();
        app_table::read_list(path, list, &mut config.fixed_apps, &mut files)?;
        config.secret_files.extend(files.with_keys.into_iter().chain(files.key_files));
    }
    Ok(())
}

/// Reads one setting of the file at `path`.
fn read_setting(path: &Path, key: &str, value: &Value, config: &mut Config) -> Result<(), String> {
    let Some(setting) = Setting::find(key) else {
        let mut known: Vec<&str> = Setting::ALL.iter().map(|setting| setting.key()).collect();
        known.push(APP);
        return Err(unknown("key", key, &known));
    };
    let list = || if setting.is_list() { joined(value) } else { None };
    let text = scalar(value).or_else(list);
    let mut text = text.ok_or_else(|| format!("must be one value, not {}", type_name(value)))?;
    if setting.is_path() && text != OFF {
        text = resolve(path, &text).display().to_string();
    }
    setting.read(&mut config.settings, &text)
}

/// The texts of an array, separated by commas as in a variable or a flag.
fn joined(value: &Value) -> Option<String> {
    let parts: Option<Vec<&str>> = value.as_array()?.iter().map(Value::as_str).collect();
    Some(parts?.join(","))
}

/// The text of a single value; `None` for dates, arrays and tables.
fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Integer(number) => Some(number.to_string()),
        // `Debug` keeps the point, so that `5.0` is not read as the whole number 5.
        Value::Float(number) => Some(format!("{number:?}")),
        Value::Boolean(flag) => Some(flag.to_string()),
        _ => None,
    }
}
