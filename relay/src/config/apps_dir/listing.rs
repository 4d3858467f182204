//! The state of a directory and its files, which shows a change without reading them.

use super::super::error::{ConfigError, ConfigOrigin};
use std::{
    ffi::OsString,
    fs::{self, File, Metadata},
    io,
    os::unix::{ffi::OsStrExt as _, fs::MetadataExt as _},
    path::Path,
};

/// The maximum number of names in the directory, without hidden ones.
pub(super) const MAX_NAMES: usize = 1000;

/// The names in a directory, sorted, each with the state of its file. Hidden names are left out: Kubernetes, editors and
/// tools that copy files keep theirs there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Listing(Vec<(OsString, FileState)>);

/// The state of a file, after symbolic links. Two states of a file with the same contents may differ, but not the other way
/// round.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum FileState {
    Regular {
        device: u64,
        inode: u64,
        size: u64,
        mode: u32,
        modified: (i64, i64),
        changed: (i64, i64),
    },
    /// A directory, a device, a pipe or a socket.
    Other,
    Unreadable(io::ErrorKind),
}

impl Listing {
    pub(super) fn of(directory: &Path) -> Result<Self, ConfigError> {
        let error = |problem: String| ConfigError {
            origin: ConfigOrigin::File(directory.to_owned(), String::new()),
            problem,
        };
        let unreadable = |failure: io::Error| {
            error(format!("cannot be read as a directory: {failure}; create it, or correct apps_dir"))
        };
        let mut names = Vec::new();
        for entry in fs::read_dir(directory).map_err(unreadable)? {
            let name = entry.map_err(unreadable)?.file_name();
            if name.as_bytes().starts_with(b".") {
                continue;
            }
            if names.len() == MAX_NAMES {
                return Err(error(format!(
                    "has more than {MAX_NAMES} files; put several apps into one file, each under [[app]]"
                )));
            }
            names.push(name);
        }
        names.sort();
        let state = |name: OsString| {
            let path = directory.join(&name);
            let state = FileState::of(&path);
            // A network file system may list a removed file for up to a minute. A symbolic link without a target is no such
            // name.
            let is_gone = state == FileState::Unreadable(io::ErrorKind::NotFound)
                && fs::symlink_metadata(&path).is_err_and(|error| error.kind() == io::ErrorKind::NotFound);
            (!is_gone).then_some((name, state))
        };
        Ok(Self(names.into_iter().filter_map(state).collect()))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &(OsString, FileState)> {
        self.0.iter()
    }
}

impl FileState {
    pub(super) fn of(path: &Path) -> Self {
        match Self::metadata(path) {
            Ok(file) if file.is_file() => Self::Regular {
                device: file.dev(),
                inode: file.ino(),
                size: file.size(),
                mode: file.mode(),
                modified: (file.mtime(), file.mtime_nsec()),
                changed: (file.ctime(), file.ctime_nsec()),
            },
            Ok(_) => Self::Other,
            Err(error) => Self::Unreadable(error.kind()),
        }
    }

    /// The metadata of an open file. A network file system answers `stat` from its cache for up to a minute, and asks the
    /// server when a file is opened.
    fn metadata(path: &Path) -> io::Result<Metadata> {
        let metadata = fs::metadata(path)?;
        // Opening a pipe would wait for its writer.
        if metadata.is_file() { File::open(path)?.metadata() } else { Ok(metadata) }
    }
}
