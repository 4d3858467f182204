//! Builds the relay's binary. What is published is built on its own, so that it contains no feature that another package enables.

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};

use crate::{apt, cargo, workspace::Workspace};

const BINARY: &str = "sealwire-relay";
const HOT_PATHS: &str = "sealwire-hot-paths";
/// The build profile of what is optimized without link-time optimization.
pub(crate) const OPTIMIZED: &str = "optimized";
/// The features of the published binaries.
pub(crate) const PUBLISHED_FEATURES: &str = "jemalloc";

/// Builds `sealwire-relay` without optimization and with the system's allocator, and returns its path.
pub(crate) fn build(workspace: &Workspace) -> Result<PathBuf> {
    compile(workspace, &["--profile=dev", "--package", BINARY])?;
    Ok(workspace.program("debug", BINARY))
}

/// Builds `sealwire-relay` as it is released and returns its path.
pub(crate) fn build_optimized(workspace: &Workspace) -> Result<PathBuf> {
    provide_make()?;
    compile(workspace, &["--release", "--package", BINARY, "--features", PUBLISHED_FEATURES])?;
    Ok(workspace.program("release", BINARY))
}

/// Builds `sealwire-relay` with optimization, but without link-time optimization, which takes minutes, and without jemalloc, and
/// returns its path.
pub(crate) fn build_quick(workspace: &Workspace) -> Result<PathBuf> {
    build_with_hot_paths(workspace)?;
    Ok(workspace.program(OPTIMIZED, BINARY))
}

/// Builds the program that counts the instructions of the hot paths, and returns its path.
pub(crate) fn build_hot_paths(workspace: &Workspace) -> Result<PathBuf> {
    build_with_hot_paths(workspace)?;
    Ok(workspace.program(OPTIMIZED, HOT_PATHS))
}

/// Builds both in one go, since cargo compiles the relay once for each selection of packages, which takes a minute. The other
/// package enables a feature of the protocol that the relay does not call. The allocator is the system's, since
/// jemalloc takes a minute and a half of processor time to build.
fn build_with_hot_paths(workspace: &Workspace) -> Result<()> {
    let packages = ["--package", BINARY, "--package", HOT_PATHS, "--bin", HOT_PATHS];
    compile(workspace, &[&["--profile", OPTIMIZED], &packages[..]].concat())
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
fn provide_make() -> Result<()> {
    if cfg!(target_os = "linux") {
        ensure!(
            apt::provide("make", "make")?,
            "no make, which builds jemalloc: install it (Debian: `apt-get install make`)"
        );
    }
    Ok(())
}

fn compile(workspace: &Workspace, selection: &[&str]) -> Result<()> {
    let arguments = ["build", "--quiet", "--locked", "--bin", BINARY];
    cargo::command(arguments.iter().chain(selection))
        .dir(&workspace.root)
        .run()
        .context("the relay did not build")?;
    Ok(())
}
