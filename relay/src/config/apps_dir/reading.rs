//! Reads the apps of the directory.

use super::{
    super::{
        app_table::{self, APP, AppFiles},
        apps::Apps,
        error::{ConfigError, ConfigOrigin},
        secret_file,
        toml_text::SecretTable,
    },
    listing::{FileState, Listing},
};
use crate::settings::{Setting, quotable};
use std::path::{Path, PathBuf};
use toml::Value;

/// The maximum size of a file with apps.
const MAX_FILE_BYTES: u64 = 64 * 1024;
/// The maximum number of signing keys in the directory.
const MAX_KEYS: usize = 4096;
/// The number of attempts to read the directory without a change meanwhile.
const ATTEMPTS: usize = 3;
const EXTENSION: &str = "toml";

/// The files that were read in the directory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AppsDir {
    /// The files with keys, whose file modes are checked.
    pub(in super::super) secret_files: Vec<PathBuf>,
    /// The files that `signing_key_files` names, in the directory or elsewhere.
    pub(super) key_files: Vec<PathBuf>,
    /// The names in the directory that belong to no app.
    pub(in super::super) unread: Vec<PathBuf>,
}

impl AppsDir {
    /// Reads the directory. Returns its apps together with `fixed`, those of the other sources.
    pub(in super::super) fn read(directory: &Path, fixed: &Apps) -> Result<(Apps, Self), ConfigError> {
        for _ in 0..ATTEMPTS {
            let before = Listing::of(directory)?;
            let read = read_listed(directory, &before, fixed);
            // A mixture of two states could lack an app that moved from one file to another.
            if Listing::of(directory)? == before {
                return read;
            }
        }
        Err(ConfigError {
            origin: ConfigOrigin::File(directory.to_owned(), String::new()),
            problem: "changed while the relay read it; reload again when all files are in place".to_owned(),
        })
    }
}

fn read_listed(directory: &Path, listing: &Listing, fixed: &Apps) -> Result<(Apps, AppsDir), ConfigError> {
    let (mut apps, mut files) = (fixed.clone(), AppFiles::default());
    let mut unread = Vec::new();
    for (name, state) in listing.iter() {
        let path = directory.join(name);
        if path.extension().is_none_or(|extension| extension != EXTENSION) {
            unread.push(path);
            continue;
        }
        if *state == FileState::Other {
            let problem = "is not a regular file; remove it, or give it a name that does not end in .toml";
            return Err(error(&path, problem.to_owned()));
        }
        read_file(&path, &mut apps, &mut files)?;
        if apps.keys() > fixed.keys() + MAX_KEYS {
            let problem = format!("has more than {MAX_KEYS} signing keys; remove keys that no app uses");
            return Err(error(directory, problem));
        }
    }
    unread.retain(|path| !files.key_files.contains(path));
    let mut secret_files = files.with_keys;
    secret_files.extend(files.key_files.iter().cloned());
    Ok((apps, AppsDir { secret_files, key_files: files.key_files, unread }))
}

fn read_file(path: &Path, apps: &mut Apps, files: &mut AppFiles) -> Result<(), ConfigError> {
    let text = secret_file::read(path, MAX_FILE_BYTES).map_err(|problem| error(path, problem))?;
    let table = SecretTable::parse(path, &text)?;
    let list = table.get(APP);
    if table.is_empty() || list.and_then(Value::as_array).is_some_and(Vec::is_empty) {
        let problem = "has no app; write its id and signing_keys, or remove the file";
        return Err(error(path, problem.to_owned()));
    }
    let is_foreign = |key: &str| Setting::find(key).is_some() || (list.is_some() && key != APP);
    if let Some(key) = table.keys().find(|key| is_foreign(key)) {
        let problem =
            "does not belong here; this file has apps alone, and settings are in the configuration file";
        let origin = ConfigOrigin::File(path.to_owned(), quotable(key).into_owned());
        return Err(ConfigError { origin, problem: problem.to_owned() });
    }
    match list {
        Some(list) => app_table::read_list(path, list, apps, files),
        None => app_table::read_whole(path, &table, apps, files),
    }
}

fn error(path: &Path, problem: String) -> ConfigError {
    ConfigError { origin: ConfigOrigin::File(path.to_owned(), String::new()), problem }
}
