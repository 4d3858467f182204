//! Reads settings and apps from a TOML file.
//!
//! The file is parsed by `toml` into a table, and each row of the table of settings reads its value from text, as it does
//! for variables and flags. Deriving serde's `Deserialize` instead would add a second reader of every value, and serde's
//! errors quote the value they refuse, which may be a signing key in the wrong place.

use super::{
    Config,
    apps::Apps,
    error::{ConfigError, ConfigOrigin},
};
use crate::settings::{OFF, Setting, quotable, unknown};
use std::{
    fs,
    path::{Path, PathBuf},
};
use toml::{Table, Value};
use zeroize::Zeroizing;

const APP: &str = "app";
const APP_KEYS: &[&str] = &["id", "signing_keys", "signing_key_files"];

pub(super) fn read(path: &Path, config: &mut Config, apps: &mut Apps) -> Result<(), ConfigError> {
    let text = fs::read_to_string(path).map(Zeroizing::new).map_err(|error| ConfigError {
        origin: ConfigOrigin::File(path.to_owned(), String::new()),
        problem: format!(
            "cannot be read: {error}; run 'sealwire-relay init --app <id>' to write a configuration"
        ),
    })?;
    read_text(path, &text, config, apps)
}

/// Reads the text of the file at `path`.
pub(super) fn read_text(
    path: &Path,
    text: &str,
    config: &mut Config,
    apps: &mut Apps,
) -> Result<(), ConfigError> {
    let at = |position: &str| ConfigOrigin::File(path.to_owned(), position.to_owned());
    let table: Table = text.parse().map_err(|error: toml::de::Error| {
        // The message alone: the error's `Display` quotes the line, which may hold a signing key.
        let line = error.span().map_or(1, |span| text[..span.start].matches('\n').count() + 1);
        ConfigError { origin: at(&format!("line {line}")), problem: format!("not TOML: {}", error.message()) }
    })?;
    for (key, value) in table.iter().filter(|(key, _)| *key != APP) {
        read_setting(path, key, value, config)
            .map_err(|problem| ConfigError { origin: at(&quotable(key)), problem })?;
    }
    match table.get(APP) {
        None => Ok(()),
        Some(Value::Array(list)) => {
            for (index, app) in list.iter().enumerate() {
                read_app(path, index + 1, app, config, apps)?;
            }
            Ok(())
        }
        Some(value) => Err(ConfigError {
            origin: at(APP),
            problem: format!("must be a list of apps, each under [[app]], not {}", type_name(value)),
        }),
    }
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

/// Resolves the path of a file that the configuration at `path` names.
fn resolve(path: &Path, file: &str) -> PathBuf {
    path.parent().unwrap_or(Path::new("")).join(file)
}

/// Reads the app with this number in the file, counted from 1.
fn read_app(
    path: &Path,
    number: usize,
    app: &Value,
    config: &mut Config,
    apps: &mut Apps,
) -> Result<(), ConfigError> {
    let at = |position: &str| ConfigOrigin::File(path.to_owned(), format!("app {number}{position}"));
    let error = |position: &str, problem: String| ConfigError { origin: at(position), problem };
    let Value::Table(app) = app else {
        return Err(error("", "must be a table under [[app]]".to_owned()));
    };
    if let Some(key) = app.keys().find(|key| !APP_KEYS.contains(&key.as_str())) {
        return Err(error("", unknown("key", key, APP_KEYS)));
    }
    let Some(Value::String(id)) = app.get("id") else {
        let problem = "must be the app's id as text, such as \"ari:cloud:ecosystem::app/…\"";
        return Err(error(", id", problem.to_owned()));
    };
    let mut keys = Vec::new();
    let inline = strings(app, "signing_keys").map_err(|problem| error(", signing_keys", problem))?;
    for (index, key) in inline.enumerate() {
        keys.push((Zeroizing::new(key.to_owned()), at(&format!(", signing_keys, key {}", index + 1))));
    }
    if !keys.is_empty() && !config.secret_files.iter().any(|known| known == path) {
        config.secret_files.push(path.to_owned());
    }
    let files = strings(app, "signing_key_files").map_err(|problem| error(", signing_key_files", problem))?;
    for file in files {
        let key_path = resolve(path, file);
        let origin = at(&format!(", signing_key_files, {}", key_path.display()));
        let text = fs::read_to_string(&key_path).map_err(|error| ConfigError {
            origin: origin.clone(),
            problem: format!("cannot be read: {error}"),
        })?;
        keys.push((Zeroizing::new(text), origin));
        config.secret_files.push(key_path);
    }
    apps.add(id, at(", id"), keys)
}

fn strings<'a>(app: &'a Table, key: &str) -> Result<impl Iterator<Item = &'a str>, String> {
    let list = match app.get(key) {
        None => &[][..],
        Some(Value::Array(list)) if list.iter().all(Value::is_str) => list,
        Some(_) => return Err("must be a list of strings".to_owned()),
    };
    Ok(list.iter().filter_map(Value::as_str))
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

fn type_name(value: &Value) -> &'static str {
    match value {
        Value::String(_) => "text",
        Value::Integer(_) | Value::Float(_) => "a number",
        Value::Boolean(_) => "true or false",
        Value::Datetime(_) => "a date",
        Value::Array(_) => "a list",
        Value::Table(_) => "a table",
    }
}
