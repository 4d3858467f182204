//! The repository, its build folder, and the locks that keep two runs from building the same output at once.

use std::{
    env,
    fs::{self, File},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use serde_json::Value;

use crate::cargo;

/// The repository that this xtask belongs to.
pub(crate) struct Workspace {
    /// The folder with the root Cargo.toml.
    pub(crate) root: PathBuf,
    /// The build folder of cargo: `CARGO_TARGET_DIR` or `target`.
    pub(crate) target: PathBuf,
}

impl Workspace {
    /// Finds the repository through cargo's variables.
    pub(crate) fn open() -> Result<Self> {
        let manifest = env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
        let root =
            Path::new(&manifest).parent().context("the folder of xtask has no parent folder")?.to_owned();
        let target =
            env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |dir| root.join(dir));
        Ok(Self { root, target })
    }

    /// Returns the folder of the generated core modules, which js/ imports.
    pub(crate) fn generated(&self) -> PathBuf {
        self.root.join("js/src/generated")
    }

    /// Returns the path of a program that cargo built with the profile of this folder, such as `debug`.
    pub(crate) fn program(&self, folder: &str, name: &str) -> PathBuf {
        self.target.join(folder).join(format!("{name}{}", env::consts::EXE_SUFFIX))
    }

    /// Returns the crates of the workspace, as cargo describes them.
    pub(crate) fn crates(&self) -> Result<Vec<Value>> {
        let metadata = ["metadata", "--no-deps", "--locked", "--format-version=1"];
        let metadata: Value = serde_json::from_str(&cargo::command(metadata).dir(&self.root).read()?)?;
        metadata["packages"].as_array().cloned().context("`cargo metadata` names no packages")
    }

    /// Returns the folders of the crates, relative to the root.
    pub(crate) fn crate_folders(&self) -> Result<Vec<PathBuf>> {
        let folder = |package: &Value| {
            let manifest = Path::new(package["manifest_path"].as_str()?);
            Some(manifest.parent()?.strip_prefix(&self.root).ok()?.to_owned())
        };
        let folders: Option<_> = self.crates()?.iter().map(folder).collect();
        folders.context("`cargo metadata` names a crate outside of the repository")
    }

    /// Waits until no other xtask holds the lock for this output. Dropping the file releases the lock.
    pub(crate) fn lock(&self, output: &str) -> Result<File> {
        // Not below CARGO_TARGET_DIR: the locked outputs are the same for all build folders.
        let locks = self.root.join("target");
        fs::create_dir_all(&locks)?;
        let file = File::create(locks.join(format!("{output}.lock")))?;
        if file.try_lock().is_err() {
            crate::step::waiting(&format!("for another `cargo xtask` to finish the {output}"));
            file.lock()?;
        }
        Ok(file)
    }
}
