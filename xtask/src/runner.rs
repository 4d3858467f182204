//! Builds the test runner of wasm-bindgen, which cargo starts for each wasm test binary.

use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::{cargo, workspace::Workspace};

/// The package in `xtask/test-runner`, and its binary.
pub(crate) const PACKAGE: &str = "wasm-test-runner";

/// Builds the runner and returns its path, the value of `CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER`.
pub(crate) fn build(workspace: &Workspace) -> Result<PathBuf> {
    cargo::command(["build", "--quiet", "--locked", "--package", PACKAGE])
        .dir(&workspace.root)
        .run()
        .context("the runner of the wasm tests did not build")?;
    Ok(workspace.program("debug", PACKAGE))
}
