//! Builds the relay's binary on its own, so that it contains no feature that another package enables.

use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::workspace::Workspace;

/// Builds `sealwire-relay` without optimization and returns its path.
pub(crate) fn build(workspace: &Workspace) -> Result<PathBuf> {
    compile(workspace, "dev", "debug")
}

/// Builds `sealwire-relay` as it is released and returns its path.
pub(crate) fn build_optimized(workspace: &Workspace) -> Result<PathBuf> {
    compile(workspace, "release", "release")
}

/// Builds `sealwire-relay` with optimization, but without link-time optimization, which takes minutes, and returns its
/// path.
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
