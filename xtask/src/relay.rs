//! The relay's binary, built on its own so that no other package's features are in it.

use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::workspace::Workspace;

/// Builds `sealwire-relay` without optimisation and gives its path.
pub(crate) fn build(workspace: &Workspace) -> Result<PathBuf> {
    compile(workspace, "dev", "debug")
}

/// The same as it is shipped.
pub(crate) fn build_optimized(workspace: &Workspace) -> Result<PathBuf> {
    compile(workspace, "release", "release")
}

/// The same with optimisation but without the minutes that the link of a release takes.
pub(crate) fn build_quick(workspace: &Workspace) -> Result<PathBuf> {
    compile(workspace, "hot-paths", "hot-paths")
}

fn compile(workspace: &Workspace, profile: &str, folder: &str) -> Result<PathBuf> {
    let arguments =
        ["build", "--quiet", "--locked", "--package", "sealwire-relay", "--bin", "sealwire-relay"];
    duct::cmd("cargo", arguments.into_iter().chain(["--profile", profile]))
        .dir(&workspace.root)
        .run()
        .context("the relay did not build")?;
    Ok(workspace.target.join(folder).join(format!("sealwire-relay{}", std::env::consts::EXE_SUFFIX)))
}
