//! Builds the relay's binary on its own, so that it contains no feature that another package enables.

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};

use crate::{apt, cargo, workspace::Workspace};

const BINARY: &str = "sealwire-relay";
/// The features of the published binaries.
pub(crate) const PUBLISHED_FEATURES: &str = "jemalloc";

/// Builds `sealwire-relay` without optimization and with the system's allocator, and returns its path.
pub(crate) fn build(workspace: &Workspace) -> Result<PathBuf> {
    compile(workspace, ("dev", "debug"), "")
}

/// Builds `sealwire-relay` as it is released and returns its path.
pub(crate) fn build_optimized(workspace: &Workspace) -> Result<PathBuf> {
    compile(workspace, ("release", "release"), PUBLISHED_FEATURES)
}

/// Builds `sealwire-relay` with optimization, but without link-time optimization, which takes minutes, and returns its
/// path.
pub(crate) fn build_quick(workspace: &Workspace) -> Result<PathBuf> {
    compile(workspace, ("hot-paths", "hot-paths"), PUBLISHED_FEATURES)
}

/// Builds `sealwire-relay` as it is published for this machine, and returns its path. On Linux it is linked statically and
/// needs only the kernel.
pub(crate) fn build_for_release(workspace: &Workspace) -> Result<PathBuf> {
    provide_make()?;
    // The target is named explicitly so that the flag applies to the binary and not to build scripts and procedural macros.
    let target = duct::cmd!("rustc", "--print", "host-tuple").read()?;
    let flags = if target.contains("linux") { "-C target-feature=+crt-static" } else { "" };
    let arguments = ["build", "--locked", "--release", "--package", BINARY, "--bin", BINARY];
    let selection = ["--features", PUBLISHED_FEATURES, "--target", target.trim()];
    cargo::command(arguments.into_iter().chain(selection))
        .dir(&workspace.root)
        .env("RUSTFLAGS", flags)
        .run()
        .context("the relay did not build")?;
    Ok(workspace.target.join(target.trim()).join("release").join(BINARY))
}

/// Installs make, which builds jemalloc, if it is missing.
pub(crate) fn provide_make() -> Result<()> {
    if cfg!(target_os = "linux") {
        ensure!(
            apt::provide("make", "make")?,
            "no make, which builds jemalloc: install it (Debian: `apt-get install make`)"
        );
    }
    Ok(())
}

fn compile(workspace: &Workspace, (profile, folder): (&str, &str), features: &str) -> Result<PathBuf> {
    if !features.is_empty() {
        provide_make()?;
    }
    let arguments =
        ["build", "--quiet", "--locked", "--package", "sealwire-relay", "--bin", "sealwire-relay"];
    cargo::command(arguments.into_iter().chain(["--profile", profile, "--features", features]))
        .dir(&workspace.root)
        .run()
        .context("the relay did not build")?;
    Ok(workspace.target.join(folder).join(format!("sealwire-relay{}", std::env::consts::EXE_SUFFIX)))
}
