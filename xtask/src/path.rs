//! Programs of this machine: named by an environment variable, or found on the PATH.

use std::{
    env,
    path::{Path, PathBuf},
};

pub(crate) fn named(variable: &str) -> Option<PathBuf> {
    env::var_os(variable).map(PathBuf::from)
}

pub(crate) fn find(name: &str) -> Option<PathBuf> {
    let folders = env::var_os("PATH")?;
    env::split_paths(&folders).map(|folder: PathBuf| folder.join(Path::new(name))).find(|file| file.is_file())
}
