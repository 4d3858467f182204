//! Where things are: the repository, its build folder, and the lock that keeps two runs from building at once.

use std::{
    env,
    fs::{self, File},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

/// The repository that this xtask belongs to.
pub(crate) struct Workspace {
    /// The folder with the root Cargo.toml.
    pub(crate) root: PathBuf,
    /// cargo's build folder, `CARGO_TARGET_DIR` honoured.
    pub(crate) target: PathBuf,
}

impl Workspace {
    pub(crate) fn open() -> Result<Self> {
        let manifest = env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
        let root = Path::new(&manifest).parent().context("xtask/ lies in the repository")?.to_owned();
        let target =
            env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |dir| root.join(dir));
        Ok(Self { root, target })
    }

    /// Where the generated core modules go, for js/ to import.
    pub(crate) fn generated(&self) -> PathBuf {
        self.root.join("js/src/generated")
    }

    /// Waits until no other xtask builds `what`; the lock ends with the returned file.
    pub(crate) fn lock(&self, what: &str) -> Result<File> {
        // Not below CARGO_TARGET_DIR: what is locked is shared by all build folders.
        let locks = self.root.join("target");
        fs::create_dir_all(&locks)?;
        let file = File::create(locks.join(format!("{what}.lock")))?;
        if file.try_lock().is_err() {
            crate::step::waiting(&format!("for another `cargo xtask` to finish the {what}"));
            file.lock()?;
        }
        Ok(file)
    }
}
