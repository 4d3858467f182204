//! Installs Debian packages, for the root user on Debian only.

use std::path::Path;

use anyhow::Result;

use crate::step;

/// Returns true for root on Debian or a distribution derived from it.
pub(crate) fn is_usable() -> bool {
    Path::new("/etc/debian_version").exists() && is_root()
}

/// Installs a program's package if the program is missing and can be installed. Returns whether the program is there.
pub(crate) fn provide(program: &str, package: &str) -> Result<bool> {
    // It is there if it starts: some programs do not know the option.
    let is_there = || duct::cmd!(program, "-V").stdout_null().stderr_null().unchecked().run().is_ok();
    if !is_there() && is_usable() {
        install(&[package])?;
    }
    Ok(is_there())
}

/// Installs packages. apt fails if it would have to remove others for them.
pub(crate) fn install(packages: &[&str]) -> Result<()> {
    step::installing(&format!("Debian packages {}", packages.join(" ")));
    apt(&["update", "-qq"])?;
    let mut arguments =
        vec!["install", "-y", "-qq", "-o=Dpkg::Use-Pty=0", "--no-install-recommends", "--no-remove"];
    arguments.extend(packages);
    apt(&arguments)
}

fn apt(arguments: &[&str]) -> Result<()> {
    // apt's progress belongs to stderr, where the steps are.
    duct::cmd("apt-get", arguments).env("DEBIAN_FRONTEND", "noninteractive").stdout_to_stderr().run()?;
    Ok(())
}

#[cfg(unix)]
fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}

#[cfg(not(unix))]
fn is_root() -> bool {
    false
}
