//! Settings and apps from a TOML file. Read by hand rather than by derive: the messages of the TOML parser quote the
//! line at fault, and the line may be a signing key.

use super::{
    Config,
    apps::Apps,
    error::{ConfigError, Origin},
};
use crate::settings::{OFF, Setting, quotable, unknown};
use std::{
    fs,
    path::{Path, PathBuf},
};
use toml::{Table, Value};

const APP: &str = "app";
const APP_KEYS: &[&str] = &["id", "signing_keys", "signing_key_files"];

pub(super) fn read(path: &Path, config: &mut Config, apps: &mut Apps) -> Result<(), ConfigError> {
    let text = fs::read_to_string(path).map_err(|error| ConfigError {
        origin: Origin::File(path.to_owned(), String::new()),
        problem: format!("cannot be read: {error}; 'sealwire-relay init --app <id>' writes a configuration"),
    })?;
    read_text(path, &text, config, apps)
}

/// The text of the file at `path`.
pub(super) fn read_text(
    path: &Path,
    text: &str,
    config: &mut Config,
    apps: &mut Apps,
) -> Result<(), ConfigError> {
    let at = |place: &str| Origin::File(path.to_owned(), place.to_owned());
    let table: Table = text.parse().map_err(|error: toml::de::Error| {
        let line = error.span().map_or(1, |span| text[..span.start].matches('\n').count() + 1);
        ConfigError { origin: at(&format!("line {line}")), problem: format!("not TOML: {}", error.message()) }
    })?;
    for (key, value) in &table {
        if key == APP {
            continue;
        }
        let Some(setting) = Setting::find(key) else {
            let mut known: Vec<&str> = Setting::ALL.iter().map(|setting| setting.key()).collect();
            known.push(APP);
            let problem = unknown("key", key, &known);
            return Err(ConfigError { origin: at(&quotable(key)), problem });
        };
        let list = || if setting.is_list() { joined(value) } else { None };
        let mut text = scalar(value).or_else(list).ok_or_else(|| ConfigError {
            origin: at(key),
            problem: format!("must be one value, not {}", kind(value)),
        })?;
        if setting.is_path() && text != OFF {
            text = beside(path, &text).display().to_string();
        }
        setting
            .read(&mut config.settings, &text)
            .map_err(|problem| ConfigError { origin: at(key), problem })?;
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
            problem: format!("must be a list of apps, each under [[app]], not {}", kind(value)),
        }),
    }
}

/// A file that the configuration names: in its own directory, unless the path is absolute.
fn beside(path: &Path, file: &str) -> PathBuf {
    path.parent().unwrap_or(Path::new("")).join(file)
}

/// Reads the app that is `number`th in the file.
fn read_app(
    path: &Path,
    number: usize,
    app: &Value,
    config: &mut Config,
    apps: &mut Apps,
) -> Result<(), ConfigError> {
    let at = |place: &str| Origin::File(path.to_owned(), format!("app {number}{place}"));
    let fault = |place: &str, problem: String| ConfigError { origin: at(place), problem };
    let Value::Table(app) = app else {
        return Err(fault("", "must be a table under [[app]]".to_owned()));
    };
    if let Some(key) = app.keys().find(|key| !APP_KEYS.contains(&key.as_str())) {
        return Err(fault("", unknown("key", key, APP_KEYS)));
    }
    let id = match app.get("id") {
        Some(Value::String(id)) => id,
        _ => {
            return Err(fault(
                ", id",
                "must be the app's id, such as \"ari:cloud:ecosystem::app/…\"".to_owned(),
            ));
        }
    };
    let mut keys = Vec::new();
    for (index, key) in
        strings(app, "signing_keys").map_err(|problem| fault(", signing_keys", problem))?.enumerate()
    {
        keys.push((key.to_owned(), at(&format!(", signing_keys, key {}", index + 1))));
    }
    if !keys.is_empty() && !config.secret_files.iter().any(|known| known == path) {
        config.secret_files.push(path.to_owned());
    }
    for file in strings(app, "signing_key_files").map_err(|problem| fault(", signing_key_files", problem))? {
        let key_path = beside(path, file);
        let origin = at(&format!(", signing_key_files, {}", key_path.display()));
        let text = fs::read_to_string(&key_path).map_err(|error| ConfigError {
            origin: origin.clone(),
            problem: format!("cannot be read: {error}"),
        })?;
        keys.push((text, origin));
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

/// The texts of a list, as a variable or a flag would have them.
fn joined(value: &Value) -> Option<String> {
    let parts: Option<Vec<&str>> = value.as_array()?.iter().map(Value::as_str).collect();
    Some(parts?.join(","))
}

/// The text of a value that is one.
fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Integer(number) => Some(number.to_string()),
        Value::Boolean(flag) => Some(flag.to_string()),
        _ => None,
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::String(_) => "a text",
        Value::Integer(_) | Value::Float(_) => "a number",
        Value::Boolean(_) => "true or false",
        Value::Datetime(_) => "a date",
        Value::Array(_) => "a list",
        Value::Table(_) => "a table",
    }
}
