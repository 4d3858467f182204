//! Reads and writes files; every error names the file.

use std::{
    fs,
    path::{Component, Path, PathBuf},
};

use anyhow::{Context, Result};
use walkdir::WalkDir;

pub(crate) fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}

pub(crate) fn read_text(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

/// Writes a file and the folders above it.
pub(crate) fn write(path: &Path, content: impl AsRef<[u8]>) -> Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    fs::write(path, content).with_context(|| format!("cannot write {}", path.display()))
}

/// Copies a file and makes the folders above the copy.
pub(crate) fn copy(from: &Path, to: &Path) -> Result<()> {
    write(to, read(from)?)
}

/// Makes an empty folder at `path`, in place of what is there.
pub(crate) fn empty_folder(path: &Path) -> Result<()> {
    if path.exists() {
        fs::remove_dir_all(path).with_context(|| format!("cannot remove {}", path.display()))?;
    }
    fs::create_dir_all(path).with_context(|| format!("cannot make {}", path.display()))
}

/// Every file below `path` (or `path` itself), sorted, without build output.
pub(crate) fn below(path: &Path) -> Vec<PathBuf> {
    walk(path, &["node_modules", "target", "dist", "generated", ".git"])
}

/// Every file below `path`, sorted.
pub(crate) fn all_below(path: &Path) -> Vec<PathBuf> {
    walk(path, &[])
}

/// The path without `.` and `..`.
pub(crate) fn normalized(path: &Path) -> PathBuf {
    path.components().fold(PathBuf::new(), |mut normalized, part| {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                normalized.pop();
            }
            part => normalized.push(part),
        }
        normalized
    })
}

fn walk(path: &Path, skipped: &[&str]) -> Vec<PathBuf> {
    WalkDir::new(path)
        .sort_by_file_name()
        .into_iter()
        .filter_entry(|entry| entry.depth() == 0 || !skipped.iter().any(|name| entry.file_name() == *name))
        .filter_map(Result::ok)
        .filter(|entry| entry.file_type().is_file())
        .map(walkdir::DirEntry::into_path)
        .collect()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Writes files into a new temporary folder, and returns the folder. The test removes it.
    pub(crate) fn temporary(name: &str, sources: &[(&str, &str)]) -> PathBuf {
        let root = std::env::temp_dir().join(format!("sealwire-xtask-{name}-{}", std::process::id()));
        for (file, text) in sources {
            write(&root.join(file), text).expect("writable");
        }
        root
    }
}
