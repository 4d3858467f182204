//! Finds programs of this machine: by an environment variable or on the PATH.

use std::{
    env,
    path::{Path, PathBuf},
};

/// Returns the path in an environment variable.
pub(crate) fn named(variable: &str) -> Option<PathBuf> {
    env::var_os(variable).map(PathBuf::from)
}

/// Returns the first program with this name on the PATH.
pub(crate) fn find(name: &str) -> Option<PathBuf> {
    let folders = env::var_os("PATH")?;
    env::split_paths(&folders).map(|folder: PathBuf| folder.join(Path::new(name))).find(|file| file.is_file())
}
