//! Reads the table of an app: its id and its signing keys. The configuration file has such tables under `[[app]]`, and so
//! has a file of `apps_dir`, which may also be one app as a whole.

use super::{
    apps::Apps,
    error::{ConfigError, ConfigOrigin},
    secret_file,
    toml_text::type_name,
};
use crate::settings::unknown;
use std::path::{Path, PathBuf};
use toml::{Table, Value};
use zeroize::Zeroizing;

/// The key of the list of apps.
pub(super) const APP: &str = "app";
const APP_KEYS: &[&str] = &["id", "signing_keys", "signing_key_files"];

/// The maximum size of a file with one key. The longest key has some 1,400 characters.
const MAX_KEY_FILE: u64 = 4 * 1024;

/// The files that apps were read from.
#[derive(Default)]
pub(super) struct AppFiles {
    /// The files with keys among their texts.
    pub(super) with_keys: Vec<PathBuf>,
    /// The files that `signing_key_files` names.
    pub(super) key_files: Vec<PathBuf>,
}

/// The position of an app's table in a file. It is empty if the file is one app.
struct Place<'a> {
    path: &'a Path,
    position: &'a str,
}

impl Place<'_> {
    fn at(&self, key: &str) -> ConfigOrigin {
        let separator = if self.position.is_empty() || key.is_empty() { "" } else { ", " };
        ConfigOrigin::File(self.path.to_owned(), format!("{}{separator}{key}", self.position))
    }
}

/// Reads the apps under `[[app]]` in the file at `path`.
pub(super) fn read_list(
    path: &Path,
    list: &Value,
    apps: &mut Apps,
    files: &mut AppFiles,
) -> Result<(), ConfigError> {
    let Value::Array(list) = list else {
        return Err(ConfigError {
            origin: ConfigOrigin::File(path.to_owned(), APP.to_owned()),
            problem: format!("must be a list of apps, each under [[app]], not {}", type_name(list)),
        });
    };
    for (index, app) in list.iter().enumerate() {
        let place = Place { path, position: &format!("app {}", index + 1) };
        let Value::Table(app) = app else {
            let problem = "must be a table under [[app]]".to_owned();
            return Err(ConfigError { origin: place.at(""), problem });
        };
        read(&place, app, apps, files)?;
    }
    Ok(())
}

/// Reads the file at `path` as one app.
pub(super) fn read_whole(
    path: &Path,
    app: &Table,
    apps: &mut Apps,
    files: &mut AppFiles,
) -> Result<(), ConfigError> {
    read(&Place { path, position: "" }, app, apps, files)
}

fn read(place: &Place<'_>, app: &Table, apps: &mut Apps, files: &mut AppFiles) -> Result<(), ConfigError> {
    let error = |key: &str, problem: String| ConfigError { origin: place.at(key), problem };
    if let Some(key) = app.keys().find(|key| !APP_KEYS.contains(&key.as_str())) {
        return Err(error("", unknown("key", key, APP_KEYS)));
    }
    let Some(Value::String(id)) = app.get("id") else {
        let problem = "must be the app's id as text, such as \"ari:cloud:ecosystem::app/…\"";
        return Err(error("id", problem.to_owned()));
    };
    let mut keys = Vec::new();
    let inline = strings(app, "signing_keys").map_err(|problem| error("signing_keys", problem))?;
    for (index, key) in inline.enumerate() {
        let origin = place.at(&format!("signing_keys, key {}", index + 1));
        keys.push((Zeroizing::new(key.to_owned()), origin));
    }
    if !keys.is_empty() && !files.with_keys.iter().any(|known| known == place.path) {
        files.with_keys.push(place.path.to_owned());
    }
    let named = strings(app, "signing_key_files").map_err(|problem| error("signing_key_files", problem))?;
    for file in named {
        let path = resolve(place.path, file);
        let origin = place.at(&format!("signing_key_files, {}", path.display()));
        let text = secret_file::read(&path, MAX_KEY_FILE)
            .map_err(|problem| ConfigError { origin: origin.clone(), problem })?;
        keys.push((text, origin));
        files.key_files.push(path);
    }
    apps.add(id, place.at("id"), keys)
}

/// Resolves the path of a file that the file at `path` names.
pub(super) fn resolve(path: &Path, file: &str) -> PathBuf {
    path.parent().unwrap_or(Path::new("")).join(file)
}

fn strings<'a>(app: &'a Table, key: &str) -> Result<impl Iterator<Item = &'a str>, String> {
    let list = match app.get(key) {
        None => &[][..],
        Some(Value::Array(list)) if list.iter().all(Value::is_str) => list,
        Some(_) => return Err("must be a list of strings".to_owned()),
    };
    Ok(list.iter().filter_map(Value::as_str))
}
