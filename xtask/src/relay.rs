//! The relay's binary, built on its own so that no other package's features are in it.

use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::workspace::Workspace;

/// Builds `sealwire-relay` without optimisation and gives its path.
pub(crate) fn build(workspace: &Workspace) -> Result<PathBuf> {
    duct::cmd!(
        "cargo",
        "build",
        "--quiet",
        "--locked",
        "--package",
        "sealwire-relay",
        "--bin",
        "sealwire-relay"
    )
    .dir(&workspace.root)
    .run()
    .context("the relay did not build")?;
    Ok(workspace.target.join("debug").join(format!("sealwire-relay{}", std::env::consts::EXE_SUFFIX)))
}
