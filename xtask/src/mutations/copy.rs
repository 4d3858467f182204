//! The copy of the sources into which the bugs are inserted.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Result, ensure};

use super::list::Edit;
use crate::{files, workspace::Workspace};

/// The files that the copy needs to build, besides the crates.
const FILES: [&str; 3] = ["Cargo.toml", "Cargo.lock", "clippy.toml"];

/// A copy of the workspace's crates.
pub(super) struct Copy<'a> {
    root: &'a Path,
    pub(super) folder: PathBuf,
}

impl<'a> Copy<'a> {
    /// Makes the copy, or brings it up to date.
    pub(super) fn new(workspace: &'a Workspace) -> Result<Self> {
        let copy = Self { root: &workspace.root, folder: workspace.target.join("mutations") };
        for source in FILES.into_iter().map(PathBuf::from).chain(workspace.crate_folders()?) {
            copy.restore(&source)?;
        }
        Ok(copy)
    }

    /// Inserts a part of a bug.
    pub(super) fn apply(&self, edit: &Edit) -> Result<()> {
        let file = self.folder.join(&edit.file);
        let source = files::read_text(&file)?;
        let times = source.matches(&edit.from).count();
        ensure!(
            times == 1,
            "{} contains the text to replace {times} times, not once; correct the edit in tests/mutations.json",
            file.display()
        );
        files::write(&file, source.replace(&edit.from, &edit.to))
    }

    /// Copies a file or folder. Only files that differ are written, so cargo rebuilds only these. Files of the copy that
    /// the source does not have are removed: cargo finds targets by their names.
    pub(super) fn restore(&self, path: &Path) -> Result<()> {
        let (source, target) = (self.root.join(path), self.folder.join(path));
        let skipped = ["target", "node_modules", "dist"];
        if source.is_dir() {
            for entry in fs::read_dir(&target).into_iter().flatten() {
                let (name, path) = entry.map(|entry| (entry.file_name(), entry.path()))?;
                match source.join(name).exists() {
                    true => {}
                    false if path.is_dir() => fs::remove_dir_all(path)?,
                    false => fs::remove_file(path)?,
                }
            }
            for entry in fs::read_dir(&source)? {
                let name = entry?.file_name();
                if !skipped.iter().any(|skipped| name == *skipped) {
                    self.restore(&path.join(name))?;
                }
            }
            return Ok(());
        }
        let content = files::read(&source)?;
        if fs::read(&target).ok().as_ref() == Some(&content) {
            return Ok(());
        }
        files::write(&target, content)
    }
}
