//! Files with a key, which only their owner may read.

use std::{
    fs::OpenOptions,
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

/// The mode of the files.
const OWNER_ONLY: u32 = 0o600;

/// Writes a file that does not exist yet: an existing one may have the keys of a running app.
///
/// # Errors
/// The system's error; `AlreadyExists` for an existing file.
pub(super) fn create(path: &Path, text: &str) -> io::Result<()> {
    write(OpenOptions::new().create_new(true), path, text)
}

/// Writes a file, and replaces the text of an existing one.
///
/// # Errors
/// The system's error.
pub(super) fn replace(path: &Path, text: &str) -> io::Result<()> {
    write(OpenOptions::new().create(true).truncate(true), path, text)
}

fn write(options: &mut OpenOptions, path: &Path, text: &str) -> io::Result<()> {
    let mut file = options.write(true).mode(OWNER_ONLY).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}
